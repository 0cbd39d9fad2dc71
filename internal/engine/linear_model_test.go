package engine_test

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// The calls of a history. Each is of one conversation, so that a history falls into as many
// parts as it has conversations.
const (
	callAppend        = "append"
	callDelete        = "delete message"
	callRestore       = "restore message"
	callDeleteThread  = "delete conversation"
	callRestoreThread = "restore conversation"
	callSuggest       = "suggest"
	callDecide        = "decide"
	callGet           = "get message"
	callLast          = "last"
	callList          = "list"
	callGetThread     = "get conversation"
	callGetSuggestion = "get suggestion"
	callDrafts        = "list suggestions"
	// callEnd is a list with no other call beside it or after it.
	callEnd = "end"
)

// linearCall is a call. Label names a message or a suggestion: it is what the message says, so
// that a message is known even if its append was never acknowledged.
type linearCall struct {
	Call   string
	Thread int
	Label  int
	Key    string // of an append, see keyPlain
	Way    message.Direction
	Sent   int // of an append, see linearEpoch
	N      int // of last
	// Answers is the seq that a suggestion takes into account, 0 for that of the newest message.
	Answers int64
	To      suggestion.Status // of a decision
	By      string            // unique for each decision
	// Seq is of an append whose outcome is unknown: the place where its message was in the end.
	Seq int64
}

// linearRow is a message as a call returned it, or as it is in the model.
type linearRow struct {
	Seq     int64
	Label   int
	Way     message.Direction
	Sent    int
	Deleted bool
}

type linearSuggestion struct {
	Label   int
	Status  suggestion.Status
	By      string
	Answers int64
}

// linearAnswer is what a call returned. Of an unknown one it says nothing.
type linearAnswer struct {
	Unknown     bool
	NotFound    bool
	Created     bool
	Found       suggestion.Status // the decision that another one was refused for
	Status      conversation.Status
	LastSeq     int64
	LastSent    int // 0 if the conversation has no message that is live
	Messages    []linearRow
	Suggestions []linearSuggestion
}

// linearState is a conversation. It is never changed, only copied.
type linearState struct {
	messages    []linearRow // in the order of seq
	suggestions map[int]linearSuggestion
	deleted     bool
	ended       bool
}

// linearModel is what the contract says about one conversation, call by call.
//
// A call that was not answered took effect at any time after it was made, or never. Its
// operation therefore returns after the end, and to take it up there means that it never took
// effect; anywhere else it must have had one.
func linearModel() porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Partition: byThread,
		Init:      func() any { return linearState{} },
		Step: func(state, input, output any) (bool, any) {
			s, in, out := state.(linearState), input.(linearCall), output.(linearAnswer)
			if out.Unknown {
				return s.unanswered(in)
			}
			return s.answered(in, out)
		},
		Equal: func(a, b any) bool {
			s, u := a.(linearState), b.(linearState)
			return s.deleted == u.deleted && s.ended == u.ended &&
				slices.Equal(s.messages, u.messages) && maps.Equal(s.suggestions, u.suggestions)
		},
		Hash: func(state any) uint64 {
			s := state.(linearState)
			h := maphash.Comparable(seed, [2]bool{s.deleted, s.ended})
			for _, m := range s.messages {
				h = h*31 + maphash.Comparable(seed, m)
			}
			for _, g := range s.suggestions {
				h ^= maphash.Comparable(seed, g)
			}
			return h
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

func byThread(history []porcupine.Operation) [][]porcupine.Operation {
	threads := map[int][]porcupine.Operation{}
	for _, op := range history {
		thread := op.Input.(linearCall).Thread
		threads[thread] = append(threads[thread], op)
	}
	return slices.Collect(maps.Values(threads))
}

// unanswered is a call that took effect without an answer.
func (s linearState) unanswered(in linearCall) (bool, linearState) {
	if s.ended {
		return true, s
	}
	next, out := s.run(in)
	switch {
	case out.NotFound, out.Found != "":
		return false, s
	case in.Call == callAppend:
		return out.Created && out.Messages[0].Seq == in.Seq, next
	case in.Call == callDelete, in.Call == callDeleteThread, in.Call == callSuggest, in.Call == callDecide:
		return true, next
	case in.Call == callRestore:
		return s.messages[s.find(in.Label)].Deleted, next
	case in.Call == callRestoreThread:
		return s.deleted, next
	}
	return false, s
}

// answered is a call that must return out.
func (s linearState) answered(in linearCall, out linearAnswer) (bool, linearState) {
	next, want := s.run(in)
	same := want.NotFound == out.NotFound && want.Created == out.Created && want.Found == out.Found &&
		want.Status == out.Status && want.LastSeq == out.LastSeq && want.LastSent == out.LastSent &&
		slices.Equal(want.Messages, out.Messages) && slices.Equal(want.Suggestions, out.Suggestions)
	return same, next
}

// run is the contract.
func (s linearState) run(in linearCall) (next linearState, out linearAnswer) {
	switch in.Call {
	case callAppend:
		return s.append(in)
	case callDeleteThread:
		out.NotFound, s.deleted = s.deleted, true
		return s, out
	case callRestoreThread:
		s.deleted = false
		return s, out
	}
	if s.deleted {
		return s, linearAnswer{NotFound: true}
	}
	switch in.Call {
	case callDelete, callRestore, callGet:
		return s.message(in)
	case callSuggest, callDecide, callGetSuggestion:
		return s.suggestion(in)
	case callLast, callList, callEnd:
		s.ended = in.Call == callEnd
		return s, linearAnswer{Messages: s.read(in)}
	case callDrafts:
		for _, label := range slices.Sorted(maps.Keys(s.suggestions)) {
			out.Suggestions = append(out.Suggestions, s.suggestions[label])
		}
		return s, out
	}
	return s.thread()
}

// thread is a look at a live conversation. The latest of the live messages decides: the one that was
// sent last, and among equal times the one that was stored last.
func (s linearState) thread() (linearState, linearAnswer) {
	var latest linearRow
	for _, m := range s.messages {
		if !m.Deleted && m.Sent >= latest.Sent {
			latest = m
		}
	}
	return s, linearAnswer{
		Status: conversation.StatusActive.After(latest.Way), LastSeq: int64(len(s.messages)), LastSent: latest.Sent,
	}
}

// append takes the next seq, unless the message is a redelivery, which even a deleted
// conversation answers.
func (s linearState) append(in linearCall) (linearState, linearAnswer) {
	if i := s.find(in.Label); i >= 0 {
		return s, linearAnswer{Messages: []linearRow{s.messages[i]}}
	}
	if s.deleted {
		return s, linearAnswer{NotFound: true}
	}
	m := linearRow{Seq: int64(len(s.messages)) + 1, Label: in.Label, Way: in.Way, Sent: in.Sent}
	s.messages = append(slices.Clip(s.messages), m)
	return s.supersede(m), linearAnswer{Created: true, Messages: []linearRow{m}}
}

// overtakes tells whether a message overtakes a suggestion that takes the messages up to a seq into
// account: it is a live one that came in after them, and none of them that is live and came in was
// sent later.
func (s linearState) overtakes(m linearRow, answers int64) bool {
	asks := func(m linearRow) bool { return m.Way == message.DirectionInbound && !m.Deleted }
	return asks(m) && m.Seq > answers && !slices.ContainsFunc(s.messages, func(known linearRow) bool {
		return asks(known) && known.Seq <= answers && known.Sent > m.Sent
	})
}

// supersede is what a message does to the suggestions that wait when it is appended or restored. At
// no other time does one do it: a deletion makes none overtaken, and none wait again.
func (s linearState) supersede(m linearRow) linearState {
	s.suggestions = maps.Clone(s.suggestions)
	for label, g := range s.suggestions {
		if g.Status == suggestion.StatusPending && s.overtakes(m, g.Answers) {
			g.Status = suggestion.StatusSuperseded
			s.suggestions[label] = g
		}
	}
	return s
}

func (s linearState) find(label int) int {
	return slices.IndexFunc(s.messages, func(m linearRow) bool { return m.Label == label })
}

// message is a call on one message of a live conversation.
func (s linearState) message(in linearCall) (linearState, linearAnswer) {
	i := s.find(in.Label)
	if i < 0 || s.messages[i].Deleted && in.Call != callRestore {
		return s, linearAnswer{NotFound: true}
	}
	if in.Call == callGet || in.Call == callRestore && !s.messages[i].Deleted {
		return s, linearAnswer{Messages: []linearRow{s.messages[i]}}
	}
	s.messages = slices.Clone(s.messages)
	s.messages[i].Deleted = in.Call == callDelete
	return s.supersede(s.messages[i]), linearAnswer{Messages: []linearRow{s.messages[i]}}
}

// suggestion is a call on one suggestion of a live conversation. Nobody suggests the same
// twice.
func (s linearState) suggestion(in linearCall) (linearState, linearAnswer) {
	g, exists := s.suggestions[in.Label]
	switch {
	case in.Call == callSuggest:
		g = s.suggest(in)
	case !exists:
		return s, linearAnswer{NotFound: true}
	case in.Call == callDecide && g.Status != suggestion.StatusPending:
		return s, linearAnswer{Found: g.Status}
	case in.Call == callDecide:
		g.Status, g.By = in.To, in.By
	}
	if in.Call != callGetSuggestion {
		s.suggestions = maps.Clone(s.suggestions)
		if s.suggestions == nil {
			s.suggestions = map[int]linearSuggestion{}
		}
		s.suggestions[in.Label] = g
	}
	return s, linearAnswer{Suggestions: []linearSuggestion{g}}
}

// suggest is a new suggestion. A message may have overtaken it already.
func (s linearState) suggest(in linearCall) linearSuggestion {
	g := linearSuggestion{Label: in.Label, Status: suggestion.StatusPending, Answers: in.Answers}
	for _, m := range s.messages {
		if in.Answers == 0 && !m.Deleted {
			g.Answers = m.Seq
		}
	}
	if slices.ContainsFunc(s.messages, func(m linearRow) bool { return s.overtakes(m, g.Answers) }) {
		g.Status = suggestion.StatusSuperseded
	}
	return g
}

func (s linearState) read(in linearCall) (rows []linearRow) {
	for _, m := range s.messages {
		if !m.Deleted || in.Call == callEnd {
			rows = append(rows, m)
		}
	}
	if in.Call == callLast {
		rows = rows[max(0, len(rows)-in.N):]
	}
	return rows
}
