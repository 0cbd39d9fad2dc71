package scope

import (
	"iter"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func limit(p store.PageRequest) (int, error) { return Limit("limit", p.Limit) }

// Limit returns the number of rows of a page: n, or the default if n is 0. It returns ErrInvalid
// with the field's name for a number that is out of range.
func Limit(field string, n int) (int, error) {
	switch {
	case n == 0:
		return store.DefaultLimit, nil
	case n < 0 || n > store.MaxLimit:
		return 0, rule.Invalid(field, "is not between 1 and %d", store.MaxLimit)
	}
	return n, nil
}

// Numbered returns a request for a numbered page with its defaults filled in, or ErrInvalid.
func Numbered(n store.NumberRequest) (store.NumberRequest, error) {
	size, err := Limit("size", n.Size)
	if err != nil {
		return n, err
	}
	if n.Number == 0 {
		n.Number = 1
	}
	// The bound keeps the offset far from overflowing.
	if n.Number < 1 || n.Number > 1<<40 {
		return n, rule.Invalid("number", "is not 1 or more")
	}
	n.Size = size
	return n, nil
}

// ReadNumbered reads a numbered page of what count counts and rows selects, in its order and
// with the LIMIT that it is given. n is what Numbered returned.
func ReadNumbered[T any](
	db query.Conn, n store.NumberRequest, count *query.Query, rows func(limit string, args ...any) *query.Query, dest func(*T) []any,
) (store.NumberedPage[*T], error) {
	page := store.NumberedPage[*T]{Number: n.Number, Size: n.Size}
	if _, err := count.Row(db, &page.Total); err != nil {
		return page, err
	}
	page.Pages = (page.Total + int64(n.Size) - 1) / int64(n.Size)
	var err error
	page.Items, err = query.All(db, rows(" LIMIT ? OFFSET ?", n.Size, int64(n.Number-1)*int64(n.Size)), dest)
	return page, err
}

// firstWalk is the limit of the first page of a walk.
const firstWalk = 250

// Walk turns a method that reads pages into an iterator. It reads a whole page before it yields
// the first row, so that the loop's body may write. After an error it ends.
func Walk[T any](read func(store.PageRequest) (store.Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		// A page of large rows ends early. The server has sent the others all the same, so the
		// walk begins with a small page, and after one that ended early asks for few more.
		p := store.PageRequest{Limit: firstWalk}
		for {
			page, err := read(p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			p.After = page.Next
			if len(page.Items) < p.Limit {
				p.Limit = max(1, 2*len(page.Items))
			} else {
				p.Limit *= 4
			}
			p.Limit = min(p.Limit, store.MaxLimit)
		}
	}
}
