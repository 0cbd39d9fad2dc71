package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/convostore/convostore/examples/search/openai"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// load imports and embeds, so that the database can be searched.
func load(ctx context.Context, st store.Store, o options, errs io.Writer) error {
	if err := importMail(ctx, st, o, errs); err != nil {
		return err
	}
	n, err := st.ForUser(o.user).Maintenance().Counts(ctx)
	if err != nil {
		return err
	}
	if n.Messages == 0 {
		return errors.New("there is no mail in the database: name a PATH with some")
	}
	return embed(ctx, st.ForUser(o.user), o.embedder, errs)
}

func importMail(ctx context.Context, st store.Store, o options, errs io.Writer) error {
	if len(o.paths) == 0 {
		return nil
	}
	r, err := mailimport.Import(ctx, st, mailimport.Options{
		UserID: o.user, Mine: o.mine, Paths: o.paths,
	})
	fmt.Fprintf(errs, "%d mails read: %d stored, %d there already, %d skipped", r.Found, r.Stored, r.Known, r.Skipped())
	if mended := len(r.Problems) - r.Skipped(); mended > 0 || r.Skipped() > 0 {
		fmt.Fprintf(errs, ", %d things mended (convostore import lists them)", mended)
	}
	fmt.Fprintln(errs)
	return err
}

// embed embeds every message that has no vector of this model. If interrupted, the next run
// continues from there.
func embed(ctx context.Context, mine store.Scope, e store.Embedder, errs io.Writer) error {
	begin := time.Now()
	r, err := mine.Embeddings().EmbedMissing(ctx, e, store.EmbedOptions{
		// Services bound the texts of a request together, at some 300,000 tokens.
		BatchSize: 50,
		Text:      text,
		Retry:     openai.Retryable,
		Progress: func(p store.EmbedProgress) {
			if done := p.Embedded + p.Changed; done%1000 == 0 {
				fmt.Fprintf(errs, "embedding: %d of %d\n", done, p.Total)
			}
		},
	})
	if r.Embedded > 0 {
		fmt.Fprintf(errs, "%d messages embedded with %s in %.1f s\n", r.Embedded, e.Model(), time.Since(begin).Seconds())
	}
	return err
}

// maxLetters is about 8,000 tokens, the limit of common models, in the languages that need the
// most tokens.
const maxLetters = 6000

// text returns the text to embed for a mail: its content with the subject, which is not part of
// the content.
func text(m *message.Message) string {
	all := m.Headers.Get("Subject") + "\n" + m.Content
	letters := 0
	for i := range all {
		if letters++; letters > maxLetters {
			return all[:i]
		}
	}
	return all
}
