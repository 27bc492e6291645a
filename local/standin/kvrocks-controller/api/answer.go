package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// problem is the error part of an answer.
type problem struct {
	Message string `json:"message"`
}

// answer is the body of every answer that has one.
type answer struct {
	Error *problem `json:"error,omitempty"`
	Data  any      `json:"data"`
}

// body is a data part with names.
type body map[string]any

// badRequest is an error that answers 400 whatever its kind.
type badRequest struct{ error }

func (b badRequest) Unwrap() error { return b.error }

func bad(err error) error { return badRequest{err} }

// write sends JSON; a value that cannot be encoded would be a mistake in this package.
func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status == http.StatusNoContent {
		return
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(data)
}

// fail answers with the error's text, under the status that its kind has.
func fail(w http.ResponseWriter, err error) {
	write(w, statusOf(err), answer{Error: &problem{Message: err.Error()}})
}

func statusOf(err error) int {
	if _, always := errors.AsType[badRequest](err); always {
		return http.StatusBadRequest
	}
	for kind, status := range map[error]int{
		record.ErrNotFound:      http.StatusNotFound,
		record.ErrIndex:         http.StatusBadRequest,
		record.ErrAlreadyExists: http.StatusConflict,
		record.ErrForbidden:     http.StatusForbidden,
		record.ErrInvalid:       http.StatusBadRequest,
	} {
		if errors.Is(err, kind) {
			return status
		}
	}
	return http.StatusInternalServerError
}

// decode reads the request's body. Unknown fields and missing ones are accepted.
func decode(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return bad(err)
	}
	return nil
}
