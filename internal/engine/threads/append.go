package threads

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (bool, error) {
	sc, err := Appender(ctx, s.sc, conversationID)
	if err != nil {
		return false, query.Wrap("append", err)
	}
	d, err := NewDraft(ctx, sc, conversationID, m)
	if err != nil {
		return false, err
	}
	created, err := s.sql.AppendOne(ctx, sc, d)
	return created, query.Wrap("append", err)
}

// Appender narrows the scope to the owner of a conversation.
func Appender(ctx context.Context, sc scope.Scope, conversationID uuid.UUID) (scope.Scope, error) {
	if _, err := sc.Writing(ctx); err != nil {
		return sc, err
	}
	owner, err := sc.Owner(ctx, sc.Tables.Conversations, conversationID)
	return sc.As(owner), err
}

// Draft is a message on its way in.
type Draft struct {
	*message.Message
	// Keys are what makes it a redelivery.
	Keys []messageKey
}

// NewDraft gives a message its keys and times and validates it. The scope is one user's.
func NewDraft(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, m *message.Message) (Draft, error) {
	if m == nil {
		return Draft{}, scope.ErrNil("message")
	}
	if m.UserID != uuid.Nil && m.UserID != sc.User {
		return Draft{}, rule.Invalid("user_id", "is another user's than the conversation's")
	}
	m.UserID, m.ConversationID = sc.User, conversationID
	idGiven := m.ID != uuid.Nil
	if err := sc.GiveID(&m.ID); err != nil {
		return Draft{}, err
	}
	if sc.StripNUL {
		record.StripMessage(m)
	}
	m.Normalize(sc.Instant())
	m.EditedAt, m.DeletedAt = nil, gorm.DeletedAt{}
	if err := m.Validate(); err != nil {
		return Draft{}, err
	}
	return Draft{m, keysOf(m, idGiven)}, embeddings.CheckOwn(ctx, sc, m)
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
func (k messageKey) matches(q *query.Query, user uuid.UUID) *query.Query {
	q.Add("user_id = ? AND ", user).Add(k.column).Add(" = ?", k.value)
	if k.conversation != uuid.Nil {
		q.Add(" AND conversation_id = ?", k.conversation)
	}
	return q
}

// AppendOne appends a message, with its vectors if it brings some.
func (s *Statements) AppendOne(ctx context.Context, sc scope.Scope, d Draft) (created bool, err error) {
	if len(d.Embeddings) == 0 {
		return s.appendMessage(ctx, sc, d)
	}
	err = sc.Transaction(ctx, func(tx *scope.Store) error {
		in := sc.In(tx)
		if created, err = s.appendMessage(ctx, in, d); err != nil || !created {
			return err
		}
		return embeddings.InsertOwn(in, query.On(ctx, tx.Writer), d.Embeddings)
	})
	return created && err == nil, err
}

// appendMessage is the hot path: on PostgreSQL one statement, on SQLite two in a
// transaction. A redelivery meets the unique index of its key, which passes over the row
// and is no error: that would leave dead rows and a line in the server's log.
func (s *Statements) appendMessage(ctx context.Context, sc scope.Scope, d Draft) (bool, error) {
	single, err := oneStatement(ctx, sc)
	if err != nil {
		return false, err
	}
	for try := 1; ; try++ {
		created, err := s.tryAppend(ctx, sc, d, single)
		if try == scope.MaxTries || !errors.Is(err, errNotWritten) {
			return created, err
		}
	}
}

// tryAppend returns errNotWritten if nothing stands in the way any more.
func (s *Statements) tryAppend(ctx context.Context, sc scope.Scope, d Draft, single bool) (created bool, err error) {
	if single {
		err = sc.Retry(ctx, func() (err error) {
			created, err = s.insertNext(query.On(ctx, sc.Writer), sc, d)
			return err
		})
	} else {
		err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
			created, err = s.takeAndInsert(query.On(ctx, tx.Writer), sc.In(tx), d)
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
	return false, explain(ctx, sc, d)
}

// errNotWritten undoes a seq that was taken for nothing, and asks for another try: what
// stood in the way, a message or the lack of the conversation, was erased or made meanwhile.
var errNotWritten = fmt.Errorf("%w: the conversation or a message of this key was erased and made again meanwhile", store.ErrConflict)

// explain says why an append wrote nothing: the message is there, or the conversation
// is not.
func explain(ctx context.Context, sc scope.Scope, d Draft) error {
	db := query.On(ctx, sc.Writer)
	for _, k := range d.Keys {
		q := query.New("SELECT " + record.MessageColumns + " FROM " + sc.Tables.Messages + " WHERE ")
		stored, err := query.All(db, k.matches(q, sc.User), record.MessageDest)
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			*d.Message = *stored[0]
			return nil
		}
	}
	if _, err := Get(sc, db, d.ConversationID); err != nil {
		return err
	}
	return errNotWritten
}

// statusAfter is the status that a message gives its conversation, empty if it leaves it
// as it is.
func statusAfter(d message.Direction) conversation.Status { return conversation.Status("").After(d) }

// insertMessages inserts messages that have their seqs.
func insertMessages(sc scope.Scope, db query.Conn, drafts []Draft) error {
	insert := "INSERT INTO " + sc.Tables.Messages + " (" + record.UserFirst + ") "
	for part := range portions(sc, drafts) {
		values, err := values(sc, record.MessageTypes, rowsOf(part))
		if err != nil {
			return err
		}
		if _, err := query.New(insert).Append(values).Exec(db); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf are the values of messages in the order of userFirst, but for the user.
func rowsOf(drafts []Draft) [][]any {
	rows := make([][]any, len(drafts))
	for i, d := range drafts {
		args := make([]any, 0, len(record.MessageTypes))
		rows[i] = record.MessageArgs(append(args, d.ID.String(), d.ConversationID.String(), d.Seq), d.Message)
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

// errTaken is for keys of messages, where which one it was cannot be told for sure.
var errTaken = fmt.Errorf("%w: the id or a key of a message is taken", store.ErrConflict)
