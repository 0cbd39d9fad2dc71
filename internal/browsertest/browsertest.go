// Package browsertest starts a browser for the tests of pages. It is for tests alone.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/convostore/convostore/internal/testrun"
)

// envBrowser names the variable with the path of a browser of Chromium's kind.
const envBrowser = "CONVOSTORE_TEST_CHROMIUM"

// browser is what all tests of a package share. Without one, missing says why.
var (
	browser context.Context
	missing = "no browser: install chromium or chromium-headless-shell, or set " + envBrowser + " to the path of one"
)

// Start starts the browser, if there is one. The tests of the package run until stop is called.
func Start() (stop func()) {
	path := find()
	if path == "" {
		return func() {} // each test says that it is missing
	}
	// The sandbox needs rights that a container or root does not have; the pages are our own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		missing = "the browser " + path + " does not start: " + err.Error()
	} else {
		browser = ctx
	}
	return func() { leave(); stopAll() }
}

// Running tells whether Start has started a browser.
func Running() bool { return browser != nil }

// Browser returns the browser, in which a test opens tabs of its own. Without one it skips the test, or
// fails it where a browser is required.
func Browser(t *testing.T) context.Context {
	t.Helper()
	if browser != nil {
		return browser
	}
	if testrun.Requires(testrun.Chromium) {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return nil
}

func find() string {
	if path := os.Getenv(envBrowser); path != "" {
		return path
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Call is a command of the browser's as an action.
func Call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// Prefers makes the browser say which color scheme a person likes, and that nothing shall move.
func Prefers(scheme string) chromedp.Action[chromedp.Void] {
	return Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: scheme},
	}})
}
