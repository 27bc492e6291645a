package validation

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// checkPrimary refuses pods that cannot be made master, because the instance does not have them or is to lose them.
func (c checker) checkPrimary() string {
	switch {
	case c.spec.Primary != "" && c.spec.Type != v1alpha1.TypeStandard:
		return "spec.primary names the master of a standard instance; leave it out (in a cluster write spec.primaries, a pod for a shard)"
	case len(c.spec.Primaries) > 0 && c.spec.Type != v1alpha1.TypeCluster:
		return "spec.primaries names masters of the shards of a cluster; leave it out (in a standard instance write spec.primary, one pod)"
	case c.spec.Primary != "" && !c.names(c.spec.Primary, c.cr.Name):
		return fmt.Sprintf("spec.primary must name a pod of this instance that stays, <name>-<pod> with a pod below spec.replicas; write for example %s-0, or leave it out", c.cr.Name)
	}
	named := map[int]bool{}
	for _, pod := range c.spec.Primaries {
		shard, ok := c.shardOf(pod)
		switch {
		case !ok:
			return fmt.Sprintf("spec.primaries must name pods of this cluster that stay, <name>-<shard>-<pod> with a shard below spec.master and a pod below spec.replicas; write for example %s-0-1 for pod 1 of shard 0, not %s", c.cr.Name, pod)
		case named[shard]:
			return fmt.Sprintf("spec.primaries names two pods of shard %d, which has one master; keep one of them", shard)
		}
		named[shard] = true
	}
	return ""
}

// shardOf returns the shard of a pod of a cluster that stays; ok is false when there is no such pod.
func (c checker) shardOf(pod string) (shard int, ok bool) {
	set, _, _ := strings.Cut(strings.TrimPrefix(pod, c.cr.Name+"-"), "-")
	if c.spec.Master == nil {
		return 0, false
	}
	shard, ok = below(set, *c.spec.Master)
	return shard, ok && c.names(pod, c.cr.Name+"-"+set)
}

// names reports whether text is the name of a pod of a StatefulSet that stays.
func (c checker) names(text, set string) bool {
	ordinal, ok := strings.CutPrefix(text, set+"-")
	if ok {
		_, ok = below(ordinal, c.spec.Replicas)
	}
	return ok
}

// below returns the number that text is, as Kubernetes writes it in names; ok is false when it is none below limit.
func below(text string, limit int32) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n < int(limit) && strconv.Itoa(n) == text
}
