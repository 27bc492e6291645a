package sentinelset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
	"github.com/stretchr/testify/assert"
)

// A change of the sentinels' password goes in steps, each of which all take before the next.
func TestPasswordOfSentinels(t *testing.T) {
	old := plan.SentinelAccess{AcceptsOthers: true}
	both := plan.SentinelAccess{AcceptsOthers: true, Accepts: true}
	gives := plan.SentinelAccess{AcceptsOthers: true, Accepts: true, Presents: true}
	done := plan.SentinelAccess{Accepts: true, Presents: true}
	open := plan.SentinelAccess{Open: true}
	openGives := plan.SentinelAccess{Open: true, Presents: true}
	fresh := plan.SentinelAccess{Accepts: true} // started with the present password, which it gives to its peers by default
	away := plan.SentinelAccess{}
	for name, c := range map[string]struct {
		access    []plan.SentinelAccess
		actions   string
		condition string
	}{
		"nothing to do": {[]plan.SentinelAccess{done, done, done}, "", "True Applied"},
		"first they take it as well": {
			[]plan.SentinelAccess{old, old, both}, "AcceptPassword{watch-0} AcceptPassword{watch-1}", "False Applying",
		},
		"then they give it to their peers": {
			[]plan.SentinelAccess{both, gives, both}, "PresentPassword{watch-0} PresentPassword{watch-2}", "False Applying",
		},
		"then they take no other": {
			[]plan.SentinelAccess{gives, done, gives}, "AcceptOnlyPassword{watch-0} AcceptOnlyPassword{watch-2}", "False Applying",
		},
		"one that was replaced meanwhile begins where the others were": {
			[]plan.SentinelAccess{gives, gives, old}, "AcceptPassword{watch-2}", "False Applying",
		},
		"those that ask for none begin to when all have one to give": {
			[]plan.SentinelAccess{open, openGives, fresh}, "PresentPassword{watch-0} PresentPassword{watch-2}", "False Applying",
		},
		"and then they do": {
			[]plan.SentinelAccess{openGives, done, done}, "AcceptOnlyPassword{watch-0}", "False Applying",
		},
		"the old one is taken for as long as one that does not answer may give it": {
			[]plan.SentinelAccess{gives, gives, away}, "", "False Applying",
		},
		"one that does not answer holds up nothing else": {
			[]plan.SentinelAccess{old, both, away}, "AcceptPassword{watch-0}", "False Applying",
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := sentinelset.Input{
				Now: now, Topology: &v1alpha1.KVRocksTopology{}, Views: map[string]plan.SentinelView{}, Password: true,
			}
			in.Topology.Spec.Sentinels = 3
			for i, a := range c.access {
				v := plan.SentinelView{Reach: plan.Answered, Access: &a}
				if a == away {
					v = plan.SentinelView{Reach: plan.Unreachable}
				}
				in.Views[fmt.Sprint("watch-", i)] = v
			}
			p := sentinelset.Plan(in)
			var got []string
			for _, a := range p.Actions {
				got = append(got, strings.TrimPrefix(fmt.Sprintf("%T%v", a, a), "action."))
			}
			assert.Equal(t, c.actions, strings.Join(got, " "))
			assert.Contains(t, facts(p), "CredentialsApplied "+c.condition)

			in.Password = false
			assert.Empty(t, sentinelset.Plan(in).Actions, "no password is wanted")
			in.Password, in.Credentials.Err = true, "Secret watch-auth does not exist"
			p = sentinelset.Plan(in)
			assert.Empty(t, p.Actions, "the password is not known")
			assert.Contains(t, facts(p), "CredentialsApplied False SecretUnreadable")
		})
	}
}
