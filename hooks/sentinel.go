package hooks

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// syncSentinel makes a Deployment of sentinels. What they monitor is given to them by the sidecar.
func syncSentinel(in builder) (answer, error) {
	deployment, pods, err := in.sentinelDeployment()
	if err != nil {
		return answer{}, err
	}
	var out children
	if secret, ok := in.passwordSecret(v1alpha1.ComponentSentinel); ok {
		out.add(secret)
	}
	out.add(in.sentinelConfig())
	out.add(in.forClients(in.sentinelService()))
	out.add(in.sentinelPolicy(pods))
	out.add(in.disruptionBudget(in.name, v1alpha1.ComponentSentinel, in.selector(v1alpha1.ComponentSentinel)))
	out.add(deployment)
	out.add(in.sentinelTopology())
	return answer{children: out, status: statusBuilder{in.instance}.sentinelStatus(&out)}, nil
}
