package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	kjson "sigs.k8s.io/json"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// Hook is one webhook, ready to be called by several goroutines.
type Hook struct {
	url           string
	version       api.HookVersion
	strict        bool
	authorization string // value of the header, or ""
	client        *http.Client
}

// TooManyRequestsError is an answer 429: call again after After, no backoff.
type TooManyRequestsError struct {
	After time.Duration
}

func (e *TooManyRequestsError) Error() string {
	return fmt.Sprintf("hook asks to be called again in %s", e.After)
}

// Version is the version of the hook's requests and responses.
func (h *Hook) Version() api.HookVersion {
	return h.version
}

// Call POSTs request as JSON and decodes the answer into response. Any status but
// 200 is an error; 429 is a [TooManyRequestsError].
func (h *Hook) Call(ctx context.Context, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	post.Header.Set("Content-Type", "application/json")
	if h.authorization != "" {
		post.Header.Set("Authorization", h.authorization)
	}
	answer, err := h.client.Do(post)
	if err != nil {
		return fmt.Errorf("http error: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode == http.StatusTooManyRequests {
		return &TooManyRequestsError{After: retryAfter(answer.Header.Get("Retry-After"), time.Now())}
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read response: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("unsupported status code: %d body: %s", answer.StatusCode, data)
	}
	return decode(data, response, h.strict)
}

// decode decodes a response. Strict means that a field that response does not
// have, or one given twice, is an error.
func decode(data []byte, response any, strict bool) error {
	unknown, err := kjson.UnmarshalStrict(data, response)
	if err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	if err := errors.Join(unknown...); err != nil && strict {
		return fmt.Errorf("strict validation of the response failed: %w", err)
	}
	return nil
}

// retryAfter reads the header's seconds or date; zero if it is neither.
func retryAfter(header string, now time.Time) time.Duration {
	if at, err := time.Parse(time.RFC1123, header); err == nil {
		return time.Duration(math.Ceil(at.Sub(now).Seconds())) * time.Second
	}
	seconds, err := strconv.Atoi(header)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
