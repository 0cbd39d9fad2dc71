// Package browser tests the pages of the inbox in a real browser. It is a module of its own, so that
// nobody who mounts the inbox needs what drives the browser.
package browser
