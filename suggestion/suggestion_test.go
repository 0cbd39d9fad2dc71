package suggestion_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

var at = time.Date(2025, 11, 4, 12, 0, 0, 0, time.UTC)

func TestStatusesRoundTrip(t *testing.T) {
	for _, s := range suggestion.Statuses() {
		assert.True(t, s.Valid(), s)
		doc, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%q", s.String()), string(doc))
		var decoded, scanned suggestion.Status
		require.NoError(t, json.Unmarshal(doc, &decoded))
		assert.Equal(t, s, decoded)
		value, err := s.Value()
		require.NoError(t, err)
		require.NoError(t, scanned.Scan(value))
		assert.Equal(t, s, scanned)
		require.NoError(t, scanned.Scan([]byte(s)))
		assert.Equal(t, s, scanned)
	}
	assert.False(t, suggestion.Status("").Valid())
	assert.False(t, suggestion.Status("").Decided())
	for _, bad := range []suggestion.Status{"Pending", "sent", " "} {
		assert.False(t, bad.Valid(), bad)
		assert.False(t, bad.Decided(), bad)
		kept := suggestion.StatusEdited
		require.ErrorIs(t, json.Unmarshal(fmt.Appendf(nil, "%q", bad), &kept), rule.ErrInvalid)
		assert.Equal(t, suggestion.StatusEdited, kept)
	}
	var s suggestion.Status
	require.Error(t, s.Scan(nil))
}

// decide calls the method for a status.
func decide(s *suggestion.Suggestion, to suggestion.Status, r suggestion.Review) error {
	switch to {
	case suggestion.StatusApproved:
		return s.Approve(r)
	case suggestion.StatusEdited:
		return s.Edit("better", r)
	case suggestion.StatusRejected:
		return s.Reject(r)
	}
	return s.Decide(to, "", r)
}

// TestEveryTransition tries each status with each decision.
func TestEveryTransition(t *testing.T) {
	review := suggestion.Review{By: "ann", Feedback: "good", At: at}
	for _, from := range suggestion.Statuses() {
		for _, to := range suggestion.Statuses()[1:] {
			s := &suggestion.Suggestion{SuggestedContent: "draft", Status: from}
			before := *s
			assert.Equal(t, from == suggestion.StatusPending, from.CanBecome(to))
			err := decide(s, to, review)
			if !to.Decided() {
				require.ErrorIs(t, err, rule.ErrInvalid, "nobody decides that it is %s", to)
				continue
			}
			if from == suggestion.StatusPending {
				require.NoError(t, err)
				assertDecided(t, s, to)
				continue
			}
			var transition *rule.TransitionError
			require.ErrorAs(t, err, &transition)
			assert.Equal(t, rule.TransitionError{Of: "suggestion", From: from.String(), To: to.String()}, *transition)
			assert.Equal(t, before, *s, "a refused decision changes nothing")
		}
		assert.Equal(t, from != suggestion.StatusPending, from.CanBecome(suggestion.StatusPending), "Reopen leads back")
	}
}

func assertDecided(t *testing.T, s *suggestion.Suggestion, to suggestion.Status) {
	t.Helper()
	assert.Equal(t, to, s.Status)
	assert.True(t, s.Status.Decided())
	assert.Equal(t, to != suggestion.StatusRejected, s.Status.Sendable())
	assert.Equal(t, "ann", s.ReviewedBy)
	assert.Equal(t, "good", s.Feedback)
	assert.Equal(t, at, *s.ReviewedAt)
	assert.Equal(t, "draft", s.SuggestedContent, "the draft is kept")
	assert.False(t, s.UpdatedAt.IsZero())
	want := map[suggestion.Status]string{"approved": "draft", "edited": "better", "rejected": ""}
	assert.Equal(t, want[to], s.FinalContent())
	s.Normalize(at)
	require.NoError(t, s.Validate())
}

func TestDecisionsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		to      suggestion.Status
		content string
		review  suggestion.Review
		field   string
	}{
		"back to pending":       {suggestion.StatusPending, "", suggestion.Review{}, "status"},
		"an unknown status":     {"sent", "", suggestion.Review{}, "status"},
		"edit to nothing":       {suggestion.StatusEdited, "", suggestion.Review{}, "edited_content"},
		"approve with a text":   {suggestion.StatusApproved, "x", suggestion.Review{}, "edited_content"},
		"NUL in the text":       {suggestion.StatusEdited, "\x00", suggestion.Review{}, "edited_content"},
		"NUL in the name":       {suggestion.StatusApproved, "", suggestion.Review{By: "\x00"}, "reviewed_by"},
		"NUL in the feedback":   {suggestion.StatusRejected, "", suggestion.Review{Feedback: "\x00"}, "feedback"},
		"a time of no database": {suggestion.StatusRejected, "", suggestion.Review{At: at.AddDate(9000, 0, 0)}, "reviewed_at"},
	} {
		s := &suggestion.Suggestion{Status: suggestion.StatusPending}
		var invalid *rule.InvalidError
		require.ErrorAs(t, s.Decide(c.to, c.content, c.review), &invalid, name)
		assert.Equal(t, c.field, invalid.Field, name)
		assert.Equal(t, suggestion.StatusPending, s.Status, name)
	}
}

func TestADraftThatWasNeverStoredCanBeDecided(t *testing.T) {
	s := &suggestion.Suggestion{SuggestedContent: "draft"}
	assert.Equal(t, "draft", s.FinalContent())
	require.NoError(t, s.Approve(suggestion.Review{}))
	assert.WithinDuration(t, time.Now(), *s.ReviewedAt, time.Minute, "now, if no time is given")
	assert.EqualError(t, s.Reject(suggestion.Review{}), "convostore: a suggestion that is approved cannot become rejected")
}

func TestValidate(t *testing.T) {
	type s = suggestion.Suggestion
	for name, c := range map[string]struct {
		spoil func(*s)
		field string
	}{
		"good":                {func(*s) {}, ""},
		"confidence 0":        {func(g *s) { g.ConfidenceScore = new(0.0) }, ""},
		"confidence 1":        {func(g *s) { g.ConfidenceScore = new(1.0) }, ""},
		"confidence above 1":  {func(g *s) { g.ConfidenceScore = new(math.Nextafter(1, 2)) }, "confidence_score"},
		"confidence below 0":  {func(g *s) { g.ConfidenceScore = new(-0.1) }, "confidence_score"},
		"confidence NaN":      {func(g *s) { g.ConfidenceScore = new(math.NaN()) }, "confidence_score"},
		"unknown status":      {func(g *s) { g.Status = "sent" }, "status"},
		"no content":          {func(g *s) { g.SuggestedContent = "" }, "suggested_content"},
		"content with NUL":    {func(g *s) { g.SuggestedContent = "\x00" }, "suggested_content"},
		"edited for nothing":  {func(g *s) { g.EditedContent = "x" }, "edited_content"},
		"edited, no text":     {func(g *s) { g.Status, g.ReviewedAt = "edited", &at }, "edited_content"},
		"decided":             {func(g *s) { g.Status, g.ReviewedAt = "approved", &at }, ""},
		"decided at no time":  {func(g *s) { g.Status = "approved" }, "reviewed_at"},
		"pending with a time": {func(g *s) { g.ReviewedAt = &at }, "reviewed_at"},
		"a year of no use":    {func(g *s) { g.Status, g.ReviewedAt = "approved", new(at.AddDate(9000, 0, 0)) }, "reviewed_at"},
		"bad sentiment":       {func(g *s) { g.SentimentAnalysis = message.JSON("{") }, "sentiment_analysis"},
		"bad context":         {func(g *s) { g.ContextUsed = message.JSON("{") }, "context_used"},
		"long model":          {func(g *s) { g.ModelUsed = strings.Repeat("m", 1025) }, "model_used"},
		"tokens":              {func(g *s) { g.TokensUsed = -1 }, "tokens_used"},
		"cost":                {func(g *s) { g.GenerationCost = decimal.RequireFromString("12345678.0123456789") }, ""},
		"negative cost":       {func(g *s) { g.GenerationCost = decimal.New(-1, 0) }, "generation_cost"},
		"tiny cost":           {func(g *s) { g.GenerationCost = decimal.New(1, -11) }, "generation_cost"},
		"long cost":           {func(g *s) { g.GenerationCost = decimal.RequireFromString("1234567890123456789") }, "generation_cost"},
		"round cost":          {func(g *s) { g.GenerationCost = decimal.New(1, 17) }, ""},
		"huge cost":           {func(g *s) { g.GenerationCost = decimal.New(1, 1_000_000) }, "generation_cost"},
		"reviewer":            {func(g *s) { g.ReviewedBy = "\xff" }, "reviewed_by"},
		"feedback":            {func(g *s) { g.Feedback = "\xff" }, "feedback"},
		"created":             {func(g *s) { g.CreatedAt, g.UpdatedAt = at.AddDate(9000, 0, 0), at }, "created_at"},
		"updated":             {func(g *s) { g.UpdatedAt = at.AddDate(9000, 0, 0) }, "updated_at"},
	} {
		g := &s{UserID: uuid.New(), ConversationID: uuid.New(), SuggestedContent: "draft"}
		c.spoil(g)
		err := g.BeforeCreate(nil)
		if c.field == "" {
			require.NoError(t, err, name)
			assert.Equal(t, uuid.Version(7), g.ID.Version())
			continue
		}
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		assert.Equal(t, c.field, invalid.Field, name)
	}
}

func TestNormalizeAndSent(t *testing.T) {
	reviewed := at.In(time.FixedZone("", 3600)).Add(999)
	s := &suggestion.Suggestion{ReviewedAt: &reviewed}
	s.Normalize(at.Add(999))
	assert.Equal(t, suggestion.StatusPending, s.Status)
	assert.Equal(t, []time.Time{at, at, at}, []time.Time{s.CreatedAt, s.UpdatedAt, *s.ReviewedAt})
	assert.NotSame(t, &reviewed, s.ReviewedAt, "the caller's time is left alone")
	assert.False(t, s.Sent())
	s.SentMessageID = new(uuid.New())
	assert.True(t, s.Sent())
	assert.False(t, s.Deleted())
}
