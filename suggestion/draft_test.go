package suggestion_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

func refusedAs(t *testing.T, err error, from, to string) {
	t.Helper()
	var refused *rule.TransitionError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, rule.TransitionError{Of: "suggestion", From: from, To: to}, *refused)
}

// TestLapse: a suggestion is superseded or expires once, while it is pending, and keeps the
// unfinished edit.
func TestLapse(t *testing.T) {
	for to, lapse := range map[suggestion.Status]func(*suggestion.Suggestion, time.Time) error{
		suggestion.StatusSuperseded: (*suggestion.Suggestion).Supersede,
		suggestion.StatusExpired:    (*suggestion.Suggestion).Expire,
	} {
		for _, from := range suggestion.Statuses() {
			s := &suggestion.Suggestion{SuggestedContent: "draft", Status: from, DraftContent: "half", DraftAt: &at}
			before := *s
			err := lapse(s, at)
			if from != suggestion.StatusPending {
				refusedAs(t, err, from.String(), to.String())
				assert.Equal(t, before, *s)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, to, s.Status)
			assert.Equal(t, at, *s.ReviewedAt)
			assert.Empty(t, s.ReviewedBy)
			assert.Empty(t, s.FinalContent())
			assert.True(t, s.Drafted())
			s.Normalize(at)
			require.NoError(t, s.Validate())
		}
		require.ErrorIs(t, lapse(&suggestion.Suggestion{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), rule.ErrInvalid)
	}
}

func TestSaveDraft(t *testing.T) {
	s := &suggestion.Suggestion{SuggestedContent: "draft"}
	require.NoError(t, s.SaveDraft("half", "ann", at))
	assert.Equal(t, []any{"half", "ann", at}, []any{s.DraftContent, s.DraftBy, *s.DraftAt})
	s.Normalize(at)
	require.NoError(t, s.Validate())
	require.ErrorIs(t, s.SaveDraft("\x00", "", at), rule.ErrInvalid)
	require.ErrorIs(t, s.SaveDraft("x", "\x00", at), rule.ErrInvalid)
	assert.Equal(t, "half", s.DraftContent)
	require.NoError(t, s.SaveDraft("", "bob", at))
	assert.False(t, s.Drafted())
	assert.Empty(t, s.DraftBy)
	require.NoError(t, s.SaveDraft("half", "ann", time.Time{}))
	require.NoError(t, s.Approve(suggestion.Review{}))
	assert.False(t, s.Drafted(), "a decision clears it")
	refusedAs(t, s.SaveDraft("more", "", at), "approved", "drafted")
}

func TestReopen(t *testing.T) {
	for _, from := range suggestion.Statuses() {
		s := &suggestion.Suggestion{
			SuggestedContent: "draft", Status: from, ReviewedBy: "ann", ReviewedAt: &at, Feedback: "good", AnswersSeq: 3,
		}
		if from == suggestion.StatusPending {
			refusedAs(t, s.Reopen(), "pending", "pending")
			continue
		}
		if from == suggestion.StatusEdited {
			s.EditedContent = "better"
		}
		sent := *s
		sent.SentMessageID = new(uuid.New())
		refusedAs(t, sent.Reopen(), "sent", "pending")
		require.NoError(t, s.Reopen())
		want := suggestion.Suggestion{SuggestedContent: "draft", Status: suggestion.StatusPending, AnswersSeq: 3, UpdatedAt: s.UpdatedAt}
		if from == suggestion.StatusEdited {
			want.DraftContent, want.DraftBy, want.DraftAt = "better", "ann", &at
		}
		assert.Equal(t, want, *s)
		s.Normalize(at)
		require.NoError(t, s.Validate())
	}
}
