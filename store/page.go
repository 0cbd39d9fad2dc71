package store

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// Deleted says what a filter does with softly deleted rows.
type Deleted int

// The choices.
const (
	ExcludeDeleted Deleted = iota
	IncludeDeleted
	OnlyDeleted
)

// PageRequest asks for a page. The zero value is the first one, of DefaultLimit rows.
type PageRequest struct {
	// Limit is the most rows: DefaultLimit if 0; below 0 or above MaxLimit is refused.
	Limit int
	// After is the Next of the page before; empty for the first one.
	After Cursor
}

// Cursor is a place in a list, opaque and safe in a URL. It belongs to the scope, the
// method, the filter and the order that it came from; any other refuses it. It does not
// expire.
type Cursor string

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next asks for what follows, empty if nothing does.
	Next Cursor `json:"next,omitempty"`
}

// NumberRequest asks for a page by its number. The zero value is the first one, of
// DefaultLimit rows.
type NumberRequest struct {
	// Number counts from 1; 0 is 1.
	Number int
	// Size is the most rows: DefaultLimit if 0; below 0 or above MaxLimit is refused.
	Size int
}

// NumberedPage is a part of a list, with its size.
type NumberedPage[T any] struct {
	Items  []T `json:"items"`
	Number int `json:"number"`
	Size   int `json:"size"`
	// Total counts the rows of all pages, Pages the pages.
	Total int64 `json:"total"`
	Pages int64 `json:"pages"`
}
