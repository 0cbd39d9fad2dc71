package store

import "iter"

// walk turns a method that reads pages into an iterator. A page is read whole before
// its first row is handed out, so that the caller may write meanwhile.
func walk[T any](read func(PageRequest) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := PageRequest{Limit: MaxLimit}
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
