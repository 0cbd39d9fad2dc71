package browser

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/browsertest"
)

// watcher runs in each page before its own script. It notes what the browser refused, errors, and
// whether the letters of a message ever went backwards.
const watcher = `
window.wrong = [];
addEventListener("securitypolicyviolation", (e) => wrong.push("policy: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
addEventListener("error", (e) => wrong.push("error: " + e.message));
addEventListener("unhandledrejection", (e) => wrong.push("rejection: " + (e.reason?.message || e.reason)));
window.letters = (text) => text.replace(/[^\p{L}\p{N}]|^\d+$/gu, "");
window.had = new Map();
window.backwards = [];
new MutationObserver(() => {
  for (const li of document.querySelectorAll("#thread > li.assistant")) {
    const now = letters(li.querySelector(".body").textContent), before = had.get(li.dataset.id) || "";
    if (!now.startsWith(before)) backwards.push([before, now]);
    had.set(li.dataset.id, now);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
window.until = (condition) => new Promise((met) => {
  let done = false;
  const look = () => {
    if (done || !condition()) return;
    done = true;
    observer.disconnect();
    clearInterval(layout);
    met(true);
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  const layout = setInterval(look, 50); // what moves without a change of the document
  look();
});
// press clicks on an element if a mouse would hit it: in one go, so that nothing moves in between.
window.press = (selector) => {
  const e = document.querySelector(selector);
  if (!e?.checkVisibility({ visibilityProperty: true }) || e.disabled) return false;
  e.scrollIntoView({ block: "nearest", behavior: "instant" });
  const r = e.getBoundingClientRect();
  if (!e.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2))) return false;
  e.focus();
  e.click();
  return true;
};
window.$$ = (selector) => [...document.querySelectorAll(selector)];
window.texts = (selector) => $$(selector).map((e) => e.textContent);
`

// patience is how long a test waits for something to happen.
const patience = 20 * time.Second

// tab is a page that a person looks at.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open opens the page of a server in a new tab. With another person it has cookies of its own.
func open(t *testing.T, s *server, path string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browsertest.Browser(t), options...)
	b := &tab{t, ctx}
	t.Cleanup(func() {
		b.check()
		cancel()
	})
	inject := browsertest.Call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher})
	require.NoError(t, chromedp.Do(ctx)) // the tab lives as long as this context
	b.run(inject, browsertest.Prefers("light"), chromedp.Navigate("http://"+s.addr+"/"+path))
	b.until(`document.body.dataset.live === "yes"`)
	return b
}

// check looks for what must not happen in any test.
func (b *tab) check() {
	assert.Empty(b.t, b.eval(`wrong`))
	assert.Empty(b.t, b.eval(`backwards`), "text went backwards")
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		require.NoErrorf(b.t, err, "the page has: %s", b.snapshot())
	}
}

func (b *tab) snapshot() (text string) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	text, _ = chromedp.Run(ctx, chromedp.Evaluate[string](`location.hash + "\n" + document.body.innerText + "\n" + JSON.stringify(wrong)`))
	return text
}

// until waits until a condition of the document is met.
func (b *tab) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("until(() => "+condition+")", chromedp.EvalAwaitPromise)); err != nil {
		require.NoError(b.t, err, "%s\nthe page has: %s", condition, b.snapshot())
	}
}

func (b *tab) eval(expression string) any {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[any](expression))
	require.NoErrorf(b.t, err, "the page has: %s", b.snapshot())
	return result
}

func (b *tab) text(expression string) string {
	b.t.Helper()
	return fmt.Sprint(b.eval(expression))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.until("press(" + quote(selector) + ")")
}

// say types a message and presses Enter.
func (b *tab) say(text string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(chromedp.CSS("#text"), text), enter)
}

// enter presses Enter as a keyboard does, where a page that takes the key gets no line break.
var enter = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13}
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key); err != nil {
			return err
		}
	}
	return nil
})

// The conditions that tests wait for.
const (
	writing = `$$("[data-state=streaming]").some((li) => li.querySelector(".body").textContent.length > 60)`
	ended   = `document.querySelector("#thread > li:last-child.assistant") && !$$("[data-state=streaming]").length`
)
