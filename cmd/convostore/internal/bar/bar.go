// Package bar shows how far something is, how fast it goes and how long it will still take.
package bar

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// every is how often a line is printed where nobody looks at a terminal.
const every = 3 * time.Second

// Show returns what a program calls with the name of what it does, how many of it are
// done and how many there are, -1 if nobody knows. A stage ends when done is total. On a
// terminal it draws a bar, and elsewhere it prints a line every few seconds and one at the end,
// so that a log stays readable. Noun is what the bar counts by the second, such as "mails".
func Show(out io.Writer, noun string) func(stage string, done, total int) {
	return show(out, noun, time.Now)
}

func show(out io.Writer, noun string, now func() time.Time) func(stage string, done, total int) {
	var current stage
	var name string
	return func(stage string, done, total int) {
		if current == nil || stage != name {
			current, name = newStage(out, pace{stage, noun, now(), now}, done, total), stage
		}
		current.set(done, total)
		if done >= total && total >= 0 {
			current.end()
			current = nil
		}
	}
}

// Terminal tells whether somebody may be looking at out.
func Terminal(out any) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

type stage interface {
	set(done, total int)
	end()
}

func newStage(out io.Writer, p pace, done, total int) stage {
	if !Terminal(out) {
		return &lines{out: out, pace: p, told: p.begun, from: done}
	}
	return &drawn{pace: p, from: done, bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(p.name), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		// Its own speed and time begin with 0 an hour; those of pace begin when they are known.
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
	)}
}

type drawn struct {
	pace
	bar  *progressbar.ProgressBar
	from int
	told time.Time
}

// A bar that cannot be drawn is no reason to stop.
func (d *drawn) set(done, total int) {
	if now := d.now(); now.Sub(d.told) >= 500*time.Millisecond {
		d.told = now
		d.bar.Describe(d.name + d.text(d.from, done, total))
	}
	if total >= 0 && d.bar.GetMax() != total {
		d.bar.ChangeMax(total)
	}
	_ = d.bar.Set(done)
}

func (d *drawn) end() { _ = d.bar.Finish() }

type lines struct {
	pace
	out         io.Writer
	told        time.Time
	from        int
	done, total int
}

func (l *lines) set(done, total int) {
	l.done, l.total = done, total
	if now := l.now(); now.Sub(l.told) >= every {
		l.told = now
		l.print()
	}
}

func (l *lines) end() {
	if l.total > 0 {
		l.print()
	}
}

func (l *lines) print() {
	if l.total <= 0 {
		fmt.Fprintf(l.out, "%s: %d %s%s\n", l.name, l.done, l.noun, l.text(l.from, l.done, l.total))
		return
	}
	fmt.Fprintf(l.out, "%s: %d%% (%d of %d)%s\n", l.name, min(l.done, l.total)*100/l.total, l.done, l.total, l.text(l.from, l.done, l.total))
}
