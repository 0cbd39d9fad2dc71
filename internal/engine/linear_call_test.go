package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// The keys that an append may have. A plain one has none, and nobody delivers it again.
const (
	keyPlain    = ""
	keyID       = "id"
	keyHost     = "idempotency key"
	keyProvider = "provider id"
)

// linearRequest is a call with what is needed to make it.
type linearRequest struct {
	ID     int // of the request
	Call   linearCall
	Thread uuid.UUID
	Row    uuid.UUID // of the message, if the call is of one
	// Deadline ends the context of the call. 0 is none.
	Deadline time.Duration
}

// linearResponse is what came of a request. Row is the message of an append.
type linearResponse struct {
	ID     int
	Answer linearAnswer
	Row    uuid.UUID
	Err    string
	// Ended says that the deadline was what failed the call.
	Ended bool
	// Wrong says that nothing in the call or beside it was a reason for this error.
	Wrong bool
}

// perform makes a call. An error that the contract knows is an answer, and after any other
// one nobody knows what happened.
func perform(ctx context.Context, s store.Scope, r linearRequest) linearResponse {
	if r.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Deadline)
		defer cancel()
	}
	answer, row, err := makeCall(ctx, s, r)
	var refused *rule.TransitionError
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound):
		answer = linearAnswer{NotFound: true}
	case errors.As(err, &refused):
		answer = linearAnswer{Found: suggestion.Status(refused.From)}
	default:
		return linearResponse{
			r.ID,
			linearAnswer{Unknown: true},
			row, err.Error(), ctx.Err() != nil,
			errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrInvalid),
		}
	}
	return linearResponse{ID: r.ID, Answer: answer, Row: row}
}

func makeCall(ctx context.Context, s store.Scope, r linearRequest) (a linearAnswer, row uuid.UUID, err error) {
	switch r.Call.Call {
	case callAppend:
		m := linearMessage(r)
		a.Created, err = s.Messages().Append(ctx, r.Thread, m)
		var taken *store.TakenError
		if errors.As(err, &taken) && taken.Message.Deleted() { // a redelivery that says what it found
			m, err = taken.Message, nil
		}
		if err == nil {
			a.Messages = linearRows(m)
		}
		return a, m.ID, err
	case callDelete, callRestore, callGet:
		a, err = messageCall(ctx, s, r)
	case callSuggest, callDecide, callGetSuggestion, callDrafts:
		a, err = suggestionCall(ctx, s, r)
	case callDeleteThread:
		_, err = s.Conversations().Delete(ctx, r.Thread)
	case callRestoreThread:
		_, err = s.Conversations().Restore(ctx, r.Thread)
	case callGetThread:
		c, err := s.Conversations().Get(ctx, r.Thread)
		if err != nil {
			return a, row, err
		}
		a.Status, a.LastSeq = c.Status, c.LastSeq
		if !c.LastMessageAt.Equal(c.CreatedAt) {
			a.LastSent = linearSent(c.LastMessageAt)
		}
	default:
		a, err = listCall(ctx, s, r)
	}
	return a, row, err
}

// linearEpoch is the time from which the seconds are counted at which messages were sent. All are long
// ago, so that the clocks of the processes and the waits between them do not matter.
var linearEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func linearSent(at time.Time) int { return int(at.Sub(linearEpoch) / time.Second) }

// linearMessage is the same for each delivery.
func linearMessage(r linearRequest) *message.Message {
	m := &message.Message{
		Direction: r.Call.Way, Content: fmt.Sprint("m", r.Call.Label),
		SentAt: linearEpoch.Add(time.Duration(r.Call.Sent) * time.Second),
	}
	key := fmt.Sprint(r.Thread, r.Call.Label)
	switch r.Call.Key {
	case keyID:
		m.ID = uuid.NewSHA1(r.Thread, []byte(key))
	case keyHost:
		m.IdempotencyKey = key
	case keyProvider:
		m.GmailMessageID = key
	}
	return m
}

func linearRows(ms ...*message.Message) (rows []linearRow) {
	for _, m := range ms {
		rows = append(rows, linearRow{m.Seq, linearLabel(m.Content), m.Direction, linearSent(m.SentAt), m.Deleted()})
	}
	return rows
}

// linearLabel returns -1 for a text that nobody wrote.
func linearLabel(content string) int {
	label, err := strconv.Atoi(strings.TrimPrefix(content, "m"))
	if err != nil {
		return -1
	}
	return label
}

func messageCall(ctx context.Context, s store.Scope, r linearRequest) (a linearAnswer, err error) {
	call := s.Messages().Get
	switch r.Call.Call {
	case callDelete:
		call = s.Messages().Delete
	case callRestore:
		call = s.Messages().Restore
	}
	m, err := call(ctx, r.Row)
	if err == nil {
		a.Messages = linearRows(m)
	}
	return a, err
}

func listCall(ctx context.Context, s store.Scope, r linearRequest) (a linearAnswer, err error) {
	var ms []*message.Message
	if r.Call.Call == callLast {
		ms, err = s.Messages().Last(ctx, r.Thread, r.Call.N)
	} else {
		f := store.MessageFilter{}
		if r.Call.Call == callEnd {
			f.Deleted = store.IncludeDeleted
		}
		var page store.Page[*message.Message]
		page, err = s.Messages().List(ctx, r.Thread, f, store.PageRequest{Limit: store.MaxLimit})
		ms = page.Items
	}
	return linearAnswer{Messages: linearRows(ms...)}, err
}

func suggestionCall(ctx context.Context, s store.Scope, r linearRequest) (a linearAnswer, err error) {
	id := uuid.NewSHA1(r.Thread, []byte(strconv.Itoa(r.Call.Label)))
	found := []*suggestion.Suggestion{nil}
	switch r.Call.Call {
	case callSuggest:
		found[0] = &suggestion.Suggestion{
			ID: id, ConversationID: r.Thread, SuggestedContent: fmt.Sprint("m", r.Call.Label), AnswersSeq: r.Call.Answers,
		}
		err = s.Suggestions().Create(ctx, found[0])
	case callDecide:
		found[0], err = decideCall(ctx, s, id, r.Call)
	case callGetSuggestion:
		found[0], err = s.Suggestions().Get(ctx, id)
	case callDrafts:
		var page store.Page[*suggestion.Suggestion]
		page, err = s.Suggestions().ListByConversation(ctx, r.Thread, store.PageRequest{Limit: store.MaxLimit})
		found = page.Items
	}
	if err != nil {
		return a, err
	}
	for _, g := range found {
		a.Suggestions = append(a.Suggestions, linearSuggestion{linearLabel(g.SuggestedContent), g.Status, g.ReviewedBy, g.AnswersSeq})
	}
	// They are listed in the order of their clients' clocks, which is none of the calls.
	slices.SortFunc(a.Suggestions, func(g, h linearSuggestion) int { return cmp.Compare(g.Label, h.Label) })
	return a, nil
}

func decideCall(ctx context.Context, s store.Scope, id uuid.UUID, c linearCall) (*suggestion.Suggestion, error) {
	review := suggestion.Review{By: c.By}
	switch c.To {
	case suggestion.StatusApproved:
		return s.Suggestions().Approve(ctx, id, review)
	case suggestion.StatusEdited:
		return s.Suggestions().Edit(ctx, id, "other words", review)
	}
	return s.Suggestions().Reject(ctx, id, review)
}
