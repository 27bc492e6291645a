package podtemplate

import (
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func (c *checker) checkContainers() {
	seen := map[string]bool{}
	for _, list := range []struct {
		field     string
		ours, all []corev1.Container
	}{
		{"initContainers", c.Template.Spec.InitContainers, c.given.Spec.InitContainers},
		{"containers", c.Template.Spec.Containers, c.given.Spec.Containers},
	} {
		written := listed(under(c.fields, "spec"), list.field)
		for i := range list.all {
			given := &list.all[i]
			at := "spec." + list.field + "[" + given.Name + "]"
			switch ours := containerNamed(list.ours, given.Name); {
			case seen[given.Name]:
				c.refuse(at, "is there twice; keep one of them")
			case ours != nil && given.Name == c.Container:
				c.checkMain(at, written[i], given)
			case ours != nil:
				for _, field := range others(written[i], []string{"name", "securityContext"}) {
					c.refuse(at+"."+field, "must stay the operator's; write name and securityContext alone, or a container of your own")
				}
			default:
				c.checkAdded(at, given)
			}
			seen[given.Name] = true
		}
	}
}

// mainFields returns the fields of the main container that a podTemplate may have.
func mainFields() []string {
	return []string{"name", "env", "envFrom", "volumeMounts", "securityContext", "startupProbe", "readinessProbe", "livenessProbe"}
}

// checkMain checks what is written of the operator's main container.
func (c *checker) checkMain(at string, written object, given *corev1.Container) {
	for _, field := range others(written, mainFields()) {
		c.refuse(at+"."+field, "%s", c.insteadOfMainField(field))
	}
	for i := range given.Env {
		if name := given.Env[i].Name; c.setsEnv(name) {
			c.refuse(at+".env", "must not set %s, by which the operator tells the container what to do; leave it out", name)
		}
	}
	for i := range given.VolumeMounts {
		for _, mount := range c.main().VolumeMounts {
			if at, dir := given.VolumeMounts[i].MountPath, mount.MountPath; overlap(at, dir) {
				c.refuse("spec.containers["+given.Name+"].volumeMounts["+at+"]", "would hide %s, which the operator mounts; choose another path", dir)
				break
			}
		}
	}
	c.checkEnvAndMounts(at, given)
	c.checkProbes(at, written, given)
}

// insteadOfMainField says what to write in the place of a field of the main container.
func (c *checker) insteadOfMainField(field string) string {
	switch field {
	case "image", "resources":
		return "has a field of its own; write " + c.component() + "." + field
	case "imagePullPolicy":
		return "has a field of its own; write spec.imagePullPolicy"
	case "command", "args":
		if c.Container == v1alpha1.ContainerKVRocks {
			return "must stay the operator's; leave it out, and write settings into spec.kvrocksConfig"
		}
	case "ports":
		return "must stay the operator's, to which Services lead; leave it out, and list other ports in a container of your own"
	case "lifecycle":
		return "must stay the operator's, whose preStop hook ends a pod without loss; leave it out (spec.drainSeconds is how long a pod keeps answering)"
	}
	return "must stay the operator's; leave it out (of this container a podTemplate may have " + strings.Join(mainFields(), ", ") + ")"
}

// setsEnv reports whether the operator decides on an environment variable of the main container: it sets it, or says by a flag what
// the variable would say, or the variable would replace the configuration as a whole.
func (c *checker) setsEnv(name string) bool {
	main := c.main()
	for i := range main.Env {
		if main.Env[i].Name == name {
			return true
		}
	}
	for _, arg := range main.Args {
		// etcd ends when a flag is in its environment as well.
		flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == strings.ToUpper(main.Name+"_"+strings.ReplaceAll(flag, "-", "_")) {
			return true
		}
	}
	return name == "ETCD_FORCE_NEW_CLUSTER" || name == "ETCD_CONFIG_FILE" || strings.HasPrefix(name, "KVROCKS_CONTROLLER_")
}

// overlap reports whether one directory is the other or within it.
func overlap(a, b string) bool {
	inside := func(a, b string) bool { return a == b || b == "/" || strings.HasPrefix(a, b+"/") }
	a, b = path.Clean("/"+a), path.Clean("/"+b)
	return inside(a, b) || inside(b, a)
}

// checkAdded checks a container that is a person's own.
func (c *checker) checkAdded(at string, given *corev1.Container) {
	switch {
	case operatorContainer(given.Name):
		c.refuse(at, "has a name that the operator uses; choose another (its container in these pods is %s)", c.Container)
	case len(validation.IsDNS1123Label(given.Name)) > 0:
		c.refuse(at, "has no name that a container can have; write letters a-z, digits and '-', at most 63")
	case given.Image == "":
		c.refuse(at, "has no image; write one (the container of the operator's in these pods is %s)", c.Container)
	}
	seen := map[int32]bool{}
	for _, port := range given.Ports {
		switch {
		case c.listensOn(port.ContainerPort):
			c.refuse(at+".ports", "lists %d, on which the operator's container listens in the same pod; choose another port", port.ContainerPort)
		case seen[port.ContainerPort]:
			c.refuse(at+".ports", "lists %d twice; keep one of them", port.ContainerPort)
		}
		seen[port.ContainerPort] = true
	}
	for _, name := range slices.Sorted(maps.Keys(given.Resources.Requests)) {
		limit, limited := given.Resources.Limits[name]
		if request := given.Resources.Requests[name]; limited && request.Cmp(limit) > 0 {
			c.refuse(at+".resources.requests."+string(name), "is above its limit, so no pod could be made; lower it or raise the limit")
		}
	}
	c.checkEnvAndMounts(at, given)
}

// operatorContainer reports whether a container of the operator's has a name, in whichever pods.
func operatorContainer(name string) bool {
	switch name {
	case v1alpha1.ContainerKVRocks, v1alpha1.ContainerRecall, v1alpha1.ContainerSentinel, v1alpha1.ContainerEtcd, v1alpha1.ContainerController:
		return true
	}
	return false
}

func (c *checker) listensOn(port int32) bool {
	return slices.ContainsFunc(c.main().Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port })
}

// checkEnvAndMounts checks what a container may have whichever it is. Metacontroller takes the last of two items with one key, so that
// a list with two would not be what it says.
func (c *checker) checkEnvAndMounts(at string, given *corev1.Container) {
	names := map[string]bool{}
	for i := range given.Env {
		switch name := given.Env[i].Name; {
		case name == "" || strings.Contains(name, "="):
			c.refuse(at+".env", "has a variable named %q; write a name", name)
		case names[name]:
			c.refuse(at+".env", "sets %s twice; keep one of them", name)
		default:
			names[name] = true
		}
	}
	ours, paths := c.operatorVolumes(), map[string]bool{}
	for i := range given.VolumeMounts {
		mount := &given.VolumeMounts[i]
		at := at + ".volumeMounts[" + mount.MountPath + "]"
		switch {
		case mount.MountPath == "" || strings.Contains(mount.MountPath, ":"):
			c.refuse(at, "has no mountPath; write where the volume is to be")
		case paths[mount.MountPath]:
			c.refuse(at, "is there twice; keep one of them")
		case ours[mount.Name] && !mount.ReadOnly:
			c.refuse(at, "would let the container write to %s, a volume of the operator's; write readOnly: true, or mount a volume of your own", mount.Name)
		case !ours[mount.Name] && !c.hasVolume(mount.Name):
			c.refuse(at, "names the volume %s, which is not there; add it to %s.spec.volumes", mount.Name, c.Field)
		}
		paths[mount.MountPath] = true
	}
}

func (c *checker) hasVolume(name string) bool {
	return slices.ContainsFunc(c.given.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == name })
}
