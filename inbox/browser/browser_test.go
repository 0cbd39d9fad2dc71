package browser

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/convostore/convostore/internal/testrun"
)

// envBrowser names the variable with the path of a browser of Chromium's kind.
const envBrowser = "CONVOSTORE_TEST_CHROMIUM"

// tabs is a browser, which all tests share. Without one, missing says why.
var (
	tabs    context.Context
	missing = "no browser: install chromium or chromium-headless-shell, or set " + envBrowser + " to the path of one"
)

func TestMain(m *testing.M) {
	path := findBrowser()
	if path == "" {
		os.Exit(m.Run()) // each test says that it is missing
	}
	// The sandbox needs rights that a container or root does not have; the pages are our own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, leave := chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		missing = "the browser " + path + " does not start: " + err.Error()
	} else {
		tabs = browser
	}
	code := m.Run()
	leave()
	stop()
	os.Exit(code)
}

func findBrowser() string {
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

func needBrowser(t *testing.T) {
	t.Helper()
	if tabs != nil {
		return
	}
	if testrun.Requires(testrun.Chromium) {
		t.Fatal(missing)
	}
	t.Skip(missing)
}
