package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// rowWriter stores what a line of JSONL has beside the messages, and what an append does not keep
// of the messages themselves.
//
// What hangs on a conversation comes with it, and what hangs on a message comes with that: neither
// is stored later, since nobody can tell whether it was removed here meanwhile. A suggestion is
// known by its id, as a message is.
type rowWriter struct {
	*writer
	user uuid.UUID
	im   *importer
	tx   store.Store
	rows *lineRows
	ids  map[uuid.UUID]bool // of the messages that were appended
}

func (w *rowWriter) write(ctx context.Context, created bool) error {
	db := w.tx.DB(ctx)
	for _, n := range w.added {
		w.ids[n.message.ID] = true
	}
	if err := w.keepChanges(db, created); err != nil {
		return err
	}
	if err := w.writeOfMessages(ctx, db); err != nil {
		return err
	}
	// What the file says of a suggestion holds: the hooks would say anew what it takes into account.
	if err := insertRows(w, db.Session(&gorm.Session{SkipHooks: true}), w.rows.suggestions, w.suggestion); err != nil {
		return err
	}
	if !created {
		return nil
	}
	return w.writeOfConversation(ctx, db)
}

// keepChanges notes in the new messages what an append takes for a first version.
func (w *rowWriter) keepChanges(db *gorm.DB, created bool) error {
	table := message.Message{}.TableName(db.NamingStrategy)
	for _, n := range w.added {
		m := n.message
		set := map[string]any{}
		if m.EditedAt != nil {
			set["edited_at"] = column.BoundTime(db, message.Instant(*m.EditedAt))
		}
		if m.Revision > 0 {
			set["revision"] = m.Revision
		}
		if m.ChangeSeq > 0 && created { // in another conversation it may be taken
			set["change_seq"] = m.ChangeSeq
		}
		if len(set) == 0 {
			continue
		}
		if err := db.Table(table).Where("id = ? AND user_id = ?", m.ID, w.user).UpdateColumns(set).Error; err != nil {
			return err
		}
	}
	return nil
}

func (w *rowWriter) writeOfMessages(ctx context.Context, db *gorm.DB) error {
	of := func(id uuid.UUID, user *uuid.UUID) bool {
		*user = w.user
		return w.ids[id]
	}
	err := insertRows(w, db, w.rows.refs, func(r *message.Ref) (bool, error) { return of(r.MessageID, &r.UserID), nil })
	if err != nil {
		return err
	}
	err = insertRows(w, db, w.rows.votes, func(v *message.Vote) (bool, error) { return of(v.MessageID, &v.UserID), nil })
	if err != nil {
		return err
	}
	err = insertRows(w, db, w.rows.deliveries, func(e *message.OutboxEntry) (bool, error) {
		if !w.isStored(e.MessageID) {
			return false, rule.Invalid("message_id", "is no message of the conversation")
		}
		return of(e.MessageID, &e.UserID), nil
	})
	if err != nil {
		return err
	}
	return insertRows(w, db, w.rows.embeddings, func(e *message.Embedding) (bool, error) {
		e.ConversationID = w.id
		if !of(e.MessageID, &e.UserID) {
			return false, nil
		}
		return true, w.checkDimensions(ctx, e)
	})
}

// checkDimensions validates a vector, and asks the store once for each length whether it takes it.
func (w *rowWriter) checkDimensions(ctx context.Context, e *message.Embedding) error {
	if err := e.Validate(); err != nil {
		return err
	}
	takes, known := w.im.dimensions[len(e.Vector)]
	if !known {
		undo := errors.New("undo")
		err := w.tx.Transaction(ctx, func(in store.Store) error {
			if err := in.ForUser(w.user).Embeddings().Set(ctx, e.MessageID, e.Model, e.Vector); err != nil {
				return err
			}
			return undo
		})
		takes = errors.Is(err, undo)
		if !takes && !errors.Is(err, store.ErrInvalid) {
			return err
		}
		w.im.dimensions[len(e.Vector)] = takes
	}
	if !takes {
		return rule.Invalid("vector", "has %d dimensions, which is not what the database has", len(e.Vector))
	}
	return nil
}

// suggestion prepares a suggestion, which may be of messages that are there already.
func (w *rowWriter) suggestion(s *suggestion.Suggestion) (bool, error) {
	s.UserID, s.ConversationID, s.InReplyTo, s.Conversation = w.user, w.id, nil, nil
	s.AnswersSeq = w.seqOf(s.AnswersSeq)
	if s.ID == uuid.Nil {
		return false, rule.Invalid("id", "is not set")
	}
	for field, id := range map[string]*uuid.UUID{"in_reply_to_message_id": s.InReplyToMessageID, "sent_message_id": s.SentMessageID} {
		if id != nil && !w.isStored(*id) {
			return false, rule.Invalid(field, "is no message of the conversation")
		}
	}
	return true, nil
}

// isStored reports whether a message is stored in the conversation.
func (w *rowWriter) isStored(id uuid.UUID) bool {
	_, known := w.stored[id.String()]
	return known || w.ids[id]
}

// seqOf is the seq that a message of the file has here, or the nearest before it.
func (w *rowWriter) seqOf(seq int64) int64 {
	i, found := slices.BinarySearch(w.rows.seqs, seq)
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return w.seqs[seqID(w.rows.seqs[i])]
}

func (w *rowWriter) writeOfConversation(ctx context.Context, db *gorm.DB) error {
	err := insertRows(w, db, w.rows.labels, func(l *conversation.Label) (bool, error) {
		l.UserID, l.ConversationID = w.user, w.id
		return true, nil
	})
	if err != nil {
		return err
	}
	err = insertRows(w, db, w.rows.reads, func(r *conversation.Read) (bool, error) {
		r.UserID, r.ConversationID, r.Seq = w.user, w.id, w.seqOf(r.Seq)
		return true, nil
	})
	if err != nil {
		return err
	}
	err = insertRows(w, db, w.rows.states, func(s *conversation.State) (bool, error) {
		s.UserID, s.ConversationID = w.user, w.id
		return true, nil
	})
	if err != nil {
		return err
	}
	err = insertRows(w, db, w.rows.summaries, func(s *conversation.Summary) (bool, error) {
		return true, w.summary(ctx, s)
	})
	if err != nil {
		return err
	}
	return w.restoreConversation(db)
}

// summary prepares a summary. The hash of what it covers is made anew.
func (w *rowWriter) summary(ctx context.Context, s *conversation.Summary) (err error) {
	s.UserID, s.ConversationID = w.user, w.id
	s.FromSeq, s.ToSeq = max(w.seqOf(s.FromSeq-1)+1, 1), w.seqOf(s.ToSeq)
	if s.VoidAt == nil && strings.HasPrefix(s.CoveredHash, libraryHash) {
		s.CoveredHash, err = w.sc.Summaries().Cover(ctx, w.id, s.FromSeq, s.ToSeq)
	}
	return err
}

// restoreConversation sets what follows from the messages when they are appended: it may have been
// something else since.
func (w *rowWriter) restoreConversation(db *gorm.DB) error {
	c := w.rows.conversation
	c.LastSeq = w.last
	if c.HeadSeq != nil {
		c.HeadSeq = new(w.seqOf(*c.HeadSeq))
	}
	c.Normalize(message.Now())
	if err := c.Validate(); err != nil {
		return within("conversation", err)
	}
	for _, n := range w.added {
		c.LastChangeSeq = max(c.LastChangeSeq, n.message.ChangeSeq) // else tails would miss what is changed here
	}
	set := map[string]any{
		"status": string(c.Status), "head_seq": c.HeadSeq, "last_change_seq": c.LastChangeSeq,
		"last_message_at": column.BoundTime(db, c.LastMessageAt), "updated_at": column.BoundTime(db, c.UpdatedAt),
		"snoozed_until": nil,
	}
	if c.SnoozedUntil != nil { // the messages have ended it
		set["snoozed_until"] = column.BoundTime(db, *c.SnoozedUntil)
	}
	if c.Branched { // else it is as the parents of the messages have made it
		set["branched"] = true
	}
	if len(w.rows.suggestions) > 0 { // an append that waits for the row looks for them again
		set["draft_seq"] = gorm.Expr("COALESCE(draft_seq, 0) + 1")
	}
	return db.Table(c.TableName(db.NamingStrategy)).Where("id = ? AND user_id = ?", w.id, w.user).UpdateColumns(set).Error
}

// perInsert is how many rows are inserted in one statement.
const perInsert = 100

// insertRows stores rows whose keys are not there. prepare completes a row and says whether it is
// to be stored. A row that breaks a rule is a problem.
func insertRows[T any, R validated[T]](w *rowWriter, db *gorm.DB, rows []placed[T], prepare func(R) (bool, error)) error {
	var ready []R
	for _, r := range rows {
		wanted, err := prepare(r.row)
		if err == nil && wanted {
			err = complete[T, R](r.row)
		}
		if err != nil && !isRule(err) {
			return err
		}
		switch {
		case err != nil:
			w.out.problems = append(w.out.problems, w.thread.problem("", within(r.path, err)))
		case wanted:
			ready = append(ready, r.row)
		}
	}
	for some := range slices.Chunk(ready, perInsert) {
		done := db.Clauses(clause.OnConflict{DoNothing: true}).Omit(clause.Associations).Create(some)
		if done.Error != nil {
			return done.Error
		}
		w.out.rows += done.RowsAffected
	}
	return nil
}

// complete does what the hook of the model does before an insert: it says which row is wrong.
func complete[T any, R validated[T]](row R) error {
	if hook, ok := any(row).(interface{ BeforeCreate(*gorm.DB) error }); ok {
		return hook.BeforeCreate(nil)
	}
	return row.Validate()
}
