package trpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/session"
	"trpc.group/trpc-go/trpc-agent-go/session/inmemory"
	"trpc.group/trpc-go/trpc-agent-go/session/summary"

	"github.com/convostore/convostore/store"
)

// SummaryOptions say how sessions are summed up, as the options of the framework's own services do.
type SummaryOptions struct {
	// Summarizer sums up. Without one, no session is.
	Summarizer summary.SessionSummarizer
	// Workers is how many sessions are summed up at once in the background: 3 if 0, and if below 0
	// EnqueueSummaryJob itself sums up.
	Workers int
	// Queue is how many jobs wait for each worker, 100 if 0. When they are that many,
	// EnqueueSummaryJob itself sums up.
	Queue int
	// Timeout ends a job in the background, one minute if 0.
	Timeout time.Duration
	// FilterAllowlist names the filter keys that may be summed up by themselves; nil allows all.
	FilterAllowlist []string
	// BranchOnly keeps the summary of a filter key from renewing that of the whole session.
	BranchOnly bool
}

// engine returns a service in memory that has one session, empty. It sums up as the framework does
// and then has what is to be stored. background gives it a worker of its own.
func (s *Service) engine(ctx context.Context, key session.Key, background bool) (*inmemory.SessionService, error) {
	o := s.o.Summaries
	options := []inmemory.ServiceOpt{
		inmemory.WithSummarizer(o.Summarizer), inmemory.WithAsyncSummaryNum(1), inmemory.WithSummaryQueueSize(1),
		inmemory.WithSummaryJobTimeout(o.Timeout), inmemory.WithCascadeFullSessionSummary(!o.BranchOnly),
	}
	if o.FilterAllowlist != nil {
		options = append(options, inmemory.WithSummaryFilterAllowlist(o.FilterAllowlist...))
	}
	e := inmemory.NewSessionService(options...)
	if !background {
		if err := e.Close(); err != nil { // without its worker, a job is done at once
			return nil, err
		}
	}
	_, err := e.CreateSession(ctx, key, nil)
	return e, err
}

// ready checks what both ways to sum up check; ok is false if there is nothing to do.
func (s *Service) ready(sess *session.Session) (key session.Key, ok bool, err error) {
	if s.o.Summaries.Summarizer == nil {
		return key, false, nil
	}
	if sess == nil {
		return key, false, session.ErrNilSession
	}
	key = keyOf(sess)
	if err := key.CheckSessionKey(); err != nil {
		return key, false, fmt.Errorf("check session key failed: %w", err)
	}
	return key, true, nil
}

// CreateSessionSummary sums up the events of a handle since the last summary with this filter key,
// stores the summary and adds it to sess. Without force, the summarizer says whether it is time. It
// returns store.ErrNotFound if there is no such session.
func (s *Service) CreateSessionSummary(ctx context.Context, sess *session.Session, filterKey string, force bool) error {
	key, ok, err := s.ready(sess)
	if !ok {
		return err
	}
	e, err := s.engine(ctx, key, false)
	if err != nil {
		return err
	}
	err = e.CreateSessionSummary(ctx, sess, filterKey, force)
	return errors.Join(err, s.keep(ctx, e, sess))
}

// EnqueueSummaryJob sums up in the background, as SummaryOptions has it. What fails there is
// logged.
func (s *Service) EnqueueSummaryJob(ctx context.Context, sess *session.Session, filterKey string, force bool) error {
	_, ok, err := s.ready(sess)
	if !ok {
		return err
	}
	if s.workers.enqueue(ctx, sess, func(ctx context.Context) error { return s.sumUp(ctx, sess, filterKey, force, true) }) {
		return nil
	}
	return s.sumUp(ctx, sess, filterKey, force, false)
}

func (s *Service) sumUp(ctx context.Context, sess *session.Session, filterKey string, force, background bool) error {
	e, err := s.engine(ctx, keyOf(sess), background)
	if err != nil {
		return err
	}
	err = e.EnqueueSummaryJob(ctx, sess, filterKey, force)
	err = errors.Join(err, e.Close()) // waits for it
	return errors.Join(err, s.keep(context.WithoutCancel(ctx), e, sess))
}

// keep stores the summaries that an engine made.
func (s *Service) keep(ctx context.Context, e *inmemory.SessionService, sess *session.Session) error {
	made, err := e.GetSession(ctx, keyOf(sess))
	if err != nil || len(made.Summaries) == 0 {
		return err
	}
	changes := store.StateMap{}
	for filterKey, sum := range made.Summaries {
		if changes[summaryPrefix+filterKey], err = json.Marshal(sum); err != nil {
			return err
		}
	}
	err = s.onSession(ctx, sess, func(sc store.Scope, id uuid.UUID) error {
		_, err := sc.States().Merge(ctx, store.ConversationState(id), changes, store.MergeOptions{})
		return err
	})
	if err != nil {
		return failed("sum up", keyOf(sess), err)
	}
	return nil
}

// GetSessionSummaryText returns the summary of a handle with the filter key of the options, or else
// that of the whole session; of the stored ones if the handle has none. It returns false if there is
// none, and also if the database fails, since the interface has no error.
func (s *Service) GetSessionSummaryText(ctx context.Context, sess *session.Session, opts ...session.SummaryOption) (string, bool) {
	if text, ok := s.local.GetSessionSummaryText(ctx, sess, opts...); ok || sess == nil {
		return text, ok
	}
	key := keyOf(sess)
	if key.CheckSessionKey() != nil {
		return "", false
	}
	stored, err := s.summaries(ctx, key)
	if err != nil {
		return "", false
	}
	return s.local.GetSessionSummaryText(ctx, stored, opts...)
}

// summaries returns a handle with the summaries of a session.
func (s *Service) summaries(ctx context.Context, key session.Key) (*session.Session, error) {
	sc, c, err := s.find(ctx, key)
	if err != nil {
		return nil, err
	}
	f := store.StateFilter{Prefix: summaryPrefix, Limit: store.MaxLimit}
	states, err := sc.States().List(ctx, store.ConversationState(c.ID), f)
	if err != nil {
		return nil, err
	}
	return newHandle(key, c, store.ConversationStates{Conversation: states})
}
