package cluster

import (
	"path/filepath"
	"strings"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/process"
)

const (
	apiURL = "https://" + layout.BridgeAddress + ":" + layout.APIPort
	// etcd is only for the API server; its ports are moved away from the usual ones of another etcd.
	etcdURL     = "http://127.0.0.1:12379"
	etcdPeerURL = "http://127.0.0.1:12380"
)

// component is a program of the cluster and the way to ask it whether it is ready.
type component struct {
	process.Spec
	// ready is a URL that answers 200, or empty for programs without one.
	ready string
}

// disabledControllers are those that the operator and its tests have no use for.
func disabledControllers() []string {
	return []string{
		"certificatesigningrequest-approving-controller", "certificatesigningrequest-cleaner-controller",
		"certificatesigningrequest-signing-controller", "cloud-node-lifecycle-controller", "cronjob-controller",
		"device-taint-eviction-controller", "ephemeral-volume-controller", "horizontal-pod-autoscaler-controller",
		"node-ipam-controller", "node-route-controller", "persistentvolume-expander-controller",
		"replicationcontroller-controller", "resourceclaim-controller", "service-cidr-controller",
		"service-lb-controller", "storageversion-garbage-collector-controller", "ttl-controller",
		"volumeattributesclass-protection-controller",
	}
}

func (c *Cluster) containerd() component {
	config := c.configFile("containerd.toml")
	return component{Spec: process.Spec{
		Name: "containerd", Path: "/usr/bin/containerd", Args: []string{"--config", config, "--log-level", "warn"},
		Inputs: []string{config},
	}}
}

func (c *Cluster) etcd() component {
	return component{ready: etcdURL + "/health", Spec: c.program("etcd",
		"--name="+layout.NodeName, "--data-dir="+filepath.Join(c.layout.State, "etcd"),
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls="+etcdPeerURL, "--initial-advertise-peer-urls="+etcdPeerURL,
		"--initial-cluster="+layout.NodeName+"="+etcdPeerURL,
		// The data need not survive a power cut, and a small VM's disk is slow.
		"--unsafe-no-fsync", "--log-level=warn",
	)}
}

func (c *Cluster) apiServer() component {
	pki := c.layout.PKI()
	return component{ready: apiURL + "/readyz", Spec: c.program("kube-apiserver",
		"--etcd-servers="+etcdURL,
		"--bind-address="+layout.BridgeAddress, "--advertise-address="+layout.BridgeAddress, "--secure-port="+layout.APIPort,
		"--tls-cert-file="+pki+"/apiserver-server.crt", "--tls-private-key-file="+pki+"/apiserver-server.key",
		"--client-ca-file="+pki+"/ca.crt",
		"--kubelet-certificate-authority="+pki+"/ca.crt",
		"--kubelet-client-certificate="+pki+"/apiserver-kubelet-client.crt",
		"--kubelet-client-key="+pki+"/apiserver-kubelet-client.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc."+layout.ClusterDomain,
		"--service-account-key-file="+pki+"/service-account.key",
		"--service-account-signing-key-file="+pki+"/service-account.key",
		"--service-cluster-ip-range="+layout.ServiceCIDR,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--event-ttl=2h", "--profiling=false",
	)}
}

// controlPrograms are the programs that need only the API server.
func (c *Cluster) controlPrograms() []component {
	pki := c.layout.PKI()
	manager := c.layout.KubeconfigOf("kube-controller-manager")
	schedulerConfig := c.configFile("kube-scheduler.yaml")
	scheduler := c.program("kube-scheduler", "--config="+schedulerConfig, "--bind-address=127.0.0.1",
		"--authentication-skip-lookup=true", "--authorization-always-allow-paths=/healthz,/readyz,/livez")
	scheduler.Inputs = []string{schedulerConfig, c.layout.KubeconfigOf("kube-scheduler")}

	controllers := c.program("kube-controller-manager",
		"--kubeconfig="+manager, "--bind-address=127.0.0.1", "--leader-elect=false",
		"--controllers=*,-"+strings.Join(disabledControllers(), ",-"),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+pki+"/service-account.key", "--root-ca-file="+pki+"/ca.crt",
		"--enable-hostpath-provisioner=true",
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--concurrent-statefulset-syncs=10", "--concurrent-endpoint-syncs=10", "--concurrent-service-endpoint-syncs=10",
		// A busy two-core machine may keep the kubelet from reporting for a while; that is no reason to evict pods.
		"--node-monitor-grace-period=5m",
		"--authentication-skip-lookup=true",
	)
	controllers.Inputs = []string{manager}

	watcher := process.Spec{Name: "volumes", Path: c.self, Args: []string{"watch-volumes", c.layout.Volumes()}}
	return []component{
		{Spec: controllers, ready: "https://127.0.0.1:10257/healthz"},
		{Spec: scheduler, ready: "https://127.0.0.1:10259/healthz"},
		{Spec: watcher},
	}
}

// nodePrograms are the programs that run pods and connect them.
func (c *Cluster) nodePrograms() []component {
	kubeletConfig, proxyConfig, corefile := c.configFile("kubelet.yaml"), c.configFile("kube-proxy.yaml"), c.configFile("Corefile")
	kubelet := c.program("kubelet",
		"--config="+kubeletConfig, "--kubeconfig="+c.layout.KubeconfigOf("kubelet"),
		"--root-dir="+filepath.Join(c.layout.State, "kubelet"), "--cert-dir="+c.layout.PKI(),
		"--hostname-override="+layout.NodeName, "--node-ip="+layout.BridgeAddress,
	)
	kubelet.Inputs = []string{kubeletConfig, c.layout.KubeconfigOf("kubelet")}
	proxy := c.program("kube-proxy", "--config="+proxyConfig)
	proxy.Inputs = []string{proxyConfig, c.layout.KubeconfigOf("kube-proxy")}
	coredns := c.program("coredns", "-conf", corefile)
	coredns.Inputs = []string{corefile, c.layout.KubeconfigOf("coredns")}
	return []component{
		{Spec: kubelet, ready: "http://127.0.0.1:10248/healthz"},
		{Spec: proxy, ready: "http://127.0.0.1:10256/healthz"},
		{Spec: coredns, ready: "http://127.0.0.1:18181/ready"},
	}
}

func (c *Cluster) program(name string, args ...string) process.Spec {
	return process.Spec{Name: name, Path: c.tools.Path(name), Args: args}
}

// all lists the components in the order in which they start.
func (c *Cluster) all() []component {
	list := append([]component{c.containerd(), c.etcd(), c.apiServer()}, c.controlPrograms()...)
	return append(list, c.nodePrograms()...)
}
