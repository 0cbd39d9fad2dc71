// Package bar shows on a terminal how far something is.
package bar

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Show returns what a program calls with the name of what it does, how many of it are
// done and how many there are, -1 if nobody knows. A stage ends when done is total. On a
// terminal it draws a bar, and elsewhere it prints a line every ten per cent, so that a
// log stays readable. Noun is what the bar counts by the second, such as "mails"; with
// none it shows no speed, which a first call with much done would get wrong.
func Show(out io.Writer, noun string) func(stage string, done, total int) {
	var current stage
	var name string
	return func(stage string, done, total int) {
		if current == nil || stage != name {
			current, name = newStage(out, stage, noun, total), stage
		}
		current.set(done)
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
	set(done int)
	end()
}

func newStage(out io.Writer, name, noun string, total int) stage {
	if Terminal(out) {
		options := []progressbar.Option{
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(name), progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(),
		}
		if noun != "" {
			options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString(noun))
		}
		return drawn{progressbar.NewOptions(total, options...)}
	}
	return &lines{out: out, name: name, noun: noun, total: total}
}

type drawn struct{ *progressbar.ProgressBar }

// A bar that cannot be drawn is no reason to stop.
func (d drawn) set(done int) { _ = d.Set(done) }
func (d drawn) end()         { _ = d.Finish() }

type lines struct {
	out         io.Writer
	name, noun  string
	total, done int
	told        int
}

func (l *lines) set(done int) {
	l.done = done
	if l.total <= 0 {
		return
	}
	if tenth := min(done, l.total) * 10 / l.total; tenth > l.told {
		l.told = tenth
		fmt.Fprintf(l.out, "%s: %d%% (%d of %d)\n", l.name, tenth*10, done, l.total)
	}
}

func (l *lines) end() {
	if l.total < 0 {
		fmt.Fprintf(l.out, "%s: %d %s found\n", l.name, l.done, l.noun)
	}
}
