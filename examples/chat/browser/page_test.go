package browser

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/browsertest"
)

func quote(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(q)
}

// pale returns the visible texts that have too little contrast with what is behind them, by the
// measure of WCAG 2 (AA).
const pale = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    const color = getComputedStyle(e).backgroundColor;
    return color.startsWith("rgba") && e.parentElement ? behind(e.parentElement) : color;
  };
  return $$("body *").filter((e) => e.checkVisibility() && !e.disabled && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).filter((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 4.5;
  }).map((e) => e.outerHTML.slice(0, 200));
})()`

// TestTextOfAModelIsText has a model repeat what would be tags and scripts. check sees that the
// browser had nothing to refuse.
func TestTextOfAModelIsText(t *testing.T) {
	s := serve(t, "-delay", "0")
	b := open(t, s, "")
	const bad = `<script>wrong.push("ran")</script><img src=x onerror=wrong.push(1)> [a](javascript:wrong.push(2)) **<b>b**`
	b.say(bad)
	b.until(ended)
	assert.Contains(t, b.text(`texts("li.user .body").join()`), bad)
	assert.Contains(t, b.text(`texts("li.assistant .body").join()`), `<script>wrong.push("ran")</script>`)
	assert.Zero(t, b.eval(`$$("#thread script, #thread img, #thread b").length`))
	assert.Zero(t, b.eval(`$$("#thread a").filter((a) => !/^https?:$/.test(a.protocol) || !a.rel.includes("noopener")).length`))

	// The policy is there: the browser refuses what the page does not do.
	assert.Contains(t, b.text(`(() => { try { document.body.innerHTML = "x" } catch (e) { return "refused" } })()`), "refused")
	b.until(`wrong.length > 0`)
	b.eval(`wrong.length = 0`)
}

func TestEverythingHasANameAndFits(t *testing.T) {
	s := serve(t, "-delay", "0")
	b := open(t, s, "")
	b.say("What fits on a phone?")
	b.until(ended)
	b.click(`[aria-label="Answer again"]`)
	b.until(`texts(".count").join() === "2/2"`)
	b.until(ended)
	b.run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		tree, err := cdp.Call(ctx, target, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		require.NoError(t, err)
		controls := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			switch role := string(n.Role.Value); role {
			case `"button"`, `"link"`, `"textbox"`, `"searchbox"`, `"navigation"`, `"region"`:
				controls++
				assert.NotNilf(t, n.Name, "%s has no name", role)
				assert.Greaterf(t, len(n.Name.Value), 2, "%s %v has no name", role, n.Properties)
			}
		}
		assert.Greater(t, controls, 12)
		return nil
	}))
	for _, scheme := range []string{"dark", "light"} {
		b.run(browsertest.Prefers(scheme))
		dark := b.eval(`Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]) < 100`)
		assert.Equal(t, scheme == "dark", dark)
		assert.Empty(t, b.eval(pale), scheme)
	}
	for _, width := range []int64{1200, 360} {
		b.run(chromedp.EmulateViewport(width, 700))
		assert.LessOrEqual(t, b.eval(`document.documentElement.scrollWidth`), float64(width))
		assert.Zero(t, b.eval(`$$("main button, main textarea, main input").filter((e) => { const r = e.getBoundingClientRect(); return r.width && (r.left < 0 || r.right > innerWidth) }).length`))
	}
	b.click("#menu")
	b.until(`getComputedStyle(document.querySelector("#side")).visibility === "visible"`)
	b.click("#fresh")
	b.until(`document.activeElement.id === "text"`)
}
