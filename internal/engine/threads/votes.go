package threads

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

const voteColumns = "message_id, user_id, voter, value, comment, created_at, updated_at"

func voteDest(v *message.Vote) []any {
	return []any{
		&v.MessageID, &v.UserID, (*record.Text)(&v.Voter), &v.Value, (*record.Text)(&v.Comment),
		(*record.Instant)(&v.CreatedAt), (*record.Instant)(&v.UpdatedAt),
	}
}

func (s messages) Vote(ctx context.Context, messageID uuid.UUID, v message.Vote) (*message.Vote, error) {
	if v.MessageID != uuid.Nil || v.UserID != uuid.Nil || !v.CreatedAt.IsZero() || !v.UpdatedAt.IsZero() {
		return nil, rule.Invalid("vote", "has more than a voter, a value and a comment")
	}
	s.sc.Clean.Model(&v)
	if err := check.First(check.Name("voter", v.Voter), s.sc.CheckSize("vote", len(v.Comment))); err != nil {
		return nil, err
	}
	sc, err := s.ownerOf(ctx, messageID)
	if err != nil {
		return nil, query.Wrap("vote", err)
	}
	valid := v
	valid.MessageID, valid.UserID = messageID, sc.User
	if valid.MessageID == uuid.Nil {
		return nil, store.ErrNotFound
	}
	valid.Normalize(sc.Instant())
	if err := valid.Validate(); err != nil {
		return nil, err
	}
	q := upsertVote(sc, &valid)
	var stored *message.Vote
	err = sc.Single(ctx, func(on *scope.Store) (err error) {
		stored, err = query.One(query.On(ctx, on.Writer), q, voteDest)
		return err
	})
	if err != nil {
		return nil, query.Wrap("vote", err)
	}
	return stored, nil
}

// upsertVote stores a vote on a live message, which no purge removes until the statement ends.
func upsertVote(sc scope.Scope, v *message.Vote) *query.Query {
	d := sc.Dialect
	at := d.Param("timestamptz")
	q := query.New("INSERT INTO "+sc.Tables.Votes+" AS v ("+voteColumns+") SELECT m.id, m.user_id, "+
		d.Param("text")+", "+d.Param("integer")+", "+d.Param("text")+", "+at+", "+at+" FROM (SELECT id, user_id FROM "+sc.Tables.Messages+
		" m WHERE id = ? AND user_id = ? AND deleted_at IS NULL", v.Voter, v.Value, record.Null(v.Comment), v.CreatedAt, v.UpdatedAt, v.MessageID, v.UserID)
	return sc.InLive(q, "m.").Add(d.LockKeyShare("m") + ") m WHERE 1 = 1 ON CONFLICT (message_id, user_id, voter) DO UPDATE SET " +
		"value = excluded.value, comment = excluded.comment, updated_at = excluded.updated_at RETURNING " + voteColumns)
}

// ownerOf narrows the scope to the owner of a message that a write is about.
func (s messages) ownerOf(ctx context.Context, messageID uuid.UUID) (scope.Scope, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return s.sc, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Messages, messageID)
	return s.sc.As(owner), err
}

func (s messages) Unvote(ctx context.Context, messageID uuid.UUID, voter string) error {
	s.sc.Clean.Text(&voter)
	if err := check.Name("voter", voter); err != nil {
		return err
	}
	sc, err := s.ownerOf(ctx, messageID)
	if err != nil {
		return query.Wrap("unvote", err)
	}
	q := query.New("DELETE FROM "+sc.Tables.Votes+" AS v WHERE message_id = ? AND user_id = ? AND voter = ? AND (SELECT m.deleted_at IS NULL FROM "+
		sc.Tables.Messages+" m WHERE m.id = v.message_id AND m.user_id = ?", messageID, sc.User, voter, sc.User)
	q = sc.InLive(q, "m.").Add(")")
	var n int64
	err = sc.Single(ctx, func(on *scope.Store) (err error) {
		n, err = q.Exec(query.On(ctx, on.Writer))
		return err
	})
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return query.Wrap("unvote", err)
}

// Votes reads the message with its votes, so that one without votes is told from one that is not
// there.
func (s messages) Votes(ctx context.Context, messageID uuid.UUID) ([]*message.Vote, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Messages, messageID)
	if err != nil {
		return nil, query.Wrap("list votes", err)
	}
	sc := s.sc.As(owner)
	type maybe struct {
		message.Vote
		value            *int64
		created, updated *time.Time
	}
	q := query.New("SELECT m.id, m.user_id, v.voter, v.value, v.comment, v.created_at, v.updated_at FROM "+sc.Tables.Messages+" m LEFT JOIN "+sc.Tables.Votes+
		" v ON v.message_id = m.id AND v.user_id = m.user_id WHERE m.id = ? AND m.user_id = ? AND m.deleted_at IS NULL", messageID, sc.User)
	q = sc.InLive(q, "m.").Add(" ORDER BY v.created_at DESC, "+sc.Dialect.ByBytes("v.voter")+" LIMIT ?", store.MaxLimit)
	rows, err := query.All(db, q, func(r *maybe) []any {
		return []any{
			&r.MessageID, &r.UserID, (*record.Text)(&r.Voter), &r.value, (*record.Text)(&r.Comment),
			record.NullInstant{Dest: &r.created},
			record.NullInstant{Dest: &r.updated},
		}
	})
	if err == nil && len(rows) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, query.Wrap("list votes", err)
	}
	votes := []*message.Vote{}
	for _, r := range rows {
		if r.value != nil {
			r.Value, r.CreatedAt, r.UpdatedAt = int(*r.value), *r.created, *r.updated
			votes = append(votes, &r.Vote)
		}
	}
	return votes, nil
}

func (s messages) CountVotes(ctx context.Context, messageIDs []uuid.UUID) (map[uuid.UUID]store.VoteCount, error) {
	if len(messageIDs) > store.MaxLimit {
		return nil, rule.Invalid("message_ids", "has %d ids, the most is %d", len(messageIDs), store.MaxLimit)
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	type counted struct {
		id uuid.UUID
		store.VoteCount
	}
	in, arg := s.sc.Dialect.InUUIDs("v.message_id", messageIDs)
	q := query.New("SELECT v.message_id, count(CASE WHEN v.value > 0 THEN 1 END), count(CASE WHEN v.value < 0 THEN 1 END) FROM "+s.sc.Tables.Votes+" v JOIN "+
		s.sc.Tables.Messages+" m ON m.id = v.message_id AND m.user_id = v.user_id WHERE "+in+" AND m.deleted_at IS NULL", arg)
	q = s.sc.InLive(s.sc.Owned(s.sc.Owned(q, "v."), "m."), "m.").Add(" GROUP BY v.message_id")
	rows, err := query.All(db, q, func(c *counted) []any { return []any{&c.id, &c.Up, &c.Down} })
	if err != nil {
		return nil, query.Wrap("count votes", err)
	}
	counts := make(map[uuid.UUID]store.VoteCount, len(rows))
	for _, c := range rows {
		counts[c.id] = c.VoteCount
	}
	return counts, nil
}
