package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// place is where a page ended: the sort key of its last row. For a time it is
// microseconds since 1970, for a seq the seq.
type place struct {
	key int64
	id  uuid.UUID
	// user owns the row. Ids are each user's own, so that two rows of a list of all users
	// may differ in nothing else.
	user uuid.UUID
}

// A cursor is a fingerprint, the key and the id of a place, and for all users its user.
const (
	fingerprintSize = 12
	cursorSize      = fingerprintSize + 8 + 16
	cursorAllSize   = cursorSize + 16
)

// fingerprint names a list: its method, its scope and its filter. A cursor carries it,
// so that one from elsewhere is refused instead of giving a wrong page.
type fingerprint struct {
	sum [fingerprintSize]byte
	all bool // the list is of all users
}

func (sc scope) fingerprint(method string, filter any) fingerprint {
	named := canonical(struct {
		Method string
		All    bool
		User   uuid.UUID
		Filter any
	}{method, sc.all, sc.user, filter})
	sum := sha256.Sum256(named)
	return fingerprint{sum: [fingerprintSize]byte(sum[:fingerprintSize]), all: sc.all}
}

// size is that of the list's cursors, in bytes.
func (f fingerprint) size() int {
	if f.all {
		return cursorAllSize
	}
	return cursorSize
}

func (f fingerprint) cursor(p place) Cursor {
	b := append(make([]byte, 0, cursorAllSize), f.sum[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.key))
	b = append(b, p.id[:]...)
	b = append(b, p.user[:]...)
	return Cursor(base64.RawURLEncoding.EncodeToString(b[:f.size()]))
}

// parse returns nil for the empty cursor.
func (f fingerprint) parse(c Cursor) (*place, error) {
	if c == "" {
		return nil, nil //nolint:nilnil // no cursor, no place: the first page
	}
	b, err := decodeCursor(c)
	if err != nil {
		return nil, err
	}
	if [fingerprintSize]byte(b) != f.sum || len(b) != f.size() {
		return nil, rule.Invalid("cursor", "belongs to another list: another scope, method, filter or order")
	}
	p := &place{
		key: int64(binary.BigEndian.Uint64(b[fingerprintSize:])),
		id:  uuid.UUID(b[fingerprintSize+8 : cursorSize]),
	}
	copy(p.user[:], b[cursorSize:])
	return p, nil
}

// decodeCursor returns the bytes of a cursor of either size. It looks at the length first,
// so that a long text costs nothing.
func decodeCursor(c Cursor) ([]byte, error) {
	for _, size := range []int{cursorSize, cursorAllSize} {
		if len(c) != base64.RawURLEncoding.EncodedLen(size) {
			continue
		}
		// The decoder passes over line breaks, which leave too few bytes.
		if b, err := base64.RawURLEncoding.Strict().DecodeString(string(c)); err == nil && len(b) == size {
			return b, nil
		}
	}
	return nil, rule.Invalid("cursor", "was not made by this library")
}

// after narrows a query to what follows a place in a list by a column, whose value there
// is key, and the id. Beyond is "<" in a falling order and ">" in a rising one.
func (sc scope) after(q *query, column, alias, beyond string, key any, p *place) *query {
	if sc.all {
		return q.add(" AND ("+column+", "+alias+"id, "+alias+"user_id) "+beyond+" (?, ?, ?)", key, p.id, p.user)
	}
	return q.add(" AND ("+column+", "+alias+"id) "+beyond+" (?, ?)", key, p.id)
}

// orderBy is the order of a list by a column and the whole key; direction is "" or
// " DESC". In a list of one user the id is the whole key. In that of all users an index
// by column and id still gives the order, since only rows with the same id are left to be
// sorted by their users.
func (sc scope) orderBy(column, alias, direction string) string {
	order := " ORDER BY " + column + direction + ", " + alias + "id" + direction
	if sc.all {
		order += ", " + alias + "user_id" + direction
	}
	return order
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
	if l.after != nil && !sc.all {
		l.after.user = sc.user
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
