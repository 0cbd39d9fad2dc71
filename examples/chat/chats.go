package main

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// app keeps the chats of this program apart from what else a database may have.
const app = "chat"

// listChats answers with a page of the list, or of what a search finds.
func (s *server) listChats(r *request) (any, error) {
	p := store.PageRequest{Limit: 50, After: store.Cursor(r.FormValue("after"))}
	query := strings.TrimSpace(r.FormValue("q"))
	if query == "" {
		o := store.OverviewOptions{LastMessage: true, Reader: r.person}
		page, err := r.mine.Conversations().Overview(r.Context(), store.ConversationFilter{App: app}, o, p)
		return views(page, overviewOf), err
	}
	// The page searches while a person types, so that the last word may be the beginning of one.
	if !strings.HasSuffix(query, `"`) {
		query += "*"
	}
	page, err := r.mine.Search().Conversations(r.Context(), query, store.TextOptions{}, p)
	return views(page, hitOf), err
}

// createChat makes a chat and sends its first message. The key of that makes a second request find
// the same chat, and the same message in it.
func (s *server) createChat(r *request, d draft) (any, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	c := &conversation.Conversation{App: app, ExternalKey: d.Key, Title: excerpt(d.Text, 60)}
	if _, err := r.mine.Conversations().GetOrCreate(r.Context(), c); err != nil {
		return nil, err
	}
	r.id = c.ID
	return s.send(r, d)
}

// readChat answers with the last messages of the path that the chat shows. The position is read
// first: what happens afterwards comes as an event, a second time if need be.
func (s *server) readChat(r *request) (any, error) {
	c, err := r.mine.Conversations().Get(r.Context(), r.id)
	if err != nil {
		return nil, err
	}
	p := store.PageRequest{Limit: 100, After: store.Cursor(r.FormValue("earlier"))}
	page, err := r.mine.Messages().List(r.Context(), r.id, store.MessageFilter{Order: store.ReverseThreadOrder}, p)
	if err != nil {
		return nil, err
	}
	v := chatView{ID: c.ID, Title: c.Title, Position: store.PositionOf(c), Earlier: page.Next}
	slices.Reverse(page.Items)
	v.Messages = views(page, func(m *message.Message) *messageView { return viewOf(m, r.person) }).Items
	if err = addVotes(r, v.Messages); err == nil && c.Branched {
		err = addBranches(r, v.Messages)
	}
	return v, err
}

// addVotes asks for the voters of messages that have votes. Most have none.
func addVotes(r *request, ms []*messageView) error {
	ids := make([]uuid.UUID, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	counts, err := r.mine.Messages().CountVotes(r.Context(), ids)
	for _, m := range ms {
		if _, voted := counts[m.ID]; !voted || err != nil {
			continue
		}
		var votes []*message.Vote
		votes, err = r.mine.Messages().Votes(r.Context(), m.ID)
		for _, v := range votes {
			if v.Voter == r.person {
				m.Vote = v.Value
			}
		}
	}
	return err
}

// addBranches asks for the siblings of each message.
func addBranches(r *request, ms []*messageView) error {
	for _, m := range ms {
		branches, err := r.mine.Messages().Branches(r.Context(), r.id, m.Seq)
		if err != nil {
			return err
		}
		for _, b := range branches {
			m.Branches = append(m.Branches, b.Seq)
		}
	}
	return nil
}

func (s *server) renameChat(r *request, body struct{ Title string }) (any, error) {
	_, err := r.mine.Conversations().SetTitle(r.Context(), r.id, oneLine(body.Title))
	return nil, err
}

// deleteChat hides a chat, so that restoreChat can undo it. The writer of a reply in it notices.
func (s *server) deleteChat(r *request) (any, error) {
	_, err := r.mine.Conversations().Delete(r.Context(), r.id)
	return nil, err
}

func (s *server) restoreChat(r *request) (any, error) {
	_, err := r.mine.Conversations().Restore(r.Context(), r.id)
	return nil, err
}

func (s *server) markRead(r *request, body struct{ Seq int64 }) (any, error) {
	_, err := r.mine.Conversations().MarkRead(r.Context(), r.id, r.person, body.Seq)
	return nil, err
}

// switchBranch shows the branch with the message of this seq, where it was left.
func (s *server) switchBranch(r *request, body struct{ Seq int64 }) (any, error) {
	branches, err := r.mine.Messages().Branches(r.Context(), r.id, body.Seq)
	if err != nil {
		return nil, err
	}
	for _, b := range branches {
		if b.Seq == body.Seq {
			_, err := r.mine.Messages().SetHead(r.Context(), r.id, b.TipSeq)
			return nil, err
		}
	}
	return nil, store.ErrNotFound
}
