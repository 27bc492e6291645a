package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// Plan is what a pass decides.
type Plan struct {
	// Actions are applied in their order. The first that fails ends the pass; the next pass sees what is left to do.
	Actions []action.Action
	// Status is the report, complete; the caller writes it when it differs from the last one in more than noise
	// (see [report.Same]), before the actions when Intent is true and after them otherwise.
	Status v1alpha1.KVRocksTopologyStatus
	// Intent is true when Status records something that must be on record before the actions begin.
	Intent bool
	// Events say what happened; the caller emits them when the status has been written.
	Events []Event
	// Again asks for the next pass after this time at the latest; 0 means the regular period.
	Again time.Duration
	// SkipSlowProbes is true when nothing is awaited but what goes on by itself, such as keys on their way: the next pass need
	// not read again what hardly ever changes.
	SkipSlowProbes bool
}

// ReportMayWait reports whether the report may be left to a later pass: the plan is a step of a planned move, and the successor is not
// promoted yet. What must outlive the sidecar's process was reported when the move began and when writes were stopped; the API server
// may take a tenth of a second for each write, and so long do clients wait.
func (p *Plan) ReportMayWait() bool {
	if p.Intent || len(p.Events) > 0 || p.Again <= 0 || p.Again > period.Writes {
		return false
	}
	return slices.ContainsFunc(p.Status.Shards, func(s v1alpha1.TopologyShardStatus) bool {
		return s.Outage != nil && s.Outage.Cause == v1alpha1.CauseHandover && s.Outage.PromotedAt == nil
	})
}

// Event is something that a person should be able to read in `kubectl describe kvrocks`.
type Event struct {
	// Warning marks what a person should look at.
	Warning bool
	// Reason is one CamelCase word.
	Reason string
	// Message is a sentence.
	Message string
}
