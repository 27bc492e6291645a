package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/tidwall/redcon"
)

// Op is one change of the keyspace with all choices already made (absolute expiry, computed values), so that applying
// it anywhere gives the same data. The first element names the change; see apply for the rest.
type Op []string

// Batch is what one write command or transaction changed.
type Batch struct {
	Sequence uint64 // of its first record
	Count    uint64 // records it changed; the next batch starts at Sequence+Count
	ReplID   string // replication history it was written in; empty when the master does not use replication ids
	Ops      []Op
}

// Last returns the sequence of the batch's last record.
func (b Batch) Last() uint64 { return b.Sequence + b.Count - 1 }

// Encode returns the batch as bytes for the log and for replicas.
func (b Batch) Encode() []byte {
	out := appendStrings(nil, strconv.FormatUint(b.Sequence, 10), strconv.FormatUint(b.Count, 10), b.ReplID)
	for _, op := range b.Ops {
		out = appendStrings(out, op...)
	}
	return out
}

// DecodeBatch reads what Encode wrote.
func DecodeBatch(data []byte) (Batch, error) {
	head, data, err := readStrings(data)
	if err != nil || len(head) != 3 {
		return Batch{}, errors.Join(errors.New("malformed batch header"), err)
	}
	var b Batch
	b.ReplID = head[2]
	if b.Sequence, err = strconv.ParseUint(head[0], 10, 64); err != nil {
		return Batch{}, fmt.Errorf("batch sequence: %w", err)
	}
	if b.Count, err = strconv.ParseUint(head[1], 10, 64); err != nil {
		return Batch{}, fmt.Errorf("batch count: %w", err)
	}
	for len(data) > 0 {
		var op []string
		if op, data, err = readStrings(data); err != nil {
			return Batch{}, fmt.Errorf("operation of batch %d: %w", b.Sequence, err)
		}
		b.Ops = append(b.Ops, op)
	}
	return b, nil
}

func appendStrings(dst []byte, list ...string) []byte {
	dst = redcon.AppendArray(dst, len(list))
	for _, s := range list {
		dst = redcon.AppendBulkString(dst, s)
	}
	return dst
}

func readStrings(data []byte) ([]string, []byte, error) {
	n, resp := redcon.ReadNextRESP(data)
	if n == 0 || resp.Type != redcon.Array || resp.Count < 0 { // a null array has the count -1
		return nil, data, io.ErrUnexpectedEOF
	}
	list := make([]string, 0, resp.Count)
	resp.ForEach(func(r redcon.RESP) bool {
		list = append(list, r.String())
		return true
	})
	return list, data[n:], nil
}

// A record of a log or snapshot file is: length (4 bytes), CRC-32C of the payload (4 bytes), payload.
const recordHeader = 8

func appendRecord(dst, payload []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(payload))
	return append(dst, payload...)
}

func checksum(payload []byte) uint32 {
	return crc32.Checksum(payload, crc32.MakeTable(crc32.Castagnoli))
}

// readRecord returns the payload at off and the offset after it. A record cut short by a crash gives
// io.ErrUnexpectedEOF; the clean end of the file gives io.EOF.
func readRecord(r io.ReaderAt, off int64) ([]byte, int64, error) {
	var head [recordHeader]byte
	n, err := r.ReadAt(head[:], off)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil, off, io.EOF
	}
	if n < recordHeader {
		return nil, off, io.ErrUnexpectedEOF
	}
	size := int64(binary.LittleEndian.Uint32(head[:4]))
	payload := make([]byte, size)
	if n, _ := r.ReadAt(payload, off+recordHeader); int64(n) < size {
		return nil, off, io.ErrUnexpectedEOF
	}
	if checksum(payload) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, off, io.ErrUnexpectedEOF
	}
	return payload, off + recordHeader + size, nil
}
