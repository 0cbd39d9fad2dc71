package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/inbox/internal/hostile"
	"github.com/convostore/convostore/internal/browsertest"
	"github.com/convostore/convostore/store"
)

// envScreenshots names the variable with the directory in which pictures of the pages are kept. With
// it, docs/inbox.png is made anew as well.
const envScreenshots = "CONVOSTORE_TEST_SCREENSHOTS"

// tooWide are the elements that reach out of the window, none if the page cannot be moved sideways.
const tooWide = `document.documentElement.scrollWidth <= innerWidth ? "" : innerWidth + " px: " +
	[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 200)).join("\n")`

// TestHostile: texts of everybody's are shown, run nothing and stay within the page.
func TestHostile(t *testing.T) {
	const threads = 25 // of about forty texts each
	s := newSite(t)
	b := open(t, s, "ann")
	b.expect("status of 409", "status of 404")
	b.run(chromedp.EmulateViewport(360, 700))
	r := rand.New(rand.NewPCG(3, 9))
	fits := func(what string) {
		t.Helper()
		assert.Empty(t, b.text(tooWide), what)
		assert.Equal(t, false, b.eval(`Boolean(document.querySelector("evil-tag, main script, main svg:not(.chart svg), main img"))`), what)
	}
	for i := range threads {
		c := hostile.Thread(t, s.mine, r)
		what := fmt.Sprint("thread ", i)
		b.visit("c/" + c.ID.String() + "?view=all")
		b.eval(`document.querySelectorAll("details").forEach((d) => { d.open = true })`)
		fits(what)
		b.eval(`document.querySelectorAll("#thread *").forEach((e) => { for (const kind of ["mouseover", "pointerdown"]) e.dispatchEvent(new MouseEvent(kind, { bubbles: true })) }); 0`)
		list, err := s.mine.Suggestions().ListByConversation(t.Context(), c.ID, store.PageRequest{})
		require.NoError(t, err)
		_, err = s.mine.Suggestions().SaveDraft(t.Context(), list.Items[1].ID, hostile.Text(r), store.SaveOptions{By: "bob"})
		require.NoError(t, err)
		b.leaves(func() { b.press("a") })
		b.until(refused)
		fits(what + ", refused")
		b.visit("search?q=" + url.QueryEscape(hostile.Text(r)))
		fits(what + ", search")
		b.check()
	}
	for _, path := range []string{"?view=all", "search?q=evil", "reports", "health"} {
		b.visit(path)
		fits(path)
	}
}

// TestPages looks at each page, narrow and wide, in both schemes: it fits, the console is silent, and
// people who do not see or point can use it.
func TestPages(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	require.NoError(t, err)
	pictures := os.Getenv(envScreenshots)
	if pictures == "" {
		pictures = t.TempDir()
	}
	s := newSite(t)
	seen := s.lifelike()
	b := open(t, s, "ann")
	b.expect("status of 409", "status of 404") // of the pages that say so
	if os.Getenv(envScreenshots) != "" {
		b.run(chromedp.EmulateViewport(1440, 900))
		b.visit("c/" + seen.mail.String() + "?view=drafts")
		b.picture("../../docs/inbox.png", chromedp.CaptureScreenshot())
	}
	for _, p := range seen.pages(b) {
		p.visit()
		for _, width := range []int64{1440, 360} {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%d-%s", p.name, width, scheme)
				b.run(chromedp.EmulateViewport(width, 900), browsertest.Prefers(scheme))
				b.until(fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches`, width, scheme))
				assert.Empty(t, b.text(tooWide), name)
				if (width == 360) == (scheme == "dark") {
					b.accessible(string(axe), name)
				}
				if os.Getenv(envScreenshots) != "" || scheme == "light" {
					b.picture(filepath.Join(pictures, name+".png"), chromedp.FullScreenshot(100))
				}
			}
		}
		b.check()
	}
}

// accessible fails for what axe finds.
func (b *tab) accessible(axe, name string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](axe + "; 0"))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`axe.run(document, { resultTypes: ["violations"] }).then((r) =>
		JSON.stringify({ passes: r.passes.length, violations: r.violations.map((v) => v.id + ": " + v.help + "\n" + v.nodes.map((n) => n.html + " " + n.failureSummary).join("\n")) }))`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	var result struct {
		Passes     int      `json:"passes"`
		Violations []string `json:"violations"`
	}
	require.NoError(b.t, json.Unmarshal([]byte(found), &result))
	assert.Greater(b.t, result.Passes, 5, "%s: axe has looked", name)
	assert.Empty(b.t, strings.Join(result.Violations, "\n"), name)
}

// picture keeps a picture of the page, and requires that it has more than one colour.
func (b *tab) picture(file string, take chromedp.Action[[]byte]) {
	b.t.Helper()
	data, err := chromedp.Run(b.ctx, take)
	require.NoError(b.t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(b.t, err)
	require.False(b.t, plain(img), file)
	require.NoError(b.t, os.WriteFile(file, data, 0o600))
}

// plain tells whether a picture has one colour alone.
func plain(img image.Image) bool {
	at := img.Bounds()
	for y := at.Min.Y; y < at.Max.Y; y += 7 {
		for x := at.Min.X; x < at.Max.X; x += 7 {
			if img.At(x, y) != img.At(at.Min.X, at.Min.Y) {
				return false
			}
		}
	}
	return true
}

// shown is a page and how somebody gets there.
type shown struct {
	name  string
	visit func()
}

// pages are all pages, with what has to happen before they are seen.
func (l *lifelike) pages(b *tab) []shown {
	at := func(name, path string) shown { return shown{name, func() { b.visit(path) }} }
	return []shown{
		at("queue", ""), at("empty", "?view=archived"), at("mail", "c/"+l.mail.String()+"?view=drafts"), at("chat", "c/"+l.chat.String()+"?view=all"),
		at("search", "search?q=delivery"), at("reports", "reports"), at("health", "health?sizes=1"),
		at("merge", "c/"+l.mail.String()+"/merge?find=Invoice"), at("refusal", "c/"+uuid.NewString()),
		{"help", func() { b.visit(""); b.press("?"); b.until(`document.querySelector("#help").open`) }},
		{"done", func() {
			b.visit("c/" + l.spare.ConversationID.String() + "?view=drafts")
			b.leaves(func() { b.press("a") })
			b.until(done)
		}},
		{"conflict", func() {
			b.visit("c/" + l.mail.String() + "?view=drafts")
			b.fill("#text", "Hello Maria, thank you for asking. Four weeks, and delivery is free.")
			l.edits("Hello Maria,\n\nforty desks are 17,800 euros.\n\nBest,\nBob", "bob")
			b.press("\x1b")
			b.leaves(func() { b.press("a") })
			b.until(refused)
		}},
	}
}
