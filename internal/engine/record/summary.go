package record

import "github.com/convostore/convostore/conversation"

// SummaryColumns are the columns of summaries, in the order of SummaryDest and SummaryArgs.
const SummaryColumns = "id, user_id, conversation_id, from_seq, to_seq, content, model, tokens, covered_hash, created_at, void_at"

// SummaryDest returns the destinations of SummaryColumns in s.
func SummaryDest(s *conversation.Summary) []any {
	return []any{
		&s.ID, &s.UserID, &s.ConversationID, &s.FromSeq, &s.ToSeq, &s.Content,
		(*Text)(&s.Model), (*Number)(&s.Tokens), (*Text)(&s.CoveredHash), (*Instant)(&s.CreatedAt),
		NullInstant{&s.VoidAt},
	}
}

// SummaryArgs returns the values of SummaryColumns for a new row.
func SummaryArgs(s *conversation.Summary) []any {
	return []any{
		s.ID, s.UserID, s.ConversationID, s.FromSeq, s.ToSeq, s.Content,
		Null(s.Model), nullZero(s.Tokens), Null(s.CoveredHash), s.CreatedAt, nullTime(s.VoidAt),
	}
}
