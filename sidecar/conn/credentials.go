package conn

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// refusedRetry is the least time between two reads of a Secret while nodes refuse the password.
const refusedRetry = 2 * time.Second

// lineEnd is what an editor leaves at the end of a file; the start script of the nodes drops it as well.
const lineEnd = "\r\n"

// Credentials reads one instance's password. Secrets are read by name and not watched, so that the permission to list
// all Secrets is not needed. Those of a sentinel instance are shared by several passes. The zero value is ready.
type Credentials struct {
	mu         sync.Mutex
	passwords  Passwords
	ref        v1alpha1.SecretKeyRef
	generation int64 // of the topology for which it was read
	readAt     time.Time
	err        string
}

// Passwords returns those that were read last.
func (c *Credentials) Passwords() Passwords {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passwords
}

// Err says why the Secret could not be read the last time; empty when it could.
func (c *Credentials) Err() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Refresh reads the Secret when the topology has changed, when what was read is older than ttl, or when a node refused it, and
// returns what is in force. The hooks change the topology after they saw the Secret change, so a report on a topology never
// praises an older password. A Secret that cannot be read leaves the last password in force and says so in Err.
func (c *Credentials) Refresh(
	ctx context.Context, secrets typedcorev1.SecretsGetter, t *v1alpha1.KVRocksTopology, now time.Time,
	ttl time.Duration, refused bool,
) Passwords {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.Spec.PasswordSecret == nil {
		c.passwords, c.ref, c.err = Passwords{}, v1alpha1.SecretKeyRef{}, ""
		return c.passwords
	}
	ref := *t.Spec.PasswordSecret
	if ref.Key == "" {
		ref.Key = v1alpha1.PasswordKey
	}
	if refused || c.err != "" {
		ttl = min(ttl, refusedRetry)
	}
	if c.ref == ref && c.generation == t.Generation && now.Sub(c.readAt) < ttl {
		return c.passwords
	}
	c.ref, c.generation, c.readAt = ref, t.Generation, now
	secret, err := secrets.Secrets(t.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		c.err = fmt.Sprintf("Secret %s does not exist", ref.Name)
	case err != nil:
		c.err = fmt.Sprintf("Secret %s cannot be read: %v", ref.Name, err)
	case len(bytes.TrimRight(secret.Data[ref.Key], lineEnd)) == 0:
		c.err = fmt.Sprintf("Secret %s has no key %s, or it is empty", ref.Name, ref.Key)
	default:
		c.err = ""
		c.accept(
			kvrocks.Secret(bytes.TrimRight(secret.Data[ref.Key], lineEnd)),
			kvrocks.Secret(bytes.TrimRight(secret.Data[v1alpha1.PreviousPasswordKey], lineEnd)),
		)
	}
	return c.passwords
}

// accept takes a password that was read. A change that this process saw itself yields the previous one even when the
// Secret does not keep it.
func (c *Credentials) accept(wanted, previous kvrocks.Secret) {
	if have := c.passwords; previous == "" && have.Wanted != "" {
		previous = have.Previous
		if have.Wanted != wanted {
			previous = have.Wanted
		}
	}
	c.passwords = Passwords{Wanted: wanted, Previous: previous}
}
