package cluster

import (
	"context"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/host"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

// Healthy says whether every part runs, from the configuration that this version would write, and answers.
func (c *Cluster) Healthy(ctx context.Context) bool {
	if !c.seen() || c.configure(ctx) != nil || host.EnsureBridge() != nil {
		return false
	}
	for _, comp := range c.all() {
		if !c.processes.Current(comp.Spec) || c.check(ctx, comp) != nil {
			return false
		}
	}
	out, err := c.kubectl(ctx, "get", "node", layout.NodeName, "--output",
		`jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
	return err == nil && out == "True"
}

// Status prints one line per program; it says whether all are well.
func (c *Cluster) Status(ctx context.Context) bool {
	well := true
	for _, comp := range c.all() {
		state := "ready"
		begin := time.Now()
		if err := c.check(ctx, comp); err != nil {
			state, well = err.Error(), false
		}
		pid, _ := c.processes.PID(comp.Name)
		c.printf("%-24s %7d  %s (%d ms)\n", comp.Name, pid, state, time.Since(begin).Milliseconds())
	}
	if well {
		out, err := c.kubectl(ctx, "get", "node", "--output=wide")
		if err != nil {
			c.printf("%v\n", err)
			return false
		}
		c.printf("\n%s\nexport KUBECONFIG=%s\nkubectl, ctr socket, logs: %s/bin/kubectl %s %s\n",
			out, c.layout.Kubeconfig(), c.layout.Cache, c.layout.ContainerdSocket(), c.layout.Logs())
	}
	return well
}
