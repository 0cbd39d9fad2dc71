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
)

func quote(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(q)
}

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
	for _, width := range []int64{1200, 360} {
		b.run(chromedp.EmulateViewport(width, 700))
		assert.LessOrEqual(t, b.eval(`document.documentElement.scrollWidth`), float64(width))
		assert.Zero(t, b.eval(`$$("main button, main textarea, main input").filter((e) => { const r = e.getBoundingClientRect(); return r.width && (r.left < 0 || r.right > innerWidth) }).length`))
	}
	b.click("#menu")
	b.until(`getComputedStyle(document.querySelector("#side")).visibility === "visible"`)
	b.click("#fresh")
	b.until(`document.activeElement.id === "text"`)
	for _, scheme := range []string{"dark", "light"} {
		b.run(likes("prefers-color-scheme", scheme))
		dark := b.eval(`Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]) < 100`)
		assert.Equal(t, scheme == "dark", dark)
	}
}
