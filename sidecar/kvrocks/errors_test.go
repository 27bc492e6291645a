package kvrocks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

func TestEveryRefusalHasItsError(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reply string
		want  error
	}{
		{"LOADING kvrocks is restoring the db from backup", kvrocks.ErrLoading},
		{"LOADING Redis is loading the dataset in memory", kvrocks.ErrLoading},
		{"NOAUTH Authentication required.", kvrocks.ErrNoAuth},
		{"WRONGPASS invalid username-password pair or user is disabled.", kvrocks.ErrWrongPassword},
		{"ERR Invalid password", kvrocks.ErrWrongPassword},
		{"ERR Client sent AUTH, but no password is set", kvrocks.ErrNoPasswordSet},
		{"ERR AUTH <password> called without any password configured for the default user. Are you sure?", kvrocks.ErrNoPasswordSet},
		{"READONLY You can't write against a read only slave.", kvrocks.ErrReadOnly},
		{"READONLY You can't write against a read only replica.", kvrocks.ErrReadOnly},
		{"CLUSTERDOWN The cluster is not initialized", kvrocks.ErrClusterDown},
		{"ERR CLUSTERDOWN The cluster is not initialized", kvrocks.ErrClusterDown},
		{"ERR Invalid cluster version", kvrocks.ErrOldLayout},
		{"ERR There is already a migrating job", kvrocks.ErrMigrating},
		{"ERR Can't migrate slot which has been migrated", kvrocks.ErrMigrated},
		{"ERR Can't migrate slot which doesn't belong to me", kvrocks.ErrNotOwner},
		{"ERR Slave can't migrate slot", kvrocks.ErrNotOwner},
		{"ERR Can't find the destination node id", kvrocks.ErrUnknownNode},
		{"ERR Can't migrate slot to a slave", kvrocks.ErrUnknownNode},
		{"ERR Can't migrate slot to myself", nil},
		{"TRYAGAIN Can't write to slot being migrated which is in write forbidden phase", kvrocks.ErrTryAgain},
		{"ERR can't replicate your own replicas", kvrocks.ErrOwnReplicas},
		{"ERR can't replicate itself", kvrocks.ErrSelf},
		{"ERR Can not resolve hostname: nowhere.invalid", kvrocks.ErrUnresolvable},
		{"ERR Invalid IP address or hostname specified", kvrocks.ErrUnresolvable},
		{"ERR CONFIG SET 'port' error: Unsupported CONFIG parameter: port", kvrocks.ErrNotAllowed},
		{"ERR Unknown option or number of arguments for CONFIG SET - 'x'", kvrocks.ErrNotAllowed},
		{"ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config", kvrocks.ErrNotAllowed},
		{"ERR Duplicate master name.", kvrocks.ErrDuplicateMaster},
		{"ERR Duplicated master name", kvrocks.ErrDuplicateMaster},
		{"ERR No such master with that name", kvrocks.ErrNoSuchMaster},
		{"NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority", kvrocks.ErrNoQuorum},
		{"INPROG Failover already in progress", kvrocks.ErrFailoverInProgress},
		{"NOGOODSLAVE No suitable replica to promote", kvrocks.ErrNoGoodReplica},
		{"ERR something nobody has seen", nil},
	} {
		t.Run(tc.reply, func(t *testing.T) {
			t.Parallel()
			addr := fakeServer(t, func(args []string) string {
				if args[0] == "hello" {
					return helloOK
				}
				return "-" + tc.reply + "\r\n"
			})
			n := newNode(t, addr, kvrocks.Options{})

			err := n.Ping(t.Context())

			var e *kvrocks.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tc.want, e.Kind)
			assert.Equal(t, "PING", e.Op)
			assert.Equal(t, addr, e.Addr)
			assert.Contains(t, err.Error(), tc.reply)
			if tc.want != nil {
				require.ErrorIs(t, err, tc.want)
			}
			assert.NotErrorIs(t, err, kvrocks.ErrUnreachable)
		})
	}
}

// kvrocks answers HELLO, AUTH and INFO while it loads, and nothing else.
func TestALoadingKvrocksIsObserved(t *testing.T) {
	t.Parallel()
	addr := fakeServer(t, func(args []string) string {
		switch strings.ToUpper(args[0]) {
		case "HELLO":
			return helloOK
		case "INFO":
			return bulk("# Server\r\nkvrocks_version:2.10.1\r\nredis_version:4.0.0\r\ntcp_port:6379\r\n\r\n# Persistence\r\nloading:1\r\n")
		}
		return "-LOADING kvrocks is restoring the db from backup\r\n"
	})
	n := newNode(t, addr, kvrocks.Options{Password: password})

	assert.True(t, observe(t, n).Loading)
	assert.ErrorIs(t, n.Ping(t.Context()), kvrocks.ErrLoading)
}

// A kvrocks without a password refuses HELLO with one, and AUTH as well.
func TestAPasswordThatTheServerDoesNotHave(t *testing.T) {
	t.Parallel()
	addr := fakeServer(t, func([]string) string { return "-ERR Client sent AUTH, but no password is set\r\n" })

	err := newNode(t, addr, kvrocks.Options{Password: password}).Ping(t.Context())

	assert.ErrorIs(t, err, kvrocks.ErrNoPasswordSet)
}

func TestAnAnswerThatIsCutOffIsATimeout(t *testing.T) {
	t.Parallel()
	addr := fakeServer(t, func(args []string) string {
		if args[0] == "hello" {
			return helloOK
		}
		return "*1\r\n$4\r\nha" // and then silence
	})

	err := newNode(t, addr, kvrocks.Options{Timeout: 100 * time.Millisecond}).Ping(t.Context())

	assert.ErrorIs(t, err, kvrocks.ErrTimeout)
}

func TestAnswersThatMakeNoSenseAreErrorsAndNoStates(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"status":      "+OK\r\n",
		"integer":     ":1\r\n",
		"empty bulk":  "$0\r\n\r\n",
		"empty array": "*0\r\n",
		"nil":         "$-1\r\n",
		"odd array":   "*3\r\n:1\r\n:2\r\n:3\r\n",
		"nested":      "*1\r\n*1\r\n:1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := fakeServer(t, func(args []string) string {
				if args[0] == "hello" {
					return helloOK
				}
				return answer
			})
			n := newNode(t, addr, kvrocks.Options{})
			_, err := n.Observe(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, kvrocks.ErrUnreachable)

			s := newSentinel(t, addr, kvrocks.Options{})
			_, err = s.Master(t.Context(), "m")
			if name != "empty array" { // which is a master without a field
				require.Error(t, err)
			}
			_, _, err = s.MasterAddr(t.Context(), "m")
			require.Error(t, err)
			if name != "empty array" { // which is a list without a master
				_, err = s.Masters(t.Context())
				require.Error(t, err)
			}
		})
	}
}

// A server may quote what it was sent, and old ones do so for a command they do not know.
func TestAPasswordIsInNoError(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-word"
	addr := fakeServer(t, func(args []string) string {
		return "-ERR unknown command `" + args[0] + "`, with args beginning with: `" + strings.Join(args[1:], "` `") + "`\r\n"
	})
	log := &strings.Builder{}
	o := kvrocks.Options{Password: secret}
	n, s := newNode(t, addr, o), newSentinel(t, addr, o)
	ctx := t.Context()

	for name, err := range map[string]error{
		"connection":  n.Ping(ctx),
		"requirepass": newNode(t, addr, kvrocks.Options{}).ConfigSet(ctx, "requirepass", secret),
		"masterauth":  newNode(t, addr, kvrocks.Options{}).ConfigSet(ctx, "masterauth", secret),
		"auth-pass":   newSentinel(t, addr, kvrocks.Options{}).Set(ctx, "m", kvrocks.Settings{AuthPass: secret}),
	} {
		require.Error(t, err, name)
		fmt.Fprintf(log, "%v %+v %#v", err, err, err)
		for inner := range unwrapAll(err) {
			fmt.Fprintf(log, "%v %+v %#v", inner, inner, inner)
		}
	}
	slog.New(slog.NewTextHandler(log, nil)).Info("options", "options", o, "password", o.Password)
	slog.New(slog.NewJSONHandler(log, nil)).Info("options", "options", o.Password, "settings", kvrocks.Settings{AuthPass: secret})
	fmt.Fprintf(log, "%v %+v %#v %s %q %x", o, o, o, o.Password, o.Password, o.Password)
	fmt.Fprintf(log, "%v %+v %#v %v %+v %#v", n, n, n, s, s, s)
	require.NoError(t, json.NewEncoder(log).Encode(kvrocks.Settings{AuthPass: secret}))

	assert.NotContains(t, log.String(), secret)
	assert.NotContains(t, log.String(), fmt.Sprintf("%x", secret))
	assert.Contains(t, log.String(), "***")
}

func unwrapAll(err error) map[error]bool {
	all := map[error]bool{}
	var walk func(error)
	walk = func(err error) {
		if err == nil || all[err] {
			return
		}
		all[err] = true
		walk(errors.Unwrap(err))
		if multi, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range multi.Unwrap() {
				walk(e)
			}
		}
	}
	walk(err)
	return all
}
