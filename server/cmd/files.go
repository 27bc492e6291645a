package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// checkEvery bounds how often a watched file is looked at. The kubelet takes about a minute to update a mounted Secret.
const checkEvery = 5 * time.Second

// watched is a value made from files that is made again when one of them changes. When that fails, the last value stays.
type watched[T any] struct {
	files []string
	load  func() (T, error)
	log   *slog.Logger

	mu      sync.Mutex
	value   T
	stamp   string
	checked time.Time
}

func newWatched[T any](log *slog.Logger, load func() (T, error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, load: load, log: log, checked: time.Now()}
	w.stamp = w.seen()
	value, err := load()
	w.value = value
	return w, err
}

func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.checked) < checkEvery {
		return w.value
	}
	w.checked = time.Now()
	stamp := w.seen()
	if stamp == w.stamp {
		return w.value
	}
	value, err := w.load()
	if err != nil {
		w.log.Error("keeping the last content", "error", err)
		return w.value
	}
	w.value, w.stamp = value, stamp
	w.log.Info("read again", "files", w.files)
	return w.value
}

// seen sums up the files: it differs when one was written or replaced.
func (w *watched[T]) seen() string {
	var stamp strings.Builder
	for _, file := range w.files {
		if info, err := os.Stat(file); err == nil {
			fmt.Fprint(&stamp, info.ModTime().UnixNano(), info.Size(), ";")
		}
	}
	return stamp.String()
}

// keyPair is a certificate that follows its files.
type keyPair struct{ *watched[*tls.Certificate] }

func newKeyPair(certFile, keyFile string, log *slog.Logger) (keyPair, error) {
	w, err := newWatched(log, func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("load the certificate %s with key %s: %w", certFile, keyFile, err)
		}
		return &pair, nil
	}, certFile, keyFile)
	return keyPair{w}, err
}

func (p keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.watched.get(), nil }

// newTokenFile returns a function that gives the token in a file; nil when no file is named.
func newTokenFile(file string, log *slog.Logger) (func() string, error) {
	if file == "" {
		return nil, nil
	}
	w, err := newWatched(log, func() (string, error) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
		token := string(bytes.TrimSpace(raw))
		if token == "" {
			return "", errors.New("the token file " + file + " is empty")
		}
		return token, nil
	}, file)
	if err != nil {
		return nil, err
	}
	return w.get, nil
}
