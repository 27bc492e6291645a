package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/kvrocks/kvrocks-operator/hooks"
)

// hook turns a pure function into a handler: decode, call, encode.
func hook[Request, Response any](call func(*Request) (*Response, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if kind := r.Header.Get("Content-Type"); kind != "" && !isJSON(kind) {
			fail(w, r, http.StatusUnsupportedMediaType, fmt.Errorf("the content type is %q; send application/json", kind))
			return
		}
		request := new(Request)
		if err := decode(r.Body, request); err != nil {
			fail(w, r, decodeStatus(err), err)
			return
		}
		response, err := call(request)
		if err != nil {
			fail(w, r, callStatus(err), err)
			return
		}
		body, err := json.Marshal(response)
		if err != nil {
			fail(w, r, http.StatusInternalServerError, fmt.Errorf("encode the answer: %w", err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the caller has gone when this fails
	}
}

// decode reads one JSON value and nothing else.
func decode(body io.Reader, into any) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("the request is not what the hook protocol says: %w", err)
	}
	return nil
}

func decodeStatus(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func callStatus(err error) int {
	if _, ok := errors.AsType[hooks.UnknownTypeError](err); ok {
		return http.StatusUnprocessableEntity
	}
	if errors.Is(err, hooks.ErrNoParent) {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// isJSON reports whether a content type may hold JSON.
func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return false
	case kind == "application/x-www-form-urlencoded":
		return true // what curl -d says of whatever it sends
	}
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
