package main

import (
	"strings"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// messageView is a message as the page has it. A higher Revision is a later state of the same one.
type messageView struct {
	ID       uuid.UUID     `json:"id"`
	Seq      int64         `json:"seq"`
	Parent   int64         `json:"parent"`
	Role     message.Role  `json:"role"`
	Mine     bool          `json:"mine"`
	Text     string        `json:"text"`
	State    message.State `json:"state"`
	Finish   string        `json:"finish,omitempty"`
	Model    string        `json:"model,omitempty"`
	SentAt   time.Time     `json:"sent_at"`
	Revision int64         `json:"revision"`
	// Branches are the seqs of the message and its siblings, and Vote is the person's own. Both come
	// when a chat is read, and not with events.
	Branches []int64 `json:"branches,omitempty"`
	Vote     int     `json:"vote,omitempty"`
}

func viewOf(m *message.Message, person string) *messageView {
	return &messageView{
		ID: m.ID, Seq: m.Seq, Parent: m.Parent(), Role: m.Role, Mine: m.Author == person, Text: m.Content,
		State: m.State, Finish: m.FinishReason, Model: m.Model, SentAt: m.SentAt, Revision: m.Revision,
	}
}

// textView is what was added to a message that is being written: Text follows the first From UTF-16
// units, in which the page counts.
type textView struct {
	ID       uuid.UUID `json:"id"`
	Revision int64     `json:"revision"`
	From     int       `json:"from"`
	Text     string    `json:"text"`
}

func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// chatView is a chat that is open.
type chatView struct {
	ID       uuid.UUID      `json:"id"`
	Title    string         `json:"title"`
	Position store.Position `json:"position"`
	Messages []*messageView `json:"messages"`
	// Earlier is the cursor of the messages before these, empty if there are none.
	Earlier store.Cursor `json:"earlier,omitempty"`
}

// lineView is a line of the list.
type lineView struct {
	ID     uuid.UUID `json:"id"`
	Title  string    `json:"title"`
	Active time.Time `json:"active"`
	Unread int64     `json:"unread"`
	// Text is the beginning of the last message, or where a search found something: Hit is the seq
	// of that message, 0 if it was the title.
	Text string   `json:"text"`
	Mark [][2]int `json:"mark,omitempty"`
	Hit  int64    `json:"hit,omitempty"`
}

func overviewOf(c *store.ConversationOverview) *lineView {
	v := &lineView{ID: c.ID, Title: c.Title, Active: c.LastMessageAt, Unread: c.Unread}
	if c.LastMessage != nil {
		v.Text = c.LastMessage.Content
	}
	return v
}

func hitOf(h *store.ConversationHit) *lineView {
	v := &lineView{ID: h.Conversation.ID, Title: h.Conversation.Title, Active: h.Conversation.LastMessageAt, Text: h.Snippet.Text}
	for _, m := range h.Snippet.Matches {
		from := units(h.Snippet.Text[:m.Start])
		v.Mark = append(v.Mark, [2]int{from, from + units(h.Snippet.Text[m.Start:m.End])})
	}
	if h.Best != nil {
		v.Hit = h.Best.Seq
	}
	return v
}

func views[M, V any](page store.Page[M], view func(M) V) store.Page[V] {
	items := make([]V, len(page.Items))
	for i, item := range page.Items {
		items[i] = view(item)
	}
	return store.Page[V]{Items: items, Next: page.Next}
}

// oneLine makes one space of each run of white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// excerpt is the beginning of a text on one line, for a title.
func excerpt(text string, most int) string {
	letters := []rune(oneLine(text))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}
