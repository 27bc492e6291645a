// Package layout names the folders and addresses of the local cluster, so that every other package agrees on them.
package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Addresses and names of the cluster. One machine carries one local cluster, so they are fixed.
const (
	// ClusterName is the name of the pod network and of the kubeconfig context.
	ClusterName = "kvrocks-local"
	NodeName    = "kvrocks-local"
	// Bridge joins the pods; BridgeAddress on it is also the node's address, where the API server, the kubelet and
	// CoreDNS listen.
	Bridge        = "kvrocks0"
	BridgeAddress = "10.244.0.1"
	PodCIDR       = "10.244.0.0/16"
	ServiceCIDR   = "10.96.0.0/16"
	// FirstServiceAddress is the ClusterIP that the API server gives to its own Service.
	FirstServiceAddress = "10.96.0.1"
	ClusterDomain       = "cluster.local"
	APIPort             = "6443"
	// VolumeRoot is fixed in kube-controller-manager's host-path provisioner; it becomes a link to Layout.Volumes.
	VolumeRoot = "/tmp/hostpath_pv"
)

// Layout holds absolute paths.
type Layout struct {
	// State survives a reboot: etcd's data, images, volumes, certificates, logs. `down` removes it.
	State string
	// Run holds sockets, pid files and pod networks; it is on a tmpfs.
	Run string
	// Cache holds built programs and images, and outlives `down`.
	Cache string
	// Source is the folder of this Go module (local/), and Source/.. the operator's.
	Source string
}

// New finds the source folder upwards from the working directory and takes the cache folder from
// KVROCKS_LOCAL_CACHE (default: kvrocks-local in the user's cache folder).
func New() (Layout, error) {
	source, err := findSource()
	if err != nil {
		return Layout{}, err
	}
	cache := os.Getenv("KVROCKS_LOCAL_CACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return Layout{}, fmt.Errorf("no HOME and no KVROCKS_LOCAL_CACHE: %w", err)
		}
		cache = filepath.Join(home, ".cache", "kvrocks-local")
	}
	cache, err = filepath.Abs(cache)
	if err != nil {
		return Layout{}, fmt.Errorf("resolve the cache folder: %w", err)
	}
	return Layout{State: "/var/lib/kvrocks-local", Run: "/run/kvrocks-local", Cache: cache, Source: source}, nil
}

// findSource accepts the repository's root, local/ itself and every folder below.
func findSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	for {
		for _, candidate := range []string{dir, filepath.Join(dir, "local")} {
			data, err := os.ReadFile(filepath.Join(candidate, "go.mod"))
			if err == nil && strings.HasPrefix(string(data), "module github.com/kvrocks/kvrocks-operator/local\n") {
				return candidate, nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this inside a clone of kvrocks-operator: no local/go.mod found above the working directory")
		}
		dir = parent
	}
}

// Kubeconfig is the administrator's.
func (l Layout) Kubeconfig() string { return filepath.Join(l.State, "kubeconfig") }

// KubeconfigOf is the kubeconfig of one component.
func (l Layout) KubeconfigOf(component string) string {
	return filepath.Join(l.Config(), component+".kubeconfig")
}

// PKI holds keys and certificates.
func (l Layout) PKI() string { return filepath.Join(l.State, "pki") }

// Config holds the generated configuration files of the programs.
func (l Layout) Config() string { return filepath.Join(l.State, "config") }

// Logs holds one file per program.
func (l Layout) Logs() string { return filepath.Join(l.State, "log") }

// Volumes holds the PersistentVolumes' folders.
func (l Layout) Volumes() string { return filepath.Join(l.State, "volumes") }

// ContainerdSocket is also what tells our containerd's shims from another's.
func (l Layout) ContainerdSocket() string { return filepath.Join(l.Run, "containerd.sock") }

// Lock keeps two commands from changing the cluster at the same time.
func (l Layout) Lock() string { return filepath.Join(l.Cache, "lock") }
