package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// recordAge is how old the record may be in a pass over an instance at rest. What a pass decides rests on a new one.
const recordAge = 30 * time.Second

// controllerTimeout is how long a pass waits for kvrocks-controller at least, also while a master is being replaced: its
// etcd writes to a disk before it answers, and nothing can be done without it.
const controllerTimeout = time.Second

// kvrocksController is what is remembered of an instance's kvrocks-controller between passes.
type kvrocksController struct {
	client       conn.Controller
	target       target // of the client
	asking       conn.Inflight[recordAnswer]
	seen         plan.Controller
	readAt       time.Time // zero makes the next pass read
	unresponsive bool
	// goneSince is the LeaderGoneSince of the planner, in spite of answers that were waited for in vain, and epoch that of
	// the processes which it is said of.
	goneSince time.Time
	epoch     int64
}

// startTime is what new processes of kvrocks-controller are given, with the time for their image, before it counts against
// them that there is no leader.
const startTime = 90 * time.Second

// target is what a client talks to, and with which password.
type target struct{ url, password string }

type recordAnswer struct {
	record *kvctl.Record
	at     time.Time
	err    error
}

// connectController makes the client, again when the URL or the password has changed.
func (p *pass) connectController() *kvrocksController {
	c := &p.inst.controller
	ref := p.topology.Spec.Controller
	if ref == nil {
		c.close()
		*c = kvrocksController{seen: plan.Controller{Reach: plan.Unreachable, Err: "the topology names none", DownSince: p.now()}}
		return c
	}
	to := target{url: ref.URL, password: string(p.inst.credentials.Passwords().Wanted)}
	if c.client != nil && c.target == to {
		return c
	}
	c.close()
	*c = kvrocksController{target: to, client: p.network.Controller(kvctl.Options{
		URL: to.url, Namespace: p.key.Namespace, Cluster: p.key.Name, Password: to.password, OnRequest: p.metrics.request,
	})}
	return c
}

// stale reports whether the record must be read whatever the nodes say.
func (c *kvrocksController) stale(now time.Time) bool {
	return c.client != nil && (c.seen.Reach != plan.Answered || now.Sub(c.readAt) >= recordAge)
}

// agrees reports whether every node that answers has the version of the record as it was last read.
func (c *kvrocksController) agrees(nodes map[string]*node) bool {
	if c.seen.Record == nil {
		return false
	}
	for _, n := range nodes {
		if n.seen.Cluster != nil && n.seen.Cluster.Version != c.seen.Record.Version {
			return false
		}
	}
	return true
}

// observeController reads the record.
func (p *pass) observeController(ctx context.Context) plan.Controller {
	c := &p.inst.controller
	if c.client == nil {
		return c.seen
	}
	now := p.now()
	w := p.timeouts()
	timeout := max(w.usual, controllerTimeout)
	if c.unresponsive {
		timeout = unresponsiveTimeout
	}
	client := c.client
	answer, ok := c.asking.Ask(timeout, func() recordAnswer {
		record, err := client.Get(ctx)
		return recordAnswer{record: record, at: p.now(), err: err}
	}, func(a recordAnswer) {
		if a.err == nil {
			w.onLate()
		}
	})
	if !ok {
		c.unresponsive = true
		c.fail("no answer", now)
		return c.seen
	}
	c.unresponsive = false
	c.take(answer, &p.inst.layouts)
	c.noteLeader(answer, p.topology.Status.ControllerEpoch)
	return c.seen
}

// noteLeader keeps since when the leader has been gone.
func (c *kvrocksController) noteLeader(a recordAnswer, epoch int64) {
	switch gone := errors.Is(a.err, kvctl.ErrLeaderGone); {
	case !gone:
		c.goneSince = time.Time{}
	case c.goneSince.IsZero():
		c.goneSince = a.at
	case epoch != c.epoch:
		c.goneSince = a.at.Add(startTime)
	}
	c.epoch, c.seen.LeaderGoneSince = epoch, c.goneSince
}

func (c *kvrocksController) take(a recordAnswer, known *layouts) {
	missing := errors.Is(a.err, kvctl.ErrNotFound)
	if a.err != nil && !missing {
		c.fail(a.err.Error(), a.at)
		return
	}
	c.readAt = a.at
	c.seen = plan.Controller{Reach: plan.Answered}
	if missing {
		return
	}
	c.seen.Record, c.seen.PasswordStale = known.same(&a.record.Layout), a.record.OtherPassword
}

// fail keeps no record: what it was when kvrocks-controller last answered says nothing about now.
func (c *kvrocksController) fail(why string, at time.Time) {
	since := c.seen.DownSince
	if since.IsZero() {
		since = at
	}
	c.seen = plan.Controller{Reach: plan.Unreachable, Err: why, DownSince: since}
	c.readAt = time.Time{}
}

func (c *kvrocksController) close() {
	if c.client != nil {
		_ = c.client.Close() // it only drops idle connections
	}
}

// toController carries out an action on kvrocks-controller.
func (p *applier) toController(ctx context.Context, a action.Action) error {
	c := p.inst.controller.client
	if c == nil {
		return fmt.Errorf("kvrocks-controller: %w", kube.ErrGone)
	}
	p.inst.controller.readAt = time.Time{} // whatever comes of it
	switch a := a.(type) {
	case action.CreateCluster:
		return c.Create(ctx, a.Shards)
	case action.ImportCluster:
		addr, err := p.announced(a.Pod)
		if err != nil {
			return err
		}
		return c.Import(ctx, addr)
	case action.DeleteCluster:
		return c.Delete(ctx)
	case action.AddShard:
		return c.AddShard(ctx, a.Addresses)
	case action.RemoveShard:
		return c.RemoveShard(ctx, a.MasterID)
	case action.AddNode:
		return c.AddNode(ctx, a.MasterID, a.Address)
	case action.RemoveNode:
		return c.RemoveNode(ctx, a.ID)
	case action.FailOver:
		return c.FailOver(ctx, a.MasterID, a.PreferredID)
	case action.RecordSlots:
		return c.RecordSlots(ctx, a.Slots, a.ToMasterID)
	}
	return fmt.Errorf("unknown action %T", a)
}

// installPush returns the action that gives the new master the record that a failover has just changed; none when the record was
// changed again in between, which the next pass sees.
func (p *applier) installPush(ctx context.Context, of action.FailOver) ([]action.Action, error) {
	record, err := p.inst.controller.client.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the record after the failover: %w", err)
	}
	if !record.IsMaster(of.PreferredID) {
		return nil, nil
	}
	return []action.Action{action.Push{Pod: of.Install, ID: of.PreferredID, Layout: &record.Layout}}, nil
}

// announced returns the address of a pod's node as kvrocks-controller knows it.
func (p *applier) announced(pod string) (string, error) {
	for _, m := range kube.Members(p.topology) {
		if m.Pod == pod {
			return conn.JoinHostPort(m.Address, p.topology.Spec.Port), nil
		}
	}
	return "", fmt.Errorf("pod %s: %w", pod, kube.ErrGone)
}
