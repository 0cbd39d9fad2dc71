package store

import (
	"context"
	"iter"
	"strings"
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
	created, err := sc.appendOne(ctx, d)
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
func (sc scope) appendOne(ctx context.Context, d draft) (created bool, err error) {
	if len(d.Embeddings) == 0 {
		return sc.appendMessage(ctx, d)
	}
	err = sc.transaction(ctx, func(tx *store) error {
		in := sc.in(tx)
		if created, err = in.appendMessage(ctx, d); err != nil || !created {
			return err
		}
		return in.insertOwn(session(ctx, tx.writer), []draft{d})
	})
	return created && err == nil, err
}

// appendMessage is the hot path: on PostgreSQL one statement, on SQLite two in a
// transaction. A redelivery runs into a unique index, which undoes all of it, so that no
// seq is lost. PostgreSQL looks for one first, whose update then finds nothing: an error
// there would leave dead rows and a line in the server's log. SQLite would pay for the
// look with each append, and undoes an append for nothing.
func (sc scope) appendMessage(ctx context.Context, d draft) (bool, error) {
	var found bool
	write := func(in scope) (err error) {
		found, err = in.insertNext(session(ctx, in.writer), d)
		return err
	}
	var err error
	switch {
	case !sc.dialect.OneStatementAppend():
		err = sc.transaction(ctx, func(tx *store) error { return write(sc.in(tx)) })
	case len(d.keys) == 0:
		err = sc.retry(ctx, func() error { return write(sc) })
	default:
		err = sc.guarded(ctx, func() error { return write(sc) })
	}
	if err == nil && found {
		return true, nil
	}
	if err != nil && dialect.KindOf(err) != dialect.Unique {
		return false, err
	}
	return false, sc.explain(ctx, d, err)
}

// explain says why an append wrote nothing: the message is there, or the conversation
// is not.
func (sc scope) explain(ctx context.Context, d draft, cause error) error {
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
	if cause != nil {
		return errTaken
	}
	return ErrNotFound
}

// insertNext takes the next seq of the conversation and inserts m with it. It returns
// false and writes nothing if the conversation is not there or a key is.
func (sc scope) insertNext(db conn, d draft) (bool, error) {
	// Room for the whole statement: this is the path that is gone most often.
	q := &query{sql: make([]byte, 0, 2048), args: make([]any, 0, 40)}
	if sc.dialect.OneStatementAppend() {
		sc.unlessStored(sc.nextSeq(q.add("WITH c AS ("), d), d).
			add(" RETURNING id, user_id, last_seq) INSERT INTO ").add(sc.tables.messages).
			add(" ("+messageColumns+") SELECT ?, c.user_id, c.id, c.last_seq, ", d.ID.String()).add(messageMarks).
			add(" FROM c RETURNING seq")
		q.args = messageArgs(q.args, d.Message)
		return q.row(db, &d.Seq)
	}
	found, err := sc.nextSeq(q, d).add(" RETURNING last_seq").row(db, &d.Seq)
	if err != nil || !found {
		return false, err
	}
	err = sc.insertMessages(db, []draft{d})
	return err == nil, err
}

// nextSeq is the update that locks the conversation, takes a seq and moves status and
// activity along.
func (sc scope) nextSeq(q *query, m draft) *query {
	var sentAt any = m.SentAt
	q.add("UPDATE ").add(sc.tables.conversations).add(" SET last_seq = last_seq + 1, status = COALESCE(?, status), "+
		"last_message_at = CASE WHEN last_seq = 0 THEN ? ELSE ", null(string(statusAfter(m.Direction))), sentAt).
		add(sc.dialect.Greatest()).add("(last_message_at, ?) END, updated_at = ? WHERE id = ? AND user_id = ? AND deleted_at IS NULL",
		sentAt, sc.instant(), m.ConversationID.String(), sc.user.String())
	return q
}

// unlessStored lets an update pass over a conversation for a redelivery.
func (sc scope) unlessStored(q *query, m draft) *query {
	for _, k := range m.keys {
		k.matches(q.add(" AND NOT EXISTS (SELECT 1 FROM ").add(sc.tables.messages).add(" WHERE "), sc.user).add(")")
	}
	return q
}

// statusAfter is the status that a message gives its conversation, empty if it leaves it
// as it is.
func statusAfter(d message.Direction) conversation.Status { return conversation.Status("").After(d) }

// messageMarks are for messageArgs.
var messageMarks = marks(20)

// marks returns n question marks.
func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// userFirst are messageColumns in the order of scope.values.
var userFirst = "user_id, " + strings.Replace(messageColumns, "user_id, ", "", 1)

// messageTypes are those of userFirst on PostgreSQL, but for user_id.
var messageTypes = []string{
	"uuid", "uuid", "bigint", "text", "text", "text", "text", "text",
	"text", "text", "text", "text", "text", "jsonb", "jsonb",
	"jsonb", "jsonb", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
}

// insertMessages inserts messages that have their seqs.
func (sc scope) insertMessages(db conn, drafts []draft) error {
	insert := "INSERT INTO " + sc.tables.messages + " (" + userFirst + ") "
	for part := range sc.portions(drafts) {
		rows := make([][]any, len(part))
		for i, d := range part {
			args := make([]any, 0, len(messageTypes))
			rows[i] = messageArgs(append(args, d.ID.String(), d.ConversationID.String(), d.Seq), d.Message)
		}
		values, err := sc.values(messageTypes, rows)
		if err != nil {
			return err
		}
		if _, err := newQuery(insert).addQuery(values).exec(db); err != nil {
			return err
		}
	}
	return nil
}

// portions cuts messages into as many as go into a statement. Their texts are bounded as
// well, since the driver copies them.
func (sc scope) portions(drafts []draft) iter.Seq[[]draft] {
	const most = 4 << 20
	rows := sc.dialect.RowsPerInsert()
	return func(yield func([]draft) bool) {
		first, size := 0, 0
		for i, d := range drafts {
			if i > first && (i-first == rows || size > most) {
				if !yield(drafts[first:i]) {
					return
				}
				first, size = i, 0
			}
			size += len(d.Content)
		}
		if first < len(drafts) {
			yield(drafts[first:])
		}
	}
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
