package hooks

import (
	"regexp"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// sentinelTooOld reports whether an image is one of Redis before 6.2, as far as its tag tells; admission has the same
// expression. A tag that names no minor version, such as redis:6, is taken for the newest of its kind. Of other images
// scripts/sentinel.sh tells.
func sentinelTooOld(image string) bool { return oldSentinel().MatchString(image) }

func oldSentinel() *regexp.Regexp {
	return regexp.MustCompile(`(^|/)redis(-sentinel)?:v?([0-5]([.-].*)?|6[.][01]([.-].*)?)(@.*)?$`)
}

// syncSentinel makes a Deployment of sentinels. What they monitor is given to them by the sidecar.
func syncSentinel(in *instance) (answer, error) {
	deployment, err := in.sentinelDeployment()
	if err != nil {
		return answer{}, err
	}
	var out children
	if secret, ok := in.passwordSecret(v1alpha1.ComponentSentinel); ok {
		out.add(secret)
	}
	out.add(in.sentinelConfig())
	out.add(in.sentinelService())
	out.add(in.disruptionBudget(in.name, v1alpha1.ComponentSentinel, in.selector(v1alpha1.ComponentSentinel)))
	out.add(deployment)
	out.add(in.sentinelTopology())
	return answer{children: out, status: in.sentinelStatus(&out)}, nil
}
