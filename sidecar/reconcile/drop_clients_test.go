package reconcile

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientsOfAFormerMasterAreDroppedUntilItIsToHaveSome(t *testing.T) {
	var (
		d     dropper
		drops atomic.Int32
	)
	refused := errors.New("refused")
	err := d.start(t.Context(), time.Minute, func(context.Context) error { drops.Add(1); return refused })
	require.ErrorIs(t, err, refused, "what came of the first time")
	assert.Eventually(t, func() bool { return drops.Load() >= 3 }, 10*time.Second, time.Millisecond, "it goes on all the same")
	d.stop()
	settled := int32(-1)
	assert.Eventually(t, func() bool { // one may have been under way
		before := settled
		settled = drops.Load()
		return settled == before
	}, 10*time.Second, 4*dropEvery)
	assert.Never(t, func() bool { return drops.Load() > settled }, 4*dropEvery, dropEvery)
}

func TestDroppingClientsEndsByItself(t *testing.T) {
	var (
		d     dropper
		drops atomic.Int32
	)
	_ = d.start(t.Context(), time.Nanosecond, func(context.Context) error { drops.Add(1); return nil })
	assert.Never(t, func() bool { return drops.Load() > 1 }, 4*dropEvery, dropEvery)
}
