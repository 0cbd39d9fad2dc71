package bar_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/convostore/convostore/examples/importmail/bar"
)

func TestShow(t *testing.T) {
	var out strings.Builder
	show := bar.Show(&out, "mails")
	for _, done := range []int{0, 1, 2} {
		show("reading", done, -1)
	}
	show("reading", 2, 2)
	for _, done := range []int{0, 1, 5, 8} {
		show("storing", done, 8)
	}
	// A batch may be done that was not known of in the beginning.
	show("storing", 0, 2)
	show("storing", 3, 2)
	show("nothing", 0, 0)
	assert.Equal(t, "reading: 2 mails found\n"+
		"storing: 10% (1 of 8)\nstoring: 60% (5 of 8)\nstoring: 100% (8 of 8)\n"+
		"storing: 100% (3 of 2)\n", out.String())
	assert.False(t, bar.Terminal(&out))
}
