package hooks

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

func validate(cr *v1alpha1.KVRocks) string { return "" }
