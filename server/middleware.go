package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
)

// recoverer turns a panic into a 500. The stack goes to the log and the request id to the caller.
func recoverer(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				cause := recover()
				switch cause {
				case nil:
				case http.ErrAbortHandler:
					panic(cause)
				default:
					log.LogAttrs(r.Context(), slog.LevelError, "a hook panicked", slog.String("requestID", callOf(r).id),
						slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
					fail(w, r, http.StatusInternalServerError, errors.New("internal error; the log has the details under this request id"))
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// authenticate lets through only requests that carry the token. Both sides are hashed first, so that the comparison takes
// the same time whatever was sent.
func authenticate(token func() string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if token == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if want := token(); want != "" {
				got, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
				wantSum, gotSum := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
				if subtle.ConstantTimeCompare(wantSum[:], gotSum[:]) != 1 {
					w.Header().Set("WWW-Authenticate", "Bearer")
					fail(w, r, http.StatusUnauthorized, errors.New("the bearer token is missing or wrong"))
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// limit refuses a body of more than size bytes, before reading it where its length is given.
func limit(size int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > size {
				fail(w, r, http.StatusRequestEntityTooLarge,
					fmt.Errorf("the request has %d bytes; at most %d are accepted", r.ContentLength, size))
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, size)
			next.ServeHTTP(w, r)
		})
	}
}
