package apply

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// mergeKeys are the field names by which a list of objects is taken for a map,
// most preferred first.
func mergeKeys() [7]string {
	return [...]string{"containerPort", "port", "mountPath", "name", "uid", "ip", "path"}
}

// Merge returns observed with the change from last to desired made in it.
// None of the arguments is modified.
//
//   - A field in last that is not in desired goes; a field in desired is set;
//     every other field stays as observed.
//   - Objects are merged field by field. A list whose items, in all three
//     versions, are objects that share one of containerPort, port, mountPath,
//     name, uid, ip, path is merged as a map with that key (the first of these
//     that they share), in the observed order, new items last.
//   - Any other list, and a scalar, is replaced.
//   - Where the observed value is an object or a list and another version has
//     something else, that version counts as empty.
func Merge(observed, last, desired map[string]any) map[string]any {
	return mergeObject(runtime.DeepCopyJSON(observed), last, runtime.DeepCopyJSON(desired))
}

func mergeValue(observed, last, desired any) any {
	switch observed := observed.(type) {
	case map[string]any:
		last, _ := last.(map[string]any)
		desired, _ := desired.(map[string]any)
		return mergeObject(observed, last, desired)
	case []any:
		last, _ := last.([]any)
		desired, _ := desired.([]any)
		if key := listKey(observed, last, desired); key != "" {
			return mergeKeyed(key, observed, last, desired)
		}
		return desired
	default:
		return desired
	}
}

// mergeObject changes observed and returns it.
func mergeObject(observed, last, desired map[string]any) map[string]any {
	for field := range last {
		if _, ok := desired[field]; !ok {
			delete(observed, field)
		}
	}
	for field, value := range desired {
		observed[field] = mergeValue(observed[field], last[field], value)
	}
	return observed
}

func mergeKeyed(key string, observed, last, desired []any) []any {
	merged := mergeObject(byKey(key, observed), byKey(key, last), byKey(key, desired))

	items := make([]any, 0, len(merged))
	listed := make(map[string]bool, len(merged))
	for _, item := range observed {
		id := itemID(key, item)
		if value, ok := merged[id]; ok {
			items = append(items, value)
			listed[id] = true
		}
	}
	for _, item := range desired {
		id := itemID(key, item)
		if !listed[id] {
			items = append(items, merged[id])
			listed[id] = true
		}
	}
	return items
}

// byKey turns a list into a map. Of two items with one key the later one wins,
// as it does in Metacontroller: two Service ports with one number and different
// protocols collapse.
func byKey(key string, list []any) map[string]any {
	m := make(map[string]any, len(list))
	for _, item := range list {
		m[itemID(key, item)] = item
	}
	return m
}

func itemID(key string, item any) string {
	object, _ := item.(map[string]any)
	return fmt.Sprint(object[key])
}

// listKey returns the field that identifies the items of all lists, or "".
func listKey(lists ...[]any) string {
	for _, key := range mergeKeys() {
		if allHave(key, lists) {
			return key
		}
	}
	return ""
}

// allHave reports whether there is an item and every item is an object with the field.
func allHave(field string, lists [][]any) bool {
	items := 0
	for _, list := range lists {
		for _, item := range list {
			object, ok := item.(map[string]any)
			if !ok {
				return false
			}
			if _, ok := object[field]; !ok {
				return false
			}
			items++
		}
	}
	return items > 0
}
