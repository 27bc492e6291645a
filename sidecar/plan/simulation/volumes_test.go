package simulation

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// simVolume is what outlives a pod: the data, and what hooks/scripts/recall.sh finds on it.
type simVolume struct {
	id    string
	log   []int
	saved string // nodes.conf.last
}

func (n *simNode) volume() simVolume {
	v := simVolume{id: n.volumeID, log: n.log, saved: n.saved}
	if n.layout != nil {
		v.saved = savedWords(n.toldLayout)
	}
	return v
}

// mount gives a member, whose pod is deleted, another volume.
func (d *dataPlane) mount(name string, v simVolume) {
	n := d.nodes[name]
	*d.pods[name] = simPod{due: d.now.Add(d.some(20))}
	n.volumeID, n.log, n.saved, n.toldLayout = v.id, slices.Clone(v.log), v.saved, toldLayout{}
	n.syncing, n.emptied, n.life = false, false, n.life+1
}

// newVolumeID is an identity that no volume has.
func (d *dataPlane) newVolumeID() string {
	d.volumes++
	return fmt.Sprint("v", d.volumes)
}

// told is what recall.sh says of the volume when the pod is made.
func (d *dataPlane) told(n *simNode, saved string) string {
	if n.volumeID == "" {
		n.volumeID = d.newVolumeID()
	}
	if d.oldTemplate {
		return saved
	}
	return "volume " + n.volumeID + "\n" + saved
}

// spared reports whether the volume of m can be taken away: another member that stays, and is on record, has a full copy.
func (d *dataPlane) spared(shard *v1alpha1.TopologyShard, m string) bool {
	for _, o := range shard.Members[:min(len(shard.Members), int(shard.Replicas))] {
		if n := d.nodes[o.Pod]; o.Pod != m && d.onRecord(o.Pod) && d.lacks(n) == 0 && d.lacksSafe(n) == 0 && isPrefix(d.nodes[m].log, n.log) {
			return true
		}
	}
	return false
}

// volumeFault takes the volume of a member away, gives it an old copy, or has two members change theirs. Where pods tell no
// identity, a volume in another pod than before cannot be known, so there that does not happen.
func (d *dataPlane) volumeFault(m string) {
	n, shard := d.nodes[m], d.shardOf(d.nodes[m].shard)
	kind := d.rng.IntN(5)
	if kind > 1 && !d.spared(shard, m) {
		return
	}
	switch kind {
	case 0: // A backup is made.
		v := n.volume()
		v.log = slices.Clone(v.log)
		d.backups[m] = v
		d.say("%s is backed up with %d writes", m, len(v.log))
	case 1:
		o := shard.Members[d.rng.IntN(len(shard.Members))].Pod
		// A member that leaves a cluster is not on record any more, and one that joins it not yet: with the master's volume it would
		// be waited for, and a person must decide (see outsider).
		if o == m || d.oldTemplate || d.inMotion() || !d.onRecord(m) || !d.onRecord(o) {
			return
		}
		a, b := n.volume(), d.nodes[o].volume()
		d.mount(m, b)
		d.mount(o, a)
		d.say("FAULT %s and %s change their volumes", m, o)
	case 2: // Its own backup, or that of another member.
		from := shard.Members[d.rng.IntN(len(shard.Members))].Pod
		if v, ok := d.backups[from]; ok && (from == m || !d.oldTemplate) {
			d.mount(m, v)
			d.say("FAULT %s gets the backup of %s with %d writes", m, from, len(v.log))
		}
	case 3:
		d.mount(m, simVolume{})
		d.say("FAULT pod %s and its volume are lost", m)
	case 4: // The volume of another instance, with more writes than this one ever had.
		if d.oldTemplate {
			return
		}
		v := simVolume{id: d.newVolumeID()}
		for i := range len(n.log) + 20 {
			v.log = append(v.log, -1-i)
		}
		d.mount(m, v)
		d.say("FAULT %s gets a foreign volume with %d writes", m, len(v.log))
	}
}

// onRecord reports whether kvrocks-controller knows the member; it is true in a standard instance.
func (d *dataPlane) onRecord(m string) bool {
	s := d.reportedShard(d.nodes[m].shard)
	return d.topology.Spec.Type == v1alpha1.TypeStandard || s != nil && slices.ContainsFunc(s.Nodes, func(n v1alpha1.TopologyNode) bool {
		return n.Pod == m && n.NodeID != ""
	})
}

// foreign reports whether the node has the volume of another instance.
func (n *simNode) foreign() bool { return len(n.log) > 0 && n.log[0] < 0 }

// holdsForeign: a volume of another instance has not been synced yet. When nothing else is known than the volumes, it cannot be
// told from the others.
func (d *dataPlane) holdsForeign() bool {
	for _, n := range d.nodes {
		if n.foreign() {
			return true
		}
	}
	return false
}

// noteSafe notes, while a shard has a proved master, the writes that all members in sync hold, as the report has it: no
// promotion may undo them while a member that has them all answers. What a master took alone since its last report is not among
// them: a member that has joined since may lack it.
func (d *dataPlane) noteSafe() {
	for _, last := range d.topology.Status.Shards {
		if d.shardOf(last.Index) == nil || last.Outage != nil || last.Master == "" || !d.nodes[last.Master].master || !d.up(last.Master) {
			continue
		}
		var logs [][]int
		d.inSync[last.Index] = map[string]bool{}
		for _, r := range last.Nodes {
			if n := d.nodes[r.Pod]; r.Role != "" && n != nil {
				logs = append(logs, n.log[:min(len(n.log), int(r.Sequence))])
				d.inSync[last.Index][n.volumeID] = true
			}
		}
		noteCommon(d.safe[last.Index], logs)
	}
}

// noteCommon adds to known writes those that all logs begin with.
func noteCommon(known map[int]bool, logs [][]int) {
	if len(logs) == 0 {
		return
	}
	common := logs[0]
	for _, log := range logs[1:] {
		k := 0
		for k < len(common) && k < len(log) && common[k] == log[k] {
			k++
		}
		common = common[:k]
	}
	for i := len(common) - 1; i >= 0 && !known[common[i]]; i-- {
		known[common[i]] = true
	}
}

// missing are the writes that the node lacks of those that are needed.
func (n *simNode) missing(needed map[int]bool) []int {
	found := 0
	for _, id := range n.log {
		if needed[id] {
			found++
		}
	}
	if found == len(needed) {
		return nil
	}
	has := map[int]bool{}
	for _, id := range n.log {
		has[id] = true
	}
	var all []int
	for id := range needed {
		if !has[id] {
			all = append(all, id)
		}
	}
	return all
}

// lacks returns the last settled write of its shard that the node lacks, or 0, and lacksSafe the last safe one.
func (d *dataPlane) lacks(n *simNode) int {
	return slices.Max(append(n.missing(d.settled[n.shard]), 0))
}

func (d *dataPlane) lacksSafe(n *simNode) int {
	return slices.Max(append(n.missing(d.safe[n.shard]), 0))
}

// checkSafe: what becomes master has every safe write, or no volume that has them, and was in sync while a master was proved,
// answers. What is lost then is lost. What others made master, and clients have written to since, is not undone for another with
// as many writes: either choice loses some, and the journal says so.
func (d *dataPlane) checkSafe(n *simNode, how string) {
	id := d.lacksSafe(n)
	if id == 0 {
		return
	}
	for _, name := range d.names {
		o := d.nodes[name]
		if n.master && len(n.log) >= len(o.log) && !isPrefix(n.log, o.log) {
			continue
		}
		if o.shard == n.shard && o != n && d.isMember(name) && d.up(name) && !d.late(o) && !o.syncing && !d.pods[name].deleting && !d.pods[name].forced && !o.master && d.inSync[n.shard][o.volumeID] && d.lacksSafe(o) == 0 {
			d.violated("%s %s without write %d, which %s has", n.name, how, id, name)
			return
		}
	}
}

// forgetLost drops what a proved master lacks: it is lost for good.
func (d *dataPlane) forgetLost(n *simNode) {
	for _, id := range n.missing(d.safe[n.shard]) {
		delete(d.safe[n.shard], id)
	}
}

// fullSync begins to replace the data of n by that of its master, which takes a while. kvrocks either keeps the old data until
// then and serves it, or has deleted it and says that it is loading.
func (d *dataPlane) fullSync(n *simNode) {
	n.syncing, n.syncEnd = true, d.now.Add(d.some(20)-tick)
	if d.emptyFirst {
		n.emptied, n.log = true, nil
	}
}

// abortFullSync is what happens when the master vanishes meanwhile: the old data serves on, or the process ends, because its
// database is closed, and starts with nothing.
func (d *dataPlane) abortFullSync(n *simNode) {
	d.say("the full sync of %s is aborted", n.name)
	n.syncing, n.source, n.linkUp = false, nil, false
	if n.emptied {
		p := d.pods[n.name]
		n.emptied, n.life = false, n.life+1
		p.running, p.due = false, d.now.Add(d.some(10))
	}
}
