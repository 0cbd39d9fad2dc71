package threads

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

type summaries struct{ sc scope.Scope }

// NewSummaries returns the summaries of a scope.
func NewSummaries(sc scope.Scope) store.Summaries { return summaries{sc: sc} }

func (s summaries) Cover(ctx context.Context, conversationID uuid.UUID, fromSeq, toSeq int64) (string, error) {
	if err := checkSpan(fromSeq, toSeq); err != nil {
		return "", err
	}
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return "", err
	}
	owner, err := s.sc.OwnerIn(db, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return "", query.Wrap("cover messages", err)
	}
	c, err := cover(s.sc.As(owner), db, conversationID, fromSeq, toSeq)
	if err != nil {
		return "", query.Wrap("cover messages", err)
	}
	return c.hash(), nil
}

func checkSpan(fromSeq, toSeq int64) error {
	switch {
	case fromSeq < 1:
		return rule.Invalid("from_seq", "is below 1")
	case toSeq < fromSeq:
		return rule.Invalid("to_seq", "is before from_seq")
	}
	return nil
}

// cover reads what a summary of a live conversation covers. The scope is that of one user.
func cover(sc scope.Scope, db query.Conn, conversationID uuid.UUID, fromSeq, toSeq int64) (covered, error) {
	q := query.New("SELECT "+coveredColumns+" FROM "+sc.Tables.Conversations+" c LEFT JOIN "+sc.Tables.Messages+" m"+
		" ON m.conversation_id = c.id AND m.user_id = c.user_id AND m.seq BETWEEN ? AND ? AND m.deleted_at IS NULL"+
		" WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL GROUP BY c.id, c.user_id", fromSeq, toSeq, conversationID, sc.User)
	c, err := query.One(db, q, (*covered).dest)
	if err != nil {
		return covered{}, err
	}
	if int64(c.last) != toSeq {
		return covered{}, rule.Invalid("to_seq", "is no live message of the conversation")
	}
	return *c, nil
}

// covered is what tells whether the live messages of a span are as they were. A change moves
// updated_at, and the library's own the revision as well; a deletion lowers the count, and what
// comes in its place, a restored message, has another seq.
type covered struct {
	count, seqs, revisions, last record.Number
	changed                      *time.Time
}

// coveredColumns are those of covered.dest, of messages m.
const coveredColumns = "count(m.id), CAST(sum(m.seq) AS bigint), CAST(sum(m.revision) AS bigint), max(m.seq), max(m.updated_at)"

func (c *covered) dest() []any {
	return []any{&c.count, &c.seqs, &c.revisions, &c.last, record.NullInstant{Dest: &c.changed}}
}

// hashPrefix tells the library's hashes from those of hosts.
const hashPrefix = "convostore:"

func (c *covered) hash() string {
	at := int64(0)
	if c.changed != nil {
		at = c.changed.UnixMicro()
	}
	return fmt.Sprintf("%s%d-%d-%d-%d", hashPrefix, c.count, c.seqs, c.revisions, at)
}

func (s summaries) Create(ctx context.Context, sum *conversation.Summary) error {
	if sum == nil {
		return scope.ErrNil("summary")
	}
	sc, err := OwnerScope(ctx, s.sc, sum.ConversationID)
	if err != nil {
		return query.Wrap("create summary", err)
	}
	if err := prepareSummary(sc, sum); err != nil {
		return err
	}
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		in := sc.In(tx)
		if err := LockConversation(ctx, in, sum.ConversationID); err != nil {
			return err
		}
		return insertSummary(ctx, in, sum)
	})
	return query.Wrap("create summary", err)
}

// prepareSummary fills in a new summary and validates it. The scope is that of the owner of the
// conversation.
func prepareSummary(sc scope.Scope, s *conversation.Summary) error {
	if s.UserID != uuid.Nil && s.UserID != sc.User {
		return rule.Invalid("user_id", "is another user's than the conversation's")
	}
	if s.VoidAt != nil {
		return rule.Invalid("void_at", "is set on a new summary")
	}
	s.UserID = sc.User
	if err := sc.GiveID(&s.ID); err != nil {
		return err
	}
	sc.Clean.Model(s)
	s.Normalize(sc.Instant())
	return check.First(sc.CheckSize("summary", len(s.Content)+len(s.Model)+len(s.CoveredHash)), s.Validate())
}

// insertSummary inserts a summary in a transaction that has locked its conversation.
func insertSummary(ctx context.Context, sc scope.Scope, s *conversation.Summary) error {
	db := query.On(ctx, sc.Writer)
	c, err := cover(sc, db, s.ConversationID, s.FromSeq, s.ToSeq)
	if err != nil {
		return err
	}
	hash := c.hash()
	if given := s.CoveredHash; given != "" && given != hash {
		return fmt.Errorf("%w: what the summary covers is not as it was", store.ErrConflict)
	}
	args := record.SummaryArgs(s)
	args[8] = hash
	n, err := query.New("INSERT INTO "+sc.Tables.Summaries+" ("+record.SummaryColumns+") VALUES ("+query.Marks(len(args))+
		") ON CONFLICT (id, user_id) DO NOTHING", args...).Exec(db)
	if err == nil && n == 0 {
		return fmt.Errorf("%w: the id of the summary is taken", store.ErrConflict)
	}
	if err == nil {
		s.CoveredHash = hash
	}
	return err
}

func (s summaries) List(ctx context.Context, conversationID uuid.UUID) ([]*conversation.Summary, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	found, err := listSummaries(s.sc, db, conversationID)
	return found, query.Wrap("list summaries", err)
}

// storedSummary is a summary with what is there of its messages.
type storedSummary struct {
	conversation.Summary
	covered covered
}

// listSummaries reads the summaries of a live conversation and says of each whether it is void.
func listSummaries(sc scope.Scope, db query.Conn, conversationID uuid.UUID) ([]*conversation.Summary, error) {
	owner, err := sc.OwnerIn(db, sc.Tables.Conversations, conversationID)
	if err != nil {
		return nil, err
	}
	sc = sc.As(owner)
	columns := "s." + strings.ReplaceAll(record.SummaryColumns, ", ", ", s.")
	q := query.New("SELECT "+columns+", "+coveredColumns+" FROM "+sc.Tables.Summaries+" s LEFT JOIN "+sc.Tables.Messages+" m"+
		" ON m.conversation_id = s.conversation_id AND m.user_id = s.user_id AND m.seq BETWEEN s.from_seq AND s.to_seq AND m.deleted_at IS NULL"+
		" WHERE s.conversation_id = ? AND s.user_id = ? AND "+sc.Liveness("c.id = ? AND c.user_id = ?)"), conversationID, owner, conversationID, owner)
	q.Add(" GROUP BY "+columns+" ORDER BY s.to_seq DESC, s.from_seq DESC, s.created_at DESC, s.id DESC LIMIT ?", store.MaxLimit)
	var found []*storedSummary
	err = scope.Settle(func() (_ bool, err error) {
		found, err = query.All(db, q, func(s *storedSummary) []any {
			return append(record.SummaryDest(&s.Summary), s.covered.dest()...)
		})
		if err != nil || len(found) > 0 {
			return true, err
		}
		return IsEmpty(sc, db, conversationID, query.New("SELECT 1 FROM "+sc.Tables.Summaries+" WHERE conversation_id = ? AND user_id = ?", conversationID, owner))
	})
	all := make([]*conversation.Summary, len(found))
	for i, s := range found {
		s.void()
		all[len(found)-1-i] = &s.Summary
	}
	return all, err
}

// void sets VoidAt if the messages are not as they were when the summary was made. Of a hash of
// the host's own nothing is known.
func (s *storedSummary) void() {
	if s.VoidAt != nil || !strings.HasPrefix(s.CoveredHash, hashPrefix) || s.CoveredHash == s.covered.hash() {
		return
	}
	at := s.CreatedAt
	if c := s.covered.changed; c != nil && c.After(at) {
		at = *c
	}
	s.VoidAt = &at
}

func (s summaries) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.sc.Writing(ctx); err != nil {
		return err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Summaries, id)
	if err != nil {
		return query.Wrap("delete summary", err)
	}
	sc := s.sc.As(owner)
	err = sc.Single(ctx, func(on *scope.Store) error {
		q := query.New("DELETE FROM "+sc.Tables.Summaries+" AS t WHERE id = ? AND user_id = ?", id, owner)
		n, err := sc.InLive(q, "t.").Exec(query.On(ctx, on.Writer))
		if err == nil && n == 0 {
			return store.ErrNotFound
		}
		return err
	})
	return query.Wrap("delete summary", err)
}
