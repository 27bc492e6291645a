package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

// chainPrefix starts the name of every chain that kubelet and kube-proxy make.
const chainPrefix = "KUBE-"

func filterPrograms() []string { return []string{"iptables", "ip6tables"} }

// HasKubernetesRules says whether kubelet or kube-proxy, ours or another's, has rules on this machine.
func HasKubernetesRules(ctx context.Context) bool {
	for _, program := range filterPrograms() {
		out, err := exec.CommandContext(ctx, program+"-save").Output()
		if err == nil && strings.Contains(string(out), "\n:"+chainPrefix) {
			return true
		}
	}
	return false
}

// closedChain is named so that RemoveKubernetesRules removes it as well.
const closedChain = chainPrefix + "LOCAL-CLOSED"

// ResetUnserved makes a connection to a Service without endpoints be reset, as one to a port at which nothing listens. By
// itself kube-proxy rejects it with an ICMP message, on which Redis sentinels use up a processor each (docs/operations.md),
// and the machine may have two. Packets that no Service takes reach this chain at the end of the nat table; it sends them to
// a port of the bridge at which nothing listens.
func ResetUnserved(ctx context.Context) error {
	script := fmt.Sprintf("*nat\n:%[1]s - [0:0]\n-A %[1]s -d %[2]s -p tcp -j DNAT --to-destination %[3]s:1\nCOMMIT\n",
		closedChain, layout.ServiceCIDR, layout.BridgeAddress)
	if err := restoreRules(ctx, "iptables", script); err != nil {
		return fmt.Errorf("reset connections to Services without endpoints: %w", err)
	}
	for _, hook := range []string{"PREROUTING", "OUTPUT"} {
		jump := []string{hook, "-j", closedChain}
		if exec.CommandContext(ctx, "iptables", append([]string{"-t", "nat", "-C"}, jump...)...).Run() == nil {
			continue
		}
		// kube-proxy puts its own jumps first, so this one stays behind them.
		out, err := exec.CommandContext(ctx, "iptables", append([]string{"-t", "nat", "-A"}, jump...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("reset connections to Services without endpoints: %w\n%s", err, out)
		}
	}
	return nil
}

// RemoveKubernetesRules removes the chains of kubelet and kube-proxy and the jumps to them, and nothing else.
func RemoveKubernetesRules(ctx context.Context) error {
	var errs []error
	for _, program := range filterPrograms() {
		out, err := exec.CommandContext(ctx, program+"-save").Output()
		if err != nil {
			// No support for this protocol family, so no rules either.
			continue
		}
		script := removalScript(string(out))
		if script == "" {
			continue
		}
		if err := restoreRules(ctx, program, script); err != nil {
			errs = append(errs, fmt.Errorf("remove rules: %w", err))
		}
	}
	return errors.Join(errs...)
}

// restoreRules carries out a script of iptables-restore, beside the rules that there are; a chain that it declares is emptied.
func restoreRules(ctx context.Context, program, script string) error {
	restore := exec.CommandContext(ctx, program+"-restore", "--noflush")
	restore.Stdin = strings.NewReader(script)
	if out, err := restore.CombinedOutput(); err != nil {
		return fmt.Errorf("%s-restore: %w\n%s", program, err, out)
	}
	return nil
}

// removalScript turns the output of iptables-save into input for iptables-restore --noflush that removes what is
// Kubernetes'. Each table is one transaction: jumps first, then the chains are emptied (a declared chain is flushed)
// and deleted. It is empty if there is nothing to remove.
func removalScript(save string) string {
	var script strings.Builder
	var table, declarations, jumps, deletions string
	for line := range strings.Lines(save) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table, declarations, jumps, deletions = line, "", "", ""
		case strings.HasPrefix(line, ":"+chainPrefix):
			name, _, _ := strings.Cut(line[1:], " ")
			declarations += ":" + name + " - [0:0]\n"
			deletions += "-X " + name + "\n"
		case strings.HasPrefix(line, "-A ") && !strings.HasPrefix(line, "-A "+chainPrefix):
			if strings.Contains(line, "-j "+chainPrefix) {
				jumps += "-D" + line[len("-A"):] + "\n"
			}
		case line == "COMMIT" && declarations != "":
			script.WriteString(table + "\n" + declarations + jumps + deletions + "COMMIT\n")
		}
	}
	return script.String()
}
