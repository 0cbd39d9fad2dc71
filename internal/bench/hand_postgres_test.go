package bench

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// handPostgres is pgx without a layer above it; it keeps its statements prepared.
type handPostgres struct{ pool *pgxpool.Pool }

var _ side = handPostgres{}

func openHandPostgres(ctx context.Context, dsn string) (side, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return handPostgres{pool}, err
}

func (h handPostgres) close() error {
	h.pool.Close()
	return nil
}

// appendPostgres counts, moves the status and the activity, and inserts, in one trip.
var appendPostgres = `WITH c AS (
	UPDATE conversations SET last_seq = last_seq + 1, updated_at = $22,
		last_message_at = CASE WHEN last_seq = 0 THEN $20 ELSE greatest(last_message_at, $20) END,
		status = CASE $6::text WHEN 'inbound' THEN 'needs_reply' WHEN 'outbound' THEN 'waiting' ELSE status END
	WHERE id = $3 AND user_id = $2 AND deleted_at IS NULL RETURNING last_seq)
INSERT INTO messages (` + strings.Join(insertColumns, ", ") + `)
SELECT $1, $2, $3, c.last_seq + $4, $5, ` + dollars(6, len(insertColumns)) + ` FROM c RETURNING seq`

func dollars(from, to int) string {
	all := make([]string, 0, to)
	for n := from; n <= to; n++ {
		all = append(all, "$"+strconv.Itoa(n))
	}
	return strings.Join(all, ", ")
}

func (h handPostgres) appendMessage(ctx context.Context, user, conversationID uuid.UUID, m *message.Message) error {
	if err := stamp(m, user, conversationID); err != nil {
		return err
	}
	err := h.pool.QueryRow(ctx, appendPostgres, values(m, asText)...).Scan(&m.Seq)
	var pgErr *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return store.ErrNotFound
	case errors.As(err, &pgErr) && pgErr.Code == "23505":
		return errors.Join(h.stored(ctx, m), errStored)
	}
	return err
}

// stored reads what a redelivery met.
func (h handPostgres) stored(ctx context.Context, m *message.Message) error {
	rs, err := h.pool.Query(ctx, `SELECT `+messageColumns+` FROM messages m
		WHERE conversation_id = $1 AND user_id = $2 AND idempotency_key = $3`, m.ConversationID, m.UserID, m.IdempotencyKey)
	if err != nil {
		return err
	}
	defer rs.Close()
	found, err := one(collect(rs, 1, scanMessage))
	if err == nil {
		*m = *found
	}
	return err
}

func (h handPostgres) last(ctx context.Context, user, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	rs, err := h.pool.Query(ctx, `SELECT * FROM (SELECT `+messageColumns+` FROM messages m
		WHERE conversation_id = $1 AND user_id = $2 AND deleted_at IS NULL
		AND (SELECT deleted_at IS NULL FROM conversations WHERE id = $1 AND user_id = $2)
		ORDER BY seq DESC LIMIT $3) t ORDER BY seq`, conversationID.String(), user.String(), n)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return collect(rs, n, scanMessage)
}

// list reads one row more, to know whether there is a next page.
func (h handPostgres) list(ctx context.Context, user uuid.UUID, n int) ([]*conversation.Conversation, error) {
	rs, err := h.pool.Query(ctx, `SELECT `+conversationColumns+` FROM conversations
		WHERE user_id = $1 AND deleted_at IS NULL ORDER BY last_message_at DESC, id DESC LIMIT $2`, user.String(), n+1)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all, err := collect(rs, n+1, scanConversation)
	return all[:min(n, len(all))], err
}

// thread sends its three queries in one trip.
func (h handPostgres) thread(ctx context.Context, user, conversationID uuid.UUID) (*conversation.Conversation, error) {
	b := new(pgx.Batch)
	b.Queue(`SELECT `+conversationColumns+` FROM conversations
		WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL`, conversationID.String(), user.String())
	b.Queue(`SELECT `+messageColumns+` FROM messages m
		WHERE conversation_id = $1 AND user_id = $2 AND deleted_at IS NULL ORDER BY seq`, conversationID.String(), user.String())
	b.Queue(`SELECT `+suggestionColumns+` FROM ai_suggestions
		WHERE conversation_id = $1 AND user_id = $2 AND deleted_at IS NULL ORDER BY created_at, id`, conversationID.String(), user.String())
	results := h.pool.SendBatch(ctx, b)
	defer results.Close() //nolint:errcheck // the queries' own errors say what matters
	c, err := one(next(results, 1, scanConversation))
	if err != nil {
		return nil, err
	}
	if c.Messages, err = next(results, int(c.LastSeq), scanMessage); err != nil {
		return nil, err
	}
	c.Suggestions, err = next(results, 4, scanSuggestion)
	return c, err
}

func next[T any](results pgx.BatchResults, capacity int, scan func(row) (*T, error)) ([]*T, error) {
	rs, err := results.Query()
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return collect(rs, capacity, scan)
}

func (h handPostgres) get(ctx context.Context, user, messageID uuid.UUID) (*message.Message, error) {
	rs, err := h.pool.Query(ctx, `SELECT `+messageColumns+` FROM messages m
		WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL AND `+liveConversation, messageID.String(), user.String())
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return one(collect(rs, 1, scanMessage))
}

func (h handPostgres) approve(ctx context.Context, user, suggestionID uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
	rs, err := h.pool.Query(ctx, `UPDATE ai_suggestions s
		SET status = 'approved', reviewed_by = $3, feedback = $4, reviewed_at = $5, updated_at = $5
		WHERE id = $1 AND user_id = $2 AND status = 'pending' AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM conversations c
			WHERE c.id = s.conversation_id AND c.user_id = s.user_id AND c.deleted_at IS NULL)
		RETURNING `+suggestionColumns, suggestionID.String(), user.String(), null(r.By), null(r.Feedback), message.Now())
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return one(collect(rs, 1, scanSuggestion))
}
