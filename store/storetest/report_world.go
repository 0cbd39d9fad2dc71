package storetest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// reportRows are what a report is about, as the generator made them. The oracle reads
// these and never the database.
type reportRows struct {
	users         []uuid.UUID
	conversations []*conversation.Conversation
	messages      []*message.Message
	suggestions   []*suggestion.Suggestion
	leads         map[leadKey]hostLead
	now           time.Time
}

// leadKey names a lead. Users have leads of the same ids, each with a row of its own.
type leadKey struct {
	owner uuid.UUID
	id    string
}

// hostLead is a row of the host's table of leads; nil is NULL.
type hostLead struct {
	title, category *string
	tier            *int
}

// worldSize is how many rows a world of reports has.
type worldSize struct{ users, conversations, messages, suggestions int }

var (
	fullWorld  = worldSize{20, 2500, 50_000, 10_000}
	smallWorld = worldSize{5, 120, 2000, 400}
	// slowWorlds are used instead where everything takes long, see slow.
	slowWorlds = map[worldSize]worldSize{fullWorld: {8, 200, 3000, 800}, smallWorld: {4, 40, 400, 120}}
)

// A world lasts 14 months, in which the clocks change five times in Berlin and in New
// York. The present is inside of it, so that there are rows of the future as well.
var (
	worldBegin = time.Date(2024, time.September, 1, 0, 0, 0, 0, time.UTC)
	worldNow   = time.Date(2025, time.October, 28, 10, 30, 0, 500_000_000, time.UTC)
	worldEnd   = time.Date(2025, time.November, 5, 0, 0, 0, 0, time.UTC)
)

// worldZones are whole hours and not, with a midnight that does not exist (Santiago) and
// a change of half an hour (Lord Howe).
var worldZones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Australia/Lord_Howe",
}

// clockChanges are moments at which clocks change in one of the zones.
var clockChanges = []time.Time{
	time.Date(2024, 10, 27, 1, 0, 0, 0, time.UTC), time.Date(2025, 3, 30, 1, 0, 0, 0, time.UTC), time.Date(2025, 10, 26, 1, 0, 0, 0, time.UTC),
	time.Date(2024, 11, 3, 6, 0, 0, 0, time.UTC), time.Date(2025, 3, 9, 7, 0, 0, 0, time.UTC),
	time.Date(2024, 9, 8, 4, 0, 0, 0, time.UTC), time.Date(2025, 4, 6, 3, 0, 0, 0, time.UTC),
	time.Date(2024, 10, 5, 15, 30, 0, 0, time.UTC), time.Date(2025, 4, 5, 15, 0, 0, 0, time.UTC),
}

// zone loads a location, of this machine or of the Go that tests it.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

// worldMaker makes the same rows each time it is asked, on every database: ids come from
// its dice too, since rows that are equal in all else are ordered by them.
type worldMaker struct {
	reportRows
	dice  *rand.Rand
	zones []*time.Location
}

func newRows(t testing.TB, n worldSize) *reportRows {
	t.Helper()
	k := &worldMaker{reportRows: reportRows{leads: map[leadKey]hostLead{}, now: worldNow}, dice: rand.New(rand.NewPCG(2024, 2025))}
	for _, name := range worldZones {
		k.zones = append(k.zones, zone(t, name))
	}
	for range n.users {
		k.users = append(k.users, k.id())
	}
	k.makeLeads()
	for range n.conversations {
		k.conversations = append(k.conversations, k.conversation())
	}
	k.converse(n.messages)
	k.suggest(n.suggestions)
	return &k.reportRows
}

func (k *worldMaker) id() (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], k.dice.Uint64())
	binary.BigEndian.PutUint64(id[8:], k.dice.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// chance is true so many times of a hundred.
func (k *worldMaker) chance(percent int) bool { return k.dice.IntN(100) < percent }

// skewed prefers the low numbers below n: a quarter of them gets half.
func (k *worldMaker) skewed(n int) int {
	f := k.dice.Float64()
	return int(float64(n) * f * f)
}

func pick[T any](k *worldMaker, of ...T) T { return of[k.dice.IntN(len(of))] }

// span is a random time within the world, cut to microseconds.
func (k *worldMaker) span() time.Time {
	return worldBegin.Add(time.Duration(k.dice.Int64N(int64(worldEnd.Sub(worldBegin)/time.Microsecond))) * time.Microsecond)
}

// moment is a time at which mistakes would show: many are equal to others, on the bounds
// of hours and of days in some zone, or close to a change of the clocks.
func (k *worldMaker) moment() time.Time {
	at := k.span()
	switch roll := k.dice.IntN(100); {
	case roll < 15:
		return at.Truncate(time.Hour)
	case roll < 20:
		return at.Truncate(24 * time.Hour)
	case roll < 30:
		y, m, d := at.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, pick(k, k.zones...)).UTC()
	case roll < 40:
		return at.Truncate(time.Hour).Add(time.Hour - time.Microsecond)
	case roll < 50:
		at = pick(k, clockChanges...).Add(time.Duration(k.dice.IntN(300)-150) * time.Minute)
		return at.Add(time.Duration(pick(k, -1, 0, 0, 1)) * time.Microsecond)
	}
	return at
}

// later is a time after at, often the same, at most some weeks away.
func (k *worldMaker) later(at time.Time) time.Time {
	most := pick(k, 1, 1, time.Microsecond, time.Second, time.Minute, time.Hour, 5*time.Hour, 24*time.Hour, 30*24*time.Hour)
	return at.Add(time.Duration(k.dice.Int64N(int64(most)))).Truncate(time.Microsecond)
}

// deleted is set for one row of twenty.
func (k *worldMaker) deleted() gorm.DeletedAt {
	if !k.chance(5) {
		return gorm.DeletedAt{}
	}
	return gorm.DeletedAt{Time: worldEnd, Valid: true}
}

const worldLeads = 80

// leadID mixes cases and scripts: the order of bytes is another than that of a language.
func leadID(i int) string { return fmt.Sprint([]string{"lead-", "Lead-", "élan-", ""}[i%4], i) }

// makeLeads writes the host's table. One lead of eight has no row, one of three is another
// user's, and there are rows of leads that nobody talks to.
func (k *worldMaker) makeLeads() {
	for i := range worldLeads + 10 {
		for n, owner := range k.users {
			if i%8 != 5 && (i+n)%3 != 0 {
				k.leads[leadKey{owner, leadID(i)}] = k.lead(i, n)
			}
		}
	}
}

func (k *worldMaker) lead(i, owner int) (l hostLead) {
	if i%5 != 0 {
		l.title = new(fmt.Sprintf("Frau Müller %d 漢字 of %d", i, owner))
	}
	if i%6 != 0 {
		l.category = new(pick(k, "enterprise", "Enterprise", "école", "trade", "", "Zoo"))
	}
	if i%7 != 0 {
		l.tier = new(k.dice.IntN(12))
	}
	return l
}

// conversation is of the first user in two of five cases. Messages set the rest.
func (k *worldMaker) conversation() *conversation.Conversation {
	owner := 0
	if !k.chance(40) {
		owner = 1 + k.skewed(len(k.users)-1)
	}
	at := k.moment()
	c := &conversation.Conversation{
		ID: k.id(), UserID: k.users[owner], Title: pick(k, "", "Angebot für Döner", "見積もり", "plain title", "😀 \"quoted\" 'title'"),
		Subject: pick(k, "", "Re: Größe", "subject", "тема"), Status: pick(k, conversation.Statuses()...),
		CreatedAt: at, UpdatedAt: at, LastMessageAt: at, DeletedAt: k.deleted(), Assignee: pick(k, "", "", "ann", "Ann", "jörg", "team 2"),
	}
	if k.chance(85) {
		c.LeadID = leadID((owner*11 + k.dice.IntN(30)) % worldLeads)
	}
	return c
}

// converse spreads messages over the conversations. Some get none at all.
func (k *worldMaker) converse(n int) {
	quiet := len(k.conversations) / 25
	counts := make([]int, len(k.conversations))
	for range n {
		counts[quiet+k.skewed(len(counts)-quiet)]++
	}
	for i, c := range k.conversations {
		k.thread(c, counts[i])
	}
	k.dice.Shuffle(len(k.conversations), func(i, j int) {
		k.conversations[i], k.conversations[j] = k.conversations[j], k.conversations[i]
	})
}

// habits are the directions of the messages of a conversation, which is one of: talk,
// both equally, nobody answers, nobody asks, and machines alone.
var habits = []string{"iiioo ", "iiooo", "io", "io  ", "iiii ", "ooo ", "  "}

// thread writes the messages of a conversation, whose times mostly go on and sometimes
// back.
func (k *worldMaker) thread(c *conversation.Conversation, n int) {
	habit, at, stored := pick(k, habits...), c.CreatedAt, k.later(c.CreatedAt)
	for i := range n {
		at = k.later(at)
		if at.After(worldEnd) {
			at = c.CreatedAt
		}
		m := k.message(c, int64(i+1), habit, at)
		if k.chance(30) {
			m.CreatedAt = stored // with others, from an import
		}
		if i == 0 || m.SentAt.After(c.LastMessageAt) {
			c.LastMessageAt = m.SentAt
		}
		if k.chance(90) {
			c.Status = c.Status.After(m.Direction)
		}
		c.LastSeq = m.Seq
		k.messages = append(k.messages, m)
	}
	if k.chance(15) {
		c.Status = pick(k, conversation.Statuses()...)
	}
}

func (k *worldMaker) message(c *conversation.Conversation, seq int64, habit string, at time.Time) *message.Message {
	m := &message.Message{
		ID: k.id(), UserID: c.UserID, ConversationID: c.ID, Seq: seq, Content: "text", SentAt: at, DeletedAt: k.deleted(),
	}
	switch pick(k, []byte(habit)...) {
	case 'i':
		m.Direction = message.DirectionInbound
	case 'o':
		m.Direction = message.DirectionOutbound
	default:
		m.Role = pick(k, message.RoleSystem, message.RoleTool)
	}
	if m.Direction != message.DirectionNone && k.chance(2) {
		m.Role = pick(k, message.Roles()...) // a host that means something else
	}
	switch roll := k.dice.IntN(100); {
	case roll < 5:
		m.SentAt = k.moment() // anywhere
	case roll < 15:
		m.SentAt = at.Add(-time.Duration(k.dice.Int64N(int64(48*time.Hour/time.Microsecond))) * time.Microsecond)
	case roll < 20:
		m.SentAt = c.CreatedAt
	}
	m.CreatedAt = k.later(m.SentAt)
	m.UpdatedAt = m.CreatedAt
	if m.Direction == message.DirectionOutbound && k.chance(20) {
		m.Delivery = pick(k, message.Deliveries()...)
	}
	if k.chance(5) {
		m.Attachments = message.Attachments{}
	} else if k.chance(15) {
		for i := range 1 + k.dice.IntN(4) {
			m.Attachments = append(m.Attachments, message.Attachment{Filename: fmt.Sprint("Rechnung–", i, ".pdf"), Size: k.dice.Int64N(1 << 33)})
		}
	}
	return m
}

// suggest drafts replies in all conversations, to the messages that they have.
func (k *worldMaker) suggest(n int) {
	byThread := map[uuid.UUID][]*message.Message{}
	for _, m := range k.messages {
		byThread[m.ConversationID] = append(byThread[m.ConversationID], m)
	}
	for i := range n {
		c := k.conversations[k.skewed(len(k.conversations))]
		s := k.suggestion(c, i)
		if ms := byThread[c.ID]; len(ms) > 0 && k.chance(80) {
			m := ms[k.dice.IntN(len(ms))]
			s.InReplyToMessageID = new(m.ID)
			if k.chance(60) {
				s.CreatedAt = k.later(m.SentAt)
			}
		}
		s.UpdatedAt = s.CreatedAt
		if s.Status != suggestion.StatusPending {
			s.ReviewedAt = new(k.later(s.CreatedAt))
			s.ReviewedBy = pick(k, "", "Jürgen", "ann@example.com")
		}
		k.suggestions = append(k.suggestions, s)
	}
}

func (k *worldMaker) suggestion(c *conversation.Conversation, i int) *suggestion.Suggestion {
	s := &suggestion.Suggestion{
		ID: k.id(), UserID: c.UserID, ConversationID: c.ID, SuggestedContent: k.draft(),
		ConfidenceScore: k.confidence(), TokensUsed: pick(k, 0, 1, k.dice.Int64N(5000), k.dice.Int64N(suggestion.MaxTokens+1)),
		ModelUsed:      pick(k, "", "gpt-4o", "gpt-4o", "claude", "Claude", "modèle", "Zeta", "zeta"),
		GenerationCost: k.cost(), CreatedAt: k.moment(), DeletedAt: k.deleted(),
		Status: pick(k, suggestion.Statuses()...),
	}
	if k.chance(10) {
		s.SentimentAnalysis = message.JSON(`{"mood": "naïve", "score": 0.12345678901234567890}`)
	}
	if s.Status == suggestion.StatusEdited {
		s.EditedContent = k.edited(s.SuggestedContent)
	}
	k.makeLong(s, i)
	return s
}

var draftWords = strings.Fields("hello Größe naïve 👍 😀 e\u0301 漢字 かな the a price שלום order 👩‍👩‍👧 of & 10% 'quoted'")

func (k *worldMaker) draft() string {
	var words []string
	for range 1 + k.dice.IntN(9) {
		words = append(words, pick(k, draftWords...))
	}
	return strings.Join(words, " ")
}

// edited changes some characters of a text, all of it, or nothing.
func (k *worldMaker) edited(text string) string {
	switch k.dice.IntN(10) {
	case 0:
		return text
	case 1:
		return k.draft()
	}
	runes := []rune(text)
	for range 1 + k.dice.IntN(6) {
		at := k.dice.IntN(len(runes) + 1)
		letter := pick(k, 'x', 'é', '字', '😀', ' ')
		switch {
		case k.chance(40) || at == len(runes):
			runes = slices.Insert(runes, at, letter)
		case k.chance(50) && len(runes) > 1:
			runes = slices.Delete(runes, at, at+1)
		default:
			runes[at] = letter
		}
	}
	return string(runes)
}

// makeLong gives the first suggestions texts around the longest that are compared: by
// characters, not by bytes.
func (k *worldMaker) makeLong(s *suggestion.Suggestion, i int) {
	const most = store.MaxEditText
	texts := [][2]string{
		{strings.Repeat("😀", most), "😀 short"},
		{strings.Repeat("é", most+1), "é short"},
		{"short", strings.Repeat("字", most)},
		{"short", strings.Repeat("字", most+1)},
		{strings.Repeat("a", most+1), strings.Repeat("a", most+1)},
		{strings.Repeat("a", most+1), strings.Repeat("a", most) + "b"},
		{strings.Repeat("a", most+1), ""},
	}
	if i >= len(texts) {
		return
	}
	s.SuggestedContent, s.EditedContent, s.DeletedAt = texts[i][0], texts[i][1], gorm.DeletedAt{}
	s.Status = suggestion.StatusEdited
	if s.EditedContent == "" {
		s.Status = suggestion.StatusApproved
	}
}

// confidence is often exactly on a bound that reports have, or has all nine decimals.
func (k *worldMaker) confidence() *float64 {
	switch roll := k.dice.IntN(100); {
	case roll < 15:
		return nil
	case roll < 40:
		return new(pick(k, 0.85, 0.70, 0, 1, 0.5, 0.849999999, 0.700000001))
	case roll < 42:
		return new(pick(k, 1.0/3, 2.0/3))
	case roll < 60:
		return new(float64(k.dice.IntN(101)) / 100)
	}
	return new(float64(k.dice.Int64N(1e9+1)) / 1e9)
}

// cost is nothing, a part of a cent, or so much that neither a float64 nor an int64 can
// hold the sum.
func (k *worldMaker) cost() decimal.Decimal {
	switch roll := k.dice.IntN(100); {
	case roll < 10:
		return decimal.Zero
	case roll < 40:
		return decimal.New(k.dice.Int64N(10_000), -4)
	case roll < 60:
		return decimal.New(k.dice.Int64N(1e9), -10)
	case roll < 65:
		return decimal.New(1, -10)
	case roll < 70:
		return decimal.New(k.dice.Int64N(1000), 3)
	case roll < 75:
		return decimal.New(999_999_999_999_999_999-k.dice.Int64N(1000), -int32(k.dice.IntN(11)))
	}
	return decimal.New(k.dice.Int64N(1e8), -int32(k.dice.IntN(11)))
}

// reportWorld is a store with such rows in it.
type reportWorld struct {
	*world
	rows *reportRows
}

const leadsTable = "leads_of_host"

// withLeads names the host's table, which need not be there yet.
func withLeads() convostore.Option {
	return convostore.WithLeads(store.HostTable{Name: leadsTable, Owner: "owner", Title: "title", Columns: []string{"category", "tier"}})
}

// makeLeadsTable is what the host has done long before.
func makeLeadsTable(t testing.TB, st store.Store, leads map[leadKey]hostLead) {
	t.Helper()
	const definition = " (id text NOT NULL, owner uuid NOT NULL, title text, category text, tier integer, UNIQUE (id, owner))"
	require.NoError(t, st.DB(t.Context()).Exec("CREATE TABLE "+leadsTable+definition).Error)
	insertLeads(t, st, leads)
}

func insertLeads(t testing.TB, st store.Store, leads map[leadKey]hostLead) {
	t.Helper()
	var rows []map[string]any
	for key, l := range leads {
		rows = append(rows, map[string]any{
			"id": key.id, "owner": key.owner.String(), "title": l.title, "category": l.category, "tier": l.tier,
		})
	}
	const batch = 100
	for chunk := range slices.Chunk(rows, batch) {
		require.NoError(t, st.DB(t.Context()).Table(leadsTable).Create(chunk).Error)
	}
}

// newReportWorld writes the rows with the models alone: a hundred thousand appends would
// take minutes.
func newReportWorld(t testing.TB, f Factory, n worldSize) *reportWorld {
	t.Helper()
	w := &reportWorld{world: newWorld(t, f, withLeads())}
	if !testrun.Full() || testrun.Race {
		n = slowWorlds[n]
	}
	w.rows = newRows(t, n)
	makeLeadsTable(t, w.st, w.rows.leads)
	w.fill(t, w.rows)
	return w
}

// fill writes the rows and sets the clock to the present that they have.
func (w *world) fill(t testing.TB, rows *reportRows) {
	t.Helper()
	w.clock.add(rows.now.Sub(w.clock.Now()))
	db := w.st.DB(t.Context())
	for _, m := range rows.messages {
		m.Normalize(rows.now)
		require.NoError(t, m.Validate())
	}
	// The hook of a message would look at its conversation, which counts it already.
	unhooked := db.Session(&gorm.Session{SkipHooks: true})
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error { return insert(tx, rows.conversations) }))
	require.NoError(t, unhooked.Transaction(func(tx *gorm.DB) error { return insert(tx, rows.messages) }))
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error { return insert(tx, rows.suggestions) }))
	// A server that was filled a moment ago knows nothing yet of what it holds.
	if len(rows.messages) >= fullWorld.messages {
		require.NoError(t, db.Exec("ANALYZE").Error)
	}
}

func insert[T any](tx *gorm.DB, rows []*T) error {
	const batch = 500
	if len(rows) == 0 {
		return nil
	}
	return tx.CreateInBatches(rows, batch).Error
}
