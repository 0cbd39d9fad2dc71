package record

import (
	"github.com/convostore/convostore/suggestion"
)

// SuggestionColumns are the columns of suggestions, in the order of SuggestionDest and
// SuggestionArgs.
const SuggestionColumns = "id, user_id, conversation_id, in_reply_to_message_id, suggested_content, edited_content, " +
	"confidence_score, sentiment_analysis, context_used, model_used, tokens_used, generation_cost, status, reviewed_by, " +
	"reviewed_at, feedback, sent_message_id, created_at, updated_at, deleted_at, " +
	"answers_seq, draft_content, draft_by, draft_at"

// SuggestionDest returns the destinations of SuggestionColumns in s.
func SuggestionDest(s *suggestion.Suggestion) []any {
	return []any{
		&s.ID, &s.UserID, &s.ConversationID,
		NullID{&s.InReplyToMessageID},
		&s.SuggestedContent, (*Text)(&s.EditedContent),
		&s.ConfidenceScore, &s.SentimentAnalysis, &s.ContextUsed, (*Text)(&s.ModelUsed), &s.TokensUsed, (*Money)(&s.GenerationCost),
		&s.Status, (*Text)(&s.ReviewedBy),
		NullInstant{&s.ReviewedAt},
		(*Text)(&s.Feedback),
		NullID{&s.SentMessageID},
		(*Instant)(&s.CreatedAt), (*Instant)(&s.UpdatedAt), (*deletedAt)(&s.DeletedAt),
		(*Number)(&s.AnswersSeq), (*Text)(&s.DraftContent), (*Text)(&s.DraftBy),
		NullInstant{&s.DraftAt},
	}
}

// SuggestionArgs returns the values of SuggestionColumns for a new row, which is neither sent nor
// deleted.
func SuggestionArgs(s *suggestion.Suggestion) []any {
	return []any{
		s.ID, s.UserID, s.ConversationID, nullUUID(s.InReplyToMessageID), s.SuggestedContent, Null(s.EditedContent),
		s.ConfidenceScore, s.SentimentAnalysis, s.ContextUsed, Null(s.ModelUsed), s.TokensUsed, s.GenerationCost,
		s.Status, Null(s.ReviewedBy), nullTime(s.ReviewedAt), Null(s.Feedback), nil, s.CreatedAt, s.UpdatedAt, nil,
		nullZero(s.AnswersSeq), Null(s.DraftContent), Null(s.DraftBy), nullTime(s.DraftAt),
	}
}
