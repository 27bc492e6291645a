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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
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
	pods     map[string]*simPod
	history  []string
	broken   []string // the safety rules that were violated
	memory            // of the sidecar's process
	// sidecarAway is until when no sidecar runs.
	sidecarAway time.Time
	// healed: no more faults.
	healed bool
}

// newLife begins a life of an instance without shards. Each kind of life has its own stream of random numbers.
func newLife(seed, stream uint64, mode v1alpha1.InstanceType) life {
	l := life{rng: rand.New(rand.NewPCG(seed, stream)), now: epoch, topology: &v1alpha1.KVRocksTopology{}, pods: map[string]*simPod{}}
	l.forget()
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

// world is what a life happens in: the sidecar's process, and all that it acts on.
type world interface {
	// advance lets one tick pass.
	advance()
	// faults breaks something now and then, in the tick of that number.
	faults(tick int)
	// heal ends every fault.
	heal()
	// crash is as crashNow has it, and passes the most passes within one tick.
	crash() int
	passes() int
	// decide observes and plans.
	decide() plan.Plan
	// apply carries out an action, and checks it against the safety rules.
	apply(a action.Action) error
	text(a action.Action) string
	// checkReport holds before a report is written.
	checkReport(st v1alpha1.KVRocksTopologyStatus)
	// check holds after every complete pass, and checkRest at rest.
	check()
	checkRest(t *testing.T)
	// forget loses what the process remembers.
	forget()
	// atRest reports whether nothing is left to be done.
	atRest(p plan.Plan) bool
	describe() string
}

// live has faults happen for some ticks, and then none any more: the world must come to rest within others.
func (l *life) live(t *testing.T, w world, ticks, rest int) {
	t.Helper()
	for i := range ticks {
		w.faults(i)
		l.step(w)
		l.requireUnbroken(t)
	}
	w.heal()
	l.requireRest(t, w, rest)
	w.checkRest(t)
	l.requireUnbroken(t)
}

// step lets time pass and the sidecar act, which now and then crashes or is away.
func (l *life) step(w world) plan.Plan {
	w.advance()
	if l.rng.IntN(10) == 0 || l.now.Before(l.sidecarAway) {
		return unfinished()
	}
	return l.act(w)
}

// unfinished is what a step returns that did not end with a complete pass: nothing has settled yet.
func unfinished() plan.Plan { return plan.Plan{Again: tick} }

// peaceful: the sidecar awaits nothing, and no keys are on their way.
func peaceful(p plan.Plan) bool {
	return p.Again == 0 || p.SkipSlowProbes && !slices.ContainsFunc(p.Status.Migrations, func(m v1alpha1.MigrationStatus) bool {
		return m.State != v1alpha1.MigrationDone && m.State != v1alpha1.MigrationFailed
	})
}

// act lets the sidecar make some passes within one tick, while it wants another one at once.
func (l *life) act(w world) plan.Plan {
	last := unfinished()
	for range w.passes() {
		p, err := l.pass(w, w.crash())
		if err != nil {
			return unfinished()
		}
		w.check()
		last = p
		if p.Again == 0 || p.Again >= tick {
			break
		}
	}
	return last
}

// pass observes, plans and applies. It stops before action number crash, or not at all when crash is negative.
func (l *life) pass(w world, crash int) (plan.Plan, error) {
	p := w.decide()
	if p.Intent && crash == 0 {
		w.forget()
		return p, errCrash
	}
	if p.Intent {
		l.report(w, p)
	}
	for i, a := range p.Actions {
		if crash == i+1 {
			l.say("sidecar crashes before %s", w.text(a))
			w.forget()
			return p, errCrash
		}
		l.say("%s", w.text(a))
		if err := w.apply(a); err != nil {
			l.say("  %v", err)
			return p, err
		}
	}
	if !p.Intent && !p.ReportMayWait() {
		l.report(w, p)
	}
	return p, nil
}

// report writes the status when it differs.
func (l *life) report(w world, p plan.Plan) {
	if report.Same(l.topology.Status, p.Status) {
		return
	}
	w.checkReport(p.Status)
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
func (l *life) logEnd(t *testing.T, describe func() string) {
	t.Helper()
	if *histories != "" {
		text := strings.Join(l.history, "\n") + "\n"
		path := filepath.Join(*histories, t.Name())
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.Log("\n" + strings.Join(l.history[max(0, len(l.history)-400):], "\n") + "\n" + describe())
	}
}

func (l *life) requireUnbroken(t *testing.T) {
	t.Helper()
	if len(l.broken) > 0 {
		t.Fatal(strings.Join(l.broken, "\n"))
	}
}

// requireRest lets up to n ticks pass until the world is at rest. Then nothing more may be planned or reported.
func (l *life) requireRest(t *testing.T, w world, n int) {
	t.Helper()
	for range n {
		p := l.step(w)
		l.requireUnbroken(t)
		if !w.atRest(p) {
			continue
		}
		again := w.decide()
		if len(again.Actions) > 0 || !report.Same(l.topology.Status, again.Status) {
			t.Fatalf("a settled instance plans %v", again.Actions)
		}
		return
	}
	t.Fatalf("not settled after %v", time.Duration(n)*tick)
}

// settled: nothing is planned, and nothing is said to be amiss.
func settled(p plan.Plan) bool {
	return len(p.Actions) == 0 && len(p.Status.Conditions) > 0 && !slices.ContainsFunc(p.Status.Conditions, func(c metav1.Condition) bool {
		return c.Status != metav1.ConditionTrue && c.Type != v1alpha1.ConditionConfigApplied
	})
}

// describe is what was last reported.
func (l *life) describe() string {
	var b strings.Builder
	st := &l.topology.Status
	for _, c := range st.Conditions {
		fmt.Fprintf(&b, "%s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	for _, m := range st.Migrations {
		fmt.Fprintf(&b, "%+v\n", m)
	}
	for i := range st.Shards {
		s := &st.Shards[i]
		fmt.Fprintf(&b, "master %s outage %+v scaleTo %d\n", s.Master, s.Outage, s.ScaleTo)
		for j := range s.Nodes {
			fmt.Fprintf(&b, "  %+v\n", s.Nodes[j])
		}
	}
	return b.String()
}
