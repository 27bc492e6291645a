package simulation

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

// tick is the step of simulated time.
const tick = 100 * time.Millisecond

const simPort = 6379

// epoch is when every life begins.
var epoch = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

var (
	errCrash   = errors.New("the sidecar crashed")
	errRefused = errors.New("connection refused")
)

// life is what every simulated world has: chance, a clock, the topology in the API, and what has happened.
type life struct {
	rng      *rand.Rand
	now      time.Time
	topology *v1alpha1.KVRocksTopology
	names    []string // every pod that ever was, in the order in which they came
	history  []string
	broken   []string // the safety rules that were violated
}

// newLife begins a life of an instance without shards. Each kind of life has its own stream of random numbers.
func newLife(seed, stream uint64, mode v1alpha1.InstanceType) life {
	l := life{rng: rand.New(rand.NewPCG(seed, stream)), now: epoch, topology: &v1alpha1.KVRocksTopology{}}
	l.topology.Name, l.topology.Generation = "orders", 1
	l.topology.Spec = v1alpha1.KVRocksTopologySpec{
		Type: mode, Port: simPort,
		Failover: &v1alpha1.Failover{DownAfterMilliseconds: 1000, FailoverTimeoutMilliseconds: 5000, ParallelSyncs: 1, MaxLagSeconds: 2},
	}
	return l
}

func (l *life) say(format string, args ...any) {
	l.history = append(l.history, l.now.Format("04:05.0 ")+fmt.Sprintf(format, args...))
}

func (l *life) violated(format string, args ...any) {
	l.broken = append(l.broken, fmt.Sprintf(format, args...))
	l.say("VIOLATED: "+format, args...)
}

// some is a random duration of up to n ticks, at least one.
func (l *life) some(n int) time.Duration { return time.Duration(1+l.rng.IntN(n)) * tick }

// crashNow is before which action the sidecar is to crash in its next pass: one pass of so many crashes, before one of its
// first actions. It is negative when the sidecar is not to crash.
func (l *life) crashNow(oneIn, first int) int {
	if l.rng.IntN(oneIn) == 0 {
		return l.rng.IntN(first)
	}
	return -1
}

// simProcess is the sidecar's process in a world.
type simProcess interface {
	// step lets time pass and the sidecar act, which now and then crashes or is away.
	step() plan.Plan
	// decide observes and plans.
	decide() plan.Plan
	// apply carries out an action, and checks it against the safety rules.
	apply(a action.Action) error
	text(a action.Action) string
	// checkReport holds before a report is written.
	checkReport(st v1alpha1.KVRocksTopologyStatus)
	// check holds after every complete pass.
	check()
	// crash is as crashNow has it.
	crash() int
	// forget loses what the process remembers.
	forget()
}

// unfinished is what a step returns that did not end with a complete pass: nothing has settled yet.
func unfinished() plan.Plan { return plan.Plan{Again: tick} }

// peaceful: the sidecar awaits nothing, and no keys are on their way.
func peaceful(p plan.Plan) bool {
	return p.Again == 0 || p.SkipSlowProbes && !slices.ContainsFunc(p.Status.Migrations, func(m v1alpha1.MigrationStatus) bool {
		return m.State != v1alpha1.MigrationDone && m.State != v1alpha1.MigrationFailed
	})
}

// act lets the sidecar make up to n passes within one tick, while it wants another one at once.
func (l *life) act(s simProcess, n int) plan.Plan {
	last := unfinished()
	for range n {
		p, err := l.pass(s, s.crash())
		if err != nil {
			return unfinished()
		}
		s.check()
		last = p
		if p.Again == 0 || p.Again >= tick {
			break
		}
	}
	return last
}

// pass observes, plans and applies. It stops before action number crash, or not at all when crash is negative.
func (l *life) pass(s simProcess, crash int) (plan.Plan, error) {
	p := s.decide()
	if p.Intent && crash == 0 {
		s.forget()
		return p, errCrash
	}
	if p.Intent {
		l.report(s, p)
	}
	for i, a := range p.Actions {
		if crash == i+1 {
			l.say("sidecar crashes before %s", s.text(a))
			s.forget()
			return p, errCrash
		}
		l.say("%s", s.text(a))
		if err := s.apply(a); err != nil {
			l.say("  %v", err)
			return p, err
		}
	}
	if !p.Intent && !p.ReportMayWait() {
		l.report(s, p)
	}
	return p, nil
}

// report writes the status when it differs.
func (l *life) report(s simProcess, p plan.Plan) {
	if report.Same(l.topology.Status, p.Status) {
		return
	}
	s.checkReport(p.Status)
	l.topology.Status = *p.Status.DeepCopy()
	for _, e := range p.Events {
		l.say("event %s: %s", e.Reason, e.Message)
	}
}

var histories = flag.String("histories", "", "folder into which the history of every simulated life is written: of two versions of a life they can be compared")

// simulate runs a life for every seed; with -short for a tenth of them.
func simulate(t *testing.T, seeds int, live func(t *testing.T, seed uint64)) {
	t.Helper()
	if testing.Short() {
		seeds = (seeds + 9) / 10
	}
	for seed := range uint64(seeds) {
		seed += *fromSeed
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			live(t, seed)
		})
	}
}

// logEnd shows the last lines of a history, and what had become of the world, when the test has failed.
func (l *life) logEnd(t *testing.T, n int, describe func() string) {
	t.Helper()
	if *histories != "" {
		text := strings.Join(l.history, "\n") + "\n"
		path := filepath.Join(*histories, t.Name())
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.Log("\n" + strings.Join(l.history[max(0, len(l.history)-n):], "\n") + "\n" + describe())
	}
}

func (l *life) requireUnbroken(t *testing.T) {
	t.Helper()
	if len(l.broken) > 0 {
		t.Fatal(strings.Join(l.broken, "\n"))
	}
}

// requireRest lets up to n ticks pass until the world is at rest. Then nothing more may be planned or reported.
func (l *life) requireRest(t *testing.T, s simProcess, n int, atRest func(plan.Plan) bool) {
	t.Helper()
	for range n {
		p := s.step()
		l.requireUnbroken(t)
		if !atRest(p) {
			continue
		}
		again := s.decide()
		if len(again.Actions) > 0 || !report.Same(l.topology.Status, again.Status) {
			t.Fatalf("a settled instance plans %v", again.Actions)
		}
		return
	}
	t.Fatalf("not settled after %v", time.Duration(n)*tick)
}

// memory is what the sidecar's process remembers of nodes.
type memory struct {
	maxLag                time.Duration // see life
	lastMaster, downSince map[string]time.Time
	// masters are those that answered as master when their pod was last seen.
	masters map[string]bool
	trails  map[string]*lag.History
	// followed are, by node, the proved masters that they followed after the pass before.
	followed map[string]string
}

func (m *memory) forget() {
	m.lastMaster, m.downSince, m.masters = map[string]time.Time{}, map[string]time.Time{}, map[string]bool{}
	m.trails, m.followed = map[string]*lag.History{}, map[string]string{}
}

// see completes what is observed of a node; served: it has just answered as one that serves.
func (m *memory) see(name string, n *plan.Node, now time.Time, served bool) {
	switch {
	case n.Reach == plan.Answered:
		delete(m.downSince, name)
		if served {
			m.lastMaster[name] = now
		}
	case m.downSince[name].IsZero():
		m.downSince[name] = now
	}
	n.LastMaster, n.DownSince = m.lastMaster[name], m.downSince[name]
	m.measure(name, n, now)
}

// input is what the sidecar observes, without pods and their nodes.
func (l *life) input() plan.Input {
	return plan.Input{
		Now: l.now, Topology: l.topology.DeepCopy(), Pods: map[string]plan.Pod{}, Nodes: map[string]plan.Node{},
	}
}
