package transfer

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// claude is the format of Claude: a conversation has its messages in "chat_messages", in the order
// of time, each with the id of its parent. Older exports have no parents: each message then follows
// the one before it.
type claude struct{}

const (
	chatMessages = "chat_messages"
	currentLeaf  = "current_leaf_message_uuid"
	parentUUID   = "parent_message_uuid"
	// claudeRoot is the parent of a first message.
	claudeRoot = "00000000-0000-4000-8000-000000000000"
)

func (claude) marks() []string { return []string{chatMessages, currentLeaf} }

func (claude) read(element []byte) (*thread, error) {
	o, err := parseObject(element)
	if err != nil {
		return nil, err
	}
	id := o.text("uuid")
	if id == "" {
		return nil, errors.New("the conversation has no uuid")
	}
	t := &thread{head: o.text(currentLeaf)}
	t.describe(Claude, id, o.text("name"), o.time("created_at"), o.time("updated_at"))
	before := ""
	for _, doc := range o.list(chatMessages) {
		n, err := claudeNode(doc, before)
		if err != nil {
			return nil, err
		}
		before = n.id
		t.nodes = append(t.nodes, n)
	}
	if o.has(chatMessages) {
		o = o.withRaw(chatMessages, json.RawMessage("[]"))
	}
	t.header, err = encode(o)
	return t, err
}

func claudeNode(doc json.RawMessage, before string) (*node, error) {
	o, err := parseObject(doc)
	if err != nil {
		return nil, errors.New("a message " + err.Error())
	}
	n := &node{id: o.text("uuid"), parent: before, at: o.time("created_at")}
	if n.id == "" {
		return nil, errors.New("a message has no uuid")
	}
	if o.has(parentUUID) {
		if n.parent = o.text(parentUUID); n.parent == claudeRoot {
			n.parent = ""
		}
	}
	m := &message.Message{Role: roleOf(o.text("sender")), Kind: message.KindMessage, State: message.StateComplete}
	var calls, results []json.RawMessage
	var texts []string
	for _, part := range o.list("content") {
		p, err := parseObject(part)
		if err != nil {
			continue
		}
		switch p.text("type") {
		case "text", "voice_note":
			texts = append(texts, p.text("text"))
		case "tool_use":
			calls = append(calls, part)
		case "tool_result":
			results = append(results, part)
		}
	}
	if m.Content = clean.String(strings.Join(texts, "\n")); m.Content == "" && len(calls)+len(results) == 0 {
		m.Content = clean.String(o.text("text"))
	}
	m.ToolCalls, m.ToolResults = documents(calls), documents(results)
	for _, list := range []string{"attachments", "files"} {
		for _, f := range o.list(list) {
			if file, err := parseObject(f); err == nil {
				m.Attachments = append(m.Attachments, attachment(file.text("file_name"), file.text("file_type"), file.get("file_size"), file.text("file_uuid")))
			}
		}
	}
	n.message = m
	n.keep(Claude, doc)
	return n, nil
}

func (claude) write(s *stored) ([]byte, error) {
	header, err := s.header(func() object {
		return object{
			raw("uuid", s.conversation.ID), raw("name", s.conversation.Title),
			raw("created_at", s.conversation.CreatedAt), raw("updated_at", s.conversation.UpdatedAt), raw(chatMessages, []object{}),
		}
	})
	if err != nil {
		return nil, err
	}
	tree := s.tree(nil, parentUUID, func(m member) (*node, error) { return claudeNode(m.value, "") })
	parents := s.conversation.Branched
	for _, p := range tree.places {
		parents = parents || p.original.has(parentUUID)
	}
	list := []json.RawMessage{}
	for _, p := range tree.places {
		doc, err := claudePlace(p, parents)
		if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
	if len(list) > 0 || header.has(chatMessages) {
		if header, err = header.with(chatMessages, list); err != nil {
			return nil, err
		}
	}
	if head := tree.head(header.text(currentLeaf)); head != "" && (s.conversation.Branched || header.has(currentLeaf)) {
		if header, err = header.with(currentLeaf, head); err != nil {
			return nil, err
		}
	}
	return encode(header)
}

func claudePlace(p *place, parents bool) (json.RawMessage, error) {
	o := p.original
	if o == nil {
		o = claudeMessage(p)
	} else if p.edited() {
		o = o.withRaw("text", raw("", p.message.Content).value)
		var content []json.RawMessage
		replaced := false
		for _, part := range o.list("content") {
			if c, err := parseObject(part); err == nil && c.text("type") == "text" {
				if replaced {
					continue
				}
				part, replaced = raw("", object{raw("type", "text"), raw("text", p.message.Content)}).value, true
			}
			content = append(content, part)
		}
		if o.has("content") {
			o = o.withRaw("content", raw("", content).value)
		}
	}
	if !parents {
		return encode(o)
	}
	parent := p.parentID()
	if parent == "" {
		parent = claudeRoot
	}
	if o.text(parentUUID) != parent {
		o = o.withRaw(parentUUID, raw("", parent).value)
	}
	return encode(o)
}

func claudeMessage(p *place) object {
	m := p.message
	sender := "assistant"
	if m.Role == message.RoleUser {
		sender = "human"
	}
	content := []json.RawMessage{raw("", object{raw("type", "text"), raw("text", m.Content)}).value}
	for _, parts := range []message.JSON{m.ToolCalls, m.ToolResults} {
		var list []json.RawMessage
		if json.Unmarshal(parts, &list) == nil {
			content = append(content, list...)
		}
	}
	files := []object{}
	for _, a := range m.Attachments {
		files = append(files, object{raw("file_name", a.Filename), raw("file_type", a.ContentType), raw("file_size", a.Size)})
	}
	return object{
		raw("uuid", p.id), raw("text", m.Content), raw("content", content), raw("sender", sender),
		raw("created_at", m.SentAt), raw("updated_at", m.UpdatedAt), raw("attachments", files), raw("files", []object{}),
	}
}
