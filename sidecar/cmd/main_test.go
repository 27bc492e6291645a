package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func environment(set map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := set[name]; return v, ok }
}

func TestFlagsWinOverTheEnvironmentAndThatOverTheDefaults(t *testing.T) {
	var out bytes.Buffer
	s, err := parse([]string{"--period", "3s", "--namespaces", "a, b,"}, environment(map[string]string{
		"POD_NAME": "sidecar-1", "POD_NAMESPACE": "sys", "KUBECONFIG": "/k",
		"KVROCKS_SIDECAR_PERIOD": "5s", "KVROCKS_SIDECAR_LEASE_DURATION": "9s", "KVROCKS_SIDECAR_LOG_LEVEL": "debug",
	}), &out)
	require.NoError(t, err)
	assert.Equal(t, 3*time.Second, s.options.Period)
	assert.Equal(t, []string{"a", "b"}, s.options.Namespaces)
	assert.Equal(t, 9*time.Second, s.options.Lease.Duration)
	assert.Equal(t, 4*time.Second, s.options.Lease.RenewDeadline)
	assert.Equal(t, "sidecar-1", s.options.Lease.Identity)
	assert.Equal(t, "sys", s.options.Lease.Namespace)
	assert.Equal(t, "/k", s.kubeconfig)
	assert.Equal(t, "DEBUG", s.level.String())
}

func TestBadSettingsAreRefused(t *testing.T) {
	tests := map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"no workers":            {args: []string{"--workers=0"}, want: "--workers"},
		"no time":               {args: []string{"--timeout=0s"}, want: "--timeout"},
		"lease shorter":         {args: []string{"--lease-duration=3s"}, want: "--lease-renew-deadline"},
		"lease without tries":   {args: []string{"--lease-retry-period=3s"}, want: "--lease-retry-period"},
		"argument":              {args: []string{"start"}, want: `"start"`},
		"unknown flag":          {args: []string{"--speed"}, want: "speed"},
		"malformed variable":    {env: map[string]string{"KVROCKS_SIDECAR_PERIOD": "often"}, want: "KVROCKS_SIDECAR_PERIOD"},
		"malformed log level":   {args: []string{"--log-level=loud"}, want: "loud"},
		"nowhere to connect":    {want: "KUBECONFIG"},
		"unreadable kubeconfig": {args: []string{"--kubeconfig=/does/not/exist"}, want: "kubeconfig"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			var out bytes.Buffer
			require.ErrorContains(t, run(t.Context(), test.args, environment(test.env), &out), test.want)
		})
	}
}

func TestVersionAndHelpEndWell(t *testing.T) {
	for _, arg := range []string{"--version", "--help"} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), []string{arg}, environment(nil), &out))
		assert.NotEmpty(t, out.String())
	}
}
