//go:build race

package storetest

// raceDetector slows an SQLite in Go down by twenty times, a server not at all.
const raceDetector = true
