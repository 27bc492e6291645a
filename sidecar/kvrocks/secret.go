package kvrocks

import "log/slog"

// masked is what every printed secret looks like.
const masked = "***"

// Secret is a password that prints as stars with every verb of fmt, in slog and in
// JSON. Convert it with string() where it must be sent.
type Secret string

// String returns stars, also for the empty secret.
func (Secret) String() string { return masked }

// GoString covers %#v.
func (Secret) GoString() string { return masked }

// LogValue covers slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText covers JSON and every other text encoding.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }
