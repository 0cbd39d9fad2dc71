package window_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/window"
)

// thread makes random conversations of every kind that hosts have, and of some that they should
// not have.
type thread struct {
	*rand.Rand
	messages []*message.Message
	pending  []payload.Call
	ids      int
	noIDs    bool
}

func (r *thread) chance(n int) bool { return r.IntN(n) == 0 }

func (r *thread) add(m *message.Message) {
	m.Seq = int64(len(r.messages) + 1)
	m.Normalize(time.Unix(1e9, 0))
	if r.chance(40) {
		m.Kind = message.KindNote
	}
	if r.chance(40) {
		m.State = message.States()[r.IntN(4)]
	}
	if r.chance(40) {
		m.DeletedAt = gorm.DeletedAt{Time: time.Unix(1e9, 0), Valid: true}
	}
	r.messages = append(r.messages, m)
}

func (r *thread) text() string {
	return strings.TrimSpace(strings.Repeat("word ", r.IntN(30)))
}

// step has a model call some tools, in one message or in several, perhaps with thoughts.
func (r *thread) step() {
	for range 1 + r.IntN(2) {
		var calls []payload.Call
		for range 1 + r.IntN(3) {
			r.ids++
			c := payload.Call{ID: fmt.Sprintf("call_%d", r.ids), Name: []string{"f", "g", "h"}[r.IntN(3)]}
			if r.noIDs {
				c.ID = ""
			}
			calls = append(calls, c)
		}
		if r.chance(5) {
			r.add(&message.Message{Role: message.RoleAssistant, PayloadFormat: string(payload.Responses), Payload: message.Payload(`{"type":"reasoning","id":"rs","summary":[]}`)})
		}
		m := &message.Message{Role: message.RoleAssistant, Content: r.text(), ToolCalls: message.MustJSON(calls)}
		if r.chance(6) { // a UIMessage has the results with the calls
			var results []payload.Result
			for _, c := range calls[:len(calls)-r.IntN(8)/7] {
				results = append(results, payload.Result{CallID: c.ID, Name: c.Name, Content: "x"})
			}
			m.ToolResults = message.MustJSON(results)
		} else {
			r.pending = append(r.pending, calls...)
		}
		r.add(m)
		if r.chance(5) {
			r.add(&message.Message{Role: message.RoleAssistant, Content: r.text()})
		}
	}
}

// answer gives results: to all calls, to some, of several in one message, twice, or to nothing.
func (r *thread) answer() {
	for len(r.pending) > 0 && !r.chance(6) {
		var results []payload.Result
		for range 1 + r.IntN(3) {
			if len(r.pending) == 0 {
				break
			}
			c := r.pending[0]
			if r.pending = r.pending[1:]; r.chance(15) {
				continue
			}
			results = append(results, payload.Result{CallID: c.ID, Name: c.Name, Content: r.text(), IsError: r.chance(5)})
		}
		if r.chance(30) {
			results = append(results, payload.Result{CallID: fmt.Sprintf("call_%d", 1+r.IntN(r.ids+3)), Content: "again"})
		}
		m := &message.Message{Role: message.RoleTool, ToolResults: message.MustJSON(results)}
		if r.chance(6) {
			m.Role, m.Content = message.RoleUser, r.text()
		}
		if r.add(m); r.chance(10) {
			r.add(&message.Message{Role: message.RoleUser, Content: r.text()})
		}
	}
	if r.chance(3) {
		r.pending = nil
	}
}

func randomThread(seed uint64) *thread {
	r := &thread{Rand: rand.New(rand.NewPCG(seed, 1))}
	r.noIDs = r.chance(5)
	for range r.IntN(12) {
		switch n := r.IntN(20); {
		case n < 2:
			r.add(&message.Message{Role: []message.Role{message.RoleSystem, message.RoleDeveloper}[n], Content: r.text()})
		case n < 9:
			r.add(&message.Message{Role: message.RoleUser, Content: r.text()})
		case n < 13:
			r.add(&message.Message{Role: message.RoleAssistant, Content: r.text()})
		case n < 17:
			r.step()
		}
		if r.chance(2) {
			r.answer()
		}
	}
	return r
}

func (r *thread) summaries() []*conversation.Summary {
	var all []*conversation.Summary
	for range r.IntN(4) {
		if n := len(r.messages); n > 0 {
			from := int64(1 + r.IntN(n))
			s := &conversation.Summary{FromSeq: from, ToSeq: from + int64(r.IntN(n)), Content: "What was said: " + r.text()}
			if r.chance(8) {
				s.VoidAt = new(time.Unix(1e9, 0))
			}
			all = append(all, s)
		}
	}
	return all
}

func (r *thread) budget() window.Budget {
	return window.Budget{
		Tokens: r.IntN(2) * (100 + r.IntN(2000)), Bytes: r.IntN(2) * (200 + r.IntN(5000)), Messages: 1 + r.IntN(40),
		Missing: window.Missing(r.IntN(2)),
	}
}

// Every window of a random thread is within its budget and accepted by all providers, whatever
// the thread is like, and says of everything that was given where it is.
func TestRandomWindows(t *testing.T) {
	threads := 500
	if testrun.Full() {
		threads = 100_000
	}
	fit, steps := 0, 0
	for seed := range threads {
		r := randomThread(uint64(seed))
		summaries, b := r.summaries(), r.budget()
		w, err := window.Build(r.messages, summaries, b)
		var small *window.TooSmallError
		if err != nil {
			require.ErrorAs(t, err, &small, "thread %d", seed)
			require.False(t, (b.Tokens == 0 || small.Tokens <= b.Tokens) && (b.Bytes == 0 || small.Bytes <= b.Bytes) && small.Messages <= b.Messages)
			b = window.Budget{Tokens: small.Tokens, Bytes: small.Bytes, Messages: small.Messages, Missing: b.Missing}
			w, err = window.Build(r.messages, summaries, b)
			require.NoError(t, err, "thread %d: what the error asks for is enough", seed)
		}
		fit++
		if msg := wrong(r, summaries, w, b); msg != "" {
			t.Fatalf("thread %d: %s\n%s", seed, msg, describe(r, summaries, w))
		}
		for _, e := range w.Entries {
			if e.Message != nil && len(e.Message.ToolCalls) > 0 {
				steps++
			}
		}
	}
	require.Equal(t, threads, fit)
	require.Greater(t, steps, threads/4, "many windows have calls")
}

// wrong says what is wrong with a window, "" if nothing is.
func wrong(r *thread, summaries []*conversation.Summary, w window.Window, b window.Budget) string {
	if b.Tokens > 0 && w.Tokens > b.Tokens || b.Bytes > 0 && w.Bytes > b.Bytes || b.Messages > 0 && len(w.Entries) > b.Messages {
		return "over the budget"
	}
	for f, check := range map[payload.Format]func(payload.Prompt) error{
		payload.ChatCompletions: checkChat, payload.Responses: checkResponses, payload.Anthropic: checkAnthropic, payload.Gemini: checkGemini,
	} {
		p, err := payload.NewPrompt(f, w.Messages())
		if err == nil {
			err = check(p)
		}
		if err != nil {
			return fmt.Sprintf("%s refuses it: %v", f, err)
		}
	}
	return accounts(r, summaries, w)
}

// accounts checks that each message and summary is in one of the lists, once, and that what is
// pinned is in the window.
func accounts(r *thread, summaries []*conversation.Summary, w window.Window) string {
	places := map[int64]int{}
	used := 0
	for _, e := range w.Entries {
		switch {
		case e.Summary != nil:
			used++
		case !e.Synthetic:
			places[e.Message.Seq]++
		}
	}
	for _, l := range w.LeftOut {
		if l.Summary != nil {
			used++
		} else {
			places[l.Seq]++
		}
	}
	if used != len(summaries) {
		return fmt.Sprintf("%d summaries of %d", used, len(summaries))
	}
	for _, m := range r.messages {
		if places[m.Seq] != 1 {
			return fmt.Sprintf("message %d is in %d places", m.Seq, places[m.Seq])
		}
	}
	last := slices.IndexFunc(w.Entries, func(e window.Entry) bool { return e.Message != nil && e.Message.Role == message.RoleUser })
	for _, m := range slices.Backward(r.messages) {
		if m.Role == message.RoleUser && m.Content != "" && m.Kind == message.KindMessage && !m.Deleted() &&
			(m.State == message.StateComplete || m.State == message.StateInterrupted) {
			if last < 0 || !slices.ContainsFunc(w.Entries, func(e window.Entry) bool { return e.Message != nil && e.Message.Seq == m.Seq }) {
				return fmt.Sprintf("the last user's message %d is not there", m.Seq)
			}
			break
		}
	}
	return ""
}

func describe(r *thread, summaries []*conversation.Summary, w window.Window) string {
	var b strings.Builder
	for _, m := range r.messages {
		fmt.Fprintf(&b, "%d %s %s %s %v text %d calls %s results %s\n", m.Seq, m.Role, m.Kind, m.State, m.Deleted(), len(m.Content), m.ToolCalls, m.ToolResults)
	}
	for _, s := range summaries {
		fmt.Fprintf(&b, "summary %d-%d void %v\n", s.FromSeq, s.ToSeq, s.Void())
	}
	for _, e := range w.Entries {
		if e.Summary != nil {
			fmt.Fprintf(&b, "-> summary %d-%d\n", e.Summary.FromSeq, e.Summary.ToSeq)
		} else {
			fmt.Fprintf(&b, "-> %d %s %s %s\n", e.Message.Seq, e.Message.Role, e.Message.ToolCalls, e.Message.ToolResults)
		}
	}
	for _, l := range w.LeftOut {
		fmt.Fprintf(&b, "left out %d: %s\n", l.Seq, l.Reason)
	}
	return b.String()
}
