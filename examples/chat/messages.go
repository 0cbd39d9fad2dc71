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
	Text string `json:"text"`
	// Key is made by the page for each message, so that a request that is sent again stores nothing
	// again.
	Key string `json:"key"`
	// Parent is the seq that the message follows, 0 for none: an edited message has the parent of
	// the old one and becomes a branch beside it. Without it the message follows what is shown.
	Parent *int64 `json:"parent"`
}

func (d *draft) check() error {
	switch {
	case strings.TrimSpace(d.Text) == "":
		return rule.Invalid("text", "is empty")
	case d.Key == "":
		return rule.Invalid("key", "is empty")
	}
	return nil
}

func (s *server) send(w http.ResponseWriter, r *request) error {
	var body draft
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err == nil {
		err = body.check()
	}
	if err != nil {
		return err
	}
	return s.sendTo(w, r, id, body)
}

// sendTo stores a message and begins the reply. If the request comes again, because the first one
// broke off in the middle, it does what is left to do.
func (s *server) sendTo(w http.ResponseWriter, r *request, id uuid.UUID, d draft) error {
	m := &message.Message{
		Role: message.RoleUser, Author: r.person, Content: d.Text, ParentSeq: d.Parent, IdempotencyKey: d.Key,
	}
	if _, err := r.mine.Messages().Append(r.Context(), id, m); err != nil {
		return err
	}
	if err := s.replies.begin(r.Context(), r.mine, id, m.Seq, d.Key); err != nil {
		return err
	}
	return answer(w, http.StatusAccepted, map[string]any{"chat": id, "seq": m.Seq})
}

// answerAgain begins another reply beside the one with this id.
func (s *server) answerAgain(w http.ResponseWriter, r *request) error {
	var body draft
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err == nil && body.Key == "" {
		err = rule.Invalid("key", "is empty")
	}
	if err != nil {
		return err
	}
	old, err := r.mine.Messages().Get(r.Context(), id)
	if err == nil && old.Role != message.RoleAssistant {
		err = rule.Invalid("id", "is not that of a reply")
	}
	if err == nil {
		err = s.replies.begin(r.Context(), r.mine, old.ConversationID, parentOf(old), body.Key)
	}
	return done(w, err)
}

// goOn goes on with a reply that was interrupted or has failed.
func (s *server) goOn(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err == nil {
		err = s.replies.goOn(r.Context(), r.mine, id)
	}
	return done(w, err)
}

// stop interrupts a reply, whichever process writes it. One that has ended is no error: the person
// was a moment late.
func (s *server) stop(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err == nil {
		_, err = r.mine.Messages().StopStream(r.Context(), id)
	}
	if ended := (*store.StreamError)(nil); errors.As(err, &ended) && ended.State != "" {
		err = nil
	}
	return done(w, err)
}

func (s *server) vote(w http.ResponseWriter, r *request) error {
	var body struct{ Value int }
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err != nil {
		return err
	}
	if body.Value != 0 {
		_, err = r.mine.Messages().Vote(r.Context(), id, message.Vote{Voter: r.person, Value: body.Value})
	} else if err = r.mine.Messages().Unvote(r.Context(), id, r.person); errors.Is(err, store.ErrNotFound) {
		err = nil // a second click
	}
	return done(w, err)
}

// followText sends the text of one message as it is written, for a terminal:
// curl -N …/api/messages/ID/text?from=BYTE
func (s *server) followText(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	from, _ := strconv.ParseInt(r.FormValue("from"), 10, 64)
	ctx, cancel := s.untilLeaving(r.Context())
	defer cancel()
	begun := false
	for part, err := range r.mine.Messages().FollowStream(ctx, id, from, store.FollowOptions{}) {
		if err != nil && begun {
			return nil //nolint:nilerr // it broke off; the reader has what came before and can come back
		}
		if err != nil {
			return err
		}
		begun = true
		if _, err := io.WriteString(w, part.Text); err != nil {
			return nil //nolint:nilerr // the reader left
		}
		_ = http.NewResponseController(w).Flush()
	}
	return nil
}

// untilLeaving ends with a request or with the server.
func (s *server) untilLeaving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}
