package reconcile

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// sentinelView is what is remembered of one sentinel's view of one instance between passes.
type sentinelView struct {
	conn    *conn.SharedSentinel
	asking  conn.Inflight[viewAnswer]
	last    plan.SentinelView
	details map[string]masterDetails
	// renewed is when the sentinel's connections to the nodes of the instance were last ended.
	renewed time.Time
}

// masterDetails are asked rarely while the counts in the master's own entry stay the same.
type masterDetails struct {
	peers, replicas []string
	counts          [2]int
	at              time.Time
}

type viewAnswer struct {
	masters map[string]quorum.MasterView
	details map[string]masterDetails
	// spinning: it uses up a processor; tilt: it is in TILT.
	spinning, tilt bool
	// access is nil when it was not asked or does not say.
	access *plan.SentinelAccess
	err    error
}

// question is what a pass wants to know of a sentinel.
type question struct {
	sentinel *conn.SharedSentinel
	// names of the masters; nil asks for all that it monitors, without their details.
	names []string
	// details are to be read whatever their age.
	details  bool
	timeouts timeouts
	now      time.Time
}

// observe asks a sentinel and returns its view.
func (v *sentinelView) observe(ctx context.Context, q question) plan.SentinelView {
	q.sentinel = v.conn
	timeout := q.timeouts.usual
	switch {
	case v.conn.Unresponsive():
		timeout = min(unresponsiveTimeout, timeout)
	case v.last.Reach == plan.Unresponsive: // it answers, but late
		timeout = q.timeouts.longest
	}
	known := maps.Clone(v.details) // the question may outlive this pass
	answer, ok := v.asking.Ask(timeout, func() viewAnswer {
		return q.ask(ctx, known)
	}, func(a viewAnswer) {
		if a.err == nil {
			q.timeouts.onLate()
		}
	})
	switch {
	case !ok:
		v.last.Reach, v.last.Err = plan.Unresponsive, "no answer"
	case answer.err != nil:
		v.last.Reach, v.last.Err = conn.ReachOf(answer.err), answer.err.Error()
	default:
		v.last.Reach, v.last.Err = plan.Answered, ""
		v.last.Masters, v.details = answer.masters, answer.details
		v.last.Tilt, v.last.Access = answer.tilt, answer.access
		v.last.Spinning = answer.spinning && q.now.Sub(v.renewed) >= renewAge
	}
	return v.last
}

func (q question) ask(ctx context.Context, known map[string]masterDetails) viewAnswer {
	if q.names == nil {
		return q.askAll(ctx)
	}
	ask, err := q.entries(ctx)
	if err != nil {
		return viewAnswer{err: err}
	}
	a := viewAnswer{masters: map[string]quorum.MasterView{}, details: map[string]masterDetails{}}
	if a.spinning, a.tilt, err = q.sentinel.Loaded(ctx, q.now); err != nil {
		return viewAnswer{err: err}
	}
	for _, name := range q.names {
		view, details, err := q.askMaster(ctx, name, ask, known[name])
		if errors.Is(err, kvrocks.ErrNoSuchMaster) {
			q.sentinel.ForgetMaster(name)
			continue
		}
		if err != nil {
			return viewAnswer{err: err}
		}
		a.masters[name], a.details[name] = view, details
	}
	return a
}

// fewNames is how many names are asked for one by one. For more than that, everything is asked for at once.
const fewNames = 3

// renewAge is how soon the connections of a sentinel that uses up a processor are ended again.
const renewAge = time.Minute

// detailsAge is how old the details of many names may be in a full probe: they are two commands for each.
const detailsAge = 2 * time.Second

// entry is what a sentinel says of a name.
type entry func(name string) (kvrocks.MonitoredMaster, error)

// entries returns how to get at what the sentinel says of each name.
func (q question) entries(ctx context.Context) (entry, error) {
	if len(q.names) <= fewNames {
		return func(name string) (kvrocks.MonitoredMaster, error) {
			return conn.Ask(q.sentinel, func(c conn.Sentinel) (kvrocks.MonitoredMaster, error) { return c.Master(ctx, name) })
		}, nil
	}
	list, err := q.list(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]kvrocks.MonitoredMaster{}
	for _, m := range list {
		byName[m.Name] = m
	}
	return func(name string) (kvrocks.MonitoredMaster, error) {
		m, ok := byName[name]
		if !ok {
			return m, kvrocks.ErrNoSuchMaster
		}
		return m, nil
	}, nil
}

func (q question) list(ctx context.Context) ([]kvrocks.MonitoredMaster, error) {
	return conn.Ask(q.sentinel, func(c conn.Sentinel) ([]kvrocks.MonitoredMaster, error) { return c.Masters(ctx) })
}

func (q question) askAll(ctx context.Context) viewAnswer {
	list, err := q.list(ctx)
	if err != nil {
		return viewAnswer{err: err}
	}
	a := viewAnswer{masters: map[string]quorum.MasterView{}, access: q.access(ctx)}
	if a.spinning, a.tilt, err = q.sentinel.Loaded(ctx, q.now); err != nil {
		return viewAnswer{err: err}
	}
	for _, m := range list {
		a.masters[m.Name] = q.view(m, masterDetails{})
	}
	return a
}

func (q question) askMaster(
	ctx context.Context, name string, ask entry, known masterDetails,
) (quorum.MasterView, masterDetails, error) {
	m, err := ask(name)
	if err != nil {
		return quorum.MasterView{}, masterDetails{}, err
	}
	counts, age := [2]int{m.NumOtherSentinels, m.NumReplicas}, q.now.Sub(known.at)
	full := q.details && (len(q.names) <= fewNames || age >= detailsAge)
	if full || known.counts != counts || age >= rarely {
		if known, err = q.askDetails(ctx, name); err != nil {
			return quorum.MasterView{}, masterDetails{}, err
		}
		known.counts, known.at = counts, q.now
	}
	return q.view(m, known), known, nil
}

func (q question) askDetails(ctx context.Context, name string) (masterDetails, error) {
	return conn.Ask(q.sentinel, func(c conn.Sentinel) (d masterDetails, err error) {
		peers, err := c.Sentinels(ctx, name)
		if err != nil {
			return d, err
		}
		replicas, err := c.Replicas(ctx, name)
		for _, p := range peers {
			d.peers = append(d.peers, p.Host)
		}
		for _, r := range replicas {
			d.replicas = append(d.replicas, r.Host)
		}
		slices.Sort(d.peers)
		slices.Sort(d.replicas)
		return d, err
	})
}

func (q question) view(m kvrocks.MonitoredMaster, d masterDetails) quorum.MasterView {
	return quorum.MasterView{
		Address:                     m.Host,
		Port:                        int32(m.Port),
		SubjectivelyDown:            m.Flags.SDown,
		ObjectivelyDown:             m.Flags.ODown,
		ODownAt:                     q.sentinel.ODownAt(m.Name),
		Failover:                    m.Flags.FailoverInProgress,
		Quorum:                      int32(m.Quorum),
		DownAfterMilliseconds:       int32(m.DownAfter.Milliseconds()),
		FailoverTimeoutMilliseconds: int32(m.FailoverTimeout.Milliseconds()),
		ParallelSyncs:               int32(m.ParallelSyncs),
		Peers:                       d.peers,
		Replicas:                    d.replicas,
	}
}
