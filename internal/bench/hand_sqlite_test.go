package bench

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver of the hand-written side

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// handSQLite has one writer and a pool of readers, and all its statements prepared. They
// are closed with their pools; those of a transaction end with it.
type handSQLite struct {
	writer, reader *sql.DB

	count, countMany, insert, approveOne *sql.Stmt
	// states write one key of the conversation, of the user and of the app.
	states [3]*sql.Stmt

	lastN, listN, overviewN, getOne, conversation, messages, suggestions *sql.Stmt
}

var _ side = (*handSQLite)(nil)

// sqliteDSN has the settings that package store/sqlite gives a file.
func sqliteDSN(path string) string {
	return "file:" + path + "?_txlock=immediate&_time_format=sqlite&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
}

func openHandSQLite(ctx context.Context, path string) (side, error) {
	h := new(handSQLite)
	var err error
	if h.writer, err = sql.Open("sqlite", sqliteDSN(path)); err != nil {
		return nil, err
	}
	h.writer.SetMaxOpenConns(1)
	if h.reader, err = sql.Open("sqlite", sqliteDSN(path)+"&_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	h.reader.SetMaxOpenConns(connections)
	h.reader.SetMaxIdleConns(connections)
	err = h.prepare(ctx)
	return h, err
}

func (h *handSQLite) close() error { return errors.Join(h.reader.Close(), h.writer.Close()) }

func (h *handSQLite) prepare(ctx context.Context) error {
	for _, p := range []struct {
		into *(*sql.Stmt)
		on   *sql.DB
		text string
	}{
		{&h.count, h.writer, `UPDATE conversations SET last_seq = last_seq + 1, updated_at = ?4,
			last_message_at = CASE WHEN last_seq = 0 THEN ?3 ELSE max(last_message_at, ?3) END,
			status = CASE ?5 WHEN 'inbound' THEN 'needs_reply' WHEN 'outbound' THEN 'waiting' ELSE status END
			WHERE id = ?1 AND user_id = ?2 AND deleted_at IS NULL RETURNING last_seq`},
		{&h.countMany, h.writer, `UPDATE conversations SET last_seq = last_seq + ?6, updated_at = ?4,
			last_message_at = CASE WHEN last_seq = 0 THEN ?3 ELSE max(last_message_at, ?3) END,
			status = CASE ?5 WHEN 'inbound' THEN 'needs_reply' WHEN 'outbound' THEN 'waiting' ELSE status END
			WHERE id = ?1 AND user_id = ?2 AND deleted_at IS NULL RETURNING last_seq`},
		{&h.insert, h.writer, `INSERT INTO messages (` + strings.Join(insertColumns, ", ") + `)
			VALUES (?` + strings.Repeat(", ?", len(insertColumns)-1) + `)`},
		{&h.approveOne, h.writer, `UPDATE ai_suggestions AS s
			SET status = 'approved', reviewed_by = ?3, feedback = ?4, reviewed_at = ?5, updated_at = ?5
			WHERE id = ?1 AND user_id = ?2 AND status = 'pending' AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM conversations c
				WHERE c.id = s.conversation_id AND c.user_id = s.user_id AND c.deleted_at IS NULL)
			RETURNING ` + suggestionColumns},
		{&h.states[0], h.writer, statesSQLite("conversation_states", "conversation_id, user_id", "id, user_id", "conversation_id, user_id, key")},
		{&h.states[1], h.writer, statesSQLite("conversation_user_states", "user_id, app", "user_id, coalesce(app, '')", "user_id, app, key")},
		{&h.states[2], h.writer, statesSQLite("conversation_app_states", "app", "coalesce(app, '')", "app, key")},
		{&h.lastN, h.reader, `SELECT ` + messageColumns + ` FROM messages m
			WHERE conversation_id = ?1 AND user_id = ?2 AND deleted_at IS NULL
			AND (SELECT deleted_at IS NULL FROM conversations WHERE id = ?1 AND user_id = ?2)
			ORDER BY seq DESC LIMIT ?3`},
		{&h.listN, h.reader, `SELECT ` + conversationColumns + ` FROM conversations
			WHERE user_id = ?1 AND deleted_at IS NULL ORDER BY last_message_at DESC, id DESC LIMIT ?2`},
		{&h.overviewN, h.reader, overviewSQLite},
		{&h.getOne, h.reader, `SELECT ` + messageColumns + ` FROM messages m
			WHERE id = ?1 AND user_id = ?2 AND deleted_at IS NULL AND ` + liveConversation},
		{&h.conversation, h.reader, `SELECT ` + conversationColumns + ` FROM conversations
			WHERE id = ?1 AND user_id = ?2 AND deleted_at IS NULL`},
		{&h.messages, h.reader, `SELECT ` + messageColumns + ` FROM messages m
			WHERE conversation_id = ?1 AND user_id = ?2 AND deleted_at IS NULL ORDER BY seq`},
		{&h.suggestions, h.reader, `SELECT ` + suggestionColumns + ` FROM ai_suggestions
			WHERE conversation_id = ?1 AND user_id = ?2 AND deleted_at IS NULL ORDER BY created_at, id`},
	} {
		var err error
		if *p.into, err = p.on.PrepareContext(ctx, p.text); err != nil { //nolint:sqlclosecheck // closed with the pool
			return err
		}
	}
	return nil
}

func (h *handSQLite) appendMessage(ctx context.Context, user, conversationID uuid.UUID, m *message.Message) error {
	if err := stamp(m, user, conversationID); err != nil {
		return err
	}
	tx, err := h.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	count := tx.StmtContext(ctx, h.count) //nolint:sqlclosecheck // ends with the transaction
	err = count.QueryRowContext(ctx, conversationID.String(), user.String(), m.SentAt, m.UpdatedAt, m.Direction).Scan(&m.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	insert := tx.StmtContext(ctx, h.insert) //nolint:sqlclosecheck // ends with the transaction
	if _, err = insert.ExecContext(ctx, values(m, asText)...); err != nil {
		return err
	}
	return tx.Commit()
}

func query[T any](ctx context.Context, s *sql.Stmt, capacity int, scan func(row) (*T, error), args ...any) ([]*T, error) {
	rs, err := s.QueryContext(ctx, args...) //nolint:rowserrcheck // collect asks
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return collect(rs, capacity, scan)
}

func (h *handSQLite) last(ctx context.Context, user, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	ms, err := query(ctx, h.lastN, n, scanMessage, conversationID.String(), user.String(), n)
	for i, j := 0, len(ms)-1; i < j; i, j = i+1, j-1 {
		ms[i], ms[j] = ms[j], ms[i]
	}
	return ms, err
}

func (h *handSQLite) list(ctx context.Context, user uuid.UUID, n int) ([]*conversation.Conversation, error) {
	all, err := query(ctx, h.listN, n+1, scanConversation, user.String(), n+1)
	return all[:min(n, len(all))], err
}

func (h *handSQLite) thread(ctx context.Context, user, conversationID uuid.UUID) (*conversation.Conversation, error) {
	c, err := one(query(ctx, h.conversation, 1, scanConversation, conversationID.String(), user.String()))
	if err != nil {
		return nil, err
	}
	if c.Messages, err = query(ctx, h.messages, int(c.LastSeq), scanMessage, conversationID.String(), user.String()); err != nil {
		return nil, err
	}
	c.Suggestions, err = query(ctx, h.suggestions, 4, scanSuggestion, conversationID.String(), user.String())
	return c, err
}

func (h *handSQLite) get(ctx context.Context, user, messageID uuid.UUID) (*message.Message, error) {
	return one(query(ctx, h.getOne, 1, scanMessage, messageID.String(), user.String()))
}

func (h *handSQLite) approve(ctx context.Context, user, suggestionID uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
	return one(query(ctx, h.approveOne, 1, scanSuggestion, suggestionID.String(), user.String(), null(r.By), null(r.Feedback), message.Now()))
}
