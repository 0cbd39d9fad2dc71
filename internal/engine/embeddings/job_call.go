package embeddings

import (
	"context"
	"fmt"
	"runtime/debug"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/store"
)

// panicError is a panic of the embedder. It happens in a goroutine of this package, where the
// host cannot recover it, and would end the process.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("the embedder panicked: %v\n%s", e.value, e.stack)
}

// callEmbedder calls the embedder once and returns a vector for each text. An embedder that
// ignores ctx is left running: nobody else may write to texts afterwards.
func (j *embedJob) callEmbedder(ctx context.Context, texts []string) ([][]float32, error) {
	j.calls.Add(1)
	ctx, cancel := context.WithTimeout(ctx, j.options.Timeout)
	defer cancel()
	type answer struct {
		vectors [][]float32
		err     error
	}
	answers := make(chan answer, 1)
	n := len(texts)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: &panicError{p, debug.Stack()}}
			}
			answers <- a
		}()
		a.vectors, a.err = j.embedder.Embed(ctx, texts)
	}()
	select {
	case a := <-answers:
		if a.err == nil && len(a.vectors) != n {
			a.err = &countError{len(a.vectors), n}
		}
		return a.vectors, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer within %s: %w", j.options.Timeout, ctx.Err())
	}
}

// embedError is err with the model and the messages of the items.
func (j *embedJob) embedError(err error, items ...embedItem) error {
	ids := make([]uuid.UUID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return &store.EmbedError{Model: j.model, Messages: ids, Err: err}
}

// errorText is the text of an error as a database takes it, at most store.MaxEmbedError bytes. An
// embedder writes anything into its errors, and its Error may panic.
func errorText(err error) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("an error of type %T, whose Error panics", err)
		}
	}()
	text = err.Error()
	// Twice the limit is enough, and spares a copy of a whole answer of a server.
	if len(text) > 2*store.MaxEmbedError {
		text = text[:2*store.MaxEmbedError]
	}
	clean.All.Text(&text)
	for len(text) > store.MaxEmbedError {
		end := store.MaxEmbedError
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return text
}
