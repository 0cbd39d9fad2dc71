package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
)

const reply = `letters($$("#thread > li.assistant .body").at(-1).textContent)`

func TestReloadInTheMiddleOfAReply(t *testing.T) {
	s := serve(t, "-delay", "25ms")
	b := open(t, s, "")
	b.say("Where does the text go?")
	b.until(writing)
	before := b.text(reply)
	b.run(chromedp.Reload())
	b.until(`$$("#thread > li").length === 2`)
	after := b.text(reply)
	assert.Truef(t, strings.HasPrefix(after, before), "%q\n%q", before, after)
	b.until(ended)
	whole := b.text(reply)
	assert.True(t, strings.HasPrefix(whole, after))
	assert.Greater(t, len(whole), len(before))
	stored := s.messages()
	require.Len(t, stored, 2)
	assert.Equal(t, message.StateComplete, stored[1].State)
	said := b.text(`letters(` + quote(stored[1].Content) + `.replace(/\]\(.*?\)|` + "```" + `\w+/g, ""))`)
	assert.Equal(t, said, whole, "what is shown is what is stored")
}

func TestStopIsSeenInBothTabs(t *testing.T) {
	s := serve(t, "-delay", "50ms")
	b := open(t, s, "")
	b.say("Stop me")
	b.until(writing)
	other := open(t, s, b.text("location.hash"))
	other.until(writing)
	other.run(chromedp.KeyEvent(kb.Escape))
	for _, one := range []*tab{b, other} {
		one.until(`texts(".note").includes("Stopped.")`)
		one.until(`!$$("[data-state=streaming]").length && document.querySelector("#stop").hidden`)
	}
	assert.Equal(t, b.text(reply), other.text(reply))
	stored := s.messages()
	require.Len(t, stored, 2)
	assert.Equal(t, message.StateInterrupted, stored[1].State)
	assert.Equal(t, "stopped", stored[1].FinishReason)

	// Go on with it, and nothing is said twice.
	b.click(`[aria-label="Go on"]`)
	other.until(`$$("[data-state=streaming]").length === 1`)
	b.click("#stop")
	other.until(`texts(".note").includes("Stopped.")`)
	require.True(t, strings.HasPrefix(s.messages()[1].Content, stored[1].Content))
}

func TestTwoTabsFollowEachOther(t *testing.T) {
	s := serve(t, "-delay", "1ms")
	b := open(t, s, "")
	b.say("The first tab")
	b.until(ended)
	other := open(t, s, b.text("location.hash"), chromedp.WithNewBrowserContext())
	other.until(`$$("#thread > li").length === 2`)
	other.say("The second tab")
	b.until(`$$("#thread > li").length === 4`)
	b.until(ended)
	assert.Contains(t, b.text(`texts(".who").join()`), "Somebody else")

	// An edit makes a branch that both show, and a switch of one moves the other.
	other.until(ended)
	other.click(`#thread > li:nth-child(3) [aria-label="Edit"]`)
	other.until(`$$(".editor textarea").length === 1`)
	b.click(`#thread > li:last-child [aria-label="Answer again"]`) // while the other one types
	other.until(`texts(".count").join() === "2/2"`)
	b.until(ended)
	b.click(`[aria-label="Version before"]`)
	other.until(`texts(".count").join() === "1/2"`)
	other.run(chromedp.SendKeys(chromedp.CSS(".editor textarea"), " again"), enter)
	b.until(`texts("li.user .body").at(-1) === "The second tab again" && texts(".count").join() === "2/2"`)
	b.until(ended)
	b.click(`[aria-label="Version before"]`)
	other.until(`texts("li.user .body").at(-1) === "The second tab" && texts(".count")[0] === "1/2"`)

	// Who looks elsewhere has something to read.
	other.run(chromedp.SendKeys(chromedp.CSS("#search"), " "))
	other.click("#fresh")
	other.until(`!$$("#thread > li").length`)
	b.say("Are you still there?")
	other.until(`texts(".unread").join() === "2"`)
	other.click("#list a")
	other.until(`!$$(".unread").length && $$("#thread > li").length > 4`)
}

func TestBranches(t *testing.T) {
	s := serve(t, "-delay", "1ms")
	b := open(t, s, "")
	b.say("Question one")
	b.until(ended)
	first := b.text(reply)
	b.click(`[aria-label="Answer again"]`)
	b.until(`texts(".count").join() === "2/2"`)
	b.until(ended)
	assert.NotEqual(t, first, b.text(reply))
	b.click(`[aria-label="Version before"]`)
	b.until(`texts(".count").join() === "1/2"`)
	assert.Equal(t, first, b.text(reply))

	// The last branch comes back where it was left.
	b.say("Question two")
	b.until(`$$("#thread > li").length === 4`)
	b.until(ended)
	b.click(`[aria-label="Version after"]`)
	b.until(`$$("#thread > li").length === 2`)
	b.click(`[aria-label="Version before"]`)
	b.until(`$$("#thread > li").length === 4`)

	b.click(`#thread > li:first-child [aria-label="Edit"]`)
	b.run(chromedp.SendKeys(chromedp.CSS(".editor textarea"), " and a half"))
	b.click(`.editor [type="submit"]`)
	b.until(`texts("li.user .body").join() === "Question one and a half" && texts(".count").join() === "2/2"`)
	b.until(ended)
	assert.Len(t, s.messages(), 7)

	b.click(`[aria-label="Good answer"]`)
	b.until(`$$('[aria-label="Good answer"][aria-pressed="true"]').length === 1`)
	b.run(chromedp.Reload())
	b.until(`$$('[aria-label="Good answer"][aria-pressed="true"]').length === 1`)
}

func TestSearchFindsAndOpens(t *testing.T) {
	s := serve(t, "-delay", "1ms")
	b := open(t, s, "")
	for _, words := range []string{"Rhubarb cake", "Bicycle repair"} {
		b.click("#fresh")
		b.say(words)
		b.until(`texts("li.user .body").join() === "` + words + `"`)
		b.until(ended)
	}
	// Make a branch, so that the hit is not on the path that is shown.
	b.click(`#thread > li:first-child [aria-label="Edit"]`)
	b.run(chromedp.SendKeys(chromedp.CSS(".editor textarea"), " something else"), enter)
	b.until(`texts(".count").join() === "2/2"`)
	b.until(ended)
	b.run(chromedp.SendKeys(chromedp.CSS("#search"), "rhub"))
	b.until(`texts("#list .name").join() === "Rhubarb cake" && $$("#list mark").length > 0`)
	b.click("#list a")
	b.until(`texts("li.user .body").join() === "Rhubarb cake"`)
	b.eval(`document.querySelector("#search").value = ""`)
	b.run(chromedp.SendKeys(chromedp.CSS("#search"), "bicycle"))
	b.until(`texts("#list .name").join() === "Bicycle repair"`)
	b.click("#list a")
	b.until(`texts(".found").length === 1 && texts("#thread").join().includes("Bicycle repair")`)
}

func TestKilledServer(t *testing.T) {
	s := serve(t, "-delay", "50ms", "-dead-after", "1s")
	b := open(t, s, "")
	b.say("Will you survive?")
	b.until(writing)
	before := b.text(reply)
	s.kill()
	b.until(`document.body.dataset.live === "no"`)
	s.start()
	b.until(`texts(".note").includes("Interrupted: its writer died.")`)
	after := b.text(reply)
	assert.True(t, strings.HasPrefix(after, before), "what was shown was stored")
	stored := s.messages()
	assert.Equal(t, message.StateInterrupted, stored[1].State)
	assert.Equal(t, "abandoned", stored[1].FinishReason)
	b.until(`document.body.dataset.live === "yes"`)
	b.click(`[aria-label="Go on"]`)
	b.until(`letters($$("#thread > li.assistant .body").at(-1).textContent).length > ` + quote(after) + `.length`)
}
