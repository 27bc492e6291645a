package hooks

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// passwordSecret holds spec.password, and the one before it: the sidecar needs that to log in to nodes that have not
// taken the new one yet. ok is false when spec holds no password.
func (in builder) passwordSecret(component string) (secret child, ok bool) {
	if in.spec.Password == "" {
		return child{}, false
	}
	data := map[string][]byte{v1alpha1.PasswordKey: []byte(in.spec.Password)}
	if previous := in.previousPassword(); len(previous) > 0 {
		data[v1alpha1.PreviousPasswordKey] = previous
	}
	secret = in.object("v1", "Secret", authName(in.name), component)
	secret.Type = string(corev1.SecretTypeOpaque)
	secret.Data = data
	secret.Metadata.Annotations = map[string]string{annotationPassword: in.passwordVersion()}
	return secret, true
}

func (in builder) observedSecret() *corev1.Secret {
	return in.children.Secrets[in.key(authName(in.name))]
}

// passwordSecretVersion returns the observed version of the Secret that holds the password; "" when none was observed.
func (in builder) passwordSecretVersion() string {
	ref := in.password()
	if ref == nil {
		return ""
	}
	secret := in.children.Secrets[in.key(ref.Name)]
	if in.spec.PasswordSecretRef != nil {
		secret = in.related.Secrets[in.key(ref.Name)]
	}
	if secret == nil {
		return ""
	}
	return secret.ResourceVersion
}

func (in builder) previousPassword() []byte {
	observed := in.observedSecret()
	switch {
	case observed == nil:
		return nil
	case string(observed.Data[v1alpha1.PasswordKey]) == in.spec.Password:
		return observed.Data[v1alpha1.PreviousPasswordKey]
	default:
		return observed.Data[v1alpha1.PasswordKey]
	}
}

// passwordVersion returns the number of changes of spec.password. A hash of the password in a pod template could be guessed from.
func (in builder) passwordVersion() string {
	observed := in.observedSecret()
	if observed == nil {
		return "1"
	}
	version, err := strconv.ParseUint(observed.Annotations[annotationPassword], 10, 32)
	if err != nil {
		version = 1
	}
	if string(observed.Data[v1alpha1.PasswordKey]) != in.spec.Password {
		version++
	}
	return strconv.FormatUint(version, 10)
}
