package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"sigs.k8s.io/yaml"
)

// Config is the configuration file. Unknown fields are ignored, as by the real program.
type Config struct {
	// Addr is host:port to listen on, and where followers send clients. Default: see defaultAddr.
	Addr string `json:"addr"`
	// StorageType must be etcd or empty.
	StorageType string `json:"storage_type"`
	Etcd        struct {
		// Addrs are host:port or URLs. Default 127.0.0.1:2379.
		Addrs []string `json:"addrs"`
		// ElectPath is the prefix of the leader's key. Default /kvrocks/controller/leader.
		ElectPath string `json:"elect_path"`
	} `json:"etcd"`
	Controller struct {
		Failover Failover `json:"failover"`
	} `json:"controller"`
}

// Failover says when a master that does not answer is replaced.
type Failover struct {
	// PingIntervalSeconds is the time between two probes of a node. Default 3, at least 1.
	PingIntervalSeconds int64 `json:"ping_interval_seconds"`
	// MaxPingCount is the number of failed probes after which a master is replaced. Default 5, at least 3.
	MaxPingCount int64 `json:"max_ping_count"`
}

// PingInterval is PingIntervalSeconds as a duration.
func (f Failover) PingInterval() time.Duration {
	return time.Duration(f.PingIntervalSeconds) * time.Second
}

// Load reads the file at path. Getenv is asked only for what the file does not say.
func Load(path string, getenv func(string) string) (Config, error) {
	var c Config
	c.Addr = defaultAddr(getenv)
	c.Etcd.Addrs = []string{"127.0.0.1:2379"}
	c.Etcd.ElectPath = "/kvrocks/controller/leader"
	c.Controller.Failover = Failover{PingIntervalSeconds: 3, MaxPingCount: 5}
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the config file: %w", err)
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("unmarshal the config file: %w", err)
	}
	switch {
	case c.StorageType != "" && c.StorageType != "etcd":
		return Config{}, fmt.Errorf("storage type %s: the stand-in has only etcd", c.StorageType)
	case c.Controller.Failover.MaxPingCount < 3:
		return Config{}, errors.New("max ping count required >= 3")
	case c.Controller.Failover.PingIntervalSeconds < 1:
		return Config{}, errors.New("ping interval required >= 1s")
	}
	return c, nil
}

// defaultAddr is that of the environment if it is numeric, else the first address of this machine that is not loopback.
func defaultAddr(getenv func(string) string) string {
	fromEnv := getenv("KVROCKS_CONTROLLER_HTTP_HOST") + ":" + getenv("KVROCKS_CONTROLLER_HTTP_PORT")
	if _, err := netip.ParseAddrPort(fromEnv); err == nil {
		return fromEnv
	}
	const port = "9379"
	addrs, _ := net.InterfaceAddrs()
	for _, addr := range addrs {
		if network, ok := addr.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil {
			return net.JoinHostPort(network.IP.String(), port)
		}
	}
	return net.JoinHostPort("127.0.0.1", port)
}
