package cluster

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/pki"
)

//go:embed config
var templates embed.FS

// values is what the configuration templates may name.
type values struct {
	Layout                                                               layout.Layout
	PKI, PauseImage                                                      string
	ClusterName, NodeName, Bridge, BridgeAddress, PodCIDR, ClusterDomain string
}

// writeConfig renders every template into the configuration folder.
func (c *Cluster) writeConfig() error {
	v := values{
		Layout: c.layout, PKI: c.layout.PKI(), PauseImage: c.pauseImage,
		ClusterName: layout.ClusterName, NodeName: layout.NodeName, Bridge: layout.Bridge,
		BridgeAddress: layout.BridgeAddress, PodCIDR: layout.PodCIDR, ClusterDomain: layout.ClusterDomain,
	}
	all, err := template.ParseFS(templates, "config/*")
	if err != nil {
		return fmt.Errorf("parse configuration templates: %w", err)
	}
	for _, t := range all.Templates() {
		var text bytes.Buffer
		if err := t.Execute(&text, v); err != nil {
			return fmt.Errorf("render %s: %w", t.Name(), err)
		}
		path := c.configFile(t.Name())
		if t.Name() == "cni.conflist" {
			// containerd takes the first file of a folder that holds nothing else.
			path = c.configFile(filepath.Join("cni", t.Name()))
		}
		if err := writeIfChanged(path, text.Bytes()); err != nil {
			return err
		}
	}
	// Pods resolve names of the cluster only: nothing of the machine's own resolver leaks in.
	return writeIfChanged(c.configFile("resolv.conf"), []byte("nameserver "+layout.BridgeAddress+"\n"))
}

func (c *Cluster) configFile(name string) string { return filepath.Join(c.layout.Config(), name) }

// copySelf keeps this program where the background part of it can be found again.
func (c *Cluster) copySelf() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	if now, err := os.ReadFile(c.self); err == nil && bytes.Equal(now, data) {
		return nil
	}
	// Renamed over the old copy, which may be running.
	if err := os.WriteFile(c.self+".part", data, 0o755); err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	if err := os.Rename(c.self+".part", c.self); err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	return nil
}

func writeIfChanged(path string, data []byte) error {
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("create the folder of %s: %w", path, err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeIdentities makes what is missing of the certificates and kubeconfigs.
func (c *Cluster) writeIdentities() error {
	ca, err := pki.Open(c.layout.PKI())
	if err != nil {
		return err
	}
	err = errors.Join(
		ca.Server("apiserver-server", layout.BridgeAddress, layout.FirstServiceAddress, "127.0.0.1", "localhost",
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc."+layout.ClusterDomain),
		ca.Server("kubelet-server", layout.BridgeAddress, layout.NodeName),
		ca.Client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
		// Only its key pair is used, to sign and check service account tokens.
		ca.Client("service-account", "service-accounts", ""),
	)
	if err != nil {
		return err
	}
	for _, user := range []struct{ client, commonName, organization, kubeconfig string }{
		{"admin", "kubernetes-admin", "system:masters", c.layout.Kubeconfig()},
		{"kube-controller-manager", "system:kube-controller-manager", "", ""},
		{"kube-scheduler", "system:kube-scheduler", "", ""},
		{"kube-proxy", "system:kube-proxy", "", ""},
		{"kubelet", "system:node:" + layout.NodeName, "system:nodes", ""},
		{"coredns", "coredns", "", ""},
	} {
		if err := ca.Client(user.client, user.commonName, user.organization); err != nil {
			return err
		}
		path := user.kubeconfig
		if path == "" {
			path = c.layout.KubeconfigOf(user.client)
		}
		if err := ca.WriteKubeconfig(path, layout.ClusterName, apiURL, user.client); err != nil {
			return err
		}
	}
	return nil
}

// linkVolumes makes the provisioner's fixed folder a link into the state folder.
func (c *Cluster) linkVolumes() error {
	if err := os.MkdirAll(c.layout.Volumes(), 0o755); err != nil {
		return fmt.Errorf("create the folder of volumes: %w", err)
	}
	target, err := os.Readlink(layout.VolumeRoot)
	switch {
	case err == nil && target == c.layout.Volumes():
		return nil
	case errors.Is(err, fs.ErrNotExist):
	default:
		// An empty folder that another cluster left is no loss; anything else may be in use.
		if err := os.Remove(layout.VolumeRoot); err != nil {
			return fmt.Errorf("%s belongs to something else, and volumes need that path: %w", layout.VolumeRoot, err)
		}
	}
	if err := os.Symlink(c.layout.Volumes(), layout.VolumeRoot); err != nil {
		return fmt.Errorf("link the folder of volumes: %w", err)
	}
	return nil
}
