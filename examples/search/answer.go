package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

func (s *session) answer(ctx context.Context, q query) error {
	switch q.kind {
	case nothing:
		return nil
	case help:
		fmt.Fprint(s.out, helpText)
		return nil
	case quit:
		return errQuit
	case more:
		if s.next == nil {
			return errors.New("there is no next page")
		}
		return s.next(ctx)
	case like:
		return s.moreLike(ctx, q.hit)
	}
	if q.text == "" {
		return errors.New("there is nothing to look for behind the sign")
	}
	s.shown, s.next = nil, nil
	switch q.kind {
	case threadWords:
		return s.threads(ctx, q.text, "")
	case part:
		return s.messages(ctx, q.text, store.TextOptions{Match: store.MatchSubstring, Order: store.Newest}, "")
	case similar:
		return s.similar(func() (store.Similar[*store.SimilarMessage], error) {
			return s.mine.Search().SimilarMessages(ctx, store.SimilarTo{Text: q.text}, s.options)
		})
	case similarThreads:
		return s.similarThreads(ctx, q.text)
	case hybrid:
		return s.hybrid(ctx, q.text)
	}
	return s.messages(ctx, q.text, store.TextOptions{}, "")
}

func (s *session) messages(ctx context.Context, text string, o store.TextOptions, after store.Cursor) error {
	begin := time.Now()
	page, err := s.mine.Search().Messages(ctx, text, o, store.PageRequest{Limit: s.limit, After: after})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, h := range page.Items {
		s.print(hit{message: h.Message, conversation: h.Conversation, text: s.mark(h.Snippet)})
	}
	s.next = nil
	if page.Next != "" {
		s.next = func(ctx context.Context) error { return s.messages(ctx, text, o, page.Next) }
	}
	order := "best first"
	if o.Order == store.Newest {
		order = "newest first"
	}
	s.printPage(len(page.Items), took, order)
	if len(s.shown) == 0 && o.Order == store.ByRank {
		fmt.Fprintln(s.out, `No mail has all these words: "+ …" also takes some of them, ": …" looks at subjects too.`)
	}
	return nil
}

func (s *session) threads(ctx context.Context, text string, after store.Cursor) error {
	begin := time.Now()
	page, err := s.mine.Search().Conversations(ctx, text, store.TextOptions{}, store.PageRequest{Limit: s.limit, After: after})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, h := range page.Items {
		line := hit{message: h.Best, conversation: h.Conversation, text: s.mark(h.Snippet), note: many(h.Messages, "mail")}
		if h.Best == nil {
			line.note = "subject"
		}
		s.print(line)
	}
	s.next = nil
	if page.Next != "" {
		s.next = func(ctx context.Context) error { return s.threads(ctx, text, page.Next) }
	}
	s.printPage(len(page.Items), took, "best first")
	return nil
}

func (s *session) similar(find func() (store.Similar[*store.SimilarMessage], error)) error {
	begin := time.Now()
	found, err := find()
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, h := range found.Hits {
		s.print(hit{message: h.Message, conversation: h.Conversation, text: preview(h.Message), note: fmt.Sprintf("%.3f", h.Similarity)})
	}
	printSimilar(s, found, took)
	return nil
}

func (s *session) similarThreads(ctx context.Context, text string) error {
	begin := time.Now()
	found, err := s.mine.Search().SimilarConversations(ctx, store.SimilarTo{Text: text}, s.options)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, h := range found.Hits {
		note := fmt.Sprintf("%.3f, best of %s", h.Similarity, many(h.Relevant, "mail"))
		s.print(hit{message: h.Best, conversation: h.Conversation, text: preview(h.Best), note: note})
	}
	printSimilar(s, found, took)
	return nil
}

func (s *session) hybrid(ctx context.Context, text string) error {
	begin := time.Now()
	found, err := s.mine.Search().Hybrid(ctx, text, store.HybridOptions{SimilarOptions: s.options})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for _, h := range found.Hits {
		line := hit{message: h.Message, conversation: h.Conversation, text: s.mark(h.Snippet)}
		if h.TextRank == 0 {
			line.text = preview(h.Message)
		}
		line.note = fmt.Sprintf("words %s, likeness %s", rank(h.TextRank), rank(h.VectorRank))
		s.print(line)
	}
	printSimilar(s, found, took)
	return nil
}

// moreLike finds mails similar to a hit of the last answer, and replaces that answer.
func (s *session) moreLike(ctx context.Context, n int) error {
	if n < 1 || n > len(s.shown) {
		return fmt.Errorf("the last answer has no hit %d", n)
	}
	id := s.shown[n-1]
	if id == uuid.Nil {
		return fmt.Errorf("hit %d is a thread found by its subject, and no mail", n)
	}
	s.shown, s.next = nil, nil
	return s.similar(func() (store.Similar[*store.SimilarMessage], error) {
		return s.mine.Search().MoreLike(ctx, id, s.options)
	})
}
