package conversation_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// world has rows of every kind of one user, and rows of another user that scopes must not
// find.
type world struct {
	db              *gorm.DB
	user, otherUser uuid.UUID
	lead, chat      *conversation.Conversation
	deleted         *conversation.Conversation
	pending         *suggestion.Suggestion
}

func populate(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{db: db, user: uuid.New(), otherUser: uuid.New()}
	w.lead, w.chat, w.deleted = leadThread(t, w.user), chat(t, w.user), leadThreadWithoutIDs(t, w.user)
	w.chat.Archive()
	w.lead.Hold()
	for _, c := range []*conversation.Conversation{w.lead, w.chat, w.deleted, leadThreadWithoutIDs(t, w.otherUser)} {
		require.NoError(t, db.Create(c).Error)
	}
	w.pending = draft(w.lead)
	decided := draft(w.lead)
	require.NoError(t, decided.Reject(suggestion.Review{By: "ann"}))
	decided.ConfidenceScore, decided.ModelUsed = nil, ""
	require.NoError(t, db.Create([]*suggestion.Suggestion{w.pending, decided}).Error)
	require.NoError(t, db.Delete(w.deleted).Error)
	require.NoError(t, db.Delete(w.chat.Messages[3]).Error)
	return w
}

func leadThreadWithoutIDs(t *testing.T, userID uuid.UUID) *conversation.Conversation {
	t.Helper()
	c := leadThread(t, userID)
	for _, m := range c.Messages {
		m.GmailMessageID, m.PostmarkMessageID = "", ""
	}
	return c
}

func count[T any](t *testing.T, db *gorm.DB, scopes ...column.Scope) int64 {
	t.Helper()
	var n int64
	require.NoError(t, db.Model(new(T)).Scopes(scopes...).Count(&n).Error)
	return n
}

func TestConversationScopes(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		ofUser := conversation.OwnedBy(w.user)
		for name, c := range map[string]struct {
			scope column.Scope
			want  int64
		}{
			"user":          {ofUser, 2},
			"lead":          {conversation.ForLead("123"), 1},
			"other lead":    {conversation.ForLead("124"), 0},
			"statuses":      {conversation.WithStatus(conversation.StatusNeedsReply, conversation.StatusArchived), 2},
			"no status":     {conversation.WithStatus(), 0},
			"needs reply":   {conversation.NeedsReply, 1},
			"open":          {conversation.Open, 1},
			"archived":      {conversation.Archived, 1},
			"since":         {conversation.ActiveSince(w.lead.LastMessageAt), 2},
			"since, later":  {conversation.ActiveSince(w.lead.LastMessageAt.Add(time.Microsecond)), 1},
			"before":        {conversation.ActiveBefore(w.lead.LastMessageAt), 0},
			"before, later": {conversation.ActiveBefore(w.lead.LastMessageAt.Add(time.Microsecond)), 1},
			"live":          {conversation.Live, 2},
			"only deleted":  {conversation.OnlyDeleted, 1},
			"with deleted":  {conversation.WithDeleted, 3},
			"held":          {conversation.Held, 1},
			"not held":      {conversation.NotHeld, 1},
		} {
			assert.Equal(t, c.want, count[conversation.Conversation](t, db, ofUser, c.scope), name)
			assert.Equal(t, c.want, count[conversation.Conversation](t, db, c.scope, ofUser), "%s, the other way round", name)
		}
	})
}

func TestMessageScopes(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		in, sent := message.InConversation(w.lead.ID), w.lead.Messages[1].SentAt
		inChat := message.InConversation(w.chat.ID)
		for name, c := range map[string]struct {
			scopes []column.Scope
			want   int64
		}{
			"user":                 {[]column.Scope{message.OwnedBy(w.user)}, 7},
			"conversation":         {[]column.Scope{in}, 2},
			"inbound":              {[]column.Scope{in, message.Inbound}, 1},
			"outbound":             {[]column.Scope{in, message.Outbound}, 1},
			"both":                 {[]column.Scope{message.Inbound, in, message.Outbound}, 0},
			"no direction":         {[]column.Scope{inChat, message.WithDirection(message.DirectionNone)}, 1},
			"roles":                {[]column.Scope{inChat, message.WithRole(message.RoleSystem, message.RoleUser)}, 2},
			"no role":              {[]column.Scope{message.WithRole()}, 0},
			"tool calls":           {[]column.Scope{in, message.WithToolCalls}, 1},
			"attachments":          {[]column.Scope{in, message.WithAttachments, message.Inbound}, 1},
			"after":                {[]column.Scope{in, message.AfterSeq(1)}, 1},
			"before":               {[]column.Scope{in, message.BeforeSeq(1)}, 0},
			"sent since":           {[]column.Scope{in, message.SentSince(sent)}, 1},
			"sent since, nanos":    {[]column.Scope{in, message.SentSince(sent.Add(999))}, 1},
			"sent before":          {[]column.Scope{in, message.SentBefore(sent)}, 1},
			"sent in another zone": {[]column.Scope{in, message.SentSince(sent.In(time.FixedZone("", -9*3600)))}, 1},
			"deleted":              {[]column.Scope{inChat, message.OnlyDeleted}, 1},
			"with deleted":         {[]column.Scope{inChat, message.WithDeleted}, 4},
			"live":                 {[]column.Scope{inChat, message.WithDeleted, message.Live}, 3},
		} {
			assert.Equal(t, c.want, count[message.Message](t, db, c.scopes...), name)
		}
	})
}

func TestSuggestionScopes(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		at := w.pending.CreatedAt
		for name, c := range map[string]struct {
			scope column.Scope
			want  int64
		}{
			"user":         {suggestion.OwnedBy(w.user), 2},
			"otherUser":    {suggestion.OwnedBy(w.otherUser), 0},
			"conversation": {suggestion.InConversation(w.lead.ID), 2},
			"in reply to":  {suggestion.InReplyTo(w.lead.Messages[1].ID), 2},
			"pending":      {suggestion.Pending, 1},
			"statuses":     {suggestion.WithStatus(suggestion.StatusRejected, suggestion.StatusEdited), 1},
			"no status":    {suggestion.WithStatus(), 0},
			"confidence":   {suggestion.WithConfidence(0.92), 1},
			"more":         {suggestion.WithConfidence(0.93), 0},
			"model":        {suggestion.ByModel("gpt-4"), 1},
			"since":        {suggestion.CreatedSince(at), 2},
			"before":       {suggestion.CreatedBefore(at), 0},
			"live":         {suggestion.Live, 2},
			"only deleted": {suggestion.OnlyDeleted, 0},
			"with deleted": {suggestion.WithDeleted, 2},
		} {
			assert.Equal(t, c.want, count[suggestion.Suggestion](t, db, c.scope), name)
		}
	})
}

func TestOrders(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		assert.Equal(t, []uuid.UUID{w.chat.ID, w.lead.ID}, ids[conversation.Conversation](t, db, conversation.OwnedBy(w.user), conversation.NewestActivity))
		assert.Equal(t, []uuid.UUID{w.chat.ID, w.lead.ID}, ids[conversation.Conversation](t, db, conversation.OwnedBy(w.user), conversation.NewestCreated))
		first, second := w.lead.Messages[0].ID, w.lead.Messages[1].ID
		in := message.InConversation(w.lead.ID)
		assert.Equal(t, []uuid.UUID{first, second}, ids[message.Message](t, db, in, message.Oldest))
		assert.Equal(t, []uuid.UUID{second, first}, ids[message.Message](t, db, in, message.Newest))
		assert.Equal(t, []uuid.UUID{first, second}, ids[message.Message](t, db, in, message.BySentTime))
		oldest := ids[suggestion.Suggestion](t, db, suggestion.Oldest)
		newest := ids[suggestion.Suggestion](t, db, suggestion.Newest)
		assert.Equal(t, []uuid.UUID{oldest[1], oldest[0]}, newest)
		assert.Equal(t, w.pending.ID, oldest[0])
	})
}

func ids[T any](t *testing.T, db *gorm.DB, scopes ...column.Scope) []uuid.UUID {
	t.Helper()
	var got []uuid.UUID
	require.NoError(t, db.Model(new(T)).Scopes(scopes...).Pluck("id", &got).Error)
	return got
}

// TestScopesNameTheirTable joins two tables that share most column names, in both directions
// and under an alias. An unqualified column would be ambiguous.
func TestScopesNameTheirTable(t *testing.T) {
	const join = "JOIN conversations ON conversations.id = messages.conversation_id AND conversations.user_id = messages.user_id"
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		var ms []message.Message
		require.NoError(t, db.Joins(join).Scopes(
			conversation.OwnedBy(w.user), message.OwnedBy(w.user), conversation.Live, conversation.NeedsReply,
			message.Inbound, message.Oldest,
		).Find(&ms).Error)
		require.Len(t, ms, 1)
		assert.Equal(t, w.lead.Messages[1].ID, ms[0].ID)

		var aliased []conversation.Conversation
		require.NoError(t, db.Table("conversations AS c").
			Joins("JOIN messages ON messages.conversation_id = c.id AND messages.user_id = c.user_id").
			Scopes(conversation.NeedsReply, message.Live, message.WithToolCalls, conversation.OwnedBy(w.user), conversation.NewestActivity).
			Find(&aliased).Error)
		require.Len(t, aliased, 1)
		assert.Equal(t, w.lead.ID, aliased[0].ID)
	})
}

func TestScopesInPreload(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		w := populate(t, db)
		load := func(scopes ...any) []*message.Message {
			var c conversation.Conversation
			require.NoError(t, db.Preload("Messages", scopes...).Take(&c, "id = ?", w.chat.ID).Error)
			return c.Messages
		}
		assert.Len(t, load(message.Oldest), 3)
		assert.Len(t, load(message.WithDeleted, message.Oldest), 4)
		assert.Len(t, load(message.OnlyDeleted), 1)
		assert.Empty(t, load(message.WithRole()))
		newest := load(message.Newest, message.AfterSeq(1))
		require.Len(t, newest, 2)
		assert.Equal(t, int64(3), newest[0].Seq)

		var c conversation.Conversation
		require.NoError(t, db.Preload("Suggestions", suggestion.Pending, suggestion.Newest).
			Take(&c, "id = ?", w.lead.ID).Error)
		require.Len(t, c.Suggestions, 1)
		assert.Equal(t, w.pending.ID, c.Suggestions[0].ID)
	})
}

// TestScopesWriteNoValuesIntoSQL asserts without a database that values are parameters and
// that an empty list of statuses matches no row.
func TestScopesWriteNoValuesIntoSQL(t *testing.T) {
	quiet := &gorm.Config{DryRun: true, DisableAutomaticPing: true}
	for _, dialector := range []gorm.Dialector{sqliteDialector(t), postgres.New(postgres.Config{Conn: noConn{}})} {
		db, err := gorm.Open(dialector, quiet)
		require.NoError(t, err)
		stmt := db.Scopes(conversation.OwnedBy(uuid.Nil), conversation.ForLead(`'; --`), conversation.WithStatus()).
			Find(&[]conversation.Conversation{}).Statement
		sql := stmt.SQL.String()
		assert.NotContains(t, sql, "--")
		assert.Contains(t, sql, "IN (NULL)")
		assert.Contains(t, sql, "deleted_at")
		assert.Contains(t, stmt.Vars, any(`'; --`))
		if pool, err := db.DB(); err == nil {
			require.NoError(t, pool.Close())
		}
	}
}

// noConn stands for a connection. DryRun never uses it.
type noConn struct{ gorm.ConnPool }
