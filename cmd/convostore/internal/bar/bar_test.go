package bar

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLinesAreFewAndSayHowFast(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := time.Unix(0, 0)
	bar := show(&out, "mails", func() time.Time { return now })
	step := func(d time.Duration, stage string, done, total int) {
		now = now.Add(d)
		bar(stage, done, total)
	}
	step(0, "reading", 0, -1)
	step(time.Second, "reading", 2, -1)
	step(2*time.Second, "reading", 6, -1)
	step(0, "reading", 6, 6)
	step(0, "storing", 0, 800)
	step(4*time.Second, "storing", 400, 800)
	step(time.Second, "storing", 500, 800)
	step(time.Second, "storing", 800, 800)
	step(0, "nothing", 0, 0)
	assert.Equal(t, "reading: 6 mails, 2 mails/s\n"+
		"reading: 100% (6 of 6), 2 mails/s\n"+
		"storing: 50% (400 of 800), 100 mails/s, 4 s left\n"+
		"storing: 100% (800 of 800), 133 mails/s\n", out.String())
	assert.False(t, Terminal(&out))
}

// TestNoSpeedBeforeItIsKnown: a speed of the first moments is 0 or absurd.
func TestNoSpeedBeforeItIsKnown(t *testing.T) {
	t.Parallel()
	begun := time.Unix(0, 0)
	for _, c := range []struct {
		took              time.Duration
		from, done, total int
		want              string
	}{
		{0, 0, 0, 10, ""},
		{999 * time.Millisecond, 0, 9, 10, ""},
		{time.Minute, 0, 0, 10, ""},
		{time.Minute, 900, 900, 1000, ""},
		{10 * time.Second, 900, 910, 1000, ", 1 mails/s, 1 min 30 s left"},
		{time.Minute, 0, 12, 24, ", 12 mails/min, 1 min 00 s left"},
		{10 * time.Hour, 0, 20, 40, ", 2 mails/h, 10 h 00 min left"},
		{100 * time.Hour, 0, 1, -1, ", 1 mails/h"},
	} {
		p := pace{"x", "mails", begun, func() time.Time { return begun.Add(c.took) }}
		assert.Equal(t, c.want, p.text(c.from, c.done, c.total), c)
	}
}
