package store

import (
	"bytes"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// The functions below remove U+0000 for a store WithNULStripped, before validation.

func stripText(fields ...*string) {
	for _, f := range fields {
		if strings.IndexByte(*f, 0) >= 0 {
			*f = strings.ReplaceAll(*f, "\x00", "")
		}
	}
}

// stripJSON removes the escape \u0000, but not the text of one: a backslash before it
// that is itself escaped.
func stripJSON(docs ...*message.JSON) {
	for _, doc := range docs {
		if !bytes.Contains(*doc, []byte(`\u0000`)) {
			continue
		}
		out := make([]byte, 0, len(*doc))
		for rest := []byte(*doc); len(rest) > 0; {
			n := 1
			switch {
			case bytes.HasPrefix(rest, []byte(`\u0000`)):
				rest = rest[6:]
				continue
			case rest[0] == '\\' && len(rest) > 1:
				n = 2
			}
			out, rest = append(out, rest[:n]...), rest[n:]
		}
		*doc = out
	}
}

func stripConversation(c *conversation.Conversation) {
	stripText(&c.LeadID, &c.ExternalKey, &c.Title, &c.Subject)
	stripJSON(&c.Metadata)
}

func stripMessage(m *message.Message) {
	stripText(&m.Content, &m.SenderEmail, &m.RecipientEmail, &m.PostmarkMessageID, &m.GmailMessageID,
		&m.GmailThreadID, &m.EmailMessageID, &m.IdempotencyKey)
	stripJSON(&m.ToolCalls, &m.ToolResults, &m.Metadata)
	for i := range m.Attachments {
		a := &m.Attachments[i]
		stripText(&a.Filename, &a.ContentType, &a.ContentID, &a.URL, &a.Key, &a.Checksum)
	}
	stripHeaders(m.Headers)
}

func stripHeaders(h message.Headers) {
	for name, values := range h {
		for i := range values {
			stripText(&values[i])
		}
		if clean := strings.ReplaceAll(name, "\x00", ""); clean != name {
			delete(h, name)
			h[clean] = values
		}
	}
}

func stripSuggestion(s *suggestion.Suggestion) {
	stripText(&s.SuggestedContent, &s.EditedContent, &s.ModelUsed, &s.ReviewedBy, &s.Feedback)
	stripJSON(&s.SentimentAnalysis, &s.ContextUsed)
}
