package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// keyReader reads the Secrets and ConfigMaps that webhooks refer to.
type keyReader struct {
	client kubernetes.Interface
}

func (r keyReader) SecretKey(ctx context.Context, ref api.KeyRef) ([]byte, error) {
	secret, err := r.client.CoreV1().Secrets(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read secret %s/%s: %w", ref.Namespace, ref.Name, err)
	}
	value, ok := secret.Data[ref.Key]
	if !ok || len(value) == 0 {
		return nil, fmt.Errorf("secret %s/%s has no key %q", ref.Namespace, ref.Name, ref.Key)
	}
	return value, nil
}

func (r keyReader) ConfigMapKey(ctx context.Context, ref api.KeyRef) ([]byte, error) {
	configMap, err := r.client.CoreV1().ConfigMaps(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read config map %s/%s: %w", ref.Namespace, ref.Name, err)
	}
	value := configMap.Data[ref.Key]
	if value == "" {
		return nil, fmt.Errorf("config map %s/%s has no key %q", ref.Namespace, ref.Name, ref.Key)
	}
	return []byte(value), nil
}
