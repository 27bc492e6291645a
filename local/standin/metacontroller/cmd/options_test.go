package main

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/labels"
)

func TestFlagsOfTheRealProgramAreAccepted(t *testing.T) {
	o, err := parse([]string{
		"--zap-log-level=4", "--discovery-interval=20s", "--cache-flush-interval=10m", "--metrics-address=:1",
		"--health-probe-bind-address=:2", "--workers=10", "--client-go-qps=50", "--client-go-burst=100",
		"--events-qps=1", "--events-burst=2", "--pprof-address=0", "--leader-election",
		"--leader-election-resource-lock=leases", "--leader-election-namespace=n", "--leader-election-id=i",
		"--target-label-selector=a=b", "--apply-strategy=dynamic-apply", "--apply-strategy-ssa-field-manager=m",
		"--zap-encoder=json", "--zap-stacktrace-level=panic", "--zap-time-encoding=iso8601", "--zap-devel",
	}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, 10, o.workers)
	assert.InDelta(t, 50, o.qps, 0)
	assert.Equal(t, slog.LevelDebug, o.logLevel)
	assert.True(t, o.election)
	assert.True(t, o.targets.Matches(labels.Set{"a": "b"}))
	assert.False(t, o.targets.Matches(labels.Set{}))
}

func TestFlagsThatTheStandInCannotHonourAreRefused(t *testing.T) {
	for _, arg := range []string{
		"--apply-strategy=server-side-apply", "--pprof-address=:6060", "--leader-election-resource-lock=endpoints",
		"--no-such-flag", "--zap-log-level=loud", "--zap-log-level=0", "argument",
	} {
		_, err := parse([]string{arg}, io.Discard)
		assert.Error(t, err, arg)
	}
}

func TestDefaultsAreTheRealOnes(t *testing.T) {
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, ":9999", o.metricsAddress)
	assert.Equal(t, ":8081", o.healthAddress)
	assert.Equal(t, 5, o.workers)
	assert.InDelta(t, 5, o.qps, 0)
	assert.Equal(t, 10, o.burst)
	assert.False(t, o.election)
}
