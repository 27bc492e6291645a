package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/hooks"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// load is how long TestLoad presses on; 0 leaves it out.
var load = flag.Duration("load", 0, "press on the server for this long and report requests/s and memory")

const settledInstance = "../hooks/testdata/standard/full/request.json"

func settledRequest(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile(settledInstance)
	require.NoError(t, err)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, raw))
	return compact.Bytes()
}

// BenchmarkInProcess3 is decode, sync and encode for a settled instance of three pods, without HTTP.
func BenchmarkInProcess3(b *testing.B) {
	body := settledRequest(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		request := new(metacontroller.SyncRequest)
		require.NoError(b, json.Unmarshal(body, request))
		response, err := hooks.Sync(request)
		require.NoError(b, err)
		_, err = json.Marshal(response)
		require.NoError(b, err)
	}
}

// BenchmarkRoundTrip3 is the same over HTTP on loopback, on one connection.
func BenchmarkRoundTrip3(b *testing.B) {
	body := settledRequest(b)
	s := httptest.NewServer(NewHandler(Options{Log: quiet()}))
	defer s.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		require.NoError(b, call1(s.Client(), s.URL, body))
	}
}

func call1(client *http.Client, url string, body []byte) error {
	response, err := client.Post(url+"/sync", "application/json", bytes.NewReader(body)) //nolint:noctx // a benchmark
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// TestLoad presses on the server with as many callers as Metacontroller has workers: go test ./server -run TestLoad -load 60s -v.
func TestLoad(t *testing.T) {
	const workers = 5
	duration := *load
	if duration == 0 {
		duration = 100 * time.Millisecond // that it works at all is tested every time
	}
	body := settledRequest(t)
	s := httptest.NewServer(NewHandler(Options{Log: quiet()}))
	defer s.Close()
	s.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = workers
	var calls atomic.Int64
	var wait sync.WaitGroup
	var peak uint64
	start := time.Now()
	for range workers {
		wait.Go(func() {
			for time.Since(start) < duration {
				if err := call1(s.Client(), s.URL, body); err != nil {
					t.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for time.Since(start) < duration {
		time.Sleep(duration / 20)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse+m.StackInuse)
	}
	wait.Wait()
	t.Logf("%.0f requests/s, %d callers, %d byte requests, peak heap and stacks %.1f MiB (callers included)",
		float64(calls.Load())/time.Since(start).Seconds(), workers, len(body), float64(peak)/(1<<20))
}
