package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// errNotReady says that a program runs and does not answer as it should yet.
var errNotReady = errors.New("not ready")

// newHTTPClient asks programs of this machine for their health. It does not check what answers, because several of them
// use certificates that they made themselves, and sends no secret.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // See above.
	}
}

// check asks the component once.
func (c *Cluster) check(ctx context.Context, comp component) error {
	if _, alive := c.processes.PID(comp.Name); !alive {
		return fmt.Errorf("%s does not run", comp.Name)
	}
	if comp.Name == "containerd" {
		return c.checkContainerd(ctx)
	}
	if comp.ready == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, comp.ready, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", comp.Name, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errNotReady, comp.Name, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answers %s", errNotReady, comp.Name, resp.Status)
	}
	return nil
}

func (c *Cluster) checkContainerd(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", c.layout.ContainerdSocket())
	if err != nil {
		return fmt.Errorf("%w: containerd: %w", errNotReady, err)
	}
	return conn.Close()
}

// await asks until the component is ready. It gives up when the program ends or after the limit.
func (c *Cluster) await(ctx context.Context, comp component, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := c.check(ctx, comp)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errNotReady) || ctx.Err() != nil {
			return fmt.Errorf("%w; the end of %s:\n%s", err, c.processes.LogFile(comp.Name), c.processes.LogTail(comp.Name))
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}
