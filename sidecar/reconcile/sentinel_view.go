package reconcile

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// question is what a pass wants to know of a sentinel.
type question struct {
	// names of the masters; nil asks for all that it monitors, without their details.
	names []string
	// details are to be read whatever their age.
	details  bool
	timeouts timeouts
	now      time.Time
}

// observe asks a sentinel and returns its view.
func (v *sentinelView) observe(ctx context.Context, q question) plan.SentinelView {
	timeout := q.timeouts.usual
	switch {
	case v.conn.unresponsive():
		timeout = min(unresponsiveTimeout, timeout)
	case v.last.Reach == plan.Unresponsive: // it answers, but late
		timeout = q.timeouts.longest
	}
	known := maps.Clone(v.details) // the question may outlive this pass
	answer, ok := v.asking.ask(timeout, func() viewAnswer {
		return v.conn.ask(ctx, q, known)
	}, func(a viewAnswer) {
		if a.err == nil {
			q.timeouts.onLate()
		}
	})
	switch {
	case !ok:
		v.last.Reach, v.last.Err = plan.Unresponsive, "no answer"
	case answer.err != nil:
		v.last.Reach, v.last.Err = reachOf(answer.err), answer.err.Error()
	default:
		v.last.Reach, v.last.Err = plan.Answered, ""
		v.last.Masters, v.details = answer.masters, answer.details
		v.last.Tilt, v.last.Access = answer.tilt, answer.access
		v.last.Spinning = answer.spinning && q.now.Sub(v.renewed) >= renewAge
	}
	return v.last
}

func (s *sentinel) ask(ctx context.Context, q question, known map[string]masterDetails) viewAnswer {
	if q.names == nil {
		return s.askAll(ctx, q.now)
	}
	ask, err := s.entries(ctx, q)
	if err != nil {
		return viewAnswer{err: err}
	}
	a := viewAnswer{masters: map[string]plan.MasterView{}, details: map[string]masterDetails{}}
	if a.spinning, a.tilt, err = s.loaded(ctx, q.now); err != nil {
		return viewAnswer{err: err}
	}
	for _, name := range q.names {
		view, details, err := s.askMaster(ctx, name, q, ask, known[name])
		if errors.Is(err, kvrocks.ErrNoSuchMaster) {
			s.forgetMaster(name)
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

// detailsAge is how old the details of many names may be in a full probe: they are two commands for each.
const detailsAge = 2 * time.Second

// entry is what a sentinel says of a name.
type entry func(name string) (kvrocks.MonitoredMaster, error)

// entries returns how to get at what the sentinel says of each name.
func (s *sentinel) entries(ctx context.Context, q question) (entry, error) {
	if len(q.names) <= fewNames {
		return func(name string) (m kvrocks.MonitoredMaster, err error) {
			err = s.do(func(c Sentinel) (err error) {
				m, err = c.Master(ctx, name)
				return err
			})
			return m, err
		}, nil
	}
	list, err := s.list(ctx)
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

func (s *sentinel) list(ctx context.Context) (list []kvrocks.MonitoredMaster, err error) {
	err = s.do(func(c Sentinel) (err error) {
		list, err = c.Masters(ctx)
		return err
	})
	return list, err
}

func (s *sentinel) askAll(ctx context.Context, now time.Time) viewAnswer {
	list, err := s.list(ctx)
	if err != nil {
		return viewAnswer{err: err}
	}
	a := viewAnswer{masters: map[string]plan.MasterView{}, access: s.access(ctx)}
	if a.spinning, a.tilt, err = s.loaded(ctx, now); err != nil {
		return viewAnswer{err: err}
	}
	for _, m := range list {
		a.masters[m.Name] = s.view(m, masterDetails{})
	}
	return a
}

func (s *sentinel) askMaster(
	ctx context.Context, name string, q question, ask entry, known masterDetails,
) (plan.MasterView, masterDetails, error) {
	m, err := ask(name)
	if err != nil {
		return plan.MasterView{}, masterDetails{}, err
	}
	counts, age := [2]int{m.NumOtherSentinels, m.NumReplicas}, q.now.Sub(known.at)
	full := q.details && (len(q.names) <= fewNames || age >= detailsAge)
	if full || known.counts != counts || age >= rarely {
		if known, err = s.askDetails(ctx, name); err != nil {
			return plan.MasterView{}, masterDetails{}, err
		}
		known.counts, known.at = counts, q.now
	}
	return s.view(m, known), known, nil
}

func (s *sentinel) askDetails(ctx context.Context, name string) (masterDetails, error) {
	var d masterDetails
	err := s.do(func(c Sentinel) error {
		peers, err := c.Sentinels(ctx, name)
		if err != nil {
			return err
		}
		replicas, err := c.Replicas(ctx, name)
		if err != nil {
			return err
		}
		d = masterDetails{}
		for _, p := range peers {
			d.peers = append(d.peers, p.Host)
		}
		for _, r := range replicas {
			d.replicas = append(d.replicas, r.Host)
		}
		return nil
	})
	slices.Sort(d.peers)
	slices.Sort(d.replicas)
	return d, err
}

func (s *sentinel) view(m kvrocks.MonitoredMaster, d masterDetails) plan.MasterView {
	return plan.MasterView{
		Address:                     m.Host,
		Port:                        int32(m.Port),
		SubjectivelyDown:            m.Flags.SDown,
		ObjectivelyDown:             m.Flags.ODown,
		ODownAt:                     s.odownAt(m.Name),
		Failover:                    m.Flags.FailoverInProgress,
		Quorum:                      int32(m.Quorum),
		DownAfterMilliseconds:       int32(m.DownAfter.Milliseconds()),
		FailoverTimeoutMilliseconds: int32(m.FailoverTimeout.Milliseconds()),
		ParallelSyncs:               int32(m.ParallelSyncs),
		Peers:                       d.peers,
		Replicas:                    d.replicas,
	}
}
