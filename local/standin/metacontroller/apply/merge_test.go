package apply_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/apply"
)

// parse decodes JSON as the API machinery does: whole numbers are int64.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	var m map[string]any
	require.NoError(t, utiljson.Unmarshal([]byte(text), &m))
	return m
}

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct{ observed, last, desired, want string }{
		"sets a new field and keeps a foreign one": {
			`{"theirs": 1}`, `{}`, `{"ours": 1}`, `{"theirs": 1, "ours": 1}`,
		},
		"a field that is no longer desired goes": {
			`{"a": 1, "b": 2}`, `{"a": 1}`, `{}`, `{"b": 2}`,
		},
		"a foreign change of our field is reverted": {
			`{"a": 9}`, `{"a": 1}`, `{"a": 1}`, `{"a": 1}`,
		},
		"nothing was applied before": {
			`{"a": 1, "b": 2}`, ``, `{"a": 3}`, `{"a": 3, "b": 2}`,
		},
		"objects merge deeply": {
			`{"o": {"a": 1, "theirs": {"x": 1}, "b": {"y": 1}}}`, `{"o": {"b": {"y": 1}}}`, `{"o": {"a": 2}}`,
			`{"o": {"a": 2, "theirs": {"x": 1}}}`,
		},
		"a list of scalars is replaced": {
			`{"l": [1, 2, 9]}`, `{"l": [1, 2]}`, `{"l": [3]}`, `{"l": [3]}`,
		},
		"a list of objects without a shared key is replaced": {
			`{"l": [{"x": 1}, {"x": 9}]}`, `{"l": [{"x": 1}]}`, `{"l": [{"x": 2}]}`, `{"l": [{"x": 2}]}`,
		},
		"a list merges by name, observed order first": {
			`{"l": [{"name": "theirs", "v": 9}, {"name": "b", "v": 1, "default": true}, {"name": "gone", "v": 1}]}`,
			`{"l": [{"name": "b", "v": 1}, {"name": "gone", "v": 1}]}`,
			`{"l": [{"name": "new", "v": 2}, {"name": "b", "v": 2}]}`,
			`{"l": [{"name": "theirs", "v": 9}, {"name": "b", "v": 2, "default": true}, {"name": "new", "v": 2}]}`,
		},
		"containerPort wins over name": {
			`{"l": [{"name": "old", "containerPort": 80, "protocol": "TCP"}]}`, `{}`, `{"l": [{"name": "new", "containerPort": 80}]}`,
			`{"l": [{"name": "new", "containerPort": 80, "protocol": "TCP"}]}`,
		},
		"the key must be shared by the items of all three": {
			`{"l": [{"name": "a", "v": 1}]}`, `{"l": [{"v": 1}]}`, `{"l": [{"name": "a"}]}`, `{"l": [{"name": "a"}]}`,
		},
		"two items with one key collapse, as in the real program": {
			`{"l": [{"port": 53, "protocol": "UDP"}]}`, `{}`,
			`{"l": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}`,
			`{"l": [{"port": 53, "protocol": "TCP"}]}`,
		},
		"empty lists": {`{"l": []}`, `{"l": []}`, `{"l": []}`, `{"l": []}`},
		"an emptied keyed list keeps foreign items": {
			`{"l": [{"name": "ours"}, {"name": "theirs"}]}`, `{"l": [{"name": "ours"}]}`, `{"l": []}`, `{"l": [{"name": "theirs"}]}`,
		},
		"what kubectl rollout restart adds stays": {
			`{"template": {"annotations": {"hash": "1", "restartedAt": "now"}}}`, `{"template": {"annotations": {"hash": "1"}}}`,
			`{"template": {"annotations": {"hash": "2"}}}`, `{"template": {"annotations": {"hash": "2", "restartedAt": "now"}}}`,
		},
		"an object that is no longer desired goes with what the API server has filled in": {
			`{"strategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}}}`,
			`{"strategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}`,
			`{"strategy": {"type": "OnDelete"}}`, `{"strategy": {"type": "OnDelete"}}`,
		},
		"null is a value":              {`{}`, `{}`, `{"a": null}`, `{"a": null}`},
		"null over an object empties":  {`{"o": {"a": 1, "b": 1}}`, `{"o": {"a": 1}}`, `{"o": null}`, `{"o": {"b": 1}}`},
		"another type over an object":  {`{"o": {"a": 1}}`, `{}`, `{"o": "text"}`, `{"o": {"a": 1}}`},
		"an object over a scalar":      {`{"o": 1}`, `{}`, `{"o": {"a": 1}}`, `{"o": {"a": 1}}`},
		"an empty object has meaning":  {`{}`, `{}`, `{"emptyDir": {}}`, `{"emptyDir": {}}`},
		"last applied of another type": {`{"o": {"a": 1}}`, `{"o": 5}`, `{"o": {"b": 1}}`, `{"o": {"a": 1, "b": 1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			observed, last, desired := parse(t, c.observed), parse(t, c.last), parse(t, c.desired)
			got := apply.Merge(observed, last, desired)
			text, err := json.Marshal(got)
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(text))

			assert.Equal(t, parse(t, c.observed), observed, "observed was modified")
			assert.Equal(t, parse(t, c.last), last, "last was modified")
			assert.Equal(t, parse(t, c.desired), desired, "desired was modified")
			assert.Equal(t, got, apply.Merge(got, desired, desired), "a second merge changes nothing")
		})
	}
}

func FuzzMerge(f *testing.F) {
	f.Add(`{"l":[{"name":"a","v":1},{"name":"b"}],"o":{"x":1}}`, `{"l":[{"name":"b"}]}`, `{"l":[{"name":"a","v":2}],"o":{"y":null}}`)
	f.Add(`{"o":{"a":1}}`, `{"o":[]}`, `{"o":"text"}`)
	f.Add(`{"l":[{"port":1},{"port":1}]}`, `{"l":null}`, `{"l":[{"port":1,"x":[]}]}`)
	f.Fuzz(func(t *testing.T, observed, last, desired string) {
		var parsed [3]map[string]any
		for i, text := range []string{observed, last, desired} {
			if utiljson.Unmarshal([]byte(text), &parsed[i]) != nil || parsed[i] == nil {
				return
			}
		}
		once := apply.Merge(parsed[0], parsed[1], parsed[2])
		for field := range parsed[2] {
			assert.Contains(t, once, field)
		}
	})
}
