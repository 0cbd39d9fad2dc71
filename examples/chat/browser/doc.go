// Package browser tests the page of the chat in a real browser. It is a module of its own, so that
// nobody who reads the example needs what drives the browser.
package browser
