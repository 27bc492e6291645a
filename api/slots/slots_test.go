package slots_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

func TestParseRange(t *testing.T) {
	for text, want := range map[string]slots.Range{
		"0": {0, 0}, "5": {5, 5}, "1-2": {1, 2}, "0-16383": {0, 16383}, "7-7": {7, 7},
	} {
		got, err := slots.ParseRange(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	for text, want := range map[string]error{
		"": slots.ErrSyntax, "-": slots.ErrSyntax, "-1": slots.ErrSyntax, "1-": slots.ErrSyntax, "a": slots.ErrSyntax, "1-2-3": slots.ErrSyntax,
		"1.5": slots.ErrSyntax, "+5": slots.ErrSyntax, "000001": slots.ErrSyntax, "16384": slots.ErrNoSlot, "0-16384": slots.ErrNoSlot, "2-1": slots.ErrBackward,
	} {
		_, err := slots.ParseRange(text)
		require.ErrorIs(t, err, want, text)
	}
}

func TestARangeOfOneIsWrittenAsOneNumber(t *testing.T) {
	assert.Equal(t, "5", slots.Range{First: 5, Last: 5}.String())
	assert.Equal(t, "1-2", slots.Range{First: 1, Last: 2}.String())
}

func TestSet(t *testing.T) {
	s := slots.Of(slots.Range{First: 0, Last: 2}, slots.Range{First: 3, Last: 3}, slots.Range{First: 63, Last: 128}, slots.Range{First: 16383, Last: 16383})
	assert.Equal(t, []slots.Range{{0, 3}, {63, 128}, {16383, 16383}}, s.Ranges())
	assert.Equal(t, 71, s.Len())
	assert.True(t, s.Has(64))
	assert.False(t, s.Has(4))
	o := slots.Of(slots.Range{First: 2, Last: 70})
	both, either, only := s.Intersect(&o), s.Union(&o), s.Minus(&o)
	assert.Equal(t, []slots.Range{{2, 3}, {63, 70}}, both.Ranges())
	assert.Equal(t, []slots.Range{{0, 128}, {16383, 16383}}, either.Ranges())
	assert.Equal(t, []slots.Range{{0, 1}, {71, 128}, {16383, 16383}}, only.Ranges())
	all := slots.All()
	assert.Equal(t, slots.Count, all.Len())
	assert.True(t, new(slots.Set).Empty())
}

func TestRangesSayWhatWasAdded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var s slots.Set
		var dumb [slots.Count]bool
		for range rng.IntN(20) {
			first := rng.IntN(slots.Count)
			last := min(slots.Count-1, first+rng.IntN(200))
			s.Add(slots.Range{First: first, Last: last})
			for i := first; i <= last; i++ {
				dumb[i] = true
			}
		}
		var said [slots.Count]bool
		end := -2
		for _, r := range s.Ranges() {
			require.Greater(t, r.First, end+1, "as few ranges as possible, in order")
			for end = r.First; end < r.Last; end++ {
				said[end] = true
			}
			said[end] = true
		}
		require.Equal(t, dumb, said)
	}
}
