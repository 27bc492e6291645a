package validation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimachinery "k8s.io/apimachinery/pkg/util/validation"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
)

// Observed is what an instance was made with; the zero value for one that is not made yet.
type Observed struct {
	// Topology of the instance, or nil.
	Topology *v1alpha1.KVRocksTopology
	// DataSet is the first StatefulSet of data nodes, or nil.
	DataSet *appsv1.StatefulSet
	// ClientService is the Service with an address that clients use, or nil.
	ClientService *corev1.Service
	// Volumes are the largest sizes that claims ask for; nil what is not known.
	Volumes v1alpha1.VolumeSizes
}

// checker holds what the rules are about.
type checker struct {
	cr       *v1alpha1.KVRocks
	spec     *v1alpha1.KVRocksSpec // with defaults
	observed Observed
}

// Check returns what is wrong with an instance, in sentences that say what to write instead; "" when nothing is. spec is the spec of
// cr with its defaults. An instance with a problem is left as it is.
func Check(cr *v1alpha1.KVRocks, spec *v1alpha1.KVRocksSpec, observed Observed) string {
	c := checker{cr: cr, spec: spec, observed: observed}
	problems := c.problems(
		checker.checkName, checker.checkLabel, checker.checkCounts, checker.checkPassword, checker.checkPlacement, checker.checkFields,
		checker.checkFailover, checker.checkDrain, checker.checkStorage, checker.checkPrimary, checker.checkService, checker.checkNetwork,
	)
	problems = append(problems, kvrocksconf.Check(spec)...)
	problems = append(problems, c.problems(checker.checkCluster, checker.checkMigrate, checker.checkUnchanged)...)
	return strings.Join(problems, "; ")
}

func (c checker) problems(rules ...func(checker) string) []string {
	var problems []string
	for _, rule := range rules {
		if problem := rule(c); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems
}

func (c checker) checkName() string {
	switch name := c.cr.Name; {
	case len(name) > 40:
		return "metadata.name must have at most 40 characters, because names such as <name>-controller and <name>-<shard>-<pod> are derived from it; choose a shorter name"
	case len(apimachinery.IsDNS1035Label(name)) > 0:
		return "metadata.name must start with a letter and hold only a-z, 0-9 and '-', because Services are named after it"
	case derived(name):
		return "metadata.name must not end with -master, -replicas, -config, -auth, -etcd, -etcd-peer or -controller, because another instance derives such names; choose another name"
	}
	return ""
}

func (c checker) checkLabel() string {
	if value, ok := c.cr.Annotations[v1alpha1.AnnotationPaused]; ok && value != v1alpha1.PausedValue && value != "false" {
		return fmt.Sprintf("the annotation %s is %q, which holds nothing; write \"true\" to hold planned changes, or take it away", v1alpha1.AnnotationPaused, value)
	}
	if c.spec.Type != v1alpha1.TypeSentinel && c.cr.MonitoredBy() == c.cr.Name {
		return "the label " + v1alpha1.LabelMonitoredBy + " names the instance itself; write the name of a KVRocks of type sentinel"
	}
	return ""
}

func (c checker) checkCounts() string {
	replicas, master := c.spec.Replicas, c.spec.Master
	switch {
	case replicas < 1 || replicas > 99:
		return fmt.Sprintf("spec.replicas is %d; write a number from 1 to 99", replicas)
	case master != nil && (*master < 0 || *master > 999):
		return fmt.Sprintf("spec.master is %d; write a number from 0 to 999", *master)
	}
	switch c.spec.Type {
	case v1alpha1.TypeSentinel:
		if replicas < 3 || replicas%2 == 0 {
			return "a sentinel instance needs an odd number of replicas, at least 3, so that a quorum exists; write replicas: 3 or replicas: 5"
		}
	case v1alpha1.TypeStandard:
		if master != nil && *master != 1 {
			return "a standard instance has one master; write master: 1 or leave it out (for more shards use type: cluster)"
		}
	case v1alpha1.TypeCluster:
		return c.checkShardCount()
	}
	return ""
}

func (c checker) checkPassword() string {
	password, ref := c.spec.Password, c.spec.PasswordSecretRef
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

func (c checker) checkPlacement() string {
	if problem := checkResources("spec.resources", c.spec.Resources); problem != "" {
		return problem
	}
	if cluster := c.spec.Cluster; cluster != nil {
		for _, problem := range []string{
			checkResources("spec.cluster.etcd.resources", cluster.Etcd.Resources),
			checkResources("spec.cluster.controller.resources", cluster.Controller.Resources),
		} {
			if problem != "" {
				return problem
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.spec.PodAnnotations)) {
		if strings.HasPrefix(key, v1alpha1.Group+"/") {
			return "spec.podAnnotations must not set " + key + ", which the operator uses; choose another prefix"
		}
	}
	return ""
}

// checkResources returns what is wrong with the requests of a container; field is where they stand.
func checkResources(field string, r *corev1.ResourceRequirements) string {
	if r == nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		limit, limited := r.Limits[name]
		if request := r.Requests[name]; limited && request.Cmp(limit) > 0 {
			return fmt.Sprintf("%s.requests.%s is above its limit, so no pod could be made; lower it or raise the limit", field, name)
		}
	}
	return ""
}

func (c checker) checkFields() string {
	switch c.spec.ImagePullPolicy {
	case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		return fmt.Sprintf("spec.imagePullPolicy is %q; write Always, IfNotPresent or Never", c.spec.ImagePullPolicy)
	}
	switch {
	case len(c.spec.Image) > 512 || strings.ContainsAny(c.spec.Image, " \t\r\n"):
		return "spec.image is not the name of an image; write for example " + v1alpha1.DefaultKVRocksImage
	case c.spec.Type == v1alpha1.TypeSentinel && sentinelTooOld(c.spec.Image):
		return "spec.image is a redis-sentinel older than 6.2, which does not know resolve-hostnames; write a newer one, for example " + v1alpha1.DefaultSentinelImage
	case c.spec.Type == v1alpha1.TypeSentinel && len(c.spec.KVRocksConfig) > 0:
		return "kvrocksConfig is for data nodes; leave it out of a sentinel instance"
	}
	return ""
}

func (c checker) checkFailover() string {
	f := c.spec.Failover
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

func (c checker) checkDrain() string {
	if s := *c.spec.DrainSeconds; s < 0 || s > 300 {
		return fmt.Sprintf("spec.drainSeconds is %d, and is how many seconds a pod that goes keeps answering; write a number from 0 to 300", s)
	}
	return ""
}

func (c checker) checkStorage() string {
	storage := c.spec.Storage
	switch {
	case storage == nil:
		return ""
	case c.spec.Type == v1alpha1.TypeSentinel:
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

// checkUnchanged refuses what cannot be changed on a live instance: admission does so as well, unless the CRD was replaced.
func (c checker) checkUnchanged() string {
	topology, set := c.observed.Topology, c.observed.DataSet
	if topology != nil && topology.Spec.Type != "" && topology.Spec.Type != c.spec.Type {
		return "spec.type cannot be changed on a live instance; create a new KVRocks of the wanted type and move the data"
	}
	if set == nil {
		return ""
	}
	if port := portOf(set); port != 0 && port != c.spec.Port() {
		// Services and the sidecar would go to the new port at once, the pods only after a roll, which waits for the sidecar.
		return fmt.Sprintf("kvrocksConfig.port cannot be changed on a live instance; write %d again, or create a new KVRocks with the wanted port and move the data", port)
	}
	if topology != nil && topology.Spec.PasswordSecret != nil && c.spec.Password == "" && c.spec.PasswordSecretRef == nil {
		// The nodes would keep the old password, which is on record nowhere else.
		return "the password cannot be removed from a live instance; write another one into spec.password, or name a Secret in spec.passwordSecretRef"
	}
	claims := set.Spec.VolumeClaimTemplates
	if (len(claims) > 0) != (c.spec.Storage != nil) {
		return "spec.storage cannot be added to or removed from a live instance; create a new KVRocks and move the data"
	}
	return c.checkSmaller()
}

// portOf returns the port that the pods of a StatefulSet listen on; 0 when it does not say so.
func portOf(set *appsv1.StatefulSet) int32 {
	for i := range set.Spec.Template.Spec.Containers {
		if c := &set.Spec.Template.Spec.Containers[i]; c.Name == v1alpha1.ContainerKVRocks && len(c.Ports) > 0 {
			return c.Ports[0].ContainerPort
		}
	}
	return 0
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

// sentinelTooOld reports whether an image is one of Redis before 6.2, as far as its tag tells; admission has the same
// expression. A tag that names no minor version, such as redis:6, is taken for the newest of its kind. Of other images
// scripts/sentinel.sh tells.
func sentinelTooOld(image string) bool { return oldSentinel().MatchString(image) }

func oldSentinel() *regexp.Regexp {
	return regexp.MustCompile(`(^|/)redis(-sentinel)?:v?([0-5]([.-].*)?|6[.][01]([.-].*)?)(@.*)?$`)
}
