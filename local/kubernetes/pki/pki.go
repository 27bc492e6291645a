// Package pki makes the certificate authority of the local cluster and the certificates and kubeconfigs that its
// programs identify themselves with.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is long because the cluster is thrown away by `down`, not renewed.
const validity = 10 * 365 * 24 * time.Hour

// Authority signs certificates into one folder.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// Open reads the authority of the folder, or makes a new one there.
func Open(dir string) (*Authority, error) {
	a := &Authority{dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the certificate folder: %w", err)
	}
	if _, err := os.Stat(a.CertFile("ca")); errors.Is(err, os.ErrNotExist) {
		template := &x509.Certificate{
			Subject:               pkix.Name{CommonName: "kvrocks-local-ca"},
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
			BasicConstraintsValid: true,
			IsCA:                  true,
		}
		if err := a.issue("ca", template); err != nil {
			return nil, err
		}
	}
	var err error
	a.cert, a.key, err = a.load("ca")
	return a, err
}

// CertFile is the path of a certificate in PEM.
func (a *Authority) CertFile(name string) string { return filepath.Join(a.dir, name+".crt") }

// KeyFile is the path of a private key in PEM.
func (a *Authority) KeyFile(name string) string { return filepath.Join(a.dir, name+".key") }

// Server makes a serving certificate for the hosts (names or addresses) unless it exists.
func (a *Authority) Server(name string, hosts ...string) error {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return a.ensure(name, template)
}

// Client makes a client certificate unless it exists. Kubernetes reads the user from commonName and a group from
// organization, which may be empty.
func (a *Authority) Client(name, commonName, organization string) error {
	subject := pkix.Name{CommonName: commonName}
	if organization != "" {
		subject.Organization = []string{organization}
	}
	return a.ensure(name, &x509.Certificate{
		Subject:     subject,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *Authority) ensure(name string, template *x509.Certificate) error {
	if _, err := os.Stat(a.CertFile(name)); err == nil {
		return nil
	}
	return a.issue(name, template)
}

// issue signs the template with the authority, or with itself while there is none, and writes key and certificate.
func (a *Authority) issue(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of %s: %w", name, err)
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("make the serial number of %s: %w", name, err)
	}
	// An hour back, for a clock that is set right later.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)

	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the key of %s: %w", name, err)
	}
	if err := writePEM(a.KeyFile(name), "EC PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writePEM(a.CertFile(name), "CERTIFICATE", der, 0o644)
}

func (a *Authority) load(name string) (*x509.Certificate, crypto.Signer, error) {
	certPEM, err := os.ReadFile(a.CertFile(name))
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate of %s: %w", name, err)
	}
	keyPEM, err := os.ReadFile(a.KeyFile(name))
	if err != nil {
		return nil, nil, fmt.Errorf("read the key of %s: %w", name, err)
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, nil, fmt.Errorf("%s holds no PEM for %s: run down, then up", a.dir, name)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("parse the certificate of %s: %w", name, err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("parse the key of %s: %w", name, err)
	}
	return cert, key, nil
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
