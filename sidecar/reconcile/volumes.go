package reconcile

import (
	"context"
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/claims"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// expandAtOnce is how many expansions a pass asks for at most: what else it has to do must not wait for those of a large cluster. A claim that
// was expanded starts the next pass.
const expandAtOnce = 5

// expandVolumes asks for the expansions that are due, and judges the volumes as they are then. It comes before everything else of a pass
// and no failure of it ends the pass: an instance whose volumes are full may be one whose passes fail.
func (p *pass) expandVolumes(ctx context.Context) {
	if p.topology.Spec.Storage == nil {
		p.inst.refusals = nil
		return
	}
	have, ok := p.kubernetes.ClaimsOf(p.key)
	in := claims.Input{
		Now: p.now(), Topology: p.topology, Claims: have, Unreadable: !ok,
		Pods: p.kubernetes.PodsOf(p.key, v1alpha1.ComponentData), Refusals: p.inst.refusals,
	}
	p.inst.refusals = claims.StillRefused(in)
	patching, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	due := claims.Due(in)
	if p.topology.Spec.Paused {
		due = nil
	}
	for _, e := range due[:min(len(due), expandAtOnce)] {
		name, detail := e.Claim.Name, e.Size.String()
		written, err := p.claimWriter.Expand(patching, e.Claim, e.Size)
		switch refusal, refused := refusalOf(err); {
		case err == nil:
			p.log.Info("volume is to be expanded", "instance", p.key.String(), "claim", name, "size", detail)
			in.Claims[name] = written
			delete(p.inst.refusals, name)
		case refused:
			p.log.Warn("the expansion of a volume is refused", "instance", p.key.String(), "claim", name, "size", detail, "err", err)
			p.inst.refusals[name] = claims.Refusal{Size: e.Size, Message: refusal, At: in.Now}
		case !isConflict(err) && ctx.Err() == nil: // the next pass tries again
			p.log.Warn("the expansion of a volume failed", "instance", p.key.String(), "claim", name, "size", detail, "err", err)
		}
	}
	in.Refusals = p.inst.refusals
	p.volumes = claims.Judge(in)
}

// refusalOf returns the API server's message if it refuses what was asked for, rather than that it could not answer or that the object has
// changed.
func refusalOf(err error) (message string, ok bool) {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return "", false
	}
	status := answer.Status()
	switch {
	case status.Code < http.StatusBadRequest, status.Code >= http.StatusInternalServerError,
		status.Code == http.StatusNotFound, status.Code == http.StatusConflict, status.Code == http.StatusTooManyRequests:
		return "", false
	}
	return status.Message, true
}

// reportVolumes adds what is said of the volumes to a plan.
func (p *pass) reportVolumes(decided *plan.Plan) {
	decided.Status.Volumes = p.volumes.Volumes
	if p.volumes.Condition != nil {
		decided.Status.Conditions = append(decided.Status.Conditions, *p.volumes.Condition)
	}
	decided.Events = append(decided.Events, p.volumes.Events...)
}
