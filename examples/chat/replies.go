package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// replies are written by this process, each in a goroutine of its own. They depend on no request:
// browsers come and go meanwhile, and read what is stored.
type replies struct {
	ctx       context.Context
	store     store.Store
	model     model
	budget    window.Budget
	deadAfter time.Duration
	running   sync.WaitGroup
}

func newReplies(ctx context.Context, st store.Store, o *options) *replies {
	return &replies{ctx: ctx, store: st, model: o.newModel(), budget: window.Budget{Tokens: o.budget}, deadAfter: o.deadAfter}
}

// streaming has a writer seen four times before it counts as dead.
func (r *replies) streaming() store.StreamOptions {
	return store.StreamOptions{HeartbeatEvery: r.deadAfter / 4}
}

// begin begins the reply to the message with the seq parent. Of several calls with one key the
// first does.
func (r *replies) begin(ctx context.Context, mine store.Scope, chat uuid.UUID, parent int64, key string) error {
	m := &message.Message{
		Role: message.RoleAssistant, Author: "model", Model: r.model.name(), ParentSeq: &parent, IdempotencyKey: "reply to " + key,
	}
	s, err := mine.Messages().Stream(ctx, chat, m, r.streaming())
	if exists := (*store.StreamError)(nil); errors.As(err, &exists) && exists.Reason == store.StreamExists {
		return nil
	}
	if err != nil {
		return err
	}
	r.run(mine, chat, parent, s)
	return nil
}

// goOn takes a reply over that was interrupted, has failed, or lost its writer.
func (r *replies) goOn(ctx context.Context, mine store.Scope, id uuid.UUID) error {
	m, err := mine.Messages().Get(ctx, id)
	if err != nil {
		return err
	}
	o := r.streaming()
	o.Reopen, o.Quiet = true, r.deadAfter
	s, err := mine.Messages().ResumeStream(ctx, id, o)
	if err != nil {
		return err
	}
	r.run(mine, m.ConversationID, m.Parent(), s)
	return nil
}

func (r *replies) run(mine store.Scope, chat uuid.UUID, parent int64, s store.MessageStream) {
	r.running.Go(func() {
		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		go beat(ctx, s, cancel)
		var usage store.Usage
		ms, err := r.context(ctx, mine, chat, parent)
		if err == nil {
			usage, err = r.write(ctx, turn{messages: ms, said: s.Text(), seed: s.Seq()}, s)
		}
		r.end(s, usage, err)
	})
}

// context returns what the model is sent: the path that ends with the message that it answers.
func (r *replies) context(ctx context.Context, mine store.Scope, chat uuid.UUID, parent int64) ([]*message.Message, error) {
	w, err := mine.Messages().Context(ctx, chat, r.budget)
	if err != nil {
		return nil, err
	}
	if ms := w.Messages(); len(ms) > 0 && ms[len(ms)-1].Seq == parent {
		return ms, nil // the path that is shown, without the reply, which is streaming
	}
	// Meanwhile somebody wrote, or went to another branch.
	var path []*message.Message
	for p := (store.PageRequest{Limit: store.MaxLimit}); ; {
		page, err := mine.Messages().Path(ctx, chat, parent, p)
		if err != nil {
			return nil, err
		}
		path = append(path, page.Items...)
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	w, err = window.Build(path, nil, r.budget)
	return w.Messages(), err
}

// write asks the model, and stores what it says while it says it.
func (r *replies) write(ctx context.Context, t turn, s store.MessageStream) (store.Usage, error) {
	return r.model.answer(ctx, t, func(text string) error {
		err := s.Write(ctx, text)
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrInvalid) {
			return err
		}
		// The database is away: the writer keeps the text, and the next flush stores it.
		slog.WarnContext(ctx, "a reply waits for the database", "message", s.ID(), "error", err)
		return ctx.Err()
	})
}

// end ends a message as the model did. Its context outlasts the server's, so that nothing that was
// said is lost when the server leaves. Who lost the stream, because somebody pressed stop or
// deleted the chat, has nothing to end.
func (r *replies) end(s store.MessageStream, usage store.Usage, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), 5*time.Second)
	defer cancel()
	switch {
	case err == nil:
		err = s.Finish(ctx, usage)
	case r.ctx.Err() != nil:
		err = s.Interrupt(ctx)
	default:
		err = s.Fail(ctx, excerpt(err.Error(), 200))
	}
	if err != nil && !errors.Is(err, store.ErrConflict) {
		slog.ErrorContext(ctx, "a reply could not be ended", "message", s.ID(), "error", err)
	}
}

// beat keeps a stream alive while its model thinks, and cancels when the stream is lost.
func beat(ctx context.Context, s store.MessageStream, cancel context.CancelFunc) {
	ticker := time.NewTicker(store.DefaultFlushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.Beat(ctx); errors.Is(err, store.ErrConflict) {
				cancel()
			}
		}
	}
}

// sweep ends what processes that died have left, at once and then from time to time. Each process
// may do so: a writer that is alive is seen often enough.
func (r *replies) sweep(ctx context.Context) {
	ticker := time.NewTicker(r.deadAfter / 2)
	defer ticker.Stop()
	for {
		n, err := r.store.AllUsers().Maintenance().SweepStreams(ctx, r.deadAfter)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "replies could not be swept", "error", err)
		}
		if n > 0 {
			slog.InfoContext(ctx, "swept", "replies", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// wait waits until all replies have ended, which they do soon after the server's context.
func (r *replies) wait() { r.running.Wait() }
