package inbox

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// replyConflict is the content of the page that says that newer mail came while somebody wrote.
type replyConflict struct {
	*threadPage
	Newer []*messageView
	Typed string
}

// writeReply sends what an operator wrote where no draft waits. It goes out only if the conversation
// has no message that they had not seen.
func (r *request) writeReply() error {
	text := newlines(r.PostForm.Get("text"))
	if text == "" {
		return rule.Invalid("text", "is empty")
	}
	seen, err := seqOf(r.PostForm, "seen")
	if err != nil {
		return err
	}
	m, err := r.reply(r.mine(), nil)
	if err != nil {
		return err
	}
	m.Content, m.Role, m.Direction, m.IdempotencyKey = text, message.RoleAssistant, message.DirectionOutbound, r.formKey("reply")
	entry := &message.OutboxEntry{Channel: r.in.options.Channel, DueAt: r.now.Add(r.in.options.Undo)}
	_, err = r.mine().Messages().AppendMany(r.Context(), r.id, []*message.Message{m},
		store.AppendOptions{ExpectedSeq: &seen, Deliver: []*message.OutboxEntry{entry}})
	if late := new(store.SeqConflictError); errors.As(err, &late) {
		return r.replyConflict(seen, text)
	}
	if err != nil {
		return err
	}
	return r.again("sent")
}

// replyConflict shows what came, and what was typed.
func (r *request) replyConflict(seen int64, text string) error {
	c, err := r.mine().Conversations().Get(r.Context(), r.id)
	if err != nil {
		return err
	}
	p, queued, err := r.formPlace()
	if err != nil {
		return err
	}
	list, err := r.mine().Messages().List(r.Context(), r.id,
		store.MessageFilter{AfterSeq: seen, Order: store.ReverseThreadOrder}, store.PageRequest{Limit: 20})
	if err != nil {
		return err
	}
	page := r.threadPage(c, p)
	if !queued {
		page.Query = ""
	}
	body := &replyConflict{threadPage: page, Typed: text}
	for i := len(list.Items) - 1; i >= 0; i-- {
		body.Newer = append(body.Newer, r.messageView(page, list.Items[i], false))
	}
	page.Title, page.Tab, page.Body = "Not sent: something came meanwhile", "queue", body
	return r.render(http.StatusConflict, "reply", page.frame)
}

// takeBackReply cancels a reply without a draft, as long as no worker has it: its entries are
// cancelled, and the message is deleted, because it was never said.
func (r *request) takeBackReply() error {
	id, err := uuid.Parse(r.PostForm.Get("message"))
	if err != nil {
		return store.ErrNotFound
	}
	err = r.in.store.Transaction(r.Context(), func(tx store.Store) error {
		return r.cancel(tx.ForUser(r.user), id)
	})
	if err != nil {
		return err
	}
	return r.again("undone")
}

func (r *request) cancel(mine store.Scope, id uuid.UUID) error {
	m, err := mine.Messages().Get(r.Context(), id)
	if err != nil {
		return err
	}
	if m.ConversationID != r.id {
		return store.ErrNotFound
	}
	list, err := mine.Deliveries().List(r.Context(), store.DeliveryFilter{MessageID: id, State: store.DeliveryOpen}, store.PageRequest{})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return store.ErrConflict
	}
	for _, e := range list.Items {
		if _, err := mine.Deliveries().Cancel(r.Context(), e.ID); err != nil {
			return err
		}
	}
	_, err = mine.Messages().Delete(r.Context(), id)
	return err
}
