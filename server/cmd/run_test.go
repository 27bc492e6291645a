package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func noEnv(string) (string, bool) { return "", false }

func TestFlagsWinOverTheEnvironmentAndTheEnvironmentOverDefaults(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{
			"KVROCKS_HOOKS_LISTEN": "127.0.0.1:1", "KVROCKS_HOOKS_DRAIN_DELAY": "7s", "KVROCKS_HOOKS_LOG_LEVEL": "debug",
			"KVROCKS_HOOKS_NAMESPACES": "shop, billing,",
		}[name]
		return value, ok
	}
	c, err := parse([]string{"--listen", "127.0.0.1:2"}, env, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:2", c.listen)
	assert.Equal(t, 7*time.Second, c.drain)
	assert.Equal(t, slog.LevelDebug, c.logLevel)
	assert.Equal(t, 10*time.Second, c.grace)
	assert.Equal(t, []string{"shop", "billing"}, c.namespaces)
}

func TestBadSettingsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		env     map[string]string
		message string
	}{
		"a certificate alone": {args: []string{"--tls-cert-file=x"}, message: "tls-cert-file and tls-key-file go together"},
		"an argument":         {args: []string{"start"}, message: `unexpected argument "start"`},
		"a format":            {args: []string{"--log-format=xml"}, message: "write json or text"},
		"a size":              {args: []string{"--max-body=0"}, message: "max-body must be positive"},
		"a variable":          {env: map[string]string{"KVROCKS_HOOKS_TIMEOUT": "soon"}, message: `KVROCKS_HOOKS_TIMEOUT="soon"`},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }
			_, err := parse(c.args, lookup, io.Discard)
			require.ErrorContains(t, err, c.message)
		})
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--version"}, noEnv, &out, io.Discard))
	assert.Equal(t, version+"\n", out.String())
}

func TestMissingFilesAreNamed(t *testing.T) {
	listen := "--listen=127.0.0.1:0"
	err := run(t.Context(), []string{listen, "--token-file=/nonexistent"}, noEnv, io.Discard, io.Discard)
	require.ErrorContains(t, err, "/nonexistent")
	err = run(t.Context(), []string{listen, "--tls-cert-file=/no.crt", "--tls-key-file=/no.key"}, noEnv, io.Discard, io.Discard)
	require.ErrorContains(t, err, "/no.crt")
}

func TestStoppingFailsReadinessFirstAndThenEnds(t *testing.T) {
	address := freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen=" + address, "--drain-delay=300ms"}, noEnv, io.Discard, io.Discard)
	}()
	status := func() int {
		response, err := http.Get("http://" + address + "/readyz") //nolint:noctx // a test
		if err != nil {
			return 0
		}
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Eventually(t, func() bool { return status() == http.StatusOK }, 10*time.Second, 10*time.Millisecond)
	stop()
	require.Eventually(t, func() bool { return status() == http.StatusServiceUnavailable }, 10*time.Second, time.Millisecond)
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not stop")
	}
	assert.Zero(t, status())
}

func TestTheCertificateAndTheTokenFollowTheirFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key, token := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "token")
	writePair(t, cert, key, 1)
	require.NoError(t, os.WriteFile(token, []byte("one\n"), 0o600))
	log := slog.New(slog.DiscardHandler)
	pair, err := newKeyPair(cert, key, log)
	require.NoError(t, err)
	get, err := newTokenFile(token, log)
	require.NoError(t, err)
	assert.Equal(t, "one", get())
	assert.Equal(t, int64(1), serial(t, pair))

	writePair(t, cert, key, 2)
	pair.checked = time.Time{}
	assert.Equal(t, int64(2), serial(t, pair))

	require.NoError(t, os.WriteFile(key, []byte("broken"), 0o600))
	pair.checked = time.Time{}
	assert.Equal(t, int64(2), serial(t, pair), "a broken file leaves the last certificate in place")
}

func serial(t *testing.T, pair keyPair) int64 {
	t.Helper()
	got, err := pair.get(&tls.ClientHelloInfo{})
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(got.Certificate[0])
	require.NoError(t, err)
	return parsed.SerialNumber.Int64()
}

func writePair(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "kvrocks-hooks"},
		NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	rawKey, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: rawKey}), 0o600))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}
