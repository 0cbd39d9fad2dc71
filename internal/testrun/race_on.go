//go:build race

package testrun

// Race slows an SQLite in Go down by twenty times, a server not at all.
const Race = true
