package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// corpus is a store full of mail with a copy of its rows in memory. Expected results are
// computed in Go from the copy and compared with those of a search.
type corpus struct {
	*world
	rng           *rand.Rand
	users         []uuid.UUID
	conversations map[uuid.UUID]*conversation.Conversation
	messages      []*message.Message
	embedder      *embedtest.Embedder
	vectors       map[uuid.UUID][]float32
}

// size is how many messages a corpus has, and how many of them have vectors.
type size struct{ messages, embedded int }

var (
	large = size{1200, 400}
	// small keeps the suite short if it runs in many modes.
	small = size{300, 100}
	// slow is used instead of the other two where everything takes long: SQLite in Go is about
	// twenty times slower with the race detector.
	slow = map[size]size{large: small, small: {120, 50}}
)

// dimensions are those of a database migrated with no options.
const dimensions = 1536

// shares are how many of a hundred conversations each user has.
var shares = []int{60, 30, 8, 2}

// newCorpus writes the conversations of several users, deletes some of them and of
// their messages, and embeds so many of the messages.
func newCorpus(t testing.TB, f Factory, n size) *corpus {
	t.Helper()
	embedder := embedtest.New(dimensions)
	c := &corpus{
		world:         newWorld(t, f, convostore.WithEmbedder(embedder)),
		rng:           rand.New(rand.NewPCG(1, 2)),
		conversations: map[uuid.UUID]*conversation.Conversation{},
		embedder:      embedder,
		vectors:       map[uuid.UUID][]float32{},
	}
	for range shares {
		c.users = append(c.users, uuid.New())
	}
	if !testrun.Full() || testrun.Race {
		n = slow[n]
	}
	for len(c.messages) < n.messages {
		c.converse(t)
	}
	c.deleteSome(t)
	c.embed(t, n.embedded)
	return c
}

// converse adds a conversation. Its messages were created at the same moment, so that
// ties of time are common.
func (c *corpus) converse(t testing.TB) {
	t.Helper()
	user := c.users[0]
	for i, roll := 0, c.rng.IntN(100); roll >= shares[i]; i++ {
		roll -= shares[i]
		user = c.users[i+1]
	}
	topic := topics[c.rng.IntN(len(topics))]
	conv := &conversation.Conversation{
		LeadID: fmt.Sprint("lead", c.rng.IntN(20)), Subject: topic.subject, Title: c.pick(greetings), CreatedAt: c.tick(),
	}
	for i := range 1 + c.rng.IntN(15) {
		m := &message.Message{
			Role: []message.Role{message.RoleUser, message.RoleAssistant}[i%2], Content: c.mail(topic),
			SentAt: epoch.Add(time.Duration(c.rng.IntN(1000)) * time.Hour),
		}
		if c.rng.IntN(10) == 0 {
			m.Role = message.RoleSystem
		}
		conv.Messages = append(conv.Messages, m)
	}
	require.NoError(t, c.st.ForUser(user).Conversations().Create(t.Context(), conv))
	c.messages = append(c.messages, conv.Messages...)
	c.conversations[conv.ID] = conv
}

func (c *corpus) pick(of []string) string { return of[c.rng.IntN(len(of))] }

// mail is some sentences about a topic, with a chance of one about another.
func (c *corpus) mail(about topic) string {
	sentences := []string{c.pick(greetings) + "."}
	for range 1 + c.rng.IntN(4) {
		from := about
		if c.rng.IntN(6) == 0 {
			from = topics[c.rng.IntN(len(topics))]
		}
		s := strings.ReplaceAll(c.pick(from.sentences), "%", fmt.Sprint(10+c.rng.IntN(90)))
		sentences = append(sentences, s+".")
	}
	return strings.Join(sentences, []string{" ", "\n\n"}[c.rng.IntN(2)])
}

func (c *corpus) deleteSome(t testing.TB) {
	t.Helper()
	all := c.st.AllUsers()
	for _, m := range c.messages {
		if c.rng.IntN(20) == 0 {
			must[*message.Message](t)(all.Messages().Delete(t.Context(), m.ID))
			m.DeletedAt = gorm.DeletedAt{Valid: true}
		}
	}
	for _, conv := range sortedConversations(c.conversations) {
		if c.rng.IntN(20) == 0 {
			must[*conversation.Conversation](t)(all.Conversations().Delete(t.Context(), conv.ID))
			conv.DeletedAt = gorm.DeletedAt{Valid: true}
		}
	}
	c.readStatuses(t)
}

// readStatuses takes over what the database has, since a deletion moves the status of a
// conversation. What it moves to is no matter of search.
func (c *corpus) readStatuses(t testing.TB) {
	t.Helper()
	var rows []*conversation.Conversation
	require.NoError(t, c.st.DB(t.Context()).Select("id", "status").Find(&rows).Error)
	for _, row := range rows {
		c.conversations[row.ID].Status = row.Status
	}
}

func sortedConversations(m map[uuid.UUID]*conversation.Conversation) []*conversation.Conversation {
	var list []*conversation.Conversation
	for _, conv := range m {
		list = append(list, conv)
	}
	slices.SortFunc(list, func(a, b *conversation.Conversation) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	return list
}

// embed gives vectors to n live messages, of all users.
func (c *corpus) embed(t testing.TB, n int) {
	t.Helper()
	var vectors []store.MessageVector
	for _, i := range c.rng.Perm(len(c.messages)) {
		m := c.messages[i]
		if !c.live(m) || len(vectors) == n {
			continue
		}
		v := c.embedText(t, m.Content)
		vectors = append(vectors, store.MessageVector{MessageID: m.ID, Vector: v})
		c.vectors[m.ID] = v
	}
	require.NoError(t, c.st.AllUsers().Embeddings().SetMany(t.Context(), c.embedder.Model(), vectors))
}

func (c *corpus) embedText(t testing.TB, text string) []float32 {
	t.Helper()
	vs, err := c.embedder.Embed(t.Context(), []string{text})
	require.NoError(t, err)
	return vs[0]
}

func (c *corpus) live(m *message.Message) bool {
	return !m.DeletedAt.Valid && !c.conversations[m.ConversationID].DeletedAt.Valid
}

// view is what one scope may see.
type view struct {
	name  string
	scope store.Scope
	user  uuid.UUID // nil for all
}

func (c *corpus) views() []view {
	views := []view{{"all", c.st.AllUsers(), uuid.Nil}}
	for i, user := range c.users {
		views = append(views, view{fmt.Sprint("user ", i), c.st.ForUser(user), user})
	}
	views = slices.Delete(views, 2, 3) // more of the same
	return append(views, view{"stranger", c.st.ForUser(uuid.New()), uuid.New()})
}

// filters name the columns that each of them is about.
func (c *corpus) filters() map[string]store.SearchFilter {
	return map[string]store.SearchFilter{
		"none":         {},
		"lead":         {LeadID: "lead7"},
		"status":       {Statuses: []conversation.Status{conversation.StatusNeedsReply, conversation.StatusActive}},
		"role":         {Roles: []message.Role{message.RoleAssistant, message.RoleSystem}},
		"direction":    {Direction: message.DirectionInbound},
		"time":         {SentSince: epoch.Add(200 * time.Hour), SentBefore: epoch.Add(700 * time.Hour)},
		"conversation": {ConversationID: c.messages[len(c.messages)/2].ConversationID},
	}
}

// passesConversation tells whether a live conversation is in the view and the filter.
func (c *corpus) passesConversation(v view, f store.SearchFilter, conv *conversation.Conversation) bool {
	return !conv.DeletedAt.Valid && (v.user == uuid.Nil || conv.UserID == v.user) &&
		(f.ConversationID == uuid.Nil || conv.ID == f.ConversationID) &&
		(f.LeadID == "" || conv.LeadID == f.LeadID) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, conv.Status))
}

// passes tells the same of a message.
func (c *corpus) passes(v view, f store.SearchFilter, m *message.Message) bool {
	return c.live(m) && c.passesConversation(v, f, c.conversations[m.ConversationID]) &&
		(len(f.Roles) == 0 || slices.Contains(f.Roles, m.Role)) &&
		(f.Direction == message.DirectionNone || m.Direction == f.Direction) &&
		!m.SentAt.Before(f.SentSince) && (f.SentBefore.IsZero() || m.SentAt.Before(f.SentBefore))
}

// topic is what a conversation is about. % is a number.
type topic struct {
	subject   string
	sentences []string
}

var greetings = []string{
	"Hi John", "Dear Ms Miller", "Good morning", "Hello again", "Thanks for the quick answer", "Sorry for the late reply",
}

var topics = []topic{
	{"Website redesign", []string{
		"How much does a website redesign cost", "Our old website loads slowly on phones", "The redesign should keep our logo and colours",
		"We could start the website redesign in % days", "Can you show me examples of your design work",
	}},
	{"Invoice question", []string{
		"The invoice % has not been paid yet", "Please send the invoice as a draft first", "I paid the invoice on Monday",
		"There is a mistake in invoice number %", "Could you change the address on the unpaid invoice",
	}},
	{"Where is my parcel", []string{
		"My parcel was sent % days ago and has not arrived", "The tracking page says that the parcel is in transit",
		"Is there free shipping for orders above % dollars", "Shipping took longer than promised", "The box was damaged when it arrived",
	}},
	{"Login problems", []string{
		"I cannot log in to my account since yesterday", "The password reset mail never arrives", "Your app shows error % when I sign in",
		"Two factor codes are refused", "Please unlock my account",
	}},
	{"Meeting next week", []string{
		"Shall we meet on Tuesday at % past nine", "I would like to move our meeting to Friday", "The calendar invitation has the wrong room",
		"Let us have a short call about the plan", "My colleague will join the meeting",
	}},
	{"Price list", []string{
		"What is the price for % seats", "Is there a discount for schools", "The price list on your website is out of date",
		"We need a quote for % licences", "Your quote is higher than last year",
	}},
	{"Returning an order", []string{
		"I would like to return the shoes that I ordered", "The size does not fit", "Where do I send the return",
		"My refund of % dollars is still missing", "Can I exchange the jacket for a larger one",
	}},
	{"Application for the job", []string{
		"I saw that you are looking for an engineer", "My résumé is attached", "I have % years of experience with databases",
		"When would the interview take place", "Could you tell me more about the team",
	}},
}
