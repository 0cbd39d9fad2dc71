package bench

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// caseAppendStates appends a message with a key of state of the conversation, of its user and of
// the app. By hand that is one statement on PostgreSQL too, and one transaction on SQLite.
var caseAppendStates = workCase{name: "AppendStates", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
	j := live(i % f.conversations)
	return f.appendStates(ctx, f.userOf(j), id(kindConversation, j), newMessage(int64(i)), "step", strconv.AppendInt(nil, int64(i), 10))
}}

func BenchmarkAppendStates(b *testing.B) { compare(b, caseAppendStates) }

func (l library) appendStates(ctx context.Context, user, conversationID uuid.UUID, m *message.Message, key string, value []byte) error {
	step := store.StateMap{key: value}
	created, err := l.st.ForUser(user).Messages().AppendMany(ctx, conversationID, []*message.Message{m},
		store.AppendOptions{States: store.AppendStates{Conversation: step, User: step, App: step}})
	if err == nil && !created[0] {
		err = errStored
	}
	return err
}

// appendStatesPostgres is appendPostgres with three upserts. $23 is the key and $24 the value.
var appendStatesPostgres = func() string {
	one := strings.Replace(appendPostgres, "RETURNING last_seq)\nINSERT", "RETURNING last_seq, coalesce(app, '') AS app), m AS (INSERT", 1) + ")"
	for _, t := range []struct{ table, columns, values, key string }{
		{"conversation_states", "conversation_id, user_id", "$3, $2", "conversation_id, user_id, key"},
		{"conversation_user_states", "user_id, app", "$2, c.app", "user_id, app, key"},
		{"conversation_app_states", "app", "c.app", "app, key"},
	} {
		one += ", " + t.table + "_w AS (INSERT INTO " + t.table + " AS s (" + t.columns + ", key, value, updated_at) SELECT " + t.values +
			", $23, $24, $22 FROM c ON CONFLICT (" + t.key + ") DO UPDATE SET value = excluded.value, version = s.version + 1, updated_at = excluded.updated_at)"
	}
	return one + " SELECT seq FROM m"
}()

func (h handPostgres) appendStates(ctx context.Context, user, conversationID uuid.UUID, m *message.Message, key string, value []byte) error {
	if err := stamp(m, user, conversationID); err != nil {
		return err
	}
	err := h.pool.QueryRow(ctx, appendStatesPostgres, append(values(m, asText), key, value)...).Scan(&m.Seq)
	if err == pgx.ErrNoRows { //nolint:errorlint // pgx returns the very error
		return store.ErrNotFound
	}
	return err
}

func (h *handSQLite) appendStates(ctx context.Context, user, conversationID uuid.UUID, m *message.Message, key string, value []byte) error {
	if err := stamp(m, user, conversationID); err != nil {
		return err
	}
	tx, err := h.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	count := tx.StmtContext(ctx, h.count) //nolint:sqlclosecheck // ends with the transaction
	if err := count.QueryRowContext(ctx, conversationID.String(), user.String(), m.SentAt, m.UpdatedAt, m.Direction).Scan(&m.Seq); err != nil {
		return err
	}
	insert := tx.StmtContext(ctx, h.insert) //nolint:sqlclosecheck // ends with the transaction
	if _, err = insert.ExecContext(ctx, values(m, asText)...); err != nil {
		return err
	}
	for _, s := range h.states {
		state := tx.StmtContext(ctx, s) //nolint:sqlclosecheck // ends with the transaction
		if _, err = state.ExecContext(ctx, conversationID.String(), user.String(), key, value, m.UpdatedAt); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// statesSQLite takes the conversation, its user, the key, the value and the time.
func statesSQLite(table, columns, values, conflict string) string {
	return "INSERT INTO " + table + " AS s (" + columns + ", key, value, updated_at) SELECT " + values + ", ?3, ?4, ?5 FROM conversations WHERE id = ?1 AND user_id = ?2" +
		" ON CONFLICT (" + conflict + ") DO UPDATE SET value = excluded.value, version = s.version + 1, updated_at = excluded.updated_at"
}
