package store

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	// MaxPageBytes ends a page early: after the row with which the texts and documents of its
	// rows reach 8 MiB. A page therefore has at least one row, and Next leads to the others. It
	// holds for the pages of conversations, messages and suggestions, and so for the iterators
	// over them. Pages by number, threads and the hits of searches have as many rows as asked for.
	MaxPageBytes = 8 << 20
)

// Deleted says whether a filter takes live rows, softly deleted ones, or both. An unknown
// value is ErrInvalid.
type Deleted int

// The choices.
const (
	ExcludeDeleted Deleted = iota
	IncludeDeleted
	OnlyDeleted
)

// PageRequest asks for one page of a list. The zero value asks for the first page, with
// DefaultLimit rows.
type PageRequest struct {
	// Limit is the largest number of rows on the page: DefaultLimit if 0. Below 0 or above
	// MaxLimit is ErrInvalid. The page has fewer rows where they are large, see MaxPageBytes.
	Limit int
	// After is Next of the previous page. It is empty for the first page.
	After Cursor
}

// Cursor marks a place in a list (keyset pagination). It is opaque, safe in a URL and does
// not expire. It belongs to the scope, the method, the filter and the order that it came
// from; elsewhere, or damaged, it is ErrInvalid. It holds the whole sort key of the last row
// of its page: the time, then the id and, in a list of all users, the user id as tie-breaks.
// A page therefore never repeats or skips a row because of a tie.
type Cursor string

// Page is one page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the following page. It is empty on the last page.
	Next Cursor `json:"next,omitempty"`
}

// NumberRequest asks for a page by its number. The zero value asks for the first page, with
// DefaultLimit rows.
type NumberRequest struct {
	// Number counts from 1, and 0 means 1. Below 0 is ErrInvalid.
	Number int
	// Size is the largest number of rows on the page: DefaultLimit if 0. Below 0 or above
	// MaxLimit is ErrInvalid.
	Size int
}

// NumberedPage is one page of a list, with the size of the list.
type NumberedPage[T any] struct {
	Items  []T `json:"items"`
	Number int `json:"number"`
	Size   int `json:"size"`
	// Total is the number of rows on all pages, Pages the number of pages.
	Total int64 `json:"total"`
	Pages int64 `json:"pages"`
}
