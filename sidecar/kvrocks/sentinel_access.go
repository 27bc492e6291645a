package kvrocks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// SentinelAccess is which passwords a sentinel takes, and which one it gives to its peers.
type SentinelAccess struct {
	// Open: it takes clients without a password.
	Open bool
	// hashes are the SHA-256 of the passwords that it takes, in hexadecimal.
	hashes []string
	// peer is what it gives to its peers. When it is empty that is the requirepass of its file.
	peer Secret
}

// Accepts reports whether the sentinel takes the password.
func (a SentinelAccess) Accepts(password Secret) bool {
	return slices.Contains(a.hashes, hashOf(password))
}

// AcceptsOthers reports whether it takes another password than the given one.
func (a SentinelAccess) AcceptsOthers(password Secret) bool {
	return slices.ContainsFunc(a.hashes, func(h string) bool { return h != hashOf(password) })
}

// Presents reports whether it gives the password to its peers.
func (a SentinelAccess) Presents(password Secret) bool { return a.peer == password }

func hashOf(password Secret) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// Access asks for the passwords. There is no CONFIG in a sentinel; since 6.2 its password is that of the user default.
func (s *Sentinel) Access(ctx context.Context) (SentinelAccess, error) {
	var a SentinelAccess
	err := s.conn.run(ctx, operation{name: "ACL GETUSER"}, func(ctx context.Context) error {
		user, err := s.conn.client.Do(ctx, "ACL", "GETUSER", "default").Slice()
		if err != nil {
			return err
		}
		a.Open, a.hashes, err = parseUser(user)
		return err
	})
	if err != nil {
		return SentinelAccess{}, err
	}
	err = s.conn.run(ctx, operation{name: "SENTINEL CONFIG GET"}, func(ctx context.Context) error {
		pair, err := s.conn.client.Do(ctx, "SENTINEL", "CONFIG", "GET", "sentinel-pass").StringSlice()
		if err == nil && len(pair) == 2 {
			a.peer = Secret(pair[1])
		}
		return err
	})
	return a, err
}

// AcceptPassword makes the sentinel take a password beside those that it takes already.
func (s *Sentinel) AcceptPassword(ctx context.Context, password Secret) error {
	return s.setUser(ctx, password, ">"+string(password))
}

// AcceptOnlyPassword makes the sentinel take the password and no other. Open connections stay.
func (s *Sentinel) AcceptOnlyPassword(ctx context.Context, password Secret) error {
	return s.setUser(ctx, password, "resetpass", ">"+string(password))
}

// PresentPassword makes the sentinel give the password to its peers when it connects to them.
func (s *Sentinel) PresentPassword(ctx context.Context, password Secret) error {
	return s.conn.do(ctx, operation{name: "SENTINEL CONFIG SET", secret: string(password)},
		"SENTINEL", "CONFIG", "SET", "sentinel-pass", string(password))
}

// setUser changes the user default, and has the sentinel write that into its file, which it does not do by itself.
func (s *Sentinel) setUser(ctx context.Context, password Secret, rules ...string) error {
	command := []any{"ACL", "SETUSER", "default"}
	for _, rule := range rules {
		command = append(command, rule)
	}
	if err := s.conn.do(ctx, operation{name: "ACL SETUSER", secret: string(password)}, command...); err != nil {
		return err
	}
	return s.conn.do(ctx, operation{name: "SENTINEL FLUSHCONFIG"}, "SENTINEL", "FLUSHCONFIG")
}

// parseUser reads the flat list of names and values of ACL GETUSER.
func parseUser(reply []any) (open bool, hashes []string, err error) {
	for i := 0; i+1 < len(reply); i += 2 {
		name, _ := reply[i].(string)
		list, ok := reply[i+1].([]any)
		if name != "flags" && name != "passwords" {
			continue
		}
		if !ok {
			return false, nil, fmt.Errorf("field %s: %T, want a list", name, reply[i+1])
		}
		for _, item := range list {
			text, _ := item.(string)
			switch {
			case name == "passwords":
				hashes = append(hashes, text)
			case text == "nopass":
				open = true
			}
		}
	}
	return open, hashes, nil
}
