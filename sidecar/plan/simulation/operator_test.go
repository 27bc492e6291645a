package simulation

// operator makes the topology of a life from what is wanted, and says which pods there are to be: what the hooks, Metacontroller and
// the StatefulSet controller do.
type operator interface {
	// advance lets one tick pass.
	advance()
	// wants reports whether a pod is to exist.
	wants(pod string) bool
	// leave ends a pod that is not to exist any more.
	leave(pod string)
	// made completes a pod that was just made.
	made(pod string, p *simPod)
	// template is the number of the template that a pod is to run with.
	template(pod string) int
	// newTemplate has the pods rolled: to a template that starts, or to one that does not.
	newTemplate()
	// scaleTo sets the number of pods of every shard.
	scaleTo(replicas int)
	// boundLoss bounds what a promotion may lose; nil takes the bound away.
	boundLoss(most *int64)
	// edit is, now and then, a change of what is wanted or a fault of what only these lives have; it reports whether there was one.
	edit(victim string) bool
	// handoff has a pod updated, or takes that back.
	handoff(pod string)
	// reshape adds shards or takes some away.
	reshape()
	// remakes reports whether an instance may be deleted and made again on its volumes.
	remakes() bool
	// readSettings reports whether the sidecar reads the settings of nodes in this pass.
	readSettings() bool
	// heal ends what keeps pods from starting, and takes back what was asked of members.
	heal()
	// atRest reports whether nothing is left to be done, as far as the operator goes.
	atRest() bool
}

// scripted is an operator without the hooks: it writes the topology as they would, as far as the planner depends on it. Its
// lives take a tenth of the time of those in which the hooks themselves do.
type scripted struct{ d *dataPlane }

func (o scripted) advance() {
	o.grant()
	o.roll()
}

func (o scripted) wants(pod string) bool { return o.d.isMember(pod) }

func (o scripted) leave(pod string) { *o.d.pods[pod] = simPod{} }

func (o scripted) made(_ string, p *simPod) { p.revision = o.d.revision }

func (o scripted) template(string) int { return o.d.revision }

func (o scripted) boundLoss(most *int64) { o.d.topology.Spec.Failover.MaxLostWrites = most }

func (o scripted) atRest() bool { return true }

func (o scripted) edit(string) bool { return false }

func (o scripted) remakes() bool { return true }

func (o scripted) readSettings() bool { return false }
