package threads

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// maxClues is how many of the message ids that an e-mail names are looked for; mailing
// lists let References grow without end, and the nearest come first.
const maxClues = 100

func (s messages) FindThread(ctx context.Context, m *message.Message) (*conversation.Conversation, error) {
	if m == nil {
		return nil, scope.ErrNil("message")
	}
	// Whether an e-mail begins a thread is a decision: on a replica that lags it would begin
	// a second one.
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	if m.GmailThreadID != "" && check.Key("", m.GmailThreadID) == nil {
		c, err := byGmailThread(s.sc, db, m.GmailThreadID)
		if !errors.Is(err, store.ErrNotFound) {
			return c, query.Wrap("find thread", err)
		}
	}
	c, err := byMessageIDs(s.sc, db, answeredIDs(m))
	return c, query.Wrap("find thread", err)
}

// ofMessages reads the live conversations of messages. The join is a CROSS JOIN because
// SQLite takes it in the order in which it is written: from the few messages to their
// conversations, not through all conversations in the order of the result.
func ofMessages(sc scope.Scope, columns string, which *query.Query) *query.Query {
	q := query.New("SELECT " + columns + "c." + strings.ReplaceAll(record.ConversationColumns, ", ", ", c.") +
		" FROM " + sc.Tables.Messages + " m CROSS JOIN " + sc.Tables.Conversations + " c WHERE ").Append(which)
	sc.Owned(q, "m.").Add(" AND c.id = m.conversation_id AND c.user_id = m.user_id AND c.deleted_at IS NULL")
	return sc.Owned(q, "c.").Add(sc.OrderBy("c.last_message_at", "c.", " DESC"))
}

func byGmailThread(sc scope.Scope, db query.Conn, id string) (*conversation.Conversation, error) {
	return query.One(db, ofMessages(sc, "", query.New("m.gmail_thread_id = ?", id)).Add(" LIMIT 1"), record.ConversationDest)
}

// answeredIDs lists the messages that an e-mail answers, the nearest first.
func answeredIDs(m *message.Message) []string {
	references := message.ParseIDs(strings.Join(m.Headers.Values("References"), " "))
	slices.Reverse(references)
	var ids []string
	for _, id := range append(message.ParseIDs(m.Headers.Get("In-Reply-To")), references...) {
		if len(ids) < maxClues && check.Key("", id) == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// byMessageIDs looks for all ids at once, among those of e-mails and, the part before
// the @, among Postmark's, and takes the conversation of the nearest.
func byMessageIDs(sc scope.Scope, db query.Conn, ids []string) (*conversation.Conversation, error) {
	if len(ids) == 0 {
		return nil, store.ErrNotFound
	}
	locals := make([]string, len(ids))
	for i, id := range ids {
		locals[i], _, _ = strings.Cut(strings.Trim(id, "<>"), "@")
	}
	var best *conversation.Conversation
	rank := len(ids)
	for _, look := range []struct {
		column string
		values []string
	}{{"m.email_message_id", ids}, {"m.postmark_message_id", locals}} {
		type hit struct {
			clue string
			conversation.Conversation
		}
		hits, err := query.All(db, ofMessages(sc, look.column+", ", query.In(query.New(""), look.column, look.values)),
			func(h *hit) []any { return append([]any{&h.clue}, record.ConversationDest(&h.Conversation)...) })
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if r := slices.Index(look.values, h.clue); r < rank {
				rank, best = r, &h.Conversation
			}
		}
	}
	if best == nil {
		return nil, store.ErrNotFound
	}
	return best, nil
}
