package window

import (
	"cmp"
	"slices"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/rule"
)

// Build chooses what of a conversation is sent. Messages are those of one path in any order;
// their order is that of seq. It changes neither them nor the summaries.
//
//   - Messages of the roles system and developer and the last message of a user's are pinned.
//     If they do not fit, the error is a *TooSmallError.
//   - The others are taken from the newest on, until one does not fit; what is older is left out.
//   - A message that calls tools and all results of its calls are one step: both are in the
//     window or none is. Calls in messages that follow each other belong to one step. Results
//     follow their calls at once, whatever was said in between. See Budget.Missing.
//   - A summary that is not void stands in the place of all messages from FromSeq to ToSeq but
//     those of the system. Of two that overlap the longer one counts, of equal ones the newer.
//   - Whatever comes first, it is a user's message or a summary, beside those of the system.
//
// payload.NewPrompt makes of Window.Messages what Chat Completions, Responses, Anthropic and
// Gemini accept by their published rules, provided that ids of calls are not used twice.
func Build(messages []*message.Message, summaries []*conversation.Summary, b Budget) (Window, error) {
	if err := b.Validate(); err != nil {
		return Window{}, err
	}
	if slices.Contains(messages, nil) || slices.Contains(summaries, nil) {
		return Window{}, rule.Invalid("messages", "and summaries must not be nil")
	}
	w := &builder{budget: b, count: newCounter(b)}
	w.choose(messages, summaries)
	w.link()
	w.group()
	if err := w.take(); err != nil {
		return Window{}, err
	}
	return w.window(), nil
}

// item is a message or a summary with what Build learns of it.
type item struct {
	message *message.Message
	summary *conversation.Summary
	altered bool
	calls   []*openCall
	results []payload.Result
	// run is the number of the step that a calling message belongs to, from 1 on. A message
	// with results has the one whose calls it answers. A result that the window adds has
	// ofWindow.
	run  int
	cost cost
}

const ofWindow = -1

// openCall is a call with the message that has it.
type openCall struct {
	payload.Call
	of       *item
	answered bool
}

func (i *item) role() message.Role {
	if i.summary != nil {
		return message.RoleUser
	}
	return i.message.Role
}

func (i *item) pinned() bool {
	return i.summary == nil && (i.message.Role == message.RoleSystem || i.message.Role == message.RoleDeveloper)
}

func (i *item) seq() int64 {
	if i.summary != nil {
		return i.summary.FromSeq
	}
	return i.message.Seq
}

// unit is what is in the window together or not at all.
type unit struct {
	items  []*item
	pinned bool
	cost   cost
	taken  bool
}

func (u *unit) leads() bool { return u.items[0].role() == message.RoleUser }

func (u *unit) system() bool { return u.items[0].pinned() }

type builder struct {
	budget  Budget
	count   counter
	items   []*item
	last    *item // the last message of a user's
	units   []*unit
	leftOut []LeftOut
}

func (w *builder) leave(i *item, r Reason) {
	if i.run == ofWindow {
		return // nobody gave it
	}
	w.leftOut = append(w.leftOut, LeftOut{Seq: i.seq(), Summary: i.summary, Reason: r})
}

// choose keeps what may be sent, with the summaries in the place of what they cover.
func (w *builder) choose(messages []*message.Message, summaries []*conversation.Summary) {
	ordered := slices.Clone(messages)
	slices.SortStableFunc(ordered, func(a, b *message.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	var fit []*item
	for _, m := range ordered {
		i := newItem(m)
		switch {
		case !w.budget.fits(m):
			w.leave(i, Unfit)
			continue
		case blank(i):
			w.leave(i, Blank)
			continue
		case m.Role == message.RoleUser && speaks(m):
			w.last = i
		}
		fit = append(fit, i)
	}
	chosen := w.chooseSummaries(summaries)
	var covering *conversation.Summary
	for _, i := range fit {
		for len(chosen) > 0 && chosen[0].FromSeq <= i.seq() {
			covering, chosen = chosen[0], chosen[1:]
			w.items = append(w.items, &item{summary: covering})
		}
		if covering != nil && covers(covering, i.seq()) && !i.pinned() {
			w.leave(i, Covered)
			continue
		}
		w.items = append(w.items, i)
	}
	for _, s := range chosen {
		w.items = append(w.items, &item{summary: s})
	}
}

// chooseSummaries returns those to use, by seq, and leaves out the others.
func (w *builder) chooseSummaries(summaries []*conversation.Summary) []*conversation.Summary {
	var last *message.Message
	if w.last != nil {
		last = w.last.message
	}
	chosen := Choose(summaries, last)
	for _, s := range summaries {
		switch {
		case slices.Contains(chosen, s):
		case s.Void():
			w.leave(&item{summary: s}, Unfit)
		case strings.TrimSpace(s.Content) == "":
			w.leave(&item{summary: s}, Blank)
		default:
			w.leave(&item{summary: s}, Overlapping)
		}
	}
	return chosen
}

// Choose returns the summaries that Build uses, in the order of seq: those that are not void or
// blank and do not cover the last user's message, if last is not nil; of two that overlap the
// longer one, of equally long ones the newer.
func Choose(summaries []*conversation.Summary, last *message.Message) []*conversation.Summary {
	best := slices.Clone(summaries)
	slices.SortStableFunc(best, func(a, b *conversation.Summary) int {
		return cmp.Or(cmp.Compare(b.ToSeq-b.FromSeq, a.ToSeq-a.FromSeq), b.CreatedAt.Compare(a.CreatedAt))
	})
	var chosen []*conversation.Summary
	for _, s := range best {
		if s.Void() || strings.TrimSpace(s.Content) == "" || last != nil && covers(s, last.Seq) {
			continue
		}
		if !slices.ContainsFunc(chosen, func(c *conversation.Summary) bool { return c.FromSeq <= s.ToSeq && s.FromSeq <= c.ToSeq }) {
			chosen = append(chosen, s)
		}
	}
	slices.SortFunc(chosen, func(a, b *conversation.Summary) int { return cmp.Compare(a.FromSeq, b.FromSeq) })
	return chosen
}

func covers(s *conversation.Summary, seq int64) bool { return s.FromSeq <= seq && seq <= s.ToSeq }

func newItem(m *message.Message) *item {
	i := &item{message: m, results: payload.Results(m)}
	for _, c := range payload.Calls(m) {
		i.calls = append(i.calls, &openCall{Call: c, of: i})
	}
	if m.Role != message.RoleAssistant {
		i.calls = nil // nobody else calls
	}
	if i.pinned() {
		i.results = nil // and the system answers nothing
	}
	return i
}

func (b Budget) fits(m *message.Message) bool {
	kind, state := cmp.Or(m.Kind, message.KindMessage), cmp.Or(m.State, message.StateComplete)
	states := b.States
	if len(states) == 0 {
		states = []message.State{message.StateComplete, message.StateInterrupted}
	}
	return !m.Deleted() && slices.Contains(states, state) &&
		(len(b.Kinds) == 0 && kind == message.KindMessage || slices.Contains(b.Kinds, kind))
}

// blank tells whether a message says nothing in any format.
func blank(i *item) bool {
	return len(i.calls) == 0 && len(i.results) == 0 && !speaks(i.message)
}

// speaks tells whether a message says something beside calls and results.
func speaks(m *message.Message) bool {
	if strings.TrimSpace(m.Content) != "" {
		return true
	}
	return len(m.Payload) > 0 && len(payload.Results(m)) == 0 && len(payload.Calls(m)) == 0
}

// Pins tells whether the budget has a user's message pinned if it is the last one: whether it is of
// the kinds and states that the window takes, and says something.
func (b Budget) Pins(m *message.Message) bool {
	return m.Role == message.RoleUser && b.fits(m) && speaks(m)
}
