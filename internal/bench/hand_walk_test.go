package bench

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// walkQuery reads a conversation from its beginning, or a user's messages, with one query
// that stays open while the rows are handed out.
func walkQuery(user, conversationID uuid.UUID) (query string, args []any) {
	query = `SELECT ` + messageColumns + ` FROM messages m WHERE user_id = $1 AND deleted_at IS NULL AND ` + liveConversation
	if conversationID == uuid.Nil {
		return query + ` ORDER BY created_at, id`, []any{user}
	}
	return query + ` AND conversation_id = $2 ORDER BY seq`, []any{user, conversationID}
}

func (h handPostgres) walk(ctx context.Context, user, conversationID uuid.UUID, each func(*message.Message) error) error {
	query, args := walkQuery(user, conversationID)
	rs, err := h.pool.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rs.Close()
	return handOut(rs, each)
}

func (h *handSQLite) walk(ctx context.Context, user, conversationID uuid.UUID, each func(*message.Message) error) error {
	query, args := walkQuery(user, conversationID)
	rs, err := h.reader.QueryContext(ctx, query, args...) //nolint:rowserrcheck // handOut asks
	if err != nil {
		return err
	}
	defer rs.Close()
	return handOut(rs, each)
}

func handOut(rs rows, each func(*message.Message) error) error {
	for rs.Next() {
		m, err := scanMessage(rs)
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
	}
	return rs.Err()
}
