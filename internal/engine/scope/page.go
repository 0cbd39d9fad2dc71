package scope

import (
	"iter"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func limit(p store.PageRequest) (int, error) { return Limit("limit", p.Limit) }

func Limit(field string, n int) (int, error) {
	switch {
	case n == 0:
		return store.DefaultLimit, nil
	case n < 0 || n > store.MaxLimit:
		return 0, rule.Invalid(field, "is not between 1 and %d", store.MaxLimit)
	}
	return n, nil
}

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

// Walk turns a method that reads pages into an iterator. A page is read whole before
// its first row is handed out, so that the caller may write meanwhile.
func Walk[T any](read func(store.PageRequest) (store.Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := store.PageRequest{Limit: store.MaxLimit}
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
		}
	}
}
