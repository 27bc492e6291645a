package slots_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

func TestAKeyIsInTheSlotThatTheServersSay(t *testing.T) {
	// As CLUSTER KEYSLOT of redis-server answers.
	h := slots.NewHasher()
	for key, want := range map[string]int{
		"": 0, "foo": 12182, "123456789": 12739, "{user1000}.following": 3443, "{user1000}.followers": 3443,
		"foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061, "a{": 14311, "{": 4092, "a": 15495,
	} {
		assert.Equal(t, want, h.Slot(key), "%q", key)
	}
}
