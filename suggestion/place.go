package suggestion

import (
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/internal/overtake"
	"github.com/convostore/convostore/message"
)

// thread is what the row of a conversation says about its messages.
type thread struct {
	LastSeq  int64
	HeadSeq  *int64
	Branched bool
}

// place sets AnswersSeq before the insert, unless it is given.
func (s *Suggestion) place(tx *gorm.DB) error {
	if tx == nil || tx.DryRun || s.AnswersSeq != 0 {
		return nil
	}
	var found []thread
	err := tx.Raw("SELECT last_seq, head_seq, branched FROM ? WHERE id = ? AND user_id = ?", column.InStatement(tx, "conversations"), s.ConversationID, s.UserID).Scan(&found).Error
	if err != nil || len(found) == 0 { // the foreign key refuses it
		return err
	}
	s.AnswersSeq, err = found[0].newest(tx, s)
	return err
}

// newest returns the seq of the newest live message on the path of the head, which is made of runs:
// see message.Message.ParentSeq.
func (t thread) newest(tx *gorm.DB, s *Suggestion) (int64, error) {
	end := t.LastSeq
	if t.HeadSeq != nil {
		end = *t.HeadSeq
	}
	for end > 0 {
		begin := []struct{ Seq, ParentSeq int64 }{{Seq: 1}}
		if t.Branched {
			sql := "SELECT seq, parent_seq FROM ? WHERE conversation_id = ? AND user_id = ? AND parent_seq IS NOT NULL AND seq <= ? ORDER BY seq DESC LIMIT 1"
			if err := tx.Raw(sql, column.InStatement(tx, "messages"), s.ConversationID, s.UserID, end).Scan(&begin).Error; err != nil {
				return 0, err
			}
		}
		if len(begin) == 0 {
			begin = append(begin, struct{ Seq, ParentSeq int64 }{Seq: 1})
		}
		var live []int64
		sql := "SELECT seq FROM ? WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1"
		if err := tx.Raw(sql, column.InStatement(tx, "messages"), s.ConversationID, s.UserID, begin[0].Seq, end).Scan(&live).Error; err != nil || len(live) > 0 {
			return first(live), err
		}
		end = begin[0].ParentSeq
	}
	return 0, nil
}

func first(seqs []int64) int64 {
	if len(seqs) == 0 {
		return 0
	}
	return seqs[0]
}

// settle counts a pending suggestion in its conversation, which it locks, and supersedes it if a
// message has overtaken it by then. A message that comes later finds the suggestion.
func (s *Suggestion) settle(tx *gorm.DB) error {
	if tx == nil || tx.DryRun || s.Status != StatusPending {
		return nil
	}
	var found []thread
	err := tx.Raw("UPDATE ? SET draft_seq = COALESCE(draft_seq, 0) + 1 WHERE id = ? AND user_id = ? RETURNING last_seq, head_seq, branched",
		column.InStatement(tx, "conversations"), s.ConversationID, s.UserID).Scan(&found).Error
	if err != nil || len(found) == 0 || found[0].Branched || found[0].LastSeq <= s.AnswersSeq {
		return err
	}
	o := overtake.Tables{Messages: tx.Statement.Quote(column.InStatement(tx, "messages"))}
	var overtaken bool
	err = tx.Raw(o.Newer(), overtake.NewerArgs(s.ConversationID.String(), s.UserID.String(), s.AnswersSeq)...).Scan(&overtaken).Error
	if err != nil || !overtaken {
		return err
	}
	now := message.Now()
	superseded := *s
	if err := superseded.Supersede(now); err != nil {
		return err
	}
	set := map[string]any{
		"status": string(StatusSuperseded), "reviewed_at": column.BoundTime(tx, *superseded.ReviewedAt), "updated_at": column.BoundTime(tx, superseded.UpdatedAt),
	}
	done := tx.Session(&gorm.Session{NewDB: true}).Table(s.TableName(tx.NamingStrategy)).
		Where("id = ? AND user_id = ? AND status = ?", s.ID, s.UserID, string(StatusPending)).UpdateColumns(set)
	if done.Error == nil && done.RowsAffected > 0 {
		*s = superseded
	}
	return done.Error
}
