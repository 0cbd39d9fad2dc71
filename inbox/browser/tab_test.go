package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/browsertest"
)

// watcher runs in each page before its own script. EVIL is what hostile texts would call.
const watcher = `
window.EVIL = () => console.error("EVIL ran");
addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
addEventListener("unhandledrejection", (e) => console.error("rejection: " + (e.reason?.message || e.reason)));
`

const (
	// patience is how long a test waits for something to happen.
	patience = 20 * time.Second
	// look is how often it looks. A page that is left takes what waits in it along.
	look = 15 * time.Millisecond
)

// tab is a page that an operator looks at, with cookies of their own.
type tab struct {
	t    *testing.T
	s    *site
	ctx  context.Context
	mu   sync.Mutex
	said []string // by the console, errors alone
	// expected are parts of errors that a test brings about.
	expected []string
}

// open is a tab of an operator who is logged in.
func open(t *testing.T, s *site, name string) *tab {
	t.Helper()
	b := &tab{t: t, s: s}
	ctx, cancel := chromedp.NewContext(browsertest.Browser(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	b.ctx = ctx
	t.Cleanup(func() {
		b.check()
		cancel()
	})
	require.NoError(t, chromedp.Do(ctx)) // the tab lives as long as this context
	b.run(browsertest.Call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher}), browsertest.Prefers("light"))
	b.visit("../login/" + name)
	return b
}

// listen notes errors and dialogs. It must not wait for the browser.
func (b *tab) listen(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.note(e.Entry.Text + " " + e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.note(e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError {
			return
		}
		for _, arg := range e.Args {
			b.note("console: " + string(arg.Value))
		}
	case *page.EventJavascriptDialogOpening:
		b.note("dialog: " + string(e.Type) + " " + e.Message)
		go func() {
			_, _ = chromedp.Run(b.ctx, browsertest.Call(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}))
		}()
	}
}

func (b *tab) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

// expect says that errors with one of these parts belong to the test.
func (b *tab) expect(parts ...string) { b.expected = append(b.expected, parts...) }

// check fails for an error that no test expects.
func (b *tab) check() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.said {
		if !b.isExpected(text) {
			assert.Fail(b.t, "the browser complains", text)
		}
	}
	b.said = nil
}

func (b *tab) isExpected(text string) bool {
	for _, part := range b.expected {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
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
	text, _ = chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	return text
}

// eval evaluates an expression in the page as it is.
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

// until waits until a condition is met, by this page or the one that takes its place.
func (b *tab) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && met {
			return
		}
		select {
		case <-ctx.Done():
			require.NoErrorf(b.t, ctx.Err(), "%s\nlast: %v\nthe page has: %s", condition, err, b.snapshot())
		case <-again.C: // also after an error: a page that goes away answers with one
		}
	}
}

// leaves does something that leads to another page, and waits for that.
func (b *tab) leaves(act func()) {
	b.t.Helper()
	b.eval(`window.old = true`)
	act()
	b.until(`!window.old && document.readyState === "complete"`)
}

// visit goes to a path of the inbox.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate("http://" + b.s.addr + "/inbox/" + path))
}

// press sends keys as a keyboard does.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys, raw))
}

// raw is what a keyboard sends: a key that the page takes then writes no letter.
func raw(p *input.DispatchKeyEventParams) {
	if p.Type == input.DispatchKeyEventTypeKeyDown {
		p.Type = input.DispatchKeyEventTypeRawKeyDown
	}
}

// control presses a key with Ctrl.
func (b *tab) control(key string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(key, raw, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// click clicks with a mouse on the first element that a selector finds, once it would hit it.
func (b *tab) click(selector string) {
	b.t.Helper()
	place := `(() => {
		const e = document.querySelector(` + quote(selector) + `);
		if (!e || !e.checkVisibility({ visibilityProperty: true }) || e.disabled) return null;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
	})()`
	b.until(place + ` !== null`)
	at, ok := b.eval(place).([]any)
	require.True(b.t, ok, "%s has moved", selector)
	b.run(chromedp.MouseClickXY(at[0].(float64), at[1].(float64)))
}

// fill replaces the text of a field as somebody does who pastes.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.eval(`(() => { const e = document.querySelector(` + quote(selector) + `); e.focus(); e.select(); })()`)
	b.run(browsertest.Call(input.InsertText, input.InsertTextParams{Text: text}))
}

func quote(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(q)
}
