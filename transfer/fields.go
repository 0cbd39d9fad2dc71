package transfer

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// raw is a member with the JSON of v. It is for values that always encode.
func raw(key string, v any) member {
	doc, err := encode(v)
	if err != nil {
		panic(err)
	}
	return member{key, doc}
}

// textOrNull is s, or null if there is none.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// seconds is a time as seconds since 1970, with a fraction to the microsecond.
func seconds(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', -1, 64))
}

// describe sets what every format says of a conversation. One without a time has that of its
// last change, else the earliest time that a file can mean.
func (t *thread) describe(f Format, id, title string, created, changed time.Time) {
	if created.IsZero() {
		created = changed
	}
	if created.IsZero() {
		created = time.Unix(0, 0).UTC()
	}
	t.conversation.ExternalKey = key(string(f) + ":" + id)
	t.conversation.Title = shorten(title)
	t.conversation.CreatedAt, t.conversation.UpdatedAt = created, changed
}

// keep makes the entry of the file the payload of the node's message, and the node's id its key.
func (n *node) keep(f Format, doc json.RawMessage) {
	n.message.IdempotencyKey = key(n.id)
	n.message.Payload, n.message.PayloadFormat = message.Payload(doc), string(f)
}

// roleOf returns the role of a message. What the library has no role for comes from a tool, as
// far as is known.
func roleOf(s string) message.Role {
	switch s {
	case "human":
		return message.RoleUser
	case "assistant", "user", "system", "developer":
		return message.Role(s)
	}
	return message.RoleTool
}

// attachment describes a file of an export. A size that is no number is unknown.
func attachment(name, contentType string, size json.RawMessage, id string) message.Attachment {
	n, err := strconv.ParseInt(string(size), 10, 64)
	if err != nil || n < 0 {
		n = 0
	}
	return message.Attachment{Filename: clean.String(name), ContentType: clean.String(contentType), Size: n, Key: clean.String(id)}
}

// documents makes an array of documents, nil of none. One with U+0000, which PostgreSQL's JSON
// does not take, is left to the payload.
func documents(docs []json.RawMessage) message.JSON {
	kept := docs[:0:0]
	for _, d := range docs {
		probe := message.Message{Role: message.RoleTool, ToolCalls: message.JSON(d)}
		probe.Normalize(time.Unix(0, 0))
		if probe.Validate() == nil {
			kept = append(kept, d)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return message.JSON(raw("", kept).value)
}

// count returns the first of several numbers that is there, 0 if it is none or out of range.
func count(o object, keys ...string) int64 {
	for _, k := range keys {
		if n, err := strconv.ParseInt(string(o.get(k)), 10, 64); err == nil && n >= 0 && n <= message.MaxTokens {
			return n
		}
	}
	return 0
}
