package bench

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// tally is what an import makes of a conversation.
type tally struct {
	lastSeq int64
	lastAt  time.Time
	status  string
}

// number gives a message its seq and moves its conversation on.
func number(m *message.Message, tallies map[uuid.UUID]*tally) error {
	t := tallies[m.ConversationID]
	if t == nil {
		return errEmpty
	}
	if err := stamp(m, m.UserID, m.ConversationID); err != nil {
		return err
	}
	if t.lastSeq == 0 || m.SentAt.After(t.lastAt) {
		t.lastAt = m.SentAt
	}
	t.lastSeq++
	m.Seq = t.lastSeq
	t.status = string(conversation.Status(t.status).After(m.Direction))
	return nil
}

// importAll copies, which is the fastest there is, but breaks off at a duplicate. The
// rows go out as they are made.
func (h handPostgres) importAll(ctx context.Context, user uuid.UUID, n int, made func(i int) *message.Message) error {
	return pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		tallies, err := lockConversations(ctx, tx, user)
		if err != nil {
			return err
		}
		i := 0
		source := pgx.CopyFromFunc(func() ([]any, error) {
			if i == n {
				return nil, nil
			}
			m := made(i)
			i++
			if err := number(m, tallies); err != nil {
				return nil, err
			}
			return values(m, asBytes), nil
		})
		if _, err = tx.CopyFrom(ctx, pgx.Identifier{"messages"}, insertColumns, source); err != nil {
			return err
		}
		return saveTallies(ctx, tx, user, tallies)
	})
}

func lockConversations(ctx context.Context, tx pgx.Tx, user uuid.UUID) (map[uuid.UUID]*tally, error) {
	rs, err := tx.Query(ctx, `SELECT id, last_seq, last_message_at, status FROM conversations
		WHERE user_id = $1 AND deleted_at IS NULL ORDER BY id FOR UPDATE`, user)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return readTallies(rs)
}

func readTallies(rs rows) (map[uuid.UUID]*tally, error) {
	tallies := make(map[uuid.UUID]*tally)
	for rs.Next() {
		var key uuid.UUID
		t := new(tally)
		if err := rs.Scan(&key, &t.lastSeq, &t.lastAt, &t.status); err != nil {
			return nil, err
		}
		tallies[key] = t
	}
	return tallies, rs.Err()
}

func saveTallies(ctx context.Context, tx pgx.Tx, user uuid.UUID, tallies map[uuid.UUID]*tally) error {
	var (
		ids      []uuid.UUID
		seqs     []int64
		times    []time.Time
		statuses []string
	)
	for key, t := range tallies {
		ids, seqs, times, statuses = append(ids, key), append(seqs, t.lastSeq), append(times, t.lastAt), append(statuses, t.status)
	}
	_, err := tx.Exec(ctx, `UPDATE conversations c SET last_seq = n.seq, last_message_at = n.at, status = n.status, updated_at = $6
		FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[]) AS n (id, seq, at, status)
		WHERE c.id = n.id AND c.user_id = $5`, ids, seqs, times, statuses, user, message.Now())
	return err
}

// importAll is one transaction with one prepared insert.
func (h *handSQLite) importAll(ctx context.Context, user uuid.UUID, n int, made func(i int) *message.Message) error {
	tx, err := h.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const states = `SELECT id, last_seq, last_message_at, status FROM conversations WHERE user_id = ? AND deleted_at IS NULL`
	rs, err := tx.QueryContext(ctx, states, user) //nolint:rowserrcheck // readTallies asks
	if err != nil {
		return err
	}
	defer rs.Close()
	tallies, err := readTallies(rs)
	if err != nil {
		return err
	}
	insert := tx.StmtContext(ctx, h.insert) //nolint:sqlclosecheck // ends with the transaction
	for i := range n {
		m := made(i)
		if err := number(m, tallies); err != nil {
			return err
		}
		if _, err = insert.ExecContext(ctx, values(m, asText)...); err != nil {
			return err
		}
	}
	for key, t := range tallies {
		if _, err = tx.ExecContext(ctx, `UPDATE conversations SET last_seq = ?, last_message_at = ?, status = ?, updated_at = ?
			WHERE id = ? AND user_id = ?`, t.lastSeq, t.lastAt, t.status, message.Now(), key, user); err != nil {
			return err
		}
	}
	return tx.Commit()
}
