package bench

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// hit is what a search by hand finds: the same rows that the library's hits have.
type hit struct {
	*message.Message
	conversation *conversation.Conversation
	score        float64
}

// handFinder searches by hand. A user of uuid.Nil is everybody.
type handFinder interface {
	// exact compares every vector, and indexed goes by the database's index.
	exact(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error)
	indexed(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error)
	// find returns the first matches of a text search.
	find(ctx context.Context, user uuid.UUID, a ask) ([]*hit, error)
	close()
}

func openHandFinder(ctx context.Context, d database, address string) (handFinder, error) {
	if d.postgres {
		return openHandFinderPostgres(ctx, address)
	}
	return openHandFinderSQLite(ctx, address)
}

// textLimit is how many texts are asked for; both sides read one more to know whether
// there is a next page.
const textLimit = 20

const hitColumns = messageColumns + `, c.id, c.user_id, coalesce(c.lead_id, ''), coalesce(c.external_key, ''), coalesce(c.title, ''),
	coalesce(c.subject, ''), c.status, c.metadata, c.last_seq, c.last_message_at, c.held_at, c.created_at, c.updated_at, c.deleted_at`

// liveRows are the messages m and their conversations c that a search may find; the word
// AND goes before it.
const liveRows = `m.deleted_at IS NULL AND c.deleted_at IS NULL`

const joinConversations = ` JOIN conversations c ON c.id = m.conversation_id AND c.user_id = m.user_id`

// gather keeps where a row goes instead of reading it.
type gather struct{ dest []any }

func (g *gather) Scan(dest ...any) error {
	g.dest = append(g.dest, dest...)
	return nil
}

// scanHit reads a message, its conversation and a score.
func scanHit(r row) (*hit, error) {
	var g gather
	h := new(hit)
	h.Message, _ = scanMessage(&g)           // It only gathers.
	h.conversation, _ = scanConversation(&g) // As before.
	return h, r.Scan(append(g.dest, &h.score)...)
}

func insertInto(table string, columns []string) string {
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

// librarySimilar is the library's part of the pairs.
func librarySimilar(ctx context.Context, st store.Store, user uuid.UUID, v []float32, o store.SimilarOptions) ([]*hit, store.Similar[*store.SimilarMessage], error) {
	o.Model, o.Limit = searchModel, similarLimit
	found, err := searchOf(st, user).SimilarMessages(ctx, store.SimilarTo{Vector: v}, o)
	hits := make([]*hit, len(found.Hits))
	for i, h := range found.Hits {
		hits[i] = &hit{h.Message, h.Conversation, h.Similarity}
	}
	return hits, found, err
}

// libraryFinds is the library's part of the pairs, and returns how many it found.
func libraryFinds(ctx context.Context, st store.Store, user uuid.UUID, a ask) (int, error) {
	text, o := a.library()
	page, err := searchOf(st, user).Messages(ctx, text, o, store.PageRequest{Limit: textLimit})
	return len(page.Items), err
}

func searchOf(st store.Store, user uuid.UUID) store.Search {
	if user == uuid.Nil {
		return st.AllUsers().Search()
	}
	return st.ForUser(user).Search()
}
