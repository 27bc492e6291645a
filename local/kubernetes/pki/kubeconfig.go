package pki

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

const kubeconfigFormat = `apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[4]s
  user:
    client-certificate-data: %[5]s
    client-key-data: %[6]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[4]s}
current-context: %[1]s
`

// WriteKubeconfig writes a self-contained kubeconfig that identifies itself with the named client certificate.
func (a *Authority) WriteKubeconfig(path, cluster, server, client string) error {
	encoded := make([]any, 0, 3)
	for _, file := range []string{a.CertFile("ca"), a.CertFile(client), a.KeyFile(client)} {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("make the kubeconfig of %s: %w", client, err)
		}
		encoded = append(encoded, base64.StdEncoding.EncodeToString(data))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the kubeconfig of %s: %w", client, err)
	}
	text := fmt.Sprintf(kubeconfigFormat, cluster, server, encoded[0], client, encoded[1], encoded[2])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("make the kubeconfig of %s: %w", client, err)
	}
	return nil
}
