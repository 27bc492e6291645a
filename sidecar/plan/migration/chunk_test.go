package migration

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestChooseChunk(t *testing.T) {
	run := slots.Range{First: 100, Last: 1099}
	front := func(n int) slots.Range { return slots.Range{First: 100, Last: 100 + n - 1} }
	counted := func(n int, keys int64) *SlotCount { return &SlotCount{Slots: front(n), Keys: keys} }
	for name, c := range map[string]struct {
		entry v1alpha1.MigrationStatus
		speed int32
		count *SlotCount
		want  slots.Range
		known bool
	}{
		"nothing is known":               {want: run},
		"another range was counted":      {count: &SlotCount{Slots: slots.Range{First: 0, Last: 99}, Keys: 1}, want: run},
		"no keys":                        {count: counted(1000, 0), want: run, known: true},
		"twice the aim is one part":      {count: counted(1000, 2*chunkKeys), want: run, known: true},
		"more is divided":                {count: counted(1000, 4*chunkKeys), want: front(250), known: true},
		"with a limit of the speed":      {speed: 100, count: counted(1000, 4000), want: front(250), known: true},
		"too many to count":              {count: counted(1000, -1), want: front(125)},
		"one slot is not divided":        {count: counted(1, 100*chunkKeys), want: front(1), known: true},
		"as what has moved":              {entry: v1alpha1.MigrationStatus{Moved: 10, Keys: chunkKeys}, want: front(10), known: true},
		"too little has moved":           {entry: v1alpha1.MigrationStatus{Moved: 10, Keys: 1000}, want: run},
		"a second attempt is half":       {entry: v1alpha1.MigrationStatus{Moved: 10, Keys: chunkKeys, Attempts: 2}, want: front(5), known: true},
		"after many attempts, one slot":  {entry: v1alpha1.MigrationStatus{Moved: 10, Keys: chunkKeys, Attempts: 99}, want: front(1), known: true},
		"the first attempt is not fewer": {entry: v1alpha1.MigrationStatus{Moved: 10, Keys: chunkKeys, Attempts: 1}, want: front(10), known: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := Pass{policy: v1alpha1.MigrationPolicy{KeysPerSecond: c.speed}}
			part, known := p.chooseChunk(&c.entry, &Node{Pod: "s", Count: c.count}, run)
			assert.Equal(t, c.known, known)
			assert.Equal(t, c.want, part)
		})
	}
}
