package hook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// KeyReader reads one key of a Secret or of a ConfigMap.
type KeyReader interface {
	SecretKey(ctx context.Context, ref api.KeyRef) ([]byte, error)
	ConfigMapKey(ctx context.Context, ref api.KeyRef) ([]byte, error)
}

// New resolves a hook of a CompositeController. It returns nil for one that is
// not declared. Secrets and ConfigMaps are read now and not watched: to pick up
// a changed one, change the CompositeController.
func New(ctx context.Context, hook *api.Hook, keys KeyReader) (*Hook, error) {
	if hook == nil || hook.Webhook == nil {
		return nil, nil
	}
	webhook := hook.Webhook
	url, err := webhook.EffectiveURL()
	if err != nil {
		return nil, err
	}
	h := &Hook{
		url:     url,
		version: hook.EffectiveVersion(),
		client:  &http.Client{Timeout: webhook.EffectiveTimeout()},
	}
	switch webhook.ResponseUnmarshallMode {
	case "":
		h.strict = h.version == api.V2
	default:
		h.strict = webhook.ResponseUnmarshallMode == "strict"
	}
	if webhook.Authorization != nil {
		if h.authorization, err = authorization(ctx, webhook.Authorization, keys); err != nil {
			return nil, fmt.Errorf("webhook authorization: %w", err)
		}
	}
	if webhook.CABundle != nil {
		if h.client.Transport, err = trusting(ctx, webhook.CABundle, keys); err != nil {
			return nil, fmt.Errorf("webhook caBundle: %w", err)
		}
	}
	return h, nil
}

func authorization(ctx context.Context, from *api.Authorization, keys KeyReader) (string, error) {
	scheme := strings.TrimSpace(from.Type)
	if strings.EqualFold(scheme, "basic") {
		return "", errors.New(`type "Basic" is not supported`)
	}
	if scheme == "" {
		scheme = "Bearer"
	}
	value, err := keys.SecretKey(ctx, from.SecretRef)
	if err != nil {
		return "", err
	}
	return scheme + " " + strings.TrimSpace(string(value)), nil
}

func trusting(ctx context.Context, bundle *api.CABundle, keys KeyReader) (http.RoundTripper, error) {
	pem, err := certificates(ctx, bundle, keys)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no PEM certificate in it")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	return transport, nil
}

func certificates(ctx context.Context, bundle *api.CABundle, keys KeyReader) ([]byte, error) {
	sources := 0
	for _, set := range []bool{bundle.Inline != nil, bundle.SecretRef != nil, bundle.ConfigMapRef != nil} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		return nil, fmt.Errorf("has %d of inline, secretRef, configMapRef; must have one", sources)
	}
	switch {
	case bundle.SecretRef != nil:
		return keys.SecretKey(ctx, withDefaultKey(*bundle.SecretRef))
	case bundle.ConfigMapRef != nil:
		return keys.ConfigMapKey(ctx, withDefaultKey(*bundle.ConfigMapRef))
	default:
		return []byte(*bundle.Inline), nil
	}
}

func withDefaultKey(ref api.KeyRef) api.KeyRef {
	if ref.Key == "" {
		ref.Key = "ca.crt"
	}
	return ref
}
