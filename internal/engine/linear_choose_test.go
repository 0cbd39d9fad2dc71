package engine_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// linearShares are the shares of the calls in a history.
var linearShares = []struct {
	call  string
	share int
}{
	{callAppend, 40},
	{callDelete, 6},
	{callRestore, 6},
	{callDeleteThread, 3},
	{callRestoreThread, 8},
	{callSuggest, 4},
	{callDecide, 8},
	{callGet, 5},
	{callLast, 9},
	{callList, 5},
	{callGetThread, 3},
	{callGetSuggestion, 2},
	{callDrafts, 2},
}

// choose makes up a call, mostly about what happened a moment ago or happens meanwhile.
func (l *linearRun) choose(random *rand.Rand) linearRequest {
	i := random.IntN(len(l.threads))
	thread := l.threads[i]
	c := linearCall{Call: pickCall(random), Thread: i}
	r := linearRequest{Thread: thread.id}
	recent := func(n int) int { return max(1, n-random.IntN(5)) }
	switch c.Call {
	case callAppend:
		c = thread.nextAppend(c, random)
	case callDelete, callRestore, callGet:
		c.Label = recent(thread.labels)
		if r.Row = thread.rows[c.Label]; r.Row == uuid.Nil {
			c.Call, c.N = callLast, 5 // nobody knows its id yet
		}
	case callLast:
		c.N = 1 + random.IntN(20)
	case callSuggest:
		thread.drafts++
		c.Label = thread.drafts
		if random.IntN(2) == 0 {
			c.Answers = max(0, thread.seq-random.Int64N(5))
		}
	case callDecide:
		decisions := []suggestion.Status{suggestion.StatusApproved, suggestion.StatusEdited, suggestion.StatusRejected}
		c.Label, c.To, c.By = recent(thread.drafts), decisions[random.IntN(3)], fmt.Sprint("decision ", l.calls)
	case callGetSuggestion:
		c.Label = recent(thread.drafts)
	}
	r.Call = c
	return r
}

func pickCall(random *rand.Rand) string {
	all := 0
	for _, s := range linearShares {
		all += s.share
	}
	n := random.IntN(all)
	for _, s := range linearShares {
		if n -= s.share; n < 0 {
			return s.call
		}
	}
	panic("the shares are all of it")
}

// nextAppend is a new message, or in one of three cases a redelivery.
func (h *linearThread) nextAppend(c linearCall, random *rand.Rand) linearCall {
	if n := len(h.appends); n > 0 && random.IntN(3) == 0 {
		return h.appends[max(0, n-1-random.IntN(5))]
	}
	h.labels++
	c.Label = h.labels
	c.Key = []string{keyPlain, keyID, keyHost, keyProvider}[random.IntN(4)]
	// One of three is an old one that comes late, or as old as another.
	c.Sent = max(1, h.labels-max(0, random.IntN(6)-3)*random.IntN(5))
	c.Way = []message.Direction{message.DirectionInbound, message.DirectionOutbound}[random.IntN(2)]
	if c.Key != keyPlain {
		h.appends = append(h.appends, c)
	}
	return c
}
