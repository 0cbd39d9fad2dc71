package engine_test

import (
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// TestLinearModel has a history of each kind that must not be, beside one that may: a test of
// histories that cannot fail would say nothing.
func TestLinearModel(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]struct{ right, wrong []porcupine.Operation }{
		"gap": {
			after(appended(1, 1), appended(2, 2)),
			after(appended(1, 1), appended(2, 3)),
		},
		"the same seq twice": {
			atOnce(appended(1, 1), appended(2, 2)),
			atOnce(appended(1, 1), appended(2, 1)),
		},
		"redelivery appended again": {
			after(appended(1, 1), redelivered()),
			after(appended(1, 1), appended(1, 2)),
		},
		"redelivery of two at once appended twice": {
			atOnce(appended(1, 1), redelivered()),
			atOnce(appended(1, 1), appended(1, 1)),
		},
		"acknowledged message lost": {
			after(appended(1, 1), appended(2, 2), listed(row(1, 1), row(2, 2))),
			after(appended(1, 1), appended(2, 2), listed(row(1, 1))),
		},
		"stale read": {
			append(after(appended(1, 1)), between(0, 3, listed())),
			append(after(appended(1, 1)), between(2, 3, listed())),
		},
		"read that goes back": {
			append(after(listed(), listed(row(1, 1))), between(0, 9, appended(1, 1))),
			append(after(listed(row(1, 1)), listed()), between(0, 9, appended(1, 1))),
		},
		"message of an unanswered append comes and goes": {
			append(after(listed(), listed(row(1, 1))), between(0, never, unanswered(linearCall{Call: callAppend, Label: 1, Way: message.DirectionInbound, Sent: 1, Seq: 1}))),
			append(after(listed(row(1, 1)), listed()), between(0, never, unanswered(linearCall{Call: callAppend, Label: 1, Way: message.DirectionInbound, Sent: 1, Seq: 1}))),
		},
		"deleted message read": {
			after(appended(1, 1), deleted(row(1, 1)), listed()),
			after(appended(1, 1), deleted(row(1, 1)), listed(row(1, 1))),
		},
		"empty read of a restored conversation": {
			append(after(appended(1, 1), done(callDeleteThread), done(callRestoreThread)), between(4, 9, gone(callLast))),
			append(after(appended(1, 1), done(callDeleteThread), done(callRestoreThread)), between(4, 9, listed())),
		},
		"append to a deleted conversation": {
			after(done(callDeleteThread), gone(callAppend)),
			after(done(callDeleteThread), appended(1, 1)),
		},
		"decided twice": {
			after(suggested(0, suggestion.StatusPending), decided(suggestion.StatusApproved), refused(suggestion.StatusApproved)),
			after(suggested(0, suggestion.StatusPending), decided(suggestion.StatusApproved), decided(suggestion.StatusRejected)),
		},
		"refused for no decision": {
			after(suggested(0, suggestion.StatusPending), decided(suggestion.StatusRejected), refused(suggestion.StatusRejected)),
			after(suggested(0, suggestion.StatusPending), refused(suggestion.StatusPending)),
		},
		"status of another message": {
			after(appended(1, 1), status(conversation.StatusNeedsReply, 1, 1)),
			after(appended(1, 1), status(conversation.StatusWaiting, 1, 1)),
		},
		"an old answer that comes late decides": {
			after(appended(2, 1), sent(1, 2), status(conversation.StatusNeedsReply, 2, 2)),
			after(appended(2, 1), sent(1, 2), status(conversation.StatusWaiting, 2, 2)),
		},
		"activity of an old answer": {
			after(appended(2, 1), sent(1, 2), status(conversation.StatusNeedsReply, 2, 2)),
			after(appended(2, 1), sent(1, 2), status(conversation.StatusNeedsReply, 2, 1)),
		},
		"a deleted message decides": {
			after(appended(1, 1), sent(2, 2), deleted(sentRow(2, 2)), status(conversation.StatusNeedsReply, 2, 1)),
			after(appended(1, 1), sent(2, 2), deleted(sentRow(2, 2)), status(conversation.StatusWaiting, 2, 2)),
		},
		"a newer message supersedes nothing": {
			after(suggested(0, suggestion.StatusPending), appended(1, 1), refused(suggestion.StatusSuperseded)),
			after(suggested(0, suggestion.StatusPending), appended(1, 1), decided(suggestion.StatusApproved)),
		},
		"an answer supersedes": {
			after(suggested(0, suggestion.StatusPending), sent(1, 1), decided(suggestion.StatusApproved)),
			after(suggested(0, suggestion.StatusPending), sent(1, 1), refused(suggestion.StatusSuperseded)),
		},
		"a redelivery supersedes": {
			after(appended(1, 1), suggested(1, suggestion.StatusPending), redelivered(), decidedFor(suggestion.StatusApproved, 1)),
			after(appended(1, 1), suggested(1, suggestion.StatusPending), redelivered(), refused(suggestion.StatusSuperseded)),
		},
		"an old message that comes late supersedes": {
			after(appended(2, 1), suggested(1, suggestion.StatusPending), appended(1, 2), decidedFor(suggestion.StatusApproved, 1)),
			after(appended(2, 1), suggested(1, suggestion.StatusPending), appended(1, 2), refused(suggestion.StatusSuperseded)),
		},
		"a restored message supersedes nothing": {
			after(appended(1, 1), deleted(row(1, 1)), suggested(0, suggestion.StatusPending), restored(1), refused(suggestion.StatusSuperseded)),
			after(appended(1, 1), deleted(row(1, 1)), suggested(0, suggestion.StatusPending), restored(1), decided(suggestion.StatusApproved)),
		},
		"a message that was not deleted supersedes once more": {
			after(appended(2, 1), appended(1, 2), suggested(1, suggestion.StatusPending), deleted(row(2, 1)), restored(2), decidedFor(suggestion.StatusApproved, 1)),
			after(appended(2, 1), appended(1, 2), suggested(1, suggestion.StatusPending), deleted(row(2, 1)), restored(2), refused(suggestion.StatusSuperseded)),
		},
		"suggested for an older message than the newest": {
			after(appended(1, 1), appended(2, 2), suggested(1, suggestion.StatusSuperseded)),
			after(appended(1, 1), appended(2, 2), suggested(1, suggestion.StatusPending)),
		},
	} {
		assert.True(t, porcupine.CheckOperations(linearModel(), h.right), "%s: the right one", name)
		assert.False(t, porcupine.CheckOperations(linearModel(), h.wrong), "%s: the wrong one", name)
	}
}

// never is the return of a call that was not answered.
const never = int64(1) << 62

// after has one call begin after the other has returned.
func after(ops ...porcupine.Operation) []porcupine.Operation {
	for i := range ops {
		ops[i].Call, ops[i].Return = int64(2*i), int64(2*i+1)
	}
	return ops
}

func atOnce(ops ...porcupine.Operation) []porcupine.Operation {
	for i := range ops {
		ops[i].Call, ops[i].Return = 0, 9
	}
	return ops
}

func between(from, to int64, op porcupine.Operation) porcupine.Operation {
	op.Call, op.Return = from, to
	return op
}

// row is a message that came in, sent at the second that its label says.
func row(seq int64, label int) linearRow {
	return linearRow{Seq: seq, Label: label, Way: message.DirectionInbound, Sent: label}
}

// sentRow is one that went out.
func sentRow(seq int64, label int) linearRow {
	return linearRow{Seq: seq, Label: label, Way: message.DirectionOutbound, Sent: label}
}

func op(in linearCall, out linearAnswer) porcupine.Operation {
	return porcupine.Operation{Input: in, Output: out}
}

func appended(label int, seq int64) porcupine.Operation {
	return stored(row(seq, label))
}

func sent(label int, seq int64) porcupine.Operation { return stored(sentRow(seq, label)) }

func stored(m linearRow) porcupine.Operation {
	return op(linearCall{Call: callAppend, Label: m.Label, Way: m.Way, Sent: m.Sent},
		linearAnswer{Created: true, Messages: []linearRow{m}})
}

// redelivered is the first message, with label 1, once more.
func redelivered() porcupine.Operation {
	return op(linearCall{Call: callAppend, Label: 1}, linearAnswer{Messages: []linearRow{row(1, 1)}})
}

func unanswered(in linearCall) porcupine.Operation { return op(in, linearAnswer{Unknown: true}) }

func listed(rows ...linearRow) porcupine.Operation {
	return op(linearCall{Call: callList}, linearAnswer{Messages: rows})
}

func deleted(m linearRow) porcupine.Operation {
	m.Deleted = true
	return op(linearCall{Call: callDelete, Label: m.Label}, linearAnswer{Messages: []linearRow{m}})
}

// restored is the message with label 1, which was deleted.
func restored(seq int64) porcupine.Operation {
	return op(linearCall{Call: callRestore, Label: 1}, linearAnswer{Messages: []linearRow{row(seq, 1)}})
}

func done(call string) porcupine.Operation { return op(linearCall{Call: call}, linearAnswer{}) }

func gone(call string) porcupine.Operation {
	return op(linearCall{Call: call, Label: 1, N: 5}, linearAnswer{NotFound: true})
}

// suggested is a suggestion that takes the messages up to a seq into account.
func suggested(answers int64, s suggestion.Status) porcupine.Operation {
	return op(linearCall{Call: callSuggest, Label: 1, Answers: answers},
		linearAnswer{Suggestions: []linearSuggestion{{1, s, "", answers}}})
}

func decided(to suggestion.Status) porcupine.Operation { return decidedFor(to, 0) }

func decidedFor(to suggestion.Status, answers int64) porcupine.Operation {
	return op(linearCall{Call: callDecide, Label: 1, To: to, By: "somebody"},
		linearAnswer{Suggestions: []linearSuggestion{{1, to, "somebody", answers}}})
}

func refused(found suggestion.Status) porcupine.Operation {
	return op(linearCall{Call: callDecide, Label: 1, To: suggestion.StatusEdited, By: "another"}, linearAnswer{Found: found})
}

func status(s conversation.Status, last int64, sent int) porcupine.Operation {
	return op(linearCall{Call: callGetThread}, linearAnswer{Status: s, LastSeq: last, LastSent: sent})
}
