package browser

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/suggestion"
)

// thread is the path of a draft's conversation, opened from the queue.
func thread(d *suggestion.Suggestion) string {
	return "c/" + d.ConversationID.String() + "?view=drafts"
}

// typed are the texts of all fields that somebody may have typed into.
const typed = `[...document.querySelectorAll("textarea")].map((e) => e.value).join("\n")`

// refused tells that a decision was, and done that it was not.
const (
	refused = `document.querySelector("#conflict")`
	done    = `document.querySelector("#done")`
)

// write puts the operator's own text into the draft that is open.
func (b *tab) write(text string) {
	b.t.Helper()
	b.fill("#text", text)
	b.press("\x1b")
}

// both has two operators do something at once.
func both(ann, bob *tab, act func(*tab)) {
	var at sync.WaitGroup
	for _, b := range []*tab{ann, bob} {
		at.Go(func() { act(b) })
	}
	at.Wait()
}

// TestTwoOperators: each draft is decided on once, whoever presses first and whatever the server does
// meanwhile, and who comes too late sees what they had typed.
func TestTwoOperators(t *testing.T) {
	const count = 30
	s := newSite(t)
	drafts := s.queue(count)
	ann, bob := open(t, s, "ann"), open(t, s, "bob")
	for _, b := range []*tab{ann, bob} {
		b.expect("status of 409", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	}
	by, text := map[uuid.UUID]string{}, map[uuid.UUID]string{}
	races := 0
	for i, d := range drafts {
		both(ann, bob, func(b *tab) { b.visit(thread(d)) })
		texts := map[*tab]string{ann: fmt.Sprintf("Ann says %d.", i), bob: fmt.Sprintf("Bob says %d.", i)}
		names := map[*tab]string{ann: "ann", bob: "bob"}
		first, second := ann, bob
		if i%2 == 1 {
			first, second = bob, ann
		}
		if i%5 == 4 {
			races++
			both(ann, bob, func(b *tab) { b.write(texts[b]) })
			if i == count/2-1 {
				s.stop() // both have the page open, with what they typed
				s.start()
			}
			both(ann, bob, func(b *tab) { b.leaves(func() { b.press("a") }) })
			if second.eval(done+" !== null") == true {
				first, second = second, first
			}
			require.Equal(t, true, first.eval(done+" !== null"), "somebody wins")
			text[d.ID] = texts[first]
		} else {
			if i%5 == 3 {
				first.press("r")
				first.press("No.")
				first.leaves(func() { first.press("\r") })
			} else {
				first.leaves(func() { first.press("a") })
				text[d.ID] = d.SuggestedContent
			}
			second.write(texts[second]) // on a page that is out of date
			second.leaves(func() { second.press("a") })
		}
		by[d.ID] = names[first]
		assert.Equal(t, true, second.eval(refused+" !== null"), "draft %d: the other one is refused: %s", i, second.snapshot())
		assert.Contains(t, second.text(typed), texts[second], "draft %d", i)
	}
	require.NotZero(t, races)
	sent := map[string]int{}
	for i, d := range drafts {
		now := s.suggestion(d.ID)
		assert.Equal(t, by[d.ID], now.ReviewedBy, "draft %d", i)
		if text[d.ID] == "" {
			assert.Equal(t, suggestion.StatusRejected, now.Status, "draft %d", i)
			assert.False(t, now.Sent())
			continue
		}
		assert.True(t, now.Sent(), "draft %d", i)
		assert.Equal(t, text[d.ID], now.FinalContent(), "draft %d", i)
		sent[text[d.ID]]++
	}
	assert.Equal(t, sent, s.outbox(), "what was approved goes out once each, and nothing else does")
}

// TestKeyboard decides a whole queue with nothing but keys.
func TestKeyboard(t *testing.T) {
	const count = 100
	s := newSite(t)
	drafts := s.queue(count)
	b := open(t, s, "ann")
	b.visit("?view=drafts")
	b.press("j")
	b.leaves(func() { b.press("o") })
	want := map[string]string{}
	for i := range count {
		draft := b.text(`document.querySelector("#thread")?.dataset.draft`)
		require.NotContains(t, want, draft, "each draft comes once: %s", b.snapshot())
		want[draft] = b.key(i)
	}
	b.until(`location.pathname === "/inbox/"`)
	b.until(`!document.querySelector("#queue [data-conversation]")`)
	require.Len(t, want, count)
	sent := map[string]int{}
	for _, d := range drafts {
		now := s.suggestion(d.ID)
		got := now.Status.String()
		switch now.Status {
		case suggestion.StatusEdited, suggestion.StatusApproved:
			sent[now.FinalContent()]++
			if now.Status == suggestion.StatusEdited {
				got += " " + now.FinalContent()
			}
		case suggestion.StatusRejected:
			got += " " + now.Feedback
		}
		assert.Equal(t, want[d.ID.String()], got, d.SuggestedContent)
	}
	assert.Equal(t, sent, s.outbox())
}

// key decides on the draft that is open, in one of several ways, and says what shall have become of
// it. The page is then that of the next one.
func (b *tab) key(i int) string {
	b.t.Helper()
	b.wander(i)
	switch i % 10 {
	case 5, 6:
		suffix := fmt.Sprintf(" Best, Ann %d.", i)
		whole := b.text(`document.querySelector("#text").value`) + suffix
		b.press("e")
		b.until(`document.activeElement.id === "text"`)
		b.press(suffix + "\x1b")
		b.leaves(func() { b.press("a") })
		return "edited " + whole
	case 7, 8:
		b.press("r")
		b.until(`document.activeElement.id === "feedback"`)
		reason := fmt.Sprintf("Too dear, %d?", i)
		b.press(reason)
		b.leaves(func() { b.press("\r") })
		return "rejected " + reason
	case 9:
		b.leaves(func() { b.press("a") })
		b.leaves(func() { b.press("u") })
		b.press("r")
		b.press("Not so.")
		b.leaves(func() { b.press("\r") })
		return "rejected Not so."
	case 4:
		b.press("s")
		b.until(`document.querySelector("#snooze").open && document.activeElement.value === "hour"`)
		b.leaves(func() { b.press("\r") })
		return "pending"
	}
	b.leaves(func() { b.press("a") })
	return "approved"
}

// wander uses the keys that decide nothing.
func (b *tab) wander(i int) {
	b.t.Helper()
	switch here := `location.pathname`; i {
	case 20:
		b.press("n")
		b.until(`document.activeElement.id === "note-text"`)
		b.press("Ask Bob: a j k u ?")
		assert.Equal(b.t, "Ask Bob: a j k u ?", b.text(`document.activeElement.value`))
		b.leaves(func() { b.control("\r") })
		b.until(`document.querySelector("#messages .aside")?.textContent.includes("Ask Bob: a j k u ?")`)
	case 30:
		b.press("?")
		b.until(`document.querySelector("#help").open`)
		b.press("a") // does nothing while help is open
		b.press("\x1b")
		b.until(`!document.querySelector("#help").open`)
		b.press("/")
		b.until(`document.activeElement.id === "search"`)
		b.press("ark") // are letters in a field
		assert.Equal(b.t, "ark", b.text(`document.activeElement.value`))
		b.press("\x1b")
		b.until(`document.activeElement === document.body`)
	case 40:
		at := b.text(here)
		b.leaves(func() { b.press("j") })
		assert.NotEqual(b.t, at, b.text(here))
		b.leaves(func() { b.press("k") })
		assert.Equal(b.t, at, b.text(here))
	case 50:
		at := b.text(here)
		b.leaves(func() { b.press("q") })
		b.until(`document.querySelector("#queue [data-conversation]")`)
		b.press("jjk")
		b.leaves(func() { b.press("\r") })
		assert.Equal(b.t, at, b.text(here), "the first one of the queue")
	}
}
