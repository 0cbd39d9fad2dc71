package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// stampAll gives what an append gives to each, the seqs aside, and tells the time and the
// direction that the conversation gets by them.
func stampAll(ms []*message.Message, user, conversationID uuid.UUID) (sentAt time.Time, direction string, err error) {
	for _, m := range ms {
		if err := stamp(m, user, conversationID); err != nil {
			return sentAt, direction, err
		}
		if m.SentAt.After(sentAt) {
			sentAt = m.SentAt
		}
		if m.Direction != message.DirectionNone {
			direction = string(m.Direction)
		}
	}
	return sentAt, direction, nil
}

// insertTypes are those of insertColumns on PostgreSQL.
var insertTypes = strings.Fields("uuid uuid uuid bigint text text text text text text text text text text " +
	"jsonb jsonb jsonb jsonb jsonb timestamptz timestamptz timestamptz")

// appendManyPostgres is one statement too: the rows come as one array for each column. The
// seq in them is the place in the call.
var appendManyPostgres = func() string {
	arrays := make([]string, len(insertColumns))
	for i, kind := range insertTypes {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+7, kind)
	}
	columns := strings.Join(insertColumns, ", ")
	return `WITH c AS (
	UPDATE conversations SET last_seq = last_seq + $6, updated_at = $4,
		last_message_at = CASE WHEN last_seq = 0 THEN $3 ELSE greatest(last_message_at, $3) END,
		status = CASE $5::text WHEN 'inbound' THEN 'needs_reply' WHEN 'outbound' THEN 'waiting' ELSE status END
	WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING last_seq - $6 AS before),
i AS (INSERT INTO messages (` + columns + `)
	SELECT ` + strings.Replace("n."+strings.Join(insertColumns, ", n."), "n.seq", "c.before + n.seq", 1) + `
	FROM c, unnest(` + strings.Join(arrays, ", ") + `) AS n (` + columns + `))
SELECT before FROM c`
}()

func (h handPostgres) appendMany(ctx context.Context, user, conversationID uuid.UUID, ms []*message.Message) error {
	sentAt, direction, err := stampAll(ms, user, conversationID)
	if err != nil {
		return err
	}
	for i, m := range ms {
		m.Seq = int64(i + 1)
	}
	var before int64
	args := append([]any{conversationID, user, sentAt, message.Now(), direction, len(ms)}, columnsOf(ms)...)
	err = h.pool.QueryRow(ctx, appendManyPostgres, args...).Scan(&before)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNotFound
	}
	for _, m := range ms {
		m.Seq += before
	}
	return err
}

// columnsOf turns rows into a slice for each column.
func columnsOf(ms []*message.Message) []any {
	text := func(of func(m *message.Message) string) []*string {
		all := make([]*string, len(ms))
		for i, m := range ms {
			if s := of(m); s != "" {
				all[i] = &s
			}
		}
		return all
	}
	return []any{
		column(ms, func(m *message.Message) uuid.UUID { return m.ID }),
		column(ms, func(m *message.Message) uuid.UUID { return m.UserID }),
		column(ms, func(m *message.Message) uuid.UUID { return m.ConversationID }),
		column(ms, func(m *message.Message) int64 { return m.Seq }),
		column(ms, func(m *message.Message) string { return string(m.Role) }),
		text(func(m *message.Message) string { return string(m.Direction) }),
		column(ms, func(m *message.Message) string { return m.Content }),
		text(func(m *message.Message) string { return m.SenderEmail }),
		text(func(m *message.Message) string { return m.RecipientEmail }),
		text(func(m *message.Message) string { return m.PostmarkMessageID }),
		text(func(m *message.Message) string { return m.GmailMessageID }),
		text(func(m *message.Message) string { return m.GmailThreadID }),
		text(func(m *message.Message) string { return m.EmailMessageID }),
		text(func(m *message.Message) string { return m.IdempotencyKey }),
		column(ms, func(m *message.Message) message.Headers { return m.Headers }),
		column(ms, func(m *message.Message) message.Attachments { return m.Attachments }),
		column(ms, func(m *message.Message) message.JSON { return m.ToolCalls }),
		column(ms, func(m *message.Message) message.JSON { return m.ToolResults }),
		column(ms, func(m *message.Message) message.JSON { return m.Metadata }),
		column(ms, func(m *message.Message) time.Time { return m.SentAt }),
		column(ms, func(m *message.Message) time.Time { return m.CreatedAt }),
		column(ms, func(m *message.Message) time.Time { return m.UpdatedAt }),
	}
}

func column[T any](ms []*message.Message, of func(m *message.Message) T) []T {
	all := make([]T, len(ms))
	for i, m := range ms {
		all[i] = of(m)
	}
	return all
}

// appendMany counts once and inserts one by one, with no trip to a server between.
func (h *handSQLite) appendMany(ctx context.Context, user, conversationID uuid.UUID, ms []*message.Message) error {
	sentAt, direction, err := stampAll(ms, user, conversationID)
	if err != nil {
		return err
	}
	tx, err := h.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var last int64
	count := tx.StmtContext(ctx, h.countMany) //nolint:sqlclosecheck // ends with the transaction
	err = count.QueryRowContext(ctx, conversationID, user, sentAt, message.Now(), direction, len(ms)).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	insert := tx.StmtContext(ctx, h.insert) //nolint:sqlclosecheck // ends with the transaction
	for i, m := range ms {
		m.Seq = last - int64(len(ms)-1-i)
		if _, err = insert.ExecContext(ctx, values(m, asText)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
