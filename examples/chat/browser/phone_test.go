package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/convostore/convostore/internal/browsertest"
)

// atEnd is how far the end of the thread is below what is seen of it.
const atEnd = `(() => { const s = document.querySelector("#scroller"); return Math.round(s.scrollHeight - s.scrollTop - s.clientHeight) })()`

// TestPhone: a keyboard takes half of the screen, and fingers are wider than the arrow of a mouse.
func TestPhone(t *testing.T) {
	s := serve(t, "-delay", "20ms")
	b := open(t, s, "")
	const header = `document.querySelector("header").offsetHeight`
	size := func(height int64) { // and until the page has been drawn with it
		drawn := chromedp.Evaluate[chromedp.Void](`new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn())))`, chromedp.EvalAwaitPromise)
		b.run(chromedp.EmulateViewport(360, height, chromedp.EmulateMobile, chromedp.EmulateTouch), drawn)
		assert.InDelta(t, height, b.eval(`innerHeight`), 0)
	}
	size(700)
	empty := b.eval(header)
	b.say("What fits on a phone?")
	b.until(writing)
	assert.Equal(t, empty, b.eval(header), "the header keeps its height")

	// The caret is in the line of the last letter, in every kind of block.
	b.eval(`window.carets = new Map(); new MutationObserver(() => {
		const body = document.querySelector("[data-state=streaming] .body"), last = body?.lastElementChild;
		if (!last) return;
		const text = document.createRange();
		text.selectNodeContents(last);
		const line = [...text.getClientRects()].at(-1);
		if (last.textContent.endsWith("\n") || !line || line.right > innerWidth - 60) return; // the next letter may come in the next line
		const at = [last, last.lastElementChild].some((e) => e && getComputedStyle(e, "::after").content.includes("▍"));
		const below = body.getBoundingClientRect().bottom - text.getBoundingClientRect().bottom;
		if (!at || below > (parseFloat(getComputedStyle(last).lineHeight) || 1.2 * parseFloat(getComputedStyle(last).fontSize))) carets.set(last.tagName + last.textContent, below);
		else carets.set(last.tagName, 0);
	}).observe(document.querySelector("#thread"), { subtree: true, childList: true, characterData: true }); 0`)
	b.until(ended)
	b.say("And now?")
	b.until(`$$("#thread > li").length === 4`)
	b.until(ended)
	assert.Equal(t, true, b.eval(`carets.size > 0 && carets.values().every((below) => !below)`), b.text(`JSON.stringify([...carets])`))

	assert.LessOrEqual(t, b.eval(atEnd), 1.0)
	size(380)
	assert.LessOrEqual(t, b.eval(atEnd), 1.0, "the end stays in view")
	b.eval(`document.querySelector("#scroller").scrollTop = 0`)
	size(500)
	assert.Zero(t, b.eval(`document.querySelector("#scroller").scrollTop`), "and who reads further up stays there")

	b.click(`#thread > li:last-child [aria-label="Answer again"]`)
	b.until(writing)
	b.click("#stop")
	b.until(`texts(".note").includes("Stopped.")`)
	assert.Equal(t, "1", b.text(`$$("body *").filter((e) => e.textContent === "Stopped." && e.checkVisibility() && e.offsetWidth > 1).length`), "it is shown once")
	assert.Equal(t, "Stopped.", b.text(`texts("#status").join()`), "and spoken")
	assert.Empty(t, b.eval(`$$("main button").filter((e) => e.checkVisibility()).filter((e) => e.offsetWidth < 40 || e.offsetHeight < 40).map((e) => e.outerHTML)`))
	assert.Equal(t, empty, b.eval(header))
}

// TestHitsAreSeen: what was searched for stands out in both schemes.
func TestHitsAreSeen(t *testing.T) {
	s := serve(t, "-delay", "0")
	b := open(t, s, "")
	b.say("Where is the needle?")
	b.until(ended)
	b.run(chromedp.SendKeys(chromedp.CSS("#search"), "needle"))
	b.until(`$$("mark").length > 0`)
	for _, scheme := range []string{"light", "dark"} {
		b.run(browsertest.Prefers(scheme))
		assert.Empty(t, b.eval(pale), scheme)
		// In the dark a mark is lighter than what is around it, as it is yellow on white in the light.
		assert.Greater(t, b.eval(`(() => { const [r, g] = getComputedStyle(document.querySelector("mark")).backgroundColor.match(/[\d.]+/g); return Math.min(r, g) })()`), 180.0, scheme)
	}
}
