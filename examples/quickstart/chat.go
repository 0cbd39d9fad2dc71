package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// chatStory plays one turn of a chat with tools, and what people do with a chat later.
func chatStory(ctx context.Context, mine store.Scope, p printer) error {
	p.title("2. A chat with tools")
	c, err := openChat(ctx, mine, p)
	if err != nil {
		return err
	}
	if err := turn(ctx, mine, p, c); err != nil {
		return err
	}
	if err := rename(ctx, mine, p, c); err != nil {
		return err
	}
	if err := deleteAndRestore(ctx, mine, p, c); err != nil {
		return err
	}
	return pages(ctx, mine, p, c)
}

func openChat(ctx context.Context, mine store.Scope, p printer) (*conversation.Conversation, error) {
	c := &conversation.Conversation{
		ExternalKey: "chat/todo", Title: "New chat",
		Metadata: message.MustJSON(map[string]any{"model": "gpt-4", "tags": []string{"todo"}}),
	}
	created, err := mine.Conversations().GetOrCreate(ctx, c)
	if errors.Is(err, store.ErrConflict) {
		// A run was interrupted while the chat was deleted; c is the deleted one.
		c, err = mine.Conversations().Restore(ctx, c.ID)
	}
	if err != nil {
		return nil, err
	}
	if created {
		p.line("started", "%q %s", c.Title, c.Metadata)
	} else {
		p.line("continuing", "%q after %s", c.Title, many(c.LastSeq, "message"))
	}
	// Its key makes the instructions stand in the chat once, however often this runs.
	system := &message.Message{
		Role: message.RoleSystem, Content: "You keep the user's to-do list.", IdempotencyKey: "instructions",
	}
	_, err = mine.Messages().Append(ctx, c.ID, system)
	return c, err
}

// turn stores a question, the model's call of a tool, the tool's result and the answer:
// all four or none.
func turn(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation) error {
	id := fmt.Sprintf("call_%d", c.LastSeq)
	ms := []*message.Message{
		{Role: message.RoleUser, Content: "Add milk to my list."},
		{Role: message.RoleAssistant, ToolCalls: message.MustJSON([]map[string]any{
			{"id": id, "name": "add_task", "arguments": map[string]string{"title": "milk"}},
		})},
		{Role: message.RoleTool, ToolResults: message.MustJSON([]map[string]any{{"id": id, "task": 17}})},
		{Role: message.RoleAssistant, Content: "Done, milk is on your list.", Metadata: message.MustJSON(map[string]int{"tokens": 21})},
	}
	if _, err := mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{}); err != nil {
		return err
	}
	p.thread(ms)
	return nil
}

func rename(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation) error {
	if c.Title != "Groceries" {
		titled, err := mine.Conversations().SetTitle(ctx, c.ID, "Groceries")
		if err != nil {
			return err
		}
		p.line("title", "%q, was %q", titled.Title, c.Title)
	}
	merged, err := mine.Conversations().MergeMetadata(ctx, c.ID, message.JSON(`{"pinned":true}`))
	if err != nil {
		return err
	}
	p.line("metadata", "%s", merged.Metadata)
	return nil
}

// deleteAndRestore hides one message and then the whole chat. Restoring the chat does not
// restore the message, which stays hidden until it is restored itself.
func deleteAndRestore(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation) error {
	newest, err := mine.Messages().Last(ctx, c.ID, 1)
	if err != nil {
		return err
	}
	if _, err := mine.Messages().Delete(ctx, newest[0].ID); err != nil {
		return err
	}
	if err := countMessages(ctx, mine, p, c, "deleted", "one message"); err != nil {
		return err
	}
	if _, err := mine.Conversations().Delete(ctx, c.ID); err != nil {
		return err
	}
	if _, err := mine.Conversations().Get(ctx, c.ID); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("a deleted chat is still there: %w", err)
	}
	p.line("deleted", "the chat, it cannot be found any more")
	if _, err := mine.Conversations().Restore(ctx, c.ID); err != nil {
		return err
	}
	if err := countMessages(ctx, mine, p, c, "restored", "the chat"); err != nil {
		return err
	}
	if _, err := mine.Messages().Restore(ctx, newest[0].ID); err != nil {
		return err
	}
	return countMessages(ctx, mine, p, c, "restored", "the message")
}

func countMessages(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation, what, of string) error {
	n := int64(0)
	for _, err := range mine.Messages().All(ctx, c.ID, store.MessageFilter{}) {
		if err != nil {
			return err
		}
		n++
	}
	p.line(what, "%s, %s to be seen", of, many(n, "message"))
	return nil
}

// pages reads the chat three messages at a time, like a client that scrolls back.
func pages(ctx context.Context, mine store.Scope, p printer, c *conversation.Conversation) error {
	f := store.MessageFilter{Order: store.ReverseThreadOrder}
	request := store.PageRequest{Limit: 3}
	for n := 1; n <= 3; n++ {
		page, err := mine.Messages().List(ctx, c.ID, f, request)
		if err != nil {
			return err
		}
		seqs := make([]int64, len(page.Items))
		for i, m := range page.Items {
			seqs[i] = m.Seq
		}
		p.line(fmt.Sprintf("page %d", n), "messages %v", seqs)
		if page.Next == "" {
			break
		}
		request.After = page.Next
	}
	return nil
}
