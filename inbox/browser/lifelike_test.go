package browser

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// lifelike is a queue as a small shop may have it.
type lifelike struct {
	s          *site
	mail, chat uuid.UUID
	draft      *suggestion.Suggestion
	// spare is a draft that a page decides on.
	spare *suggestion.Suggestion
}

// asked is what somebody asks, and what the model would answer.
type asked struct {
	lead, from, subject, text, draft string
	sure                             float64
	labels                           []string
	ago                              time.Duration
}

var customers = []asked{
	{"Maria Jensen", "maria.jensen@nordlys.example", "Forty oak desks for Aarhus", "Hi Ann,\n\nthank you for the samples, the light oak it is. We would need forty desks in Aarhus by the middle of next month.\n\nCould you manage the delivery in two parts, and what would the price be for all forty?\n\nBest,\nMaria\n\nOn Thu, 12 Mar 2026, Ann wrote:\n> The samples left us today and should be with you tomorrow.\n", "Hello Maria,\n\nI am glad that you like the light oak. Forty desks come to 18,400 euros, and delivery in two parts is no trouble: twenty in the first week, twenty in the second.\n\nShall I put that into an offer?\n\nBest,\nAnn", 0.93, []string{"offer", "big"}, 50 * time.Minute},
	{"Tomasz Zieliński", "t.zielinski@grafo.example", "Invoice 2026-0117", "Hello,\n\nour VAT number is missing on the invoice. It is PL5252445767. Could you send a new one?\n\nTomasz", "Hello Tomasz,\n\nI am sorry about that. The corrected invoice is attached, with PL5252445767 on it.\n\nBest,\nAnn", 0.88, []string{"invoice"}, 43 * time.Minute},
	{"Chloé Martin", "chloe@atelier-martin.example", "A scratch on one of the table tops", "Bonjour,\n\none of the six table tops came with a long scratch. I have put a picture below. What do we do?\n\nChloé", "Bonjour Chloé,\n\nI am sorry. We send you a new top this week, and you may keep the scratched one.\n\nBest,\nAnn", 0.74, []string{"complaint"}, 35 * time.Minute},
	{"Ravi Patel", "ravi@patel-and-sons.example", "Do you ship to Leicester?", "Hi, do you ship to the UK, and who pays the duty?", "Hi Ravi,\n\nwe do, and the price that you see includes the duty.\n\nBest,\nAnn", 0.91, nil, 22 * time.Minute},
	{"Ingrid Solberg", "ingrid@fjordkontor.example", "Can the order be changed?", "Can I still change order 4471 from walnut to ash?", "Hello Ingrid,\n\nyes, until Friday. I have changed it to ash for you.\n\nBest,\nAnn", 0.58, []string{"order"}, 14 * time.Minute},
	{"王芳", "fang.wang@lianhe.example", "报价请求", "您好，请问一百张办公桌的价格是多少？", "", 0, nil, 8 * time.Minute},
	{"Noor Haddad", "noor@haddad-architects.example", "طلب عرض سعر", "مرحبا، نحتاج إلى عشرين كرسيا لمكتبنا الجديد. كم يكون السعر؟", "", 0, nil, 3 * time.Minute},
}

func (s *site) lifelike() *lifelike {
	s.t.Helper()
	l := &lifelike{s: s}
	for i, a := range customers {
		s.ahead.Store(int64(-a.ago))
		c, m := l.asks(a)
		if a.draft != "" {
			l.spare = l.answer(m, a)
		}
		if i == 0 {
			l.mail, l.draft = c.ID, l.spare
			_, err := s.mine.Conversations().Assign(s.t.Context(), c.ID, "ann", store.AssignOptions{})
			require.NoError(s.t, err)
			l.edits(strings.ReplaceAll(a.draft, "18,400", "17,900"), "ann")
		}
	}
	s.ahead.Store(0)
	l.talks()
	return l
}

func (l *lifelike) asks(a asked) (*conversation.Conversation, *message.Message) {
	t, mine := l.s.t, l.s.mine
	t.Helper()
	c := &conversation.Conversation{Subject: a.subject, LeadID: a.lead}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	m := &message.Message{
		Direction: message.DirectionInbound, SenderEmail: a.from, RecipientEmail: "ann@tischler.example", Content: a.text,
		EmailMessageID: "<" + uuid.NewString() + "@mail.example>", Headers: message.Headers{"Subject": {a.subject}, "From": {a.lead + " <" + a.from + ">"}},
	}
	if a.sure == 0.74 {
		m.Attachments = message.Attachments{{Filename: "scratch.jpg", ContentType: "image/jpeg", Size: 812_441, URL: "https://files.example/scratch.jpg"}}
	}
	_, err := mine.Messages().Append(t.Context(), c.ID, m)
	require.NoError(t, err)
	if len(a.labels) > 0 {
		_, err = mine.Conversations().AddLabels(t.Context(), c.ID, "ann", a.labels)
		require.NoError(t, err)
	}
	return c, m
}

func (l *lifelike) answer(m *message.Message, a asked) *suggestion.Suggestion {
	l.s.t.Helper()
	d := &suggestion.Suggestion{
		ConversationID: m.ConversationID, InReplyToMessageID: &m.ID, AnswersSeq: m.Seq, SuggestedContent: a.draft, ConfidenceScore: &a.sure,
		ModelUsed: "house-model-2", TokensUsed: 812, SentimentAnalysis: suggestion.JSON(`{"mood": "friendly", "urgent": false}`),
		ContextUsed: suggestion.JSON(`{"prices": "2026", "stock": ["light oak", "ash"]}`),
	}
	require.NoError(l.s.t, l.s.mine.Suggestions().Create(l.s.t.Context(), d))
	return d
}

// talks is a chat of a visitor with a model that looks things up.
func (l *lifelike) talks() {
	t, mine := l.s.t, l.s.mine
	t.Helper()
	c := &conversation.Conversation{Title: "Delivery times of the standing desk", LeadID: "Visitor 88"}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	for _, m := range []*message.Message{
		{Role: message.RoleSystem, Content: "You answer questions about the furniture of the shop."},
		{Role: message.RoleUser, Direction: message.DirectionInbound, Content: "How long is the delivery of the standing desk?"},
		{Role: message.RoleAssistant, Model: "house-model-2", ToolCalls: message.JSON(`[{"name": "stock", "arguments": {"item": "standing desk"}}]`)},
		{Role: message.RoleTool, ToolResults: message.JSON(`[{"name": "stock", "result": {"weeks": 4}}]`)},
		{Role: message.RoleAssistant, Direction: message.DirectionOutbound, Model: "house-model-2", Content: "It takes **four weeks**:\n\n| Wood | Weeks |\n|---|---|\n| Light oak | 4 |\n| Walnut | 6 |\n\n```go\nweeks := stock(\"standing desk\") // a very long line of code that is wider than a telephone by far\n```\n\n- Delivery is free above 500 euros.\n- You may return it within 30 days."},
		{Kind: message.KindNote, Role: message.RoleAssistant, Author: "bob", Content: "They asked the same by mail."},
		{Role: message.RoleUser, Direction: message.DirectionInbound, Content: "And in walnut?"},
	} {
		_, err := mine.Messages().Append(t.Context(), c.ID, m)
		require.NoError(t, err)
	}
	l.chat = c.ID
}

// edits saves another text of the draft.
func (l *lifelike) edits(text, by string) {
	l.s.t.Helper()
	_, err := l.s.mine.Suggestions().SaveDraft(l.s.t.Context(), l.draft.ID, text, store.SaveOptions{By: by})
	require.NoError(l.s.t, err)
}
