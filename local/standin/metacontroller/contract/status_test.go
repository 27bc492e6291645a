package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStatusIsReplacedWhole(t *testing.T) {
	f := newFixture(t)
	f.say("sync", object{"status": object{"a": int64(1), "b": int64(1)}, "children": []any{}})
	parent := f.parent()
	f.awaitStatus(parent, object{"a": int64(1), "b": int64(1), "observedGeneration": int64(1)})

	f.say("sync", object{"status": object{"a": int64(2)}, "children": []any{}})
	f.resync(parent, "1")
	f.awaitStatus(parent, object{"a": int64(2), "observedGeneration": int64(1)})

	// Another writer's field does not survive the next sync.
	require.NoError(t, f.read(parent))
	parent.Object["status"].(object)["theirs"] = "x"
	require.NoError(t, shared.client.Status().Update(t.Context(), parent))
	f.awaitStatus(parent, object{"a": int64(2), "observedGeneration": int64(1)})

	// Without a status in the answer there is observedGeneration alone.
	f.say("sync", object{"children": []any{}})
	f.change(parent, func() { parent.Object["spec"] = object{"size": int64(2)} })
	f.awaitStatus(parent, object{"observedGeneration": int64(2)})
}

func TestStatusIsWrittenThoughAChildIsRefused(t *testing.T) {
	f := newFixture(t)
	f.say("sync", object{"status": object{"a": "b"}, "children": []any{
		configMapChild("Not A Name", nil), configMapChild("good", nil),
	}})
	parent := f.parent()
	f.awaitStatus(parent, object{"a": "b", "observedGeneration": int64(1)})
	f.awaitConfigMap("good", nil)
	eventually(t, func(c *assert.CollectT) { assert.NotEmpty(c, f.events(parent)) })
	f.awaitCall(t, "sync", 3, anyRequest) // and it is tried again
}

func TestStatusOfAChildIsNotTouched(t *testing.T) {
	f := newFixture(t, withChildren(child("contract.example.com/v1", "things", "InPlace")))
	thing := func(size int64) object {
		return object{
			"apiVersion": "contract.example.com/v1", "kind": "Thing", "metadata": object{"name": "c"},
			"spec": object{"size": size}, "status": object{"from": "hook"},
		}
	}
	f.say("sync", children(thing(1)))
	parent := f.parent()
	kid := parent.DeepCopy()
	kid.SetName("c")
	eventually(t, func(c *assert.CollectT) { require.NoError(c, f.read(kid)) })
	assert.Nil(t, kid.Object["status"])

	kid.Object["status"] = object{"from": "owner"}
	require.NoError(t, shared.client.Status().Update(t.Context(), kid))
	f.awaitCall(t, "sync", 0, func(request object) bool {
		return dig(request, "children", "Thing.contract.example.com/v1", f.name+"/c", "status", "from") == "owner"
	})
	f.say("sync", children(thing(2)))
	f.resync(parent, "1")
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(kid))
		assert.Equal(c, int64(2), dig(kid.Object, "spec", "size"))
	})
	assert.Equal(t, object{"from": "owner"}, kid.Object["status"])
}
