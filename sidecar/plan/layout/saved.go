package layout

import (
	"crypto/sha1" //nolint:gosec // makes ids, protects nothing
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// Saved is what a volume remembers of the last layout that its node was given.
type Saved struct {
	// Version of the layout.
	Version int64
	// ID of the node, and of the master of its shard.
	ID, Master string
	// Slots of the shard.
	Slots slots.Set
	// Shards is how many shards owned slots.
	Shards int
}

// ParseSaved reads the output of hooks/scripts/recall.sh; nil when it is not complete.
func ParseSaved(text string) *Saved {
	p := &Saved{Version: -1, Shards: -1}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch key {
		case "version":
			p.Version, err = strconv.ParseInt(value, 10, 64)
		case "id":
			p.ID = value
		case "master":
			p.Master = value
		case "slots":
			err = p.addSlots(value)
		case "shards":
			p.Shards, err = strconv.Atoi(value)
		}
		if err != nil {
			return nil
		}
	}
	if p.Version < 0 || p.Shards < 0 || p.ID == "" || p.Master == "" {
		return nil
	}
	return p
}

func (p *Saved) addSlots(text string) error {
	for field := range strings.FieldsSeq(text) {
		r, err := slots.ParseRange(field)
		if err != nil {
			return err
		}
		p.Slots.Add(r)
	}
	return nil
}

// NodeID returns an id of 40 characters that no other pod has, the same each time. uid is that of the instance.
func NodeID(uid, pod string) string {
	sum := sha1.Sum([]byte(uid + "/" + pod)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}
