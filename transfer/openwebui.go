package transfer

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// openWebUI is the format of Open WebUI: a conversation has its nodes in "chat", "history",
// "messages", by id, each with its parent and its children. The messages of the path that is
// shown stand once more in "chat", "messages".
type openWebUI struct{}

const (
	chat        = "chat"
	history     = "history"
	messagesKey = "messages"
	currentID   = "currentId"
)

func (openWebUI) marks() []string { return []string{chat} }

func (openWebUI) read(element []byte) (*thread, error) {
	o, err := parseObject(element)
	if err != nil {
		return nil, err
	}
	id := o.text("id")
	if id == "" {
		return nil, errors.New("the chat has no id")
	}
	inner := o.object(chat)
	tree := inner.object(history)
	t := &thread{head: tree.text(currentID), archived: o.yes("archived")}
	title := o.text("title")
	if title == "" {
		title = inner.text("title")
	}
	created := o.time("created_at")
	if created.IsZero() {
		created = inner.time("timestamp")
	}
	t.describe(OpenWebUI, id, title, created, o.time("updated_at"))
	for _, m := range tree.object(messagesKey) {
		n, err := webuiNode(m)
		if err != nil {
			return nil, err
		}
		t.nodes = append(t.nodes, n)
	}
	if len(t.nodes) == 0 { // a chat of before there were branches
		if err := t.addLine(inner.list(messagesKey)); err != nil {
			return nil, err
		}
	}
	t.header, err = encode(webuiHeader(o, inner, tree))
	return t, err
}

// addLine adds messages of which each follows the one before it.
func (t *thread) addLine(list []json.RawMessage) error {
	before := ""
	for _, doc := range list {
		o, err := parseObject(doc)
		if err != nil {
			return errors.New("a message " + err.Error())
		}
		n, err := webuiNode(member{o.text("id"), doc})
		if err != nil {
			return err
		}
		if n.id == "" {
			return errors.New("a message has no id")
		}
		n.parent, before = before, n.id
		t.nodes = append(t.nodes, n)
	}
	return nil
}

// webuiHeader is the chat without its messages. Whether it had a history shows in what is left.
func webuiHeader(o, inner, tree object) object {
	if inner.has(messagesKey) {
		inner = inner.withRaw(messagesKey, json.RawMessage("[]"))
	}
	if tree != nil {
		if tree.has(messagesKey) {
			tree = tree.withRaw(messagesKey, json.RawMessage("{}"))
		}
		inner = inner.withRaw(history, raw("", tree).value)
	}
	return o.withRaw(chat, raw("", inner).value)
}

func webuiNode(m member) (*node, error) {
	o, err := parseObject(m.value)
	if err != nil {
		return nil, errors.New("message " + m.key + " " + err.Error())
	}
	n := &node{id: m.key, parent: o.text("parentId"), at: o.time("timestamp")}
	msg := &message.Message{
		Role: roleOf(o.text("role")), Kind: message.KindMessage, State: message.StateComplete, Content: clean.String(webuiText(o)),
		Model: key(o.text("model")),
	}
	switch {
	case o.get("error") != nil && !isFalse(o.get("error")):
		msg.State = message.StateFailed
	case string(o.get("done")) == "false":
		msg.State = message.StateInterrupted
	}
	usage := o.object("usage")
	msg.TokensIn, msg.TokensOut = count(usage, "prompt_tokens", "prompt_eval_count", "input_tokens"), count(usage, "completion_tokens", "eval_count", "output_tokens")
	for _, f := range o.list("files") {
		file, err := parseObject(f)
		if err != nil {
			continue
		}
		name, kind, id := file.text("name"), file.text("content_type"), file.text("id")
		url := file.text("url")
		if strings.HasPrefix(url, "data:") {
			url = "" // the file itself, which the payload has
		}
		a := attachment(name, kind, file.get("size"), id)
		a.URL = clean.String(url)
		msg.Attachments = append(msg.Attachments, a)
	}
	n.message = msg
	n.keep(OpenWebUI, m.value)
	return n, nil
}

func webuiText(o object) string {
	if s := o.text("content"); s != "" {
		return s
	}
	var texts []string
	for _, part := range o.list("content") {
		if p, err := parseObject(part); err == nil && p.text("text") != "" {
			texts = append(texts, p.text("text"))
		}
	}
	return strings.Join(texts, "\n")
}

func isFalse(v json.RawMessage) bool { return string(v) == "false" || string(v) == `""` }

func (openWebUI) write(s *stored) ([]byte, error) {
	header, err := s.header(func() object {
		inner := object{
			raw("title", s.conversation.Title), raw("models", []string{}), raw("timestamp", s.conversation.CreatedAt.UnixMilli()),
			raw(history, object{raw(messagesKey, object{}), raw(currentID, nil)}), raw(messagesKey, []object{}),
		}
		return object{
			raw("id", s.conversation.ID), raw("title", s.conversation.Title), raw(chat, inner),
			raw("created_at", s.conversation.CreatedAt.Unix()), raw("updated_at", s.conversation.UpdatedAt.Unix()), raw("archived", s.archived()),
		}
	})
	if err != nil {
		return nil, err
	}
	inner := header.object(chat)
	past := inner.object(history)
	tree := s.tree(nil, "parentId", webuiNode)
	var nodes object
	byID := map[string]json.RawMessage{}
	for _, p := range tree.places {
		doc, err := webuiPlace(p, past != nil)
		if err != nil {
			return nil, err
		}
		nodes, byID[p.id] = append(nodes, member{p.id, doc}), doc
	}
	head := tree.head(past.text(currentID))
	if past != nil && (past.has(messagesKey) || len(nodes) > 0) {
		past = past.withRaw(messagesKey, raw("", nodes).value)
		if head != "" {
			past = past.withRaw(currentID, raw("", head).value)
		}
		inner = inner.withRaw(history, raw("", past).value)
	}
	if inner.has(messagesKey) || past == nil && len(nodes) > 0 {
		line := []json.RawMessage{}
		for _, id := range tree.path(head) {
			line = append(line, byID[id])
		}
		inner = inner.withRaw(messagesKey, raw("", line).value)
	}
	return encode(header.withRaw(chat, raw("", inner).value))
}

func webuiPlace(p *place, linked bool) (json.RawMessage, error) {
	o := p.original
	if o == nil {
		o = object{
			raw("id", p.id), raw("role", p.message.Role), raw("content", p.message.Content), raw("timestamp", p.message.SentAt.Unix()),
			raw("parentId", nil), raw("childrenIds", nil),
		}
		if p.message.Model != "" {
			o = append(o, raw("model", p.message.Model))
		}
	} else if p.edited() {
		o = o.withRaw("content", raw("", p.message.Content).value)
	}
	if !linked {
		return encode(o)
	}
	return p.withNeighbours(o, "parentId", "childrenIds")
}
