package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// app keeps the chats of this program apart from what else a database may have.
const app = "chat"

// listChats answers with a page of the list, or of what a search finds.
func (s *server) listChats(w http.ResponseWriter, r *request) error {
	query := strings.TrimSpace(r.FormValue("q"))
	request := store.PageRequest{Limit: 50, After: store.Cursor(r.FormValue("after"))}
	var views store.Page[*chatView]
	var err error
	if query == "" {
		views, err = s.overview(r.Context(), r, request)
	} else {
		views, err = s.search(r.Context(), r, query, request)
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, views)
}

func (s *server) overview(ctx context.Context, r *request, p store.PageRequest) (store.Page[*chatView], error) {
	o := store.OverviewOptions{LastMessage: true, Reader: r.person}
	page, err := r.mine.Conversations().Overview(ctx, store.ConversationFilter{App: app}, o, p)
	return views(page, overviewOf), err
}

// search takes the last word for the beginning of one, because the page searches while a person
// types.
func (s *server) search(ctx context.Context, r *request, query string, p store.PageRequest) (store.Page[*chatView], error) {
	if !strings.HasSuffix(query, `"`) {
		query += "*"
	}
	page, err := r.mine.Search().Conversations(ctx, query, store.TextOptions{}, p)
	return views(page, hitOf), err
}

func views[M, V any](page store.Page[M], view func(M) V) store.Page[V] {
	items := make([]V, len(page.Items))
	for i, item := range page.Items {
		items[i] = view(item)
	}
	return store.Page[V]{Items: items, Next: page.Next}
}

// createChat makes a chat and sends its first message. Its key makes a second request with the
// same one find the same chat, and send the same message.
func (s *server) createChat(w http.ResponseWriter, r *request) error {
	var body draft
	if err := r.read(&body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	c := &conversation.Conversation{App: app, ExternalKey: body.Key, Title: excerpt(body.Text, 60)}
	if _, err := r.mine.Conversations().GetOrCreate(r.Context(), c); err != nil {
		return err
	}
	return s.sendTo(w, r, c.ID, body)
}

// thread is a chat as the page shows it.
type thread struct {
	ID       uuid.UUID      `json:"id"`
	Title    string         `json:"title"`
	Position store.Position `json:"position"`
	Messages []*messageView `json:"messages"`
	// Earlier is the cursor of the messages before these, empty if there are none.
	Earlier store.Cursor `json:"earlier,omitempty"`
}

// readChat answers with the last messages of the path that the chat shows. The position is read
// first: what happens afterwards comes as an event, a second time if need be.
func (s *server) readChat(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	c, err := r.mine.Conversations().Get(r.Context(), id)
	if err != nil {
		return err
	}
	p := store.PageRequest{Limit: 100, After: store.Cursor(r.FormValue("earlier"))}
	page, err := r.mine.Messages().List(r.Context(), id, store.MessageFilter{Order: store.ReverseThreadOrder}, p)
	if err != nil {
		return err
	}
	t := thread{ID: c.ID, Title: c.Title, Position: store.PositionOf(c), Earlier: page.Next}
	if t.Messages, err = s.viewMessages(r, page.Items); err != nil {
		return err
	}
	return answer(w, http.StatusOK, t)
}

// viewMessages turns messages that come newest first around, and adds what only a reader of the
// whole chat is told.
func (s *server) viewMessages(r *request, newest []*message.Message) ([]*messageView, error) {
	ms := make([]*messageView, len(newest))
	for i, m := range newest {
		ms[len(newest)-1-i] = viewOf(m, r.person)
	}
	if err := addVotes(r, ms); err != nil {
		return nil, err
	}
	if len(newest) == 0 {
		return ms, nil
	}
	return ms, addBranches(r, newest[0].ConversationID, ms)
}

// addVotes asks for the voters of messages that have votes. Most have none.
func addVotes(r *request, ms []*messageView) error {
	ids := make([]uuid.UUID, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	counts, err := r.mine.Messages().CountVotes(r.Context(), ids)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if _, voted := counts[m.ID]; !voted {
			continue
		}
		votes, err := r.mine.Messages().Votes(r.Context(), m.ID)
		if err != nil {
			return err
		}
		for _, v := range votes {
			if v.Voter == r.person {
				m.Vote = v.Value
			}
		}
	}
	return nil
}

// addBranches asks for the siblings of each message, if there can be any.
func addBranches(r *request, id uuid.UUID, ms []*messageView) error {
	c, err := r.mine.Conversations().Get(r.Context(), id)
	if err != nil || !c.Branched {
		return err
	}
	for _, m := range ms {
		branches, err := r.mine.Messages().Branches(r.Context(), id, m.Seq)
		if err != nil {
			return err
		}
		for _, b := range branches {
			m.Branches = append(m.Branches, b.Seq)
		}
	}
	return nil
}

func (s *server) renameChat(w http.ResponseWriter, r *request) error {
	var body struct{ Title string }
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err == nil {
		_, err = r.mine.Conversations().SetTitle(r.Context(), id, oneLine(body.Title))
	}
	return done(w, err)
}

// deleteChat hides a chat, so that restoreChat can undo it. A reply that is being written in it is
// deleted for its writer as well.
func (s *server) deleteChat(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err == nil {
		_, err = r.mine.Conversations().Delete(r.Context(), id)
	}
	return done(w, err)
}

func (s *server) restoreChat(w http.ResponseWriter, r *request) error {
	id, err := r.id()
	if err == nil {
		_, err = r.mine.Conversations().Restore(r.Context(), id)
	}
	return done(w, err)
}

func (s *server) markRead(w http.ResponseWriter, r *request) error {
	var body struct{ Seq int64 }
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err == nil {
		_, err = r.mine.Conversations().MarkRead(r.Context(), id, r.person, body.Seq)
	}
	return done(w, err)
}

// switchBranch shows the branch with the message of this seq, where it was left.
func (s *server) switchBranch(w http.ResponseWriter, r *request) error {
	var body struct{ Seq int64 }
	id, err := r.id()
	if err == nil {
		err = r.read(&body)
	}
	if err != nil {
		return err
	}
	branches, err := r.mine.Messages().Branches(r.Context(), id, body.Seq)
	if err != nil {
		return err
	}
	for _, b := range branches {
		if b.Seq == body.Seq {
			_, err = r.mine.Messages().SetHead(r.Context(), id, b.TipSeq)
			return done(w, err)
		}
	}
	return store.ErrNotFound
}

// done answers that something was done, and has nothing to add.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// oneLine makes one space of each run of white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
