package conn

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// door is a server that takes one password.
type door struct {
	password kvrocks.Secret
	// noPassword is what it says to a password when it has none; nil lets it take any.
	noPassword error
	dials      []kvrocks.Secret
	broken     int // how many calls find the connection closed
}

type visitor struct {
	door *door
	with kvrocks.Secret
}

func (*visitor) Close() error { return nil }

func (v *visitor) knock() error {
	switch {
	case v.door.broken > 0:
		v.door.broken--
		return &kvrocks.Error{Kind: kvrocks.ErrUnreachable}
	case v.door.password == "" && v.with != "":
		return v.door.noPassword
	case v.door.password != "" && v.with == "":
		return &kvrocks.Error{Kind: kvrocks.ErrNoAuth}
	case v.door.password != v.with:
		return &kvrocks.Error{Kind: kvrocks.ErrWrongPassword}
	}
	return nil
}

func visit(d *door) *Session[*visitor] {
	return &Session[*visitor]{Dial: func(with kvrocks.Secret) *visitor {
		d.dials = append(d.dials, with)
		return &visitor{door: d, with: with}
	}}
}

func TestSessionFindsThePasswordThatTheServerTakes(t *testing.T) {
	open := &kvrocks.Error{Kind: kvrocks.ErrNoPasswordSet}
	tests := map[string]struct {
		door  door
		p     Passwords
		stale bool
		err   error
	}{
		"the wanted one":          {door{password: "new"}, Passwords{"new", "old"}, false, nil},
		"the previous one":        {door{password: "old"}, Passwords{"new", "old"}, true, nil},
		"none where one is due":   {door{noPassword: open}, Passwords{"new", "old"}, true, nil},
		"none where none is due":  {door{}, Passwords{}, false, nil},
		"an old one, none wanted": {door{password: "old"}, Passwords{"", "old"}, true, nil},
		"another one":             {door{password: "other"}, Passwords{"new", "old"}, false, kvrocks.ErrWrongPassword},
		"an unknown one":          {door{password: "other"}, Passwords{}, false, kvrocks.ErrNoAuth},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := visit(&test.door)
			for range 2 {
				err := s.Do(test.p, (*visitor).knock)
				if test.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, test.err)
				}
				assert.Equal(t, test.stale, s.Stale())
			}
		})
	}
}

func TestSessionStaysOpenAndIsReopenedForANewPassword(t *testing.T) {
	d := &door{password: "a"}
	s := visit(d)
	for range 3 {
		require.NoError(t, s.Do(Passwords{Wanted: "a"}, (*visitor).knock))
	}
	assert.Len(t, d.dials, 1)
	require.NoError(t, s.Do(Passwords{Wanted: "b", Previous: "a"}, (*visitor).knock))
	assert.True(t, s.Stale(), "an open connection survives a change; only a new one tells what the node takes")
	d.password = "b"
	s.Close()
	require.NoError(t, s.Do(Passwords{Wanted: "b", Previous: "a"}, (*visitor).knock))
	assert.False(t, s.Stale())
	assert.Equal(t, kvrocks.Secret("b"), slices.Clone(d.dials)[len(d.dials)-1])
}

func TestSessionAsksAgainWhenTheConnectionWasClosedMeanwhile(t *testing.T) {
	d := &door{password: "a", broken: 1}
	s := visit(d)
	require.NoError(t, s.Do(Passwords{Wanted: "a"}, (*visitor).knock))
	d.broken = 2
	require.ErrorIs(t, s.Do(Passwords{Wanted: "a"}, (*visitor).knock), kvrocks.ErrUnreachable)
}
