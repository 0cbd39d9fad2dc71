package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/convostore/convostore/store"
)

// session is a conversation with a person.
type session struct {
	mine    store.Scope
	out     io.Writer
	limit   int
	options store.SimilarOptions
	// bold and plain stand around what was found in a snippet.
	bold, plain string

	// shown are the messages of the last answer, for like.
	shown []uuid.UUID
	// next prints the page after the last one, nil if there is none.
	next func(ctx context.Context) error
}

func newSession(mine store.Scope, o options, out io.Writer) *session {
	s := &session{
		mine: mine, out: out, limit: o.limit, bold: "[", plain: "]",
		options: store.SimilarOptions{Limit: o.limit, Mode: o.mode},
	}
	if isTerminal(out) {
		s.bold, s.plain = "\x1b[1m", "\x1b[0m"
	}
	return s
}

// errQuit ends a session.
var errQuit = errors.New("quit")

// answerAll answers queries of the command line, up to the first error.
func (s *session) answerAll(ctx context.Context, queries []string) error {
	for _, q := range queries {
		fmt.Fprintln(s.out, ">", short(q, 200))
		if err := s.answer(ctx, parse(q)); err != nil {
			if errors.Is(err, errQuit) {
				return nil
			}
			return err
		}
	}
	return nil
}

// converse answers lines until there are no more. To a person it prints a prompt; of a
// file it repeats the lines, so that answers can be told apart.
func (s *session) converse(ctx context.Context, in io.Reader, person bool) error {
	if person {
		fmt.Fprint(s.out, helpText)
	}
	lines, failed := read(ctx, in)
	for {
		if person {
			fmt.Fprint(s.out, "> ")
		}
		select {
		case <-ctx.Done():
			s.leave(person)
			return ctx.Err()
		case line, ok := <-lines:
			if !ok {
				s.leave(person)
				return <-failed
			}
			if !person {
				fmt.Fprintln(s.out, ">", short(line, 200))
			}
			if err := s.answer(ctx, parse(line)); errors.Is(err, errQuit) {
				return nil
			} else if ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				// The next query may do better.
				printError(s.out, err)
			}
		}
	}
}

// leave keeps the shell's prompt from standing behind ours.
func (s *session) leave(person bool) {
	if person {
		fmt.Fprintln(s.out)
	}
}

// read gives lines, and then why there are no more. Who waits for a person to type can
// be interrupted, the reading cannot.
func read(ctx context.Context, in io.Reader) (<-chan string, <-chan error) {
	lines, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				failed <- nil
				return
			}
		}
		failed <- scanner.Err()
	}()
	return lines, failed
}

// isTerminal tells whether a person may be at the other end.
func isTerminal(end any) bool {
	f, ok := end.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
