package record

import (
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/store"
)

// Table is one of the library's tables with rows of users.
type Table struct {
	// Name is without prefix, schema and quotes.
	Name string
	// Parent is the table without whose rows those of this one are orphans, and ParentKey the
	// column with the id of the parent row. Conversations and the states of users have neither.
	Parent    *Table
	ParentKey string
	// Count is the table's number in counts. It is nil for a table that is not counted.
	Count func(counts *store.Counts) *int64
}

// The tables. They are pointers, so that a table can be the key of a map.
var (
	Conversations = &Table{
		Name:  naming.Conversations,
		Count: func(c *store.Counts) *int64 { return &c.Conversations },
	}
	Messages = &Table{
		Name: naming.Messages, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.Messages },
	}
	Suggestions = &Table{
		Name: naming.Suggestions, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.Suggestions },
	}
	Embeddings = &Table{
		Name: naming.Embeddings, Parent: Messages, ParentKey: "message_id",
		Count: func(c *store.Counts) *int64 { return &c.Embeddings },
	}
	// Claims has the leases of embedding jobs. A claim expires by itself, so that nobody counts
	// them.
	Claims = &Table{Name: naming.Claims, Parent: Messages, ParentKey: "message_id"}
	// Failures has what embedding jobs could not embed. They are notes of the library, which
	// nobody counts either.
	Failures = &Table{Name: naming.Failures, Parent: Messages, ParentKey: "message_id"}
	Refs     = &Table{
		Name: naming.Refs, Parent: Messages, ParentKey: "message_id",
		Count: func(c *store.Counts) *int64 { return &c.Refs },
	}
	Votes = &Table{
		Name: naming.Votes, Parent: Messages, ParentKey: "message_id",
		Count: func(c *store.Counts) *int64 { return &c.Votes },
	}
	Deliveries = &Table{
		Name: naming.Deliveries, Parent: Messages, ParentKey: "message_id",
		Count: func(c *store.Counts) *int64 { return &c.Deliveries },
	}
	Labels = &Table{
		Name: naming.Labels, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.Labels },
	}
	Reads = &Table{
		Name: naming.Reads, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.Reads },
	}
	States = &Table{
		Name: naming.States, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.States },
	}
	// UserStates belong to no conversation: they go when everything of their user does.
	UserStates = &Table{
		Name:  naming.UserStates,
		Count: func(c *store.Counts) *int64 { return &c.UserStates },
	}
	Summaries = &Table{
		Name: naming.Summaries, Parent: Conversations, ParentKey: "conversation_id",
		Count: func(c *store.Counts) *int64 { return &c.Summaries },
	}
)

// Add adds n rows of the table to counts, unless the table is not counted.
func (t *Table) Add(counts *store.Counts, n int64) {
	if t.Count != nil {
		*t.Count(counts) += n
	}
}

// Tables returns all tables in the order in which a transaction locks them, parents before
// children. Rows are deleted in the reverse order.
func Tables() []*Table {
	return []*Table{
		Conversations, Messages, Suggestions, Embeddings, Claims, Failures, Refs, Votes, Deliveries,
		Labels, Reads, States, UserStates, Summaries,
	}
}
