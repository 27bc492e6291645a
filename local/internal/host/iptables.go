package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
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
		restore := exec.CommandContext(ctx, program+"-restore", "--noflush")
		restore.Stdin = strings.NewReader(script)
		if out, err := restore.CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("remove rules with %s-restore: %w\n%s", program, err, out))
		}
	}
	return errors.Join(errs...)
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
