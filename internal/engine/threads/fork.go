package threads

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Fork(ctx context.Context, conversationID uuid.UUID, o store.ForkOptions) (*conversation.Conversation, error) {
	if o.AtSeq < 0 {
		return nil, rule.Invalid("at_seq", "is negative")
	}
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return nil, query.Wrap("fork", err)
	}
	if err := sc.GiveID(&o.ID); err != nil {
		return nil, err
	}
	var forked *conversation.Conversation
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		forked, err = fork(ctx, sc.In(tx), conversationID, o)
		return err
	})
	if err != nil {
		return nil, query.Wrap("fork", err)
	}
	sc.Noted(ctx, 1+int(forked.LastSeq), 0)
	return forked, nil
}

// fork copies a path. The lock of the original keeps the path as it is until the copy is there.
func fork(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, o store.ForkOptions) (*conversation.Conversation, error) {
	db := query.On(ctx, sc.Writer)
	origin, err := lockWhole(sc, db, conversationID)
	if err != nil {
		return nil, err
	}
	end := cmp.Or(o.AtSeq, headSeq(origin))
	if o.AtSeq > 0 {
		if err := hasSeq(sc, db, conversationID, end); err != nil {
			return nil, err
		}
	}
	p := lockedPath{sc: sc, db: db, conversation: origin, end: end}
	originals, err := p.originals()
	if err != nil {
		return nil, err
	}
	c, err := insertFork(ctx, p, originals, o)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(originals, 500) {
		if err := copyPart(p, c.ID, part); err != nil {
			return nil, err
		}
	}
	if err := embeddings.GiveLists(sc, db, c.ID); err != nil {
		return nil, err
	}
	_, err = query.New("INSERT INTO "+sc.Tables.Of(record.States)+" (conversation_id, user_id, key, value, version, updated_at) SELECT "+
		sc.Dialect.Param("uuid")+", user_id, key, value, version, updated_at FROM "+sc.Tables.Of(record.States)+
		" WHERE conversation_id = ? AND user_id = ?", c.ID, conversationID, sc.User).Exec(db)
	return c, err
}

// original is a message that is copied, with what moves the copy's conversation, and the id and the
// seq of the copy.
type original struct {
	message.Message
	copy    uuid.UUID
	seq     int64
	hasText bool
}

// originals reads which messages of a path are copied.
func (p lockedPath) originals() ([]*original, error) {
	q := p.rows("m.id, m.sent_at, m.created_at, m.updated_at, m.kind, m.direction, m.delivery, m.state, m.content <> ''").
		Add(" AND m.deleted_at IS NULL ORDER BY m.seq")
	rows, err := query.All(p.db, q, func(o *original) []any {
		return []any{
			&o.ID, (*record.Instant)(&o.SentAt), (*record.Instant)(&o.CreatedAt), (*record.Instant)(&o.UpdatedAt),
			&o.Kind, &o.Direction, &o.Delivery, &o.State, &o.hasText,
		}
	})
	for i, o := range rows {
		o.seq = int64(i) + 1
		if o.hasText {
			o.Content = "some"
		}
		if o.State == message.StateStreaming {
			o.State = message.StateInterrupted // as forkedColumns has it
		}
		if o.Delivery == message.DeliveryQueued {
			o.Delivery = message.DeliveryNone
		}
		if err := p.sc.GiveID(&o.copy); err != nil {
			return nil, err
		}
	}
	return rows, err
}

// insertFork inserts the conversation of a fork as it is once its messages are there.
func insertFork(ctx context.Context, p lockedPath, originals []*original, o store.ForkOptions) (*conversation.Conversation, error) {
	now, from := p.sc.Instant(), p.conversation
	c := &conversation.Conversation{
		ID: o.ID, UserID: p.sc.User, App: from.App, LeadID: from.LeadID, ExternalKey: o.ExternalKey,
		Title: cmp.Or(o.Title, from.Title), Subject: from.Subject, Metadata: from.Metadata,
		ForkedFromID: &from.ID, ForkedFromSeq: &p.end,
	}
	p.sc.Clean.Model(c)
	thread := newThreadState(c)
	for _, row := range originals {
		thread.add(&row.Message, now)
	}
	thread.apply(c)
	c.Normalize(now)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := p.sc.CheckSize("conversation", c.Size()); err != nil {
		return nil, err
	}
	return c, insertConversation(ctx, p.sc, c, "")
}

// forkedColumns are what a copy has in a column where it is not what the original has.
var forkedColumns = map[string]string{
	"id": "v.copy_id", "seq": "v.seq",
	"parent_seq": "NULL", "postmark_message_id": "NULL", "gmail_message_id": "NULL", "gmail_thread_id": "NULL", "email_message_id": "NULL",
	"fence": "NULL", "heartbeat_at": "NULL", "revision": "0", "change_seq": "NULL",
	"state":    "CASE m.state WHEN 'streaming' THEN 'interrupted' ELSE m.state END",
	"delivery": "CASE m.delivery WHEN 'queued' THEN NULL ELSE m.delivery END",
}

// copyPart copies messages with their vectors into another conversation, in the database.
func copyPart(p lockedPath, conversationID uuid.UUID, part []*original) error {
	rows := make([][]any, len(part))
	for i, o := range part {
		rows[i] = []any{o.ID.String(), o.copy.String(), o.seq}
	}
	copied := func(insert string, columns []string, from string) error {
		source, err := rowSource(p.sc, []string{"uuid", "uuid", "bigint"}, rows)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, original_id, copy_id, seq) AS (").Append(source).Add(") "+insert+" SELECT ").
			Add(strings.Join(columns, ", "), conversationID).Add(" FROM v CROSS JOIN "+from, p.sc.User)
		_, err = q.Exec(p.db)
		return err
	}
	in := p.sc.Dialect.Param("uuid")
	columns := strings.Split(record.MessageColumns, ", ")
	for i, column := range columns {
		columns[i] = cmp.Or(forkedColumns[column], "m."+column)
		if column == "conversation_id" {
			columns[i] = in
		}
	}
	err := copied("INSERT INTO "+p.sc.Tables.Messages+" ("+record.MessageColumns+")", columns,
		p.sc.Tables.Messages+" m WHERE m.id = v.original_id AND m.user_id = ?")
	if err != nil {
		return err
	}
	return copied("INSERT INTO "+p.sc.Tables.Embeddings+" ("+record.EmbeddingColumns+")",
		[]string{"v.copy_id", "e.user_id", "e.model", in, "e.embedding", "e.created_at"},
		p.sc.Tables.Embeddings+" e WHERE e.message_id = v.original_id AND e.user_id = ?")
}
