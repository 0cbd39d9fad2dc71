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

// maxAnsweredIDs is how many of the message ids that an e-mail answers are looked up.
// Mailing lists let References grow without bound, and the nearest ids come first.
const maxAnsweredIDs = 100

func (s messages) FindThread(ctx context.Context, m *message.Message) (*conversation.Conversation, error) {
	if m == nil {
		return nil, scope.ErrNil("message")
	}
	asked := *m
	m = &asked
	s.sc.Clean.Model(m)
	// The caller starts a new conversation if there is none, so a replica that lags would
	// cause a second one.
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	if m.GmailThreadID != "" && check.Key("", m.GmailThreadID) == nil {
		c, err := findByGmailThread(s.sc, db, m.GmailThreadID)
		if !errors.Is(err, store.ErrNotFound) {
			return c, query.Wrap("find thread", err)
		}
	}
	c, err := findByMessageIDs(s.sc, db, answeredIDs(m))
	return c, query.Wrap("find thread", err)
}

func findByGmailThread(sc scope.Scope, db query.Conn, id string) (*conversation.Conversation, error) {
	return query.One(db, conversationsOf(sc, "", query.New("m.gmail_thread_id = ?", id)).Add(" LIMIT 1"), record.ConversationDest)
}

// answeredIDs lists the ids of the messages that an e-mail answers, the nearest first: those
// of In-Reply-To, then those of References from the last to the first. Ids that are too long
// to be stored are left out.
func answeredIDs(m *message.Message) []string {
	var references []string
	for _, value := range m.Headers.Values("References") {
		references = append(references, message.ParseIDs(value)...)
	}
	slices.Reverse(references)
	var ids []string
	for _, id := range append(message.ParseIDs(m.Headers.Get("In-Reply-To")), references...) {
		if len(ids) < maxAnsweredIDs && check.Key("", id) == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// findByMessageIDs returns the conversation that has the message with the first of ids that
// is stored, or ErrNotFound. It looks all ids up at once, first as Message-IDs of e-mails,
// then their part before the @ as Postmark's ids.
func findByMessageIDs(sc scope.Scope, db query.Conn, ids []string) (*conversation.Conversation, error) {
	if len(ids) == 0 {
		return nil, store.ErrNotFound
	}
	localParts := make([]string, len(ids))
	for i, id := range ids {
		localParts[i], _, _ = strings.Cut(strings.Trim(id, "<>"), "@")
	}
	var nearest *conversation.Conversation
	rank := len(ids)
	for _, lookup := range []struct {
		column string
		values []string
	}{{"m.email_message_id", ids}, {"m.postmark_message_id", localParts}} {
		type hit struct {
			messageID string
			conversation.Conversation
		}
		hits, err := query.All(db, conversationsOf(sc, lookup.column+", ", query.In(query.New(""), lookup.column, lookup.values)),
			func(h *hit) []any { return append([]any{&h.messageID}, record.ConversationDest(&h.Conversation)...) })
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if r := slices.Index(lookup.values, h.messageID); r < rank {
				rank, nearest = r, &h.Conversation
			}
		}
	}
	if nearest == nil {
		return nil, store.ErrNotFound
	}
	return nearest, nil
}

// conversationsOf reads the live conversations of the messages that a condition names,
// newest activity first. The join is a CROSS JOIN because SQLite keeps its order: from the
// few messages to their conversations, instead of through all conversations in the order of
// the result.
func conversationsOf(sc scope.Scope, columns string, condition *query.Query) *query.Query {
	q := query.New("SELECT " + columns + "c." + strings.ReplaceAll(record.ConversationColumns, ", ", ", c.") +
		" FROM " + sc.Tables.Messages + " m CROSS JOIN " + sc.Tables.Conversations + " c WHERE ").Append(condition)
	sc.Owned(q, "m.").Add(" AND c.id = m.conversation_id AND c.user_id = m.user_id AND c.deleted_at IS NULL")
	return sc.Owned(q, "c.").Add(sc.SortByActivity("c.").OrderBy(" DESC"))
}
