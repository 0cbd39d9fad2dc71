package threads

import (
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
)

// messageKey is a key that a message shares with its redeliveries. Each kind of key has a
// unique index.
type messageKey struct {
	column, value string
	// conversation is set if the key is unique within a conversation and not within a user.
	conversation uuid.UUID
}

// The columns of the keys.
const (
	keyID          = "id"
	keyPostmark    = "postmark_message_id"
	keyGmail       = "gmail_message_id"
	keyIdempotency = "idempotency_key"
)

// keyColumns is the order in which a stored duplicate is looked up.
var keyColumns = []string{keyID, keyPostmark, keyGmail, keyIdempotency}

// keysOf returns the keys of a message. The id is one of them only if the caller gave it: no
// stored message has an id that was just made.
func keysOf(m *message.Message, idGiven bool) []messageKey {
	var keys []messageKey
	if idGiven {
		keys = append(keys, messageKey{column: keyID, value: m.ID.String()})
	}
	if m.PostmarkMessageID != "" {
		keys = append(keys, messageKey{column: keyPostmark, value: m.PostmarkMessageID})
	}
	if m.GmailMessageID != "" {
		keys = append(keys, messageKey{column: keyGmail, value: m.GmailMessageID})
	}
	if m.IdempotencyKey != "" {
		keys = append(keys, messageKey{keyIdempotency, m.IdempotencyKey, m.ConversationID})
	}
	return keys
}

// matches adds the condition that a row of the user has the key. Each key needs a query of
// its own: an index serves each condition, but no index serves them joined by OR.
func (k messageKey) matches(q *query.Query, user uuid.UUID) *query.Query {
	q.Add("user_id = ? AND ", user).Add(k.column).Add(" = ?", k.value)
	if k.conversation != uuid.Nil {
		q.Add(" AND conversation_id = ?", k.conversation)
	}
	return q
}

// findDuplicates returns the stored messages that have a key of one of the drafts, by the
// draft's index. It runs one query for each kind of key that occurs and 1,000 values. If
// several stored messages match a draft, the first kind of keyColumns wins.
func findDuplicates(sc scope.Scope, db query.Conn, drafts []Draft) (map[int]*message.Message, error) {
	indexes := map[messageKey][]int{}
	values := map[string][]string{}
	for i, d := range drafts {
		for _, k := range d.keys {
			values[k.column] = append(values[k.column], k.value)
			indexes[k] = append(indexes[k], i)
		}
	}
	stored := map[int]*message.Message{}
	for _, column := range keyColumns {
		for part := range slices.Chunk(values[column], 1000) {
			found, err := findByKey(sc, db, column, part, drafts)
			if err != nil {
				return nil, err
			}
			for _, row := range found {
				keepFirst(stored, row, indexes)
			}
		}
	}
	return stored, nil
}

func findByKey(sc scope.Scope, db query.Conn, column string, values []string, drafts []Draft) ([]*message.Message, error) {
	q := query.New("SELECT " + record.MessageColumns + " FROM " + sc.Tables.Messages + " WHERE ")
	return query.All(db, q.Append(hasKey(sc, column, values, drafts)), record.MessageDest)
}

// hasKey is the condition that a message has one of the values of a kind of key.
func hasKey(sc scope.Scope, column string, values []string, drafts []Draft) *query.Query {
	if column == keyID {
		ids := make([]uuid.UUID, len(values))
		for i, v := range values {
			ids[i] = uuid.MustParse(v) // keysOf formatted it
		}
		return sc.Among(column, ids)
	}
	is, arg := sc.Dialect.InTexts(column, values)
	q := query.New("user_id = ? AND "+is, sc.User, arg)
	if column == keyIdempotency {
		is, arg := sc.Dialect.InUUIDs("conversation_id", conversationIDs(drafts))
		q.Add(" AND "+is, arg)
	}
	return q
}

// keepFirst records a stored row for every draft that has one of its keys and no row yet.
func keepFirst(stored map[int]*message.Message, row *message.Message, indexes map[messageKey][]int) {
	for _, k := range keysOf(row, true) {
		for _, i := range indexes[k] {
			if stored[i] == nil {
				stored[i] = row
			}
		}
	}
}
