package lag_test

import (
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHistory(t *testing.T) {
	var history lag.History
	at := func(s int) time.Time { return time.Unix(0, 0).Add(time.Duration(s) * time.Second) }
	require.Zero(t, history.Before(at(0), time.Minute), "nothing is known")
	for s := range 300 {
		history.Note(at(s), int64(1000+s), time.Minute)
		before := history.Before(at(s), time.Minute)
		if s < 60 {
			require.Zero(t, before, "not known for long enough")
			continue
		}
		require.LessOrEqual(t, before, int64(1000+s-60), "at least a minute ago")
		require.GreaterOrEqual(t, before, int64(1000+s-66), "and not much longer")
	}
	history.Note(at(5000), 9999, time.Minute)
	require.Equal(t, int64(1295), history.Before(at(5000), time.Minute), "what was known last")
}

func TestDefaultIsThatOfTheAPI(t *testing.T) {
	spec := (&v1alpha1.KVRocksSpec{}).WithDefaults()
	assert.Equal(t, lag.Max(nil), lag.Max(spec.Failover))
}
