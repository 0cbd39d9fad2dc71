package browser

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/browsertest"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// TestUndo: for 30 seconds a reply can be taken back. Once a worker has it, it is too late.
func TestUndo(t *testing.T) {
	s := newSite(t)
	d := s.queue(1)[0]
	b := open(t, s, "ann")
	b.visit(thread(d))
	b.leaves(func() { b.press("a") })
	require.Equal(t, map[string]int{d.SuggestedContent: 1}, s.outbox())
	s.advance(20 * time.Second)
	none, err := s.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "worker"})
	require.NoError(t, err)
	require.Empty(t, none, "no worker has it before its time")
	b.leaves(func() { b.press("u") })
	assert.Contains(t, b.text(`document.querySelector("#done").textContent`), "Taken back")
	assert.Empty(t, s.outbox())
	assert.Equal(t, suggestion.StatusPending, s.suggestion(d.ID).Status)

	b.leaves(func() { b.press("a") })
	s.advance(31 * time.Second)
	claimed, err := s.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "worker"})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	b.expect("status of 409")
	b.leaves(func() { b.press("u") }) // the clock of the browser says that there is time
	b.until(refused)
	assert.Contains(t, b.text(`document.querySelector("#conflict-hint").textContent`), "on its way, or has left")
	assert.Equal(t, suggestion.StatusApproved, s.suggestion(d.ID).Status)
	assert.True(t, s.suggestion(d.ID).Sent())
}

// TestNewerMail: mail that comes while somebody types is shown at once, and the reply waits until it
// was read.
func TestNewerMail(t *testing.T) {
	s := newSite(t)
	d := s.queue(1)[0]
	b := open(t, s, "ann")
	b.visit(thread(d))
	const mine = "Ten are nine euros, and <b>no</b> more."
	b.fill("#text", mine)
	b.eval(`window.same = true`)
	s.arrives(d.ConversationID, "Make it twenty.")
	b.until(`document.querySelector("#m2")?.textContent.includes("Make it twenty.")`)
	b.until(`document.querySelector("#live").textContent.includes("changed meanwhile") || document.querySelector("#live").textContent.includes("A new message")`)
	assert.Equal(t, true, b.eval(`window.same`), "the page was not loaded anew")
	assert.Equal(t, mine, b.text(`document.querySelector("#text").value`))

	b.expect("status of 409")
	b.press("\x1b")
	b.leaves(func() { b.press("a") })
	b.until(refused)
	assert.Contains(t, b.text(`document.querySelector("#conflict").textContent`), "Make it twenty.")
	assert.Equal(t, mine, b.text(`document.querySelector("#text").value`))
	assert.Empty(t, s.outbox(), "nothing went out")
	b.leaves(func() { b.click("[data-action=confirm]") })
	b.until(done)
	assert.Equal(t, map[string]int{mine: 1}, s.outbox())
}

// TestWithoutScript: who has no scripts reads and decides all the same.
func TestWithoutScript(t *testing.T) {
	s := newSite(t)
	drafts := s.queue(3)
	b := open(t, s, "ann")
	b.run(browsertest.Call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.visit("?view=drafts")
	require.Equal(t, false, b.eval(`document.documentElement.classList.contains("scripted")`))
	b.leaves(func() { b.click("#queue [data-action=open]") })
	assert.Contains(t, b.text(`document.querySelector("#messages").textContent`), "How much are ten?")

	b.leaves(func() { b.click("[data-action=approve]") }) // on to the second one
	assert.True(t, s.suggestion(drafts[0].ID).Sent())
	b.leaves(func() { b.click("[data-action=undo]") })
	assert.Equal(t, suggestion.StatusPending, s.suggestion(drafts[0].ID).Status)
	assert.Empty(t, s.outbox())

	b.visit(thread(drafts[1]))
	b.fill("#text", "Eleven.")
	b.leaves(func() { b.click("[data-action=save]") })
	assert.Equal(t, "Eleven.", s.suggestion(drafts[1].ID).DraftContent)
	assert.Equal(t, "Eleven.", b.text(`document.querySelector("#text").value`))
	b.leaves(func() { b.click("[data-action=approve]") })
	assert.Equal(t, map[string]int{"Eleven.": 1}, s.outbox())

	b.visit(thread(drafts[2]))
	b.fill("#feedback", "Too dear.")
	b.leaves(func() { b.click("[data-action=reject]") })
	now := s.suggestion(drafts[2].ID)
	assert.Equal(t, suggestion.StatusRejected, now.Status)
	assert.Equal(t, "Too dear.", now.Feedback)
	assert.Equal(t, false, b.eval(`document.documentElement.classList.contains("scripted")`))
}
