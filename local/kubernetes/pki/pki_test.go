package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCertificatesLetClientAndServerTrustEachOther(t *testing.T) {
	ca, err := Open(filepath.Join(t.TempDir(), "pki"))
	require.NoError(t, err)
	require.NoError(t, ca.Server("server", "127.0.0.1", "localhost"))
	require.NoError(t, ca.Client("client", "system:node:a", "system:nodes"))

	pool := x509.NewCertPool()
	root, err := os.ReadFile(ca.CertFile("ca"))
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(root))
	pair := func(name string) []tls.Certificate {
		cert, err := tls.LoadX509KeyPair(ca.CertFile(name), ca.KeyFile(name))
		require.NoError(t, err)
		return []tls.Certificate{cert}
	}

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		subject := r.TLS.PeerCertificates[0].Subject
		assert.Equal(t, "system:node:a", subject.CommonName)
		assert.Equal(t, []string{"system:nodes"}, subject.Organization)
	}))
	server.TLS = &tls.Config{Certificates: pair("server"), ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: pair("client")}}}
	resp, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestOpeningAgainKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	read := func() string {
		ca, err := Open(dir)
		require.NoError(t, err)
		require.NoError(t, ca.Client("admin", "admin", "system:masters"))
		path := filepath.Join(dir, "kubeconfig")
		require.NoError(t, ca.WriteKubeconfig(path, "c", "https://127.0.0.1:1", "admin"))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(data)
	}
	first := read()
	assert.Equal(t, first, read())
}
