package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is told of each mail that is done.
type progress interface {
	step()
	done()
}

// newProgress shows a bar on a terminal and a line every ten per cent elsewhere, so that
// a log stays readable. With total -1 nobody knows how much is to come.
func newProgress(out io.Writer, what string, total int) progress {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return bar{progressbar.NewOptions(total,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("mails"),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		)}
	}
	return &lines{out: out, what: what, total: total}
}

type bar struct{ *progressbar.ProgressBar }

// A bar that cannot be drawn is no reason to stop.
func (b bar) step() { _ = b.Add(1) }
func (b bar) done() { _ = b.Finish() }

type lines struct {
	out         io.Writer
	what        string
	total, n    int
	tenth, told int
}

func (l *lines) step() {
	l.n++
	if l.total <= 0 {
		return
	}
	if l.tenth = l.n * 10 / l.total; l.tenth > l.told {
		l.told = l.tenth
		fmt.Fprintf(l.out, "%s: %d%% (%d of %d)\n", l.what, l.tenth*10, l.n, l.total)
	}
}

func (l *lines) done() {
	if l.total < 0 {
		fmt.Fprintf(l.out, "%s: %d mails found\n", l.what, l.n)
	}
}
