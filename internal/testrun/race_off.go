//go:build !race

package testrun

// Race tells whether the race detector is on.
const Race = false
