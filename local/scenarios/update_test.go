package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A change of the pod template is rolled out one pod at a time, the master last and handed over, under load.
func TestUpdateRollsThroughWithoutLosingAWrite(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	p := s.pulse()

	began := time.Now()
	s.roll("orders", "yes")
	gap := w.longestGap(began)
	acked := w.finish()
	t.Logf("longest write gap during the update %s, journal %+v, errors %v", gap, s.journal("orders"), w.seen())
	p.within(t, 2*time.Second, "clients must hardly notice", gap)
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
	assert.Equal(t, v1alpha1.CauseHandover, s.journal("orders").Cause)
	s.agreed("watch", "orders")
}

// A setting that kvrocks takes live reaches every node without a restart.
func TestLiveSettingIsAppliedWithoutRestart(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(standardCR("orders", 3, ""))
	s.ready("orders", readyWithin)
	before := s.pods("orders")
	s.patch("orders", `{"spec":{"kvrocksConfig":{"slowlog-log-slower-than":"54321"}}}`)
	s.eventually("every node has the setting", readyWithin, func() error {
		for pod := range before {
			values, err := s.direct(pod, password).ConfigGet(s.ctx, "slowlog-log-slower-than").Result()
			if err != nil {
				return err
			}
			if values["slowlog-log-slower-than"] != "54321" {
				return fmt.Errorf("%s has %v", pod, values)
			}
		}
		return nil
	})
	s.ready("orders", readyWithin)
	for name, pod := range s.pods("orders") {
		assert.Equal(t, before[name].UID, pod.UID, name)
	}
}
