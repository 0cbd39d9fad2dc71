package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s messages) Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (bool, error) {
	sc, err := s.appender(ctx, conversationID)
	if err != nil {
		return false, fail("append", err)
	}
	d, err := sc.draft(ctx, conversationID, m)
	if err != nil {
		return false, err
	}
	created, err := s.sql.appendOne(ctx, sc, d)
	return created, fail("append", err)
}

// appender narrows the scope to the owner of a conversation.
func (sc scope) appender(ctx context.Context, conversationID uuid.UUID) (scope, error) {
	if _, err := sc.writing(ctx); err != nil {
		return sc, err
	}
	owner, err := sc.owner(ctx, sc.tables.conversations, conversationID)
	return sc.as(owner), err
}

// draft is a message on its way in.
type draft struct {
	*message.Message
	// keys are what makes it a redelivery.
	keys []messageKey
}

// draft gives a message its keys and times and validates it. The scope is one user's.
func (sc scope) draft(ctx context.Context, conversationID uuid.UUID, m *message.Message) (draft, error) {
	if m == nil {
		return draft{}, errNil("message")
	}
	if m.UserID != uuid.Nil && m.UserID != sc.user {
		return draft{}, rule.Invalid("user_id", "is another user's than the conversation's")
	}
	m.UserID, m.ConversationID = sc.user, conversationID
	idGiven := m.ID != uuid.Nil
	if err := sc.giveID(&m.ID); err != nil {
		return draft{}, err
	}
	if sc.stripNUL {
		stripMessage(m)
	}
	m.Normalize(sc.instant())
	m.EditedAt, m.DeletedAt = nil, gorm.DeletedAt{}
	if err := m.Validate(); err != nil {
		return draft{}, err
	}
	return draft{m, keysOf(m, idGiven)}, sc.checkOwn(ctx, m)
}

// messageKey is one of the keys by which a message may be a redelivery.
type messageKey struct {
	column, value string
	// conversation is set where the key is unique in a conversation only.
	conversation uuid.UUID
}

// The columns of the keys, in the order in which a stored row is looked for.
const (
	keyID          = "id"
	keyPostmark    = "postmark_message_id"
	keyGmail       = "gmail_message_id"
	keyIdempotency = "idempotency_key"
)

var keyColumns = []string{keyID, keyPostmark, keyGmail, keyIdempotency}

// keysOf leaves out an id that was made for this very message: nobody else has it.
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

// matches adds the condition of one key. Each key is asked by itself, since an index
// answers each and none answers them joined by OR.
func (k messageKey) matches(q *query, user uuid.UUID) *query {
	q.add("user_id = ? AND ", user).add(k.column).add(" = ?", k.value)
	if k.conversation != uuid.Nil {
		q.add(" AND conversation_id = ?", k.conversation)
	}
	return q
}

// appendOne appends a message, with its vectors if it brings some.
func (s *appendStatements) appendOne(ctx context.Context, sc scope, d draft) (created bool, err error) {
	if len(d.Embeddings) == 0 {
		return s.appendMessage(ctx, sc, d)
	}
	err = sc.transaction(ctx, func(tx *store) error {
		in := sc.in(tx)
		if created, err = s.appendMessage(ctx, in, d); err != nil || !created {
			return err
		}
		return in.insertOwn(session(ctx, tx.writer), d.Embeddings)
	})
	return created && err == nil, err
}

// appendMessage is the hot path: on PostgreSQL one statement, on SQLite two in a
// transaction. A redelivery meets the unique index of its key, which passes over the row
// and is no error: that would leave dead rows and a line in the server's log.
func (s *appendStatements) appendMessage(ctx context.Context, sc scope, d draft) (bool, error) {
	single, err := sc.oneStatement(ctx)
	if err != nil {
		return false, err
	}
	for try := 1; ; try++ {
		created, err := s.tryAppend(ctx, sc, d, single)
		if try == maxTries || !errors.Is(err, errNotWritten) {
			return created, err
		}
	}
}

// tryAppend returns errNotWritten if nothing stands in the way any more.
func (s *appendStatements) tryAppend(ctx context.Context, sc scope, d draft, single bool) (created bool, err error) {
	if single {
		err = sc.retry(ctx, func() (err error) {
			created, err = s.insertNext(session(ctx, sc.writer), sc, d)
			return err
		})
	} else {
		err = sc.transaction(ctx, func(tx *store) (err error) {
			created, err = s.takeAndInsert(session(ctx, tx.writer), sc.in(tx), d)
			if err == nil && !created {
				err = errNotWritten
			}
			return err
		})
	}
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		return false, errTaken
	case err != nil && !errors.Is(err, errNotWritten):
		return false, err
	case created:
		return true, nil
	}
	return false, sc.explain(ctx, d)
}

// errNotWritten undoes a seq that was taken for nothing, and asks for another try: what
// stood in the way, a message or the lack of the conversation, was erased or made meanwhile.
var errNotWritten = fmt.Errorf("%w: the conversation or a message of this key was erased and made again meanwhile", ErrConflict)

// explain says why an append wrote nothing: the message is there, or the conversation
// is not.
func (sc scope) explain(ctx context.Context, d draft) error {
	db := session(ctx, sc.writer)
	for _, k := range d.keys {
		q := newQuery("SELECT " + messageColumns + " FROM " + sc.tables.messages + " WHERE ")
		stored, err := collect(db, k.matches(q, sc.user), messageDest)
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			*d.Message = *stored[0]
			return nil
		}
	}
	if _, err := sc.get(db, d.ConversationID); err != nil {
		return err
	}
	return errNotWritten
}

// statusAfter is the status that a message gives its conversation, empty if it leaves it
// as it is.
func statusAfter(d message.Direction) conversation.Status { return conversation.Status("").After(d) }

// insertMessages inserts messages that have their seqs.
func (sc scope) insertMessages(db conn, drafts []draft) error {
	insert := "INSERT INTO " + sc.tables.messages + " (" + userFirst + ") "
	for part := range sc.portions(drafts) {
		values, err := sc.values(messageTypes, rowsOf(part))
		if err != nil {
			return err
		}
		if _, err := newQuery(insert).addQuery(values).exec(db); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf are the values of messages in the order of userFirst, but for the user.
func rowsOf(drafts []draft) [][]any {
	rows := make([][]any, len(drafts))
	for i, d := range drafts {
		args := make([]any, 0, len(messageTypes))
		rows[i] = messageArgs(append(args, d.ID.String(), d.ConversationID.String(), d.Seq), d.Message)
	}
	return rows
}

// threadState is what appends change of a conversation.
type threadState struct {
	lastSeq       int64
	lastMessageAt time.Time
	status        conversation.Status // empty leaves the status as it is
	changed       bool
}

func stateOf(c *conversation.Conversation) *threadState {
	return &threadState{lastSeq: c.LastSeq, lastMessageAt: c.LastMessageAt}
}

func (t *threadState) add(m *message.Message) {
	if t.lastSeq == 0 || m.SentAt.After(t.lastMessageAt) {
		t.lastMessageAt = m.SentAt
	}
	t.lastSeq++
	m.Seq = t.lastSeq
	if next := statusAfter(m.Direction); next != "" {
		t.status = next
	}
	t.changed = true
}

func (t *threadState) apply(c *conversation.Conversation) {
	c.LastSeq, c.LastMessageAt = t.lastSeq, t.lastMessageAt
	if t.status != "" {
		c.Status = t.status
	}
}
