package hooks

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// validate says, in sentences, what is wrong with a parent and what to write instead; "" when nothing is. Admission
// refuses nearly all of it, but a CRD may be older than the hooks, and some of it admission cannot see.
func (in *instance) validate() string {
	rules := []func() string{
		in.checkName, in.checkLabel, in.checkCounts, in.checkPassword, in.checkPlacement, in.checkFields,
		in.checkFailover, in.checkDrain, in.checkStorage, in.checkConfig, in.checkSizes, in.checkCluster, in.checkMigrate, in.checkUnchanged,
	}
	var problems []string
	for _, rule := range rules {
		if problem := rule(); problem != "" {
			problems = append(problems, problem)
		}
	}
	return strings.Join(problems, "; ")
}

func (in *instance) checkName() string {
	switch name := in.name; {
	case len(name) > 40:
		return "metadata.name must have at most 40 characters, because names such as <name>-controller and <name>-<shard>-<pod> are derived from it; choose a shorter name"
	case !dnsLabel(name):
		return "metadata.name must start with a letter and hold only a-z, 0-9 and '-', because Services are named after it"
	case derived(name):
		return "metadata.name must not end with -master, -replicas, -config, -auth, -etcd, -etcd-peer or -controller, because another instance derives such names; choose another name"
	}
	return ""
}

func (in *instance) checkLabel() string {
	sentinel := in.monitoredBy()
	switch {
	case sentinel == "" || in.spec.Type == v1alpha1.TypeSentinel:
		return ""
	case sentinel == in.name:
		return "the label " + v1alpha1.LabelMonitoredBy + " names the instance itself; write the name of a KVRocks of type sentinel"
	}
	return ""
}

func (in *instance) checkCounts() string {
	replicas, master := in.spec.Replicas, in.spec.Master
	switch {
	case replicas < 1 || replicas > 99:
		return fmt.Sprintf("spec.replicas is %d; write a number from 1 to 99", replicas)
	case master != nil && (*master < 0 || *master > 999):
		return fmt.Sprintf("spec.master is %d; write a number from 0 to 999", *master)
	}
	switch in.spec.Type {
	case v1alpha1.TypeSentinel:
		if replicas < 3 || replicas%2 == 0 {
			return "a sentinel instance needs an odd number of replicas, at least 3, so that a quorum exists; write replicas: 3 or replicas: 5"
		}
	case v1alpha1.TypeStandard:
		if master != nil && *master != 1 {
			return "a standard instance has one master; write master: 1 or leave it out (for more shards use type: cluster)"
		}
	case v1alpha1.TypeCluster:
		if master == nil || *master < 3 || *master%2 == 0 {
			return "a cluster needs spec.master (the number of shards): odd and at least 3; write master: 3"
		}
		if *master*replicas > 1000 {
			return "a cluster can have at most 1000 pods (spec.master times spec.replicas); write fewer shards or replicas"
		}
	}
	return ""
}

func (in *instance) checkPassword() string {
	password, ref := in.spec.Password, in.spec.PasswordSecretRef
	switch {
	case password != "" && ref != nil:
		return "spec.password and spec.passwordSecretRef are both set; keep one of them"
	case len(password) > 512:
		return "spec.password has more than 512 characters; choose a shorter one"
	case strings.ContainsFunc(password, func(r rune) bool { return r < '!' || r > '~' }):
		return "spec.password holds a space or a character that is not ASCII; write one of letters, digits and punctuation"
	case ref != nil && (ref.Name == "" || len(ref.Name) > 253):
		return "spec.passwordSecretRef.name must name a Secret of the same namespace"
	case ref != nil && !secretKey(ref.Key):
		return "spec.passwordSecretRef.key must be the name of a key of the Secret; leave it out for \"password\""
	}
	return ""
}

func (in *instance) checkPlacement() string {
	if problem := checkResources("spec.resources", in.spec.Resources); problem != "" {
		return problem
	}
	if c := in.spec.Cluster; c != nil {
		for _, problem := range []string{
			checkResources("spec.cluster.etcd.resources", c.Etcd.Resources),
			checkResources("spec.cluster.controller.resources", c.Controller.Resources),
		} {
			if problem != "" {
				return problem
			}
		}
	}
	keys := make([]string, 0, len(in.spec.PodAnnotations))
	for key := range in.spec.PodAnnotations {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if strings.HasPrefix(key, v1alpha1.Group+"/") {
			return "spec.podAnnotations must not set " + key + ", which the operator uses; choose another prefix"
		}
	}
	return ""
}

// checkResources says what is wrong with the requests of a container; field is where they stand.
func checkResources(field string, r *corev1.ResourceRequirements) string {
	if r == nil {
		return ""
	}
	names := make([]string, 0, len(r.Requests))
	for name := range r.Requests {
		names = append(names, string(name))
	}
	slices.Sort(names)
	for _, name := range names {
		limit, limited := r.Limits[corev1.ResourceName(name)]
		if request := r.Requests[corev1.ResourceName(name)]; limited && request.Cmp(limit) > 0 {
			return fmt.Sprintf("%s.requests.%s is above its limit, so no pod could be made; lower it or raise the limit", field, name)
		}
	}
	return ""
}

func (in *instance) checkFields() string {
	switch in.spec.ImagePullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		return fmt.Sprintf("spec.imagePullPolicy is %q; write Always, IfNotPresent or Never", in.spec.ImagePullPolicy)
	}
	switch {
	case len(in.spec.Image) > 512 || strings.ContainsAny(in.spec.Image, " \t\r\n"):
		return "spec.image is not the name of an image; write for example " + v1alpha1.DefaultKVRocksImage
	case in.spec.Type == v1alpha1.TypeSentinel && sentinelTooOld(in.spec.Image):
		return "spec.image is a redis-sentinel older than 6.2, which does not know resolve-hostnames; write a newer one, for example " + v1alpha1.DefaultSentinelImage
	case in.spec.Type == v1alpha1.TypeSentinel && len(in.spec.KVRocksConfig) > 0:
		return "kvrocksConfig is for data nodes; leave it out of a sentinel instance"
	}
	return ""
}

func (in *instance) checkFailover() string {
	f := in.spec.Failover
	switch {
	case f.DownAfterMilliseconds < 500 || f.DownAfterMilliseconds > 600000:
		return "spec.failover.downAfterMilliseconds must be from 500 to 600000"
	case f.FailoverTimeoutMilliseconds < 1000 || f.FailoverTimeoutMilliseconds > 3600000:
		return "spec.failover.failoverTimeoutMilliseconds must be from 1000 to 3600000"
	case f.ParallelSyncs < 1 || f.ParallelSyncs > 99:
		return "spec.failover.parallelSyncs must be from 1 to 99"
	case f.MaxLagWrites < 100000:
		return "spec.failover.maxLagWrites must be at least 100000, because so much lag is normal under load; leave it out for 1000000"
	case f.MaxLagSeconds < 10 || f.MaxLagSeconds > 86400:
		return "spec.failover.maxLagSeconds must be from 10 to 86400"
	case f.MaxLostWrites != nil && *f.MaxLostWrites < 0:
		return "spec.failover.maxLostWrites must not be negative; leave it out for no bound"
	}
	return ""
}

func (in *instance) checkDrain() string {
	if s := *in.spec.DrainSeconds; s < 0 || s > 300 {
		return fmt.Sprintf("spec.drainSeconds is %d, and is how many seconds a pod that goes keeps answering; write a number from 0 to 300", s)
	}
	return ""
}

func (in *instance) checkStorage() string {
	storage := in.spec.Storage
	switch {
	case storage == nil:
		return ""
	case in.spec.Type == v1alpha1.TypeSentinel:
		return "a sentinel keeps no data; leave spec.storage out"
	case storage.Size.Sign() <= 0:
		return "spec.storage.size must be a positive quantity, for example 10Gi"
	case len(storage.Class) > 253:
		return "spec.storage.class must be the name of a StorageClass"
	case storage.Reclaim != v1alpha1.ReclaimRetain && storage.Reclaim != v1alpha1.ReclaimDelete:
		return fmt.Sprintf("spec.storage.reclaim is %q; write Retain or Delete", storage.Reclaim)
	case storage.WarnPercent < 1 || storage.WarnPercent > 99:
		return "spec.storage.warnPercent must be from 1 to 99; leave it out for 85"
	}
	return ""
}

// checkUnchanged compares with what the instance was made with: admission sees to it, unless somebody replaced the CRD.
func (in *instance) checkUnchanged() string {
	if in.topology != nil && in.topology.Spec.Type != "" && in.topology.Spec.Type != in.spec.Type {
		return "spec.type cannot be changed on a live instance; create a new KVRocks of the wanted type and move the data"
	}
	set := in.dataSetObserved()
	if set == nil {
		return ""
	}
	if port := portOf(set); port != 0 && port != in.spec.Port() {
		// Services and the sidecar would go to the new port at once, the pods only after a roll, which waits for the sidecar.
		return fmt.Sprintf("kvrocksConfig.port cannot be changed on a live instance; write %d again, or create a new KVRocks with the wanted port and move the data", port)
	}
	if in.topology != nil && in.topology.Spec.PasswordSecret != nil && in.password() == nil {
		// The nodes would keep the old password, and nobody would know it any more.
		return "the password cannot be removed from a live instance; write another one into spec.password, or name a Secret in spec.passwordSecretRef"
	}
	claims := set.Spec.VolumeClaimTemplates
	if (len(claims) > 0) != (in.spec.Storage != nil) {
		return "spec.storage cannot be added to or removed from a live instance; create a new KVRocks and move the data"
	}
	for i := range claims {
		size := claims[i].Spec.Resources.Requests[corev1.ResourceStorage]
		if claims[i].Name == dataVolume && size.Cmp(in.spec.Storage.Size) != 0 {
			return "spec.storage.size cannot be changed here, because the volume claims of a StatefulSet are fixed; resize the PersistentVolumeClaims, or create a new KVRocks and move the data"
		}
	}
	return ""
}

// portOf is the port that the pods of a StatefulSet listen on; 0 when that is not to be seen.
func portOf(set *appsv1.StatefulSet) int32 {
	for i := range set.Spec.Template.Spec.Containers {
		if c := &set.Spec.Template.Spec.Containers[i]; c.Name == v1alpha1.ContainerKVRocks && len(c.Ports) > 0 {
			return c.Ports[0].ContainerPort
		}
	}
	return 0
}

// dataSetObserved is the first StatefulSet of data nodes; nil when there is none.
func (in *instance) dataSetObserved() *appsv1.StatefulSet {
	switch in.spec.Type {
	case v1alpha1.TypeStandard:
		return in.children.StatefulSets[in.key(in.name)]
	case v1alpha1.TypeCluster:
		return in.statefulSet(in.clusterShard(0))
	default:
		return nil
	}
}

// dnsLabel reports whether text is a letter followed by letters, digits and inner hyphens, all lower case.
func dnsLabel(text string) bool {
	return settingName(text) && !strings.ContainsAny(text, "._") && !strings.HasSuffix(text, "-")
}

// derived reports whether another instance would derive a name.
func derived(name string) bool {
	for _, suffix := range []string{"-master", "-replicas", "-config", "-auth", "-etcd", "-etcd-peer", "-controller"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// secretKey reports whether text can be a key of a Secret.
func secretKey(text string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
	return text != "" && len(text) <= 253 && strings.Trim(text, allowed) == ""
}
