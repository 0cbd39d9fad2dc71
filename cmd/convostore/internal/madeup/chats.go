package madeup

import (
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// App is the app of made-up chats.
const App = "assistant"

// chats are conversations of people with an assistant.
func (s *scene) chats() {
	s.codeChat()
	s.branchedChat()
}

func (s *scene) chat(title string, begun time.Duration) *conversation.Conversation {
	c := &conversation.Conversation{App: App, Title: title, CreatedAt: s.ago(begun)}
	s.do(func() error { return s.mine.Conversations().Create(s.ctx, c) })
	s.label(c, "chat")
	return c
}

// says appends what one of a chat says.
func (s *scene) says(c *conversation.Conversation, role message.Role, ago time.Duration, text string, change ...func(*message.Message)) *message.Message {
	at := s.ago(ago)
	m := &message.Message{Role: role, Content: text, SentAt: at, CreatedAt: at}
	if role == message.RoleAssistant {
		m.Model, m.TokensIn, m.TokensOut, m.FinishReason = models[1].name, 900, int64(len(text)/4), "stop"
	}
	for _, f := range change {
		f(m)
	}
	s.do(func() error {
		_, err := s.mine.Messages().Append(s.ctx, c.ID, m)
		return err
	})
	return m
}

// codeChat has markdown, code, and a call of a tool with its result.
func (s *scene) codeChat() {
	c := s.chat("Which orders are late?", 100*time.Minute)
	s.says(c, message.RoleSystem, 100*time.Minute, "You help the people of Mill & Harbour with orders. Answer in markdown.")
	s.says(c, message.RoleUser, 99*time.Minute, "Which orders are late, and how would I find out myself?")
	s.says(c, message.RoleAssistant, 98*time.Minute, "", func(m *message.Message) {
		m.ToolCalls = message.MustJSON([]map[string]any{{"id": "call_1", "type": "function", "function": map[string]any{"name": "late_orders", "arguments": `{"days": 3}`}}})
		m.FinishReason = "tool_calls"
	})
	s.says(c, message.RoleTool, 98*time.Minute, "", func(m *message.Message) {
		m.ToolResults = message.MustJSON([]map[string]any{{"tool_call_id": "call_1", "content": []map[string]any{{"order": 4471, "days": 4}, {"order": 4502, "days": 6}}}})
	})
	s.says(c, message.RoleAssistant, 97*time.Minute, lateOrders)
	s.says(c, message.RoleUser, 95*time.Minute, "And as a table?")
	s.says(c, message.RoleAssistant, 94*time.Minute, "| Order | Days late | Courier |\n|---|---:|---|\n| 4471 | 4 | PX |\n| 4502 | 6 | own van |\n\n> 4502 waits for an address: see the thread *Delivery to the new warehouse*.")
}

const lateOrders = "Two orders are late:\n\n1. **4471**, by four days\n2. **4502**, by six days\n\nYou find them with this query:\n\n```sql\nSELECT number, now() - promised_at AS late\nFROM orders\nWHERE delivered_at IS NULL AND promised_at < now()\nORDER BY late DESC;\n```\n\nIn Go, `time.Since(o.PromisedAt)` is the same:\n\n```go\nfor _, o := range orders {\n\tif late := time.Since(o.PromisedAt); late > 0 {\n\t\tfmt.Println(o.Number, late.Round(time.Hour))\n\t}\n}\n```"

// branchedChat has an answer that was asked for again, so that there are two.
func (s *scene) branchedChat() {
	c := s.chat("A line for the newsletter", 70*time.Minute)
	asked := s.says(c, message.RoleUser, 70*time.Minute, "One sentence about the autumn fair for the newsletter, please.")
	s.says(c, message.RoleAssistant, 69*time.Minute, "Visit us at the autumn fair, hall 3.")
	s.says(c, message.RoleAssistant, 67*time.Minute, "Forty tables, eighty chairs and one good coffee: you find us in hall 3 of the autumn fair.", func(m *message.Message) {
		m.ParentSeq = new(asked.Seq)
	})
}
