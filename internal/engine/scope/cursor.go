package scope

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Place is where a page ended: the sort key, the id and the owner of its last row.
type Place struct {
	// Key is a time in microseconds since 1970, or a seq.
	Key int64
	ID  uuid.UUID
	// User owns the row. Two users may have rows with the same key and id, which a list of
	// all users has to tell apart.
	User uuid.UUID
}

// The lengths of a cursor in bytes: a fingerprint, the key and the id of a place, and in a list
// of all users the user.
const (
	fingerprintSize = 12
	cursorSize      = fingerprintSize + 8 + 16
	cursorAllSize   = cursorSize + 16
)

// fingerprint identifies a list by its method, its scope and its filter. Each cursor has it, so
// that the cursor of another list is refused instead of giving a wrong page.
type fingerprint struct {
	sum [fingerprintSize]byte
	all bool // the list is of all users
}

func (sc Scope) fingerprint(method string, filter any) fingerprint {
	named := canonical(struct {
		Method string
		All    bool
		User   uuid.UUID
		Filter any
	}{method, sc.All, sc.User, filter})
	sum := sha256.Sum256(named)
	return fingerprint{sum: [fingerprintSize]byte(sum[:fingerprintSize]), all: sc.All}
}

// size is the length of the list's cursors in bytes.
func (f fingerprint) size() int {
	if f.all {
		return cursorAllSize
	}
	return cursorSize
}

func (f fingerprint) cursor(p Place) store.Cursor {
	b := append(make([]byte, 0, cursorAllSize), f.sum[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Key))
	b = append(b, p.ID[:]...)
	b = append(b, p.User[:]...)
	return store.Cursor(base64.RawURLEncoding.EncodeToString(b[:f.size()]))
}

// parse returns the place of a cursor, nil for the empty cursor.
func (f fingerprint) parse(c store.Cursor) (*Place, error) {
	if c == "" {
		return nil, nil //nolint:nilnil // the first page has no place
	}
	b, err := decodeCursor(c)
	if err != nil {
		return nil, err
	}
	if [fingerprintSize]byte(b) != f.sum || len(b) != f.size() {
		return nil, rule.Invalid("cursor", "belongs to another list: another scope, method, filter or order")
	}
	p := &Place{
		Key: int64(binary.BigEndian.Uint64(b[fingerprintSize:])),
		ID:  uuid.UUID(b[fingerprintSize+8 : cursorSize]),
	}
	copy(p.User[:], b[cursorSize:])
	return p, nil
}

// decodeCursor returns the bytes of a cursor of either size. It checks the length first, so that
// a long text costs nothing.
func decodeCursor(c store.Cursor) ([]byte, error) {
	for _, size := range []int{cursorSize, cursorAllSize} {
		if len(c) != base64.RawURLEncoding.EncodedLen(size) {
			continue
		}
		// The decoder skips line breaks, which leave too few bytes.
		if b, err := base64.RawURLEncoding.Strict().DecodeString(string(c)); err == nil && len(b) == size {
			return b, nil
		}
	}
	return nil, rule.Invalid("cursor", "was not made by this library")
}

// TimeKey returns the Key of a time.
func TimeKey(t time.Time) int64 { return t.UnixMicro() }

// Time returns the time of a Key that TimeKey made. A key that a client has changed may be beyond
// what a database reads; it is the nearest time that one does.
func (p *Place) Time() time.Time {
	return time.UnixMicro(min(max(p.Key, firstKey), lastKey)).UTC()
}

// firstKey and lastKey are the keys of the times that tables keep, see check.Time.
var (
	firstKey = TimeKey(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	lastKey  = TimeKey(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
)

// Listing is a checked request for a page, with the connection to read it from.
type Listing struct {
	DB    query.Conn
	Limit int
	After *Place // nil for the first page
	list  fingerprint
}

// Listing checks a request for a page of the list that method and filter identify. It returns
// ErrInvalid for a bad limit, or a cursor of another list.
func (sc Scope) Listing(ctx context.Context, method string, filter any, p store.PageRequest) (l Listing, err error) {
	if l.Limit, err = limit(p); err != nil {
		return l, err
	}
	l.list = sc.fingerprint(method, filter)
	if l.After, err = l.list.parse(p.After); err != nil {
		return l, err
	}
	if l.After != nil && !sc.All {
		l.After.User = sc.User
	}
	l.DB, err = sc.Reading(ctx)
	return l, err
}

// ReadPage reads a page of items with a query for l.Limit+1 of them. size returns the bytes of an
// item and at its place. A page with store.MaxPageBytes ends early.
func ReadPage[T any](l Listing, q *query.Query, dest func(*T) []any, size func(*T) int, at func(*T) Place) (store.Page[*T], error) {
	items, more, err := query.Within(l.DB, q, dest, size, store.MaxPageBytes)
	if err != nil {
		return store.Page[*T]{}, err
	}
	return CutPage(items, more, l, at), nil
}

// CutPage is PageOf for items of which more tells whether there are others after them.
func CutPage[T any](items []T, more bool, l Listing, at func(T) Place) store.Page[T] {
	page := PageOf(items, l, at)
	if more && page.Next == "" && len(items) > 0 {
		page.Next = l.list.cursor(at(items[len(items)-1]))
	}
	return page
}

// PageOf returns a page of items, which were read with a limit of l.Limit+1: one item more says
// that there is a next page. at returns the place of an item.
func PageOf[T any](items []T, l Listing, at func(T) Place) store.Page[T] {
	if len(items) <= l.Limit {
		return store.Page[T]{Items: items}
	}
	items = items[:l.Limit]
	return store.Page[T]{Items: items, Next: l.list.cursor(at(items[l.Limit-1]))}
}

// IDOf puts a seq into the ID of a Place, for a list that is sorted by a time and a seq.
func IDOf(seq int64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(seq))
	return id
}

// SeqOf returns the seq that IDOf put into an id.
func SeqOf(id uuid.UUID) int64 { return int64(binary.BigEndian.Uint64(id[8:])) }
