package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// draft is a message that a person sends.
type draft struct {
	Text string
	// Key is made by the page for each message, so that a request that is sent again stores nothing
	// again.
	Key string
	// Parent is the seq that the message follows, 0 for none: an edited message has the parent of
	// the old one and becomes a branch beside it. Without it the message follows what is shown.
	Parent *int64
}

func (d draft) check() error {
	if strings.TrimSpace(d.Text) == "" {
		return rule.Invalid("text", "is empty")
	}
	return checkKey(d.Key)
}

func checkKey(key string) error {
	if key == "" {
		return rule.Invalid("key", "is empty")
	}
	return nil
}

// sent says where a message is that was sent.
type sent struct {
	Chat uuid.UUID `json:"chat"`
	Seq  int64     `json:"seq"`
}

// send stores a message and begins the reply. If the request comes again, because the first one
// broke off in the middle, it does what is left to do.
func (s *server) send(r *request, d draft) (any, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	m := &message.Message{
		Role: message.RoleUser, Author: r.person, Content: d.Text, ParentSeq: d.Parent, IdempotencyKey: d.Key,
	}
	if _, err := r.mine.Messages().Append(r.Context(), r.id, m); err != nil {
		return nil, err
	}
	err := s.replies.begin(r.Context(), r.mine, r.id, m.Seq, d.Key)
	return sent{r.id, m.Seq}, err
}

// answerAgain begins another reply beside the one with this id.
func (s *server) answerAgain(r *request, body struct{ Key string }) (any, error) {
	if err := checkKey(body.Key); err != nil {
		return nil, err
	}
	old, err := r.mine.Messages().Get(r.Context(), r.id)
	if err != nil {
		return nil, err
	}
	if old.Role != message.RoleAssistant {
		return nil, rule.Invalid("id", "is not that of a reply")
	}
	return nil, s.replies.begin(r.Context(), r.mine, old.ConversationID, old.Parent(), body.Key)
}

// goOn goes on with a reply that was interrupted or has failed.
func (s *server) goOn(r *request) (any, error) {
	return nil, s.replies.goOn(r.Context(), r.mine, r.id)
}

// stop interrupts a reply, whichever process writes it. One that has ended is no error: the person
// was a moment late.
func (s *server) stop(r *request) (any, error) {
	_, err := r.mine.Messages().StopStream(r.Context(), r.id)
	if ended := (*store.StreamError)(nil); errors.As(err, &ended) && ended.State != "" {
		err = nil
	}
	return nil, err
}

func (s *server) vote(r *request, body struct{ Value int }) (any, error) {
	if body.Value != 0 {
		_, err := r.mine.Messages().Vote(r.Context(), r.id, message.Vote{Voter: r.person, Value: body.Value})
		return nil, err
	}
	err := r.mine.Messages().Unvote(r.Context(), r.id, r.person)
	if errors.Is(err, store.ErrNotFound) {
		err = nil // a second click
	}
	return nil, err
}

// followText sends the text of one message as it is written, for a terminal, from a byte on.
func (s *server) followText(r *request) (any, error) {
	from, _ := strconv.ParseInt(r.FormValue("from"), 10, 64)
	ctx, cancel := s.untilLeaving(r.Context())
	defer cancel()
	begun := false
	for part, err := range r.mine.Messages().FollowStream(ctx, r.id, from, store.FollowOptions{}) {
		if err != nil && !begun {
			return nil, err
		}
		if err != nil {
			break // the reader has what came before, and can come back for the rest
		}
		begun = true
		if _, err := io.WriteString(r.w, part.Text); err != nil {
			break
		}
		_ = http.NewResponseController(r.w).Flush()
	}
	return written{}, nil
}

// untilLeaving ends with a request or with the server.
func (s *server) untilLeaving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}
