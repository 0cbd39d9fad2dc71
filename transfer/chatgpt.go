package transfer

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// chatgpt is the format of ChatGPT: a conversation has its nodes in "mapping", by id, each with
// its parent, its children and a message or null.
type chatgpt struct{}

const (
	mapping     = "mapping"
	currentNode = "current_node"
)

func (chatgpt) marks() []string {
	return []string{mapping, currentNode, "conversation_id", "default_model_slug", "gizmo_id"}
}

func (chatgpt) read(element []byte) (*thread, error) {
	o, err := parseObject(element)
	if err != nil {
		return nil, err
	}
	id := o.text("conversation_id")
	if id == "" {
		id = o.text("id")
	}
	if id == "" {
		return nil, errors.New("the conversation has no id")
	}
	t := &thread{head: o.text(currentNode), archived: o.yes("is_archived")}
	t.describe(ChatGPT, id, o.text("title"), o.time("create_time"), o.time("update_time"))
	var bare object // the nodes without a message
	for _, m := range o.object(mapping) {
		n, err := chatgptNode(m)
		if err != nil {
			return nil, err
		}
		t.nodes = append(t.nodes, n)
		if n.message == nil {
			bare = append(bare, m)
		}
	}
	if o.has(mapping) {
		if o, err = o.with(mapping, bare); err != nil {
			return nil, err
		}
	}
	t.header, err = encode(o)
	return t, err
}

func chatgptNode(m member) (*node, error) {
	o, err := parseObject(m.value)
	if err != nil {
		return nil, errors.New("node " + m.key + " " + err.Error())
	}
	n := &node{id: m.key, parent: o.text("parent")}
	body := o.object("message")
	if body == nil {
		return n, nil
	}
	n.at = body.time("create_time")
	author, metadata := body.object("author"), body.object("metadata")
	msg := &message.Message{
		Role: roleOf(author.text("role")), Author: key(author.text("name")), Kind: message.KindMessage,
		Model: key(metadata.text("model_slug")), FinishReason: key(metadata.object("finish_details").text("type")),
		State: message.StateComplete,
	}
	if body.text("status") == "in_progress" {
		msg.State = message.StateInterrupted
	}
	content := body.object("content")
	msg.Content = clean.String(chatgptText(content))
	if chatgptHidden(content.text("content_type"), metadata, msg) {
		msg.Kind = message.KindEvent
	}
	msg.Attachments = append(chatgptFiles(metadata), chatgptAssets(content)...)
	n.message = msg
	n.keep(ChatGPT, m.value)
	return n, nil
}

// chatgptHidden reports whether a message is one that ChatGPT does not show as something said.
func chatgptHidden(contentType string, metadata object, m *message.Message) bool {
	switch contentType {
	case "thoughts", "reasoning_recap", "user_editable_context", "model_editable_context":
		return true
	}
	return metadata.yes("is_visually_hidden_from_conversation") || m.Role == message.RoleSystem && m.Content == ""
}

// chatgptText returns what people read of a content.
func chatgptText(content object) string {
	var texts []string
	add := func(s string) {
		if s != "" {
			texts = append(texts, s)
		}
	}
	for _, part := range content.list("parts") {
		var s string
		if json.Unmarshal(part, &s) == nil {
			add(s)
			continue
		}
		if o, err := parseObject(part); err == nil { // an image, or the transcript of speech
			add(o.text("text"))
		}
	}
	for _, k := range []string{"text", "result", "content", "user_profile", "user_instructions"} {
		add(content.text(k))
	}
	for _, thought := range content.list("thoughts") {
		if o, err := parseObject(thought); err == nil {
			add(o.text("summary"))
			add(o.text("content"))
		}
	}
	return strings.Join(texts, "\n")
}

func chatgptFiles(metadata object) (files message.Attachments) {
	for _, f := range metadata.list("attachments") {
		o, err := parseObject(f)
		if err != nil {
			continue
		}
		files = append(files, attachment(o.text("name"), o.text("mime_type"), o.get("size"), o.text("id")))
	}
	return files
}

// chatgptAssets are the images and recordings in the parts of a content.
func chatgptAssets(content object) (files message.Attachments) {
	for _, part := range content.list("parts") {
		o, err := parseObject(part)
		if err != nil || o.text("asset_pointer") == "" {
			continue
		}
		files = append(files, attachment("", "", o.get("size_bytes"), o.text("asset_pointer")))
	}
	return files
}

func (chatgpt) write(s *stored) ([]byte, error) {
	header, err := s.header(func() object {
		return object{
			raw("title", s.conversation.Title), raw("create_time", seconds(s.conversation.CreatedAt)), raw("update_time", seconds(s.conversation.UpdatedAt)),
			raw(mapping, object{}), raw(currentNode, nil), raw("conversation_id", s.conversation.ID), raw("id", s.conversation.ID),
			raw("is_archived", s.archived()),
		}
	})
	if err != nil {
		return nil, err
	}
	tree := s.tree(header.object(mapping), "parent", chatgptNode)
	if header.get(mapping) == nil && len(s.messages) == 0 {
		return encode(header) // it came without a mapping
	}
	var nodes object
	for _, p := range tree.places {
		doc, err := chatgptPlace(p)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, member{p.id, doc})
	}
	if header, err = header.with(mapping, nodes); err != nil {
		return nil, err
	}
	if head := tree.head(header.text(currentNode)); head != "" || s.conversation.LastSeq > 0 {
		if header, err = header.with(currentNode, textOrNull(head)); err != nil {
			return nil, err
		}
	}
	return encode(header)
}

// chatgptPlace writes a node: as it came, but for its neighbours and a text that was edited.
func chatgptPlace(p *place) (json.RawMessage, error) {
	o := p.original
	if o == nil {
		o = object{raw("id", p.id), raw("message", chatgptMessage(p)), raw("parent", nil), raw("children", nil)}
	} else if p.edited() {
		body := o.object("message")
		content := object{raw("content_type", "text"), raw("parts", []string{p.message.Content})}
		body, err := body.with("content", content)
		if err != nil {
			return nil, err
		}
		if o, err = o.with("message", body); err != nil {
			return nil, err
		}
	}
	return p.withNeighbours(o, "parent", "children")
}

func chatgptMessage(p *place) object {
	m := p.message
	metadata := object{}
	if m.Model != "" {
		metadata = append(metadata, raw("model_slug", m.Model))
	}
	if len(m.Attachments) > 0 {
		var files []object
		for _, a := range m.Attachments {
			files = append(files, object{raw("id", a.Key), raw("name", a.Filename), raw("mime_type", a.ContentType), raw("size", a.Size)})
		}
		metadata = append(metadata, raw("attachments", files))
	}
	return object{
		raw("id", p.id), raw("author", object{raw("role", m.Role), raw("name", textOrNull(m.Author)), raw("metadata", object{})}),
		raw("create_time", seconds(m.SentAt)), raw("update_time", nil),
		raw("content", object{raw("content_type", "text"), raw("parts", []string{m.Content})}),
		raw("status", "finished_successfully"), raw("end_turn", nil), raw("weight", 1), raw("metadata", metadata), raw("recipient", "all"), raw("channel", nil),
	}
}
