package server

import (
	"encoding/json"
	"net/http"
)

// failure is the body of every answer that is not 200.
type failure struct {
	Error     string `json:"error"`
	RequestID string `json:"requestID,omitempty"`
}

// fail answers with an error and hands it to the log line of the request.
func fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	seen := callOf(r)
	seen.err = err
	answer(w, status, failure{Error: err.Error(), RequestID: seen.id})
}

// refuse answers a request that no hook gets to see.
func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, failure{Error: message})
}

func answer(w http.ResponseWriter, status int, body failure) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone when this fails
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n"))
}
