package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// place is where a page ended: the sort key of its last row. For a time it is
// microseconds since 1970, for a seq the seq.
type place struct {
	key int64
	id  uuid.UUID
}

const (
	fingerprintSize = 12
	cursorSize      = fingerprintSize + 8 + 16
)

// fingerprint names a list: its method, its scope and its filter. A cursor carries it,
// so that one from elsewhere is refused instead of giving a wrong page.
type fingerprint [fingerprintSize]byte

func (sc scope) fingerprint(method string, filter any) fingerprint {
	sum := sha256.Sum256(fmt.Appendf(nil, "1 %s %t %s %+v", method, sc.all, sc.user, filter))
	return fingerprint(sum[:fingerprintSize])
}

func (f fingerprint) cursor(p place) Cursor {
	b := append(make([]byte, 0, cursorSize), f[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.key))
	b = append(b, p.id[:]...)
	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// parse returns nil for the empty cursor.
func (f fingerprint) parse(c Cursor) (*place, error) {
	if c == "" {
		return nil, nil //nolint:nilnil // no cursor, no place: the first page
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(b) != cursorSize {
		return nil, rule.Invalid("cursor", "was not made by this library")
	}
	if fingerprint(b[:fingerprintSize]) != f {
		return nil, rule.Invalid("cursor", "belongs to another list: another scope, method, filter or order")
	}
	return &place{
		key: int64(binary.BigEndian.Uint64(b[fingerprintSize:])),
		id:  uuid.UUID(b[fingerprintSize+8:]),
	}, nil
}

func timeKey(t time.Time) int64 { return t.UnixMicro() }

func (p *place) time() time.Time { return time.UnixMicro(p.key).UTC() }

// listing is a request for a page, checked and ready to be read.
type listing struct {
	db    conn
	limit int
	after *place // nil for the first page
	list  fingerprint
}

// listing checks a request for a page of a list, which method and filter name.
func (sc scope) listing(ctx context.Context, method string, filter any, p PageRequest) (l listing, err error) {
	if l.limit, err = p.limit(); err != nil {
		return l, err
	}
	l.list = sc.fingerprint(method, filter)
	if l.after, err = l.list.parse(p.After); err != nil {
		return l, err
	}
	l.db, err = sc.reading(ctx)
	return l, err
}

// pageOf cuts a list that was read with one row more than the page has.
func pageOf[T any](items []T, l listing, at func(T) place) Page[T] {
	if len(items) <= l.limit {
		return Page[T]{Items: items}
	}
	items = items[:l.limit]
	return Page[T]{Items: items, Next: l.list.cursor(at(items[l.limit-1]))}
}

// idOf and seqOf carry a seq where a place has an id.
func idOf(seq int64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(seq))
	return id
}

func seqOf(id uuid.UUID) int64 { return int64(binary.BigEndian.Uint64(id[8:])) }
