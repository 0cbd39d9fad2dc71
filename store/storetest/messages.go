package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func messageTests() subtests {
	return subtests{
		"MessageAppendFillsIn":           testMessageAppendFillsIn,
		"MessageKeepsEveryColumn":        testMessageKeepsEveryColumn,
		"MessageKeepsGivenTimes":         testMessageKeepsGivenTimes,
		"MessageKeepsContents":           testMessageKeepsContents,
		"MessageEmptyDocuments":          testMessageEmptyDocuments,
		"MessageKeepsDocuments":          testMessageKeepsDocuments,
		"MessageStatusFollows":           testMessageStatusFollows,
		"MessageActivityFollows":         testMessageActivityFollows,
		"MessageAppendNeedsConversation": testMessageAppendNeedsConversation,
		"MessageRedelivery":              testMessageRedelivery,
		"MessageRedeliveryElsewhere":     testMessageRedeliveryElsewhere,
		"MessageRedeliveryOfOthers":      testMessageRedeliveryOfOthers,
		"MessageRedeliveryTaken":         testMessageRedeliveryTaken,
		"MessageSeqTaken":                testMessageSeqTaken,
		"MessageAppendMany":              testMessageAppendMany,
		"MessageAppendManyDuplicates":    testMessageAppendManyDuplicates,
		"MessageAppendManyIsAtomic":      testMessageAppendManyIsAtomic,
		"MessageExpectedSeq":             testMessageExpectedSeq,
		"MessageGet":                     testMessageGet,
		"MessageListOrders":              testMessageListOrders,
		"MessageListFilters":             testMessageListFilters,
		"MessageListDeleted":             testMessageListDeleted,
		"MessageAll":                     testMessageAll,
		"MessageLast":                    testMessageLast,
		"MessageAround":                  testMessageAround,
		"MessageListByUser":              testMessageListByUser,
		"MessageFindByProviderID":        testMessageFindByProviderID,
		"MessageUpdate":                  testMessageUpdate,
		"MessageUpdateRefuses":           testMessageUpdateRefuses,
		"MessageMergeMetadata":           testMessageMergeMetadata,
		"MessageMergeMetadataRefuses":    testMessageMergeMetadataRefuses,
		"MessageMergeMetadataBound":      testMessageMergeMetadataBound,
		"MessageDelete":                  testMessageDelete,
		"MessageRestore":                 testMessageRestore,
		"MessageRestoreAll":              testMessageRestoreAll,
		"ImportSeveralConversations":     testImportSeveralConversations,
		"ImportRunAgain":                 testImportRunAgain,
		"ImportBadRow":                   testImportBadRow,
		"ImportSourceFails":              testImportSourceFails,
		"ImportSourceUsesStore":          testImportSourceUsesStore,
		"ImportSourcePanics":             testImportSourcePanics,
		"ImportAbsentConversation":       testImportAbsentConversation,
		"FindThread":                     testFindThread,
		"FindThreadNewestActivity":       testFindThreadNewestActivity,
		"FindThreadOrder":                testFindThreadOrder,
	}
}

func testMessageAppendFillsIn(t *testing.T, w *world) {
	c := w.conversation(t)
	now := w.tick()
	m := w.append(t, c, &message.Message{
		Direction: message.DirectionInbound, Content: "hi", Headers: message.Headers{"message-id": {"<a@b>"}},
	})
	require.Equal(t, uuid.Version(7), m.ID.Version())
	require.Equal(t, []uuid.UUID{w.user, c.ID}, []uuid.UUID{m.UserID, m.ConversationID})
	require.EqualValues(t, 1, m.Seq)
	require.Equal(t, message.RoleUser, m.Role)
	require.Equal(t, "<a@b>", m.EmailMessageID)
	require.Nil(t, m.EditedAt)
	for _, at := range []time.Time{m.SentAt, m.CreatedAt, m.UpdatedAt} {
		require.True(t, at.Equal(now), "%s is not %s", at, now)
	}
	same(t, m, w.message(t, m.ID))

	want := *c
	want.LastSeq, want.Status, want.LastMessageAt, want.UpdatedAt = 1, conversation.StatusNeedsReply, now, now
	same(t, want, w.get(t, c.ID))

	next := w.append(t, c, &message.Message{Role: message.RoleAssistant})
	require.EqualValues(t, 2, next.Seq)
	require.Equal(t, message.DirectionOutbound, next.Direction)
}

// everything returns a message with every column set that a host can set.
func everything(at time.Time) *message.Message {
	return &message.Message{
		ID: uuid.New(), Role: message.RoleTool, Direction: message.DirectionOutbound, Content: scripts,
		SenderEmail: "Jö <a@例え.jp>", RecipientEmail: "b@example.com, c@example.com",
		PostmarkMessageID: "pm-" + scripts, GmailMessageID: "gm-" + scripts, GmailThreadID: "gt-" + scripts,
		EmailMessageID: "<x@y>", IdempotencyKey: "key-" + scripts,
		Headers: message.Headers{"Subject": {"Re: " + oneLine(scripts)}, "received": {"one", "two"}, "X-Empty": {""}},
		Attachments: message.Attachments{
			{Filename: "ü.pdf", ContentType: "application/pdf", Size: 1 << 40, ContentID: "cid", Inline: true, URL: "https://x/?a=1&b=<2>", Key: "k", Checksum: "sha256:00"},
			{Filename: "b"},
		},
		ToolCalls: message.JSON(`[` + digits + `]`), ToolResults: message.JSON(`"text"`), Metadata: message.JSON(digits),
		Kind: message.KindNote, Author: "agent " + scripts, ParentSeq: new(int64(0)), State: message.StateInterrupted,
		Fence: 7, HeartbeatAt: new(at.Add(3 * time.Hour)),
		Payload: []byte("\x00\xff{\"n\":1.50e+2,  \"é\":\"\\u0000\"}\n"), PayloadFormat: "format " + scripts,
		Model: "model " + scripts, TokensIn: message.MaxTokens, TokensOut: 1, Cost: decimal.RequireFromString("12345678.0123456789"), FinishReason: "stop",
		Delivery: message.DeliveryBounced, DeliveryError: "550 " + scripts,
		SentAt: at, CreatedAt: at.Add(time.Hour), UpdatedAt: at.Add(2 * time.Hour),
	}
}

func testMessageKeepsEveryColumn(t *testing.T, w *world) {
	c := w.thread(t, 1) // of which the message is a second beginning
	want := everything(epoch.Add(-time.Hour))
	m := everything(epoch.Add(-time.Hour))
	m.ID = want.ID
	w.append(t, c, m)
	want.UserID, want.ConversationID, want.Seq = w.user, c.ID, 2
	same(t, want, m)
	same(t, want, w.message(t, m.ID))

	edited, err := w.mine.Messages().Update(t.Context(), m.ID, store.MessageUpdate{Content: new(scripts)})
	require.NoError(t, err)
	w.deleteMessage(t, m)
	page, err := w.mine.Messages().List(t.Context(), c.ID, store.MessageFilter{Deleted: store.OnlyDeleted}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	got := page.Items[0]
	filled(t, got, "Embeddings", "Refs", "Votes", "Conversation")
	require.EqualValues(t, 2, got.Revision, "an edit and a deletion")
	isUTC(t, got.SentAt, got.CreatedAt, got.UpdatedAt, *got.EditedAt, got.DeletedAt.Time)
	want.EditedAt, want.UpdatedAt, want.DeletedAt, want.Revision, want.ChangeSeq = edited.EditedAt, got.UpdatedAt, got.DeletedAt, 2, 2
	same(t, want, got)
}

func testMessageKeepsGivenTimes(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, at := range []time.Time{
		time.Date(2024, 7, 1, 12, 0, 0, 987654321, time.FixedZone("east", 5*3600+45*60)),
		time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.FixedZone("west", -9*3600)),
		time.Date(1, 1, 2, 0, 0, 0, 1000, time.UTC),
		time.Date(9999, 12, 30, 23, 0, 0, 0, time.UTC),
		time.Date(2024, 7, 1, 12, 0, 0, 100000000, time.UTC), // zeros that text might drop
	} {
		m := w.append(t, c, &message.Message{Role: message.RoleUser, SentAt: at, CreatedAt: at, UpdatedAt: at})
		got := w.message(t, m.ID)
		for _, stored := range []time.Time{got.SentAt, got.CreatedAt, got.UpdatedAt} {
			require.True(t, stored.Equal(at.Truncate(time.Microsecond)), "%s is not %s", stored, at)
			isUTC(t, stored)
		}
		same(t, m, got)
	}
}

func testMessageKeepsContents(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, content := range []string{"", " ", "\n", scripts, `\x00 \u0000 %s ? $1 @p`, "\ufeff\uffff", strings.Repeat("0123456789", 1<<20)} {
		m := w.append(t, c, text(content))
		got := w.message(t, m.ID)
		require.Len(t, got.Content, len(content))
		require.Equal(t, sha256.Sum256([]byte(content)), sha256.Sum256([]byte(got.Content))) // not 10 MB of difference
	}
}

func testMessageKeepsDocuments(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, doc := range []string{digits, `[]`, `{}`, `0`, `-1.50`, `""`, `false`, `"😀"`, strings.Repeat(`[`, 400) + strings.Repeat(`]`, 400)} {
		m := w.append(t, c, &message.Message{
			Role: message.RoleTool, ToolCalls: message.JSON(doc), ToolResults: message.JSON(doc), Metadata: message.JSON(doc),
		})
		got := w.message(t, m.ID)
		for _, stored := range []message.JSON{got.ToolCalls, got.ToolResults, got.Metadata} {
			sameJSON(t, doc, stored)
		}
	}
	for _, none := range []message.JSON{nil, {}, message.JSON("null"), message.JSON(" null ")} {
		m := w.append(t, c, &message.Message{Role: message.RoleTool, ToolCalls: none, Headers: message.Headers{}, Attachments: message.Attachments{}})
		got := w.message(t, m.ID)
		require.Nil(t, got.ToolCalls)
		require.Nil(t, got.Headers)
		require.Nil(t, got.Attachments)
	}
	require.Len(t, w.listedMessages(t, c, store.MessageFilter{HasToolCalls: true}), 6, "and three are empty")
}

func testMessageStatusFollows(t *testing.T, w *world) {
	for _, from := range conversation.Statuses() {
		for _, m := range []message.Message{
			{Direction: message.DirectionInbound},
			{Direction: message.DirectionOutbound},
			{Role: message.RoleUser},
			{Role: message.RoleAssistant},
			{Role: message.RoleSystem},
			{Role: message.RoleTool},
			{Role: message.RoleSystem, Direction: message.DirectionOutbound},
			{Role: message.RoleAssistant, Direction: message.DirectionInbound},
		} {
			c := w.create(t, &conversation.Conversation{Status: from})
			w.append(t, c, &m)
			require.Equal(t, from.After(m.Direction), w.get(t, c.ID).Status, "%s, then %s %s", from, m.Role, m.Direction)
		}
	}
}

func testMessageActivityFollows(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, tt := range []struct {
		name string
		sent time.Duration
		want time.Duration
	}{
		{"the first sets it, even into the past", -10 * time.Hour, -10 * time.Hour},
		{"a later one moves it", -5 * time.Hour, -5 * time.Hour},
		{"an earlier one does not", -7 * time.Hour, -5 * time.Hour},
		{"the same does not", -5 * time.Hour, -5 * time.Hour},
		{"from the future: the time of the append", 5 * time.Hour, 5 * time.Minute},
	} {
		now := w.tick()
		w.append(t, c, &message.Message{Role: message.RoleSystem, SentAt: epoch.Add(tt.sent)})
		got := w.get(t, c.ID)
		require.True(t, got.LastMessageAt.Equal(epoch.Add(tt.want)), "%s: %s", tt.name, got.LastMessageAt)
		require.True(t, got.UpdatedAt.Equal(now), tt.name)
	}
}

func testMessageAppendNeedsConversation(t *testing.T, w *world) {
	ctx := t.Context()
	c, gone := w.conversation(t), w.conversation(t)
	w.delete(t, gone)
	w.unchanged(t, func() {
		for _, id := range []uuid.UUID{uuid.New(), uuid.Nil, gone.ID} {
			missing[bool](t)(w.mine.Messages().Append(ctx, id, text("x")))
			missing[[]bool](t)(w.mine.Messages().AppendMany(ctx, id, []*message.Message{text("x")}, store.AppendOptions{}))
			missing[bool](t)(w.st.AllUsers().Messages().Append(ctx, id, text("x")))
		}
		missing[bool](t)(w.other().Messages().Append(ctx, c.ID, text("x")))
	})
	same(t, c, w.get(t, c.ID))
}

// keys are the ways in which a redelivery is recognized.
func keys(first *message.Message) map[string]*message.Message {
	return map[string]*message.Message{
		"id":              {Role: message.RoleAssistant, Content: "again", ID: first.ID},
		"idempotency key": {Role: message.RoleAssistant, Content: "again", IdempotencyKey: first.IdempotencyKey},
		"postmark":        {Role: message.RoleAssistant, Content: "again", PostmarkMessageID: first.PostmarkMessageID},
		"gmail":           {Role: message.RoleAssistant, Content: "again", GmailMessageID: first.GmailMessageID},
		"id, other keys":  {Role: message.RoleAssistant, Content: "again", ID: first.ID, GmailMessageID: "new", IdempotencyKey: "new"},
		"all":             {Role: message.RoleAssistant, ID: first.ID, IdempotencyKey: first.IdempotencyKey, PostmarkMessageID: first.PostmarkMessageID, GmailMessageID: first.GmailMessageID},
	}
}

func testMessageRedelivery(t *testing.T, w *world) {
	ctx := t.Context()
	for _, deleted := range []bool{false, true} {
		c := w.conversation(t)
		first := everything(epoch)
		first.IdempotencyKey, first.GmailMessageID, first.PostmarkMessageID = "k", fmt.Sprint("g", deleted), fmt.Sprint("p", deleted)
		w.append(t, c, first)
		if deleted {
			var err error
			first, err = w.mine.Messages().Delete(ctx, first.ID)
			require.NoError(t, err)
		}
		before := w.get(t, c.ID)
		w.tick()
		for name, m := range keys(first) {
			if deleted && takenBy[name] != "" {
				continue // see testMessageRedeliveryTaken
			}
			again := *m
			w.unchanged(t, func() {
				created, err := w.mine.Messages().Append(ctx, c.ID, m)
				require.NoError(t, err, name)
				require.False(t, created, name)
				same(t, first, m)
				flags, err := w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{&again}, store.AppendOptions{})
				require.NoError(t, err, name)
				require.Equal(t, []bool{false}, flags, name)
				same(t, first, again)
			})
			same(t, before, w.get(t, c.ID))
		}
		require.EqualValues(t, 2, w.append(t, c, text("new")).Seq, "a redelivery takes no seq")
	}
}

// takenBy are those of keys by which a message that is deleted refuses a new one, with the field.
var takenBy = map[string]string{"id": "id", "idempotency key": "idempotency_key", "id, other keys": "id"}

func testMessageRedeliveryElsewhere(t *testing.T, w *world) {
	ctx := t.Context()
	there, here := w.conversation(t), w.conversation(t)
	first := everything(epoch)
	w.append(t, there, first)
	before := w.get(t, here.ID)
	again := keys(first)
	for name := range again {
		if name != "postmark" && name != "gmail" {
			delete(again, name) // see testMessageRedeliveryTaken
		}
	}
	for _, deleted := range []bool{false, true} {
		if deleted {
			w.delete(t, there)
		}
		for name, m := range again {
			m := *m
			w.unchanged(t, func() {
				created, err := w.mine.Messages().Append(ctx, here.ID, &m)
				require.NoError(t, err, name)
				require.False(t, created, name)
				same(t, first, m)
			})
		}
	}
	same(t, before, w.get(t, here.ID))
	w.append(t, here, &message.Message{Role: message.RoleUser, IdempotencyKey: first.IdempotencyKey})
}

func testMessageRedeliveryOfOthers(t *testing.T, w *world) {
	first := everything(epoch)
	w.append(t, w.conversation(t), first)
	theirs := &conversation.Conversation{}
	other := w.other()
	require.NoError(t, other.Conversations().Create(t.Context(), theirs))
	twin := everything(epoch)
	twin.ID, twin.Content = first.ID, "theirs"
	created, err := other.Messages().Append(t.Context(), theirs.ID, twin)
	require.NoError(t, err)
	require.True(t, created, "another user's keys are no duplicates")
	same(t, first, w.message(t, first.ID))
	got, err := other.Messages().Get(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, "theirs", got.Content)
}

// testMessageSeqTaken appends after the conversation's counter was set back by hand: the refused
// row is not a redelivery.
func testMessageSeqTaken(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	appended(t, w.mine, c.ID, inbound("1"))
	w.setLastSeq(t, c, 0)
	m := inbound("2")
	m.IdempotencyKey = "key"
	created, err := w.mine.Messages().Append(ctx, c.ID, m)
	require.ErrorIs(t, err, store.ErrConflict)
	require.False(t, created)
	require.EqualValues(t, 0, w.get(t, c.ID).LastSeq)
	w.setLastSeq(t, c, 1)
	require.Equal(t, []string{"1"}, w.messages(t, c))
	appended(t, w.mine, c.ID, m)
	require.Equal(t, []string{"1", "2"}, w.messages(t, c))
}

func testMessageAppendMany(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 2)
	w.unchanged(t, func() {
		created, err := w.mine.Messages().AppendMany(ctx, c.ID, nil, store.AppendOptions{})
		require.NoError(t, err)
		require.Nil(t, created)
	})
	now := w.tick()
	ms := []*message.Message{
		{Role: message.RoleAssistant, Content: "3", SentAt: now.Add(-time.Second)},
		{Role: message.RoleTool, Content: "4", SentAt: now.Add(-time.Hour)},
	}
	created, err := w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{})
	require.NoError(t, err)
	require.Equal(t, []bool{true, true}, created)
	for i, m := range ms {
		require.EqualValues(t, 3+i, m.Seq)
		same(t, m, w.message(t, m.ID))
	}
	got := w.get(t, c.ID)
	require.Equal(t, conversation.StatusWaiting, got.Status)
	require.EqualValues(t, 4, got.LastSeq)
	require.True(t, got.LastMessageAt.Equal(now.Add(-time.Second)))
	require.Equal(t, []string{"1", "2", "3", "4"}, w.messages(t, c))

	past := w.conversation(t)
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, past.ID, []*message.Message{
		{Role: message.RoleUser, SentAt: epoch.Add(-2 * time.Hour)}, {Role: message.RoleUser, SentAt: epoch.Add(-3 * time.Hour)},
	}, store.AppendOptions{}))
	require.True(t, w.get(t, past.ID).LastMessageAt.Equal(epoch.Add(-2*time.Hour)), "the first ones set it, even into the past")

	many := make([]*message.Message, 1500) // more than one statement has parameters for
	for i := range many {
		many[i] = text(fmt.Sprint(i))
	}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, past.ID, many, store.AppendOptions{}))
	require.EqualValues(t, 1502, many[1499].Seq)
	require.EqualValues(t, 1502, w.get(t, past.ID).LastSeq)
}

func testMessageAppendManyDuplicates(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	old := w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "old", IdempotencyKey: "old"})
	gone := w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "gone", GmailMessageID: "gone"})
	w.deleteMessage(t, gone)
	id := uuid.New()
	ms := []*message.Message{
		{Role: message.RoleUser, Content: "a", PostmarkMessageID: "pm"},
		{Role: message.RoleUser, Content: "old again", IdempotencyKey: "old"},
		{Role: message.RoleUser, Content: "a again", PostmarkMessageID: "pm"},
		{Role: message.RoleUser, Content: "gone again", GmailMessageID: "gone"},
		{Role: message.RoleSystem, Content: "b", ID: id},
		{Role: message.RoleUser, Content: "b again", ID: id},
		{Role: message.RoleSystem, Content: "c", IdempotencyKey: "c"},
		{Role: message.RoleUser, Content: "c again", IdempotencyKey: "c"},
	}
	created, err := w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, false, false, true, false, true, false}, created)
	require.Equal(t, []string{"a", "old", "a", "gone", "b", "b", "c", "c"}, contents(ms))
	same(t, old, ms[1])
	same(t, ms[0], ms[2])
	require.True(t, ms[3].Deleted())
	same(t, ms[4], ms[5])
	same(t, ms[6], ms[7])
	require.Equal(t, []string{"old", "a", "b", "c"}, w.messages(t, c))
	got := w.get(t, c.ID)
	require.EqualValues(t, 5, got.LastSeq, "duplicates take no seq")
	require.EqualValues(t, 5, ms[6].Seq)
	require.Equal(t, conversation.StatusNeedsReply, got.Status, "duplicates change nothing")

	w.tick()
	w.unchanged(t, func() {
		created, err = w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{
			{Role: message.RoleAssistant, PostmarkMessageID: "pm"}, {Role: message.RoleAssistant, IdempotencyKey: "c"},
		}, store.AppendOptions{})
		require.NoError(t, err)
		require.Equal(t, []bool{false, false}, created)
	})
	same(t, got, w.get(t, c.ID))
}

func testMessageAppendManyIsAtomic(t *testing.T, w *world) {
	c := w.thread(t, 1)
	before := w.get(t, c.ID)
	for _, bad := range []*message.Message{{Role: "robot"}, {}, {Role: message.RoleUser, Content: "\x00"}} {
		w.unchanged(t, func() {
			_, err := w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{text("a"), text("b"), bad, text("c")}, store.AppendOptions{})
			require.ErrorIs(t, err, store.ErrInvalid)
			var at *store.BatchError
			require.ErrorAs(t, err, &at)
			require.Equal(t, 2, at.Index)
		})
	}
	same(t, before, w.get(t, c.ID))
}

func testMessageExpectedSeq(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	many := func(expected int64, ms ...*message.Message) ([]bool, error) {
		return w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{ExpectedSeq: &expected})
	}
	keyed := func(key string) *message.Message {
		return &message.Message{Role: message.RoleUser, IdempotencyKey: key}
	}
	created, err := many(0, keyed("a"), keyed("b"))
	require.NoError(t, err)
	require.Equal(t, []bool{true, true}, created)
	before := w.get(t, c.ID)
	for _, wrong := range []int64{0, 1, 3, 1 << 40} {
		w.unchanged(t, func() {
			_, err := many(wrong, keyed("c"))
			require.ErrorIs(t, err, store.ErrConflict)
			var late *store.SeqConflictError
			require.ErrorAs(t, err, &late)
			require.Equal(t, store.SeqConflictError{Expected: wrong, Actual: 2}, *late)
		})
	}
	same(t, before, w.get(t, c.ID))

	// The answer to the first call was lost, and the caller repeats it.
	created, err = many(0, keyed("a"), keyed("b"))
	require.NoError(t, err)
	require.Equal(t, []bool{false, false}, created)
	created, err = many(2, keyed("b"), keyed("c"))
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, created)
	require.EqualValues(t, 3, w.get(t, c.ID).LastSeq)
	w.unchanged(t, func() {
		_, err = many(2, keyed("c"), keyed("d"))
		require.ErrorIs(t, err, store.ErrConflict, "the new one came too late")
		_, err = many(-1, keyed("d"))
		require.Error(t, err)
	})
	created, err = many(3)
	require.NoError(t, err)
	require.Nil(t, created)
}

func testMessageGet(t *testing.T, w *world) {
	ctx := t.Context()
	m := w.inbound(t, w.conversation(t))
	w.embed(t, m, "model")
	require.Empty(t, w.message(t, m.ID).Embeddings)
	got, err := w.st.AllUsers().Messages().Get(ctx, m.ID)
	require.NoError(t, err)
	same(t, m, got)
	missing[*message.Message](t)(w.mine.Messages().Get(ctx, uuid.New()))
	missing[*message.Message](t)(w.other().Messages().Get(ctx, m.ID))
	w.deleteMessage(t, m)
	missing[*message.Message](t)(w.mine.Messages().Get(ctx, m.ID))
}

// sentThread has "a" to "e", sent in another order than appended, b and d at once.
func (w *world) sentThread(t testing.TB) *conversation.Conversation {
	t.Helper()
	c := w.conversation(t)
	for _, m := range []*message.Message{
		{Content: "a", Role: message.RoleSystem, SentAt: epoch.Add(3 * time.Hour)},
		{Content: "b", Role: message.RoleUser, SentAt: epoch.Add(2 * time.Hour)},
		{Content: "c", Role: message.RoleAssistant, SentAt: epoch, ToolCalls: message.JSON(`[{}]`)},
		{Content: "d", Role: message.RoleTool, SentAt: epoch.Add(2 * time.Hour), ToolResults: message.JSON(`{}`)},
		{Content: "e", Role: message.RoleAssistant, SentAt: epoch.Add(time.Hour), Attachments: message.Attachments{{Filename: "f"}}},
	} {
		w.append(t, c, m)
	}
	return c
}

func testMessageListOrders(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.sentThread(t)
	w.inbound(t, w.conversation(t))
	for order, want := range map[store.MessageOrder]string{
		store.DefaultOrder: "abcde", store.ThreadOrder: "abcde", store.ReverseThreadOrder: "edcba",
		store.SentOrder: "cebda", store.ReverseSentOrder: "adbec",
	} {
		require.Equal(t, want, strings.Join(w.listedMessages(t, c, store.MessageFilter{Order: order}), ""))
		for size := 1; size <= 6; size++ {
			ms, err := list(size, func(p store.PageRequest) (store.Page[*message.Message], error) {
				return w.mine.Messages().List(ctx, c.ID, store.MessageFilter{Order: order}, p)
			})
			require.NoError(t, err)
			require.Equal(t, want, strings.Join(contents(ms), ""), "pages of %d", size)
		}
	}
	require.Empty(t, w.listedMessages(t, w.conversation(t), store.MessageFilter{}))
	missing[store.Page[*message.Message]](t)(w.mine.Messages().List(ctx, uuid.New(), store.MessageFilter{}, store.PageRequest{}))
	missing[store.Page[*message.Message]](t)(w.other().Messages().List(ctx, c.ID, store.MessageFilter{}, store.PageRequest{}))
}

func testMessageListFilters(t *testing.T, w *world) {
	c := w.sentThread(t)
	at := func(h int) time.Time { return epoch.Add(time.Duration(h) * time.Hour) }
	for _, tt := range []struct {
		filter store.MessageFilter
		want   string
	}{
		{store.MessageFilter{Roles: []message.Role{message.RoleAssistant}}, "ce"},
		{store.MessageFilter{Roles: []message.Role{message.RoleUser, message.RoleTool}}, "bd"},
		{store.MessageFilter{Kinds: []message.Kind{message.KindMessage}}, "abcde"},
		{store.MessageFilter{Kinds: []message.Kind{message.KindNote, message.KindEvent}}, ""},
		{store.MessageFilter{Direction: message.DirectionInbound}, "b"},
		{store.MessageFilter{Direction: message.DirectionOutbound}, "ce"},
		{store.MessageFilter{HasToolCalls: true}, "c"},
		{store.MessageFilter{HasAttachments: true}, "e"},
		{store.MessageFilter{HasAttachments: true, HasToolCalls: true}, ""},
		{store.MessageFilter{AfterSeq: 3}, "de"},
		{store.MessageFilter{BeforeSeq: 3}, "ab"},
		{store.MessageFilter{AfterSeq: 1, BeforeSeq: 4}, "bc"},
		{store.MessageFilter{AfterSeq: 5}, ""},
		{store.MessageFilter{SentSince: at(2)}, "abd"},
		{store.MessageFilter{SentBefore: at(2)}, "ce"},
		{store.MessageFilter{SentSince: at(1), SentBefore: at(3)}, "bde"},
		{store.MessageFilter{SentSince: at(1).In(time.FixedZone("west", -3600)), SentBefore: at(3)}, "bde"},
		{store.MessageFilter{SentSince: at(1), SentBefore: at(3), Order: store.ReverseSentOrder}, "dbe"},
		{store.MessageFilter{Direction: message.DirectionOutbound, AfterSeq: 3, Roles: message.Roles()}, "e"},
		{store.MessageFilter{Direction: message.DirectionInbound, Roles: []message.Role{message.RoleAssistant}}, ""},
	} {
		require.Equal(t, tt.want, strings.Join(w.listedMessages(t, c, tt.filter), ""), "%+v", tt.filter)
		ms, err := collect(w.mine.Messages().All(t.Context(), c.ID, tt.filter))
		require.NoError(t, err)
		require.Equal(t, tt.want, strings.Join(contents(ms), ""), "%+v", tt.filter)
	}
}

func testMessageListDeleted(t *testing.T, w *world) {
	c := w.thread(t, 4)
	w.deleteMessage(t, c.Messages[1])
	w.deleteMessage(t, c.Messages[3])
	for deleted, want := range map[store.Deleted][]string{
		store.ExcludeDeleted: {"1", "3"}, store.IncludeDeleted: {"1", "2", "3", "4"}, store.OnlyDeleted: {"2", "4"},
	} {
		require.Equal(t, want, w.listedMessages(t, c, store.MessageFilter{Deleted: deleted}))
	}
}

func testMessageAll(t *testing.T, w *world) {
	c := w.thread(t, store.MaxLimit+50)
	walk := w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{Order: store.ReverseThreadOrder})
	ms, err := collect(walk)
	require.NoError(t, err)
	require.Len(t, ms, len(c.Messages))
	for i, m := range ms {
		require.EqualValues(t, len(ms)-i, m.Seq)
	}
	walksWell(t, walk, w.mine.Messages().All(canceled(t), c.ID, store.MessageFilter{}), func() { w.message(t, ms[0].ID) })
	_, err = collect(w.mine.Messages().All(t.Context(), uuid.New(), store.MessageFilter{}))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = collect(w.other().Messages().All(t.Context(), c.ID, store.MessageFilter{}))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = collect(w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{Order: 99}))
	require.ErrorIs(t, err, store.ErrInvalid)
}

func testMessageLast(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 5)
	w.deleteMessage(t, c.Messages[3])
	for n, want := range map[int]string{1: "5", 2: "35", 3: "235", 100: "1235"} {
		ms, err := w.mine.Messages().Last(ctx, c.ID, n)
		require.NoError(t, err)
		require.Equal(t, want, strings.Join(contents(ms), ""))
	}
	ms, err := w.mine.Messages().Last(ctx, w.conversation(t).ID, 3)
	require.NoError(t, err)
	require.Empty(t, ms)
	missing[[]*message.Message](t)(w.mine.Messages().Last(ctx, uuid.New(), 1))
	missing[[]*message.Message](t)(w.other().Messages().Last(ctx, c.ID, 1))
}

func testMessageAround(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 7)
	w.deleteMessage(t, c.Messages[3])
	for _, tt := range []struct {
		seq  int64
		n    int
		want string
	}{
		{2, 1, "123"}, {6, 1, "567"}, {1, 2, "123"}, {7, 2, "567"}, {4, 1, "35"}, {4, 2, "2356"}, {8, 1, "7"}, {2, 100, "123567"},
	} {
		ms, err := w.mine.Messages().Around(ctx, c.ID, tt.seq, tt.n)
		require.NoError(t, err)
		require.Equal(t, tt.want, strings.Join(contents(ms), ""), "%d around %d", tt.n, tt.seq)
	}
	missing[[]*message.Message](t)(w.mine.Messages().Around(ctx, uuid.New(), 1, 1))
	missing[[]*message.Message](t)(w.other().Messages().Around(ctx, c.ID, 1, 1))
}

func testMessageListByUser(t *testing.T, w *world) {
	ctx := t.Context()
	a, b, gone := w.conversation(t), w.conversation(t), w.conversation(t)
	for _, c := range []*conversation.Conversation{a, b, gone, a, b} {
		now := w.tick()
		m := text(now.Format("04"))
		m.SentAt = epoch.Add(-now.Sub(epoch)) // against the order of creation
		w.append(t, c, m)
	}
	w.delete(t, gone)
	deleted := w.append(t, a, text("deleted"))
	w.deleteMessage(t, deleted)
	theirs := &conversation.Conversation{Messages: []*message.Message{text("theirs")}}
	require.NoError(t, w.other().Conversations().Create(ctx, theirs))

	for _, tt := range []struct {
		scope  store.Scope
		filter store.MessageFilter
		want   string
	}{
		{w.mine, store.MessageFilter{}, "04 03 01 00"},
		{w.mine, store.MessageFilter{Order: store.ThreadOrder}, "00 01 03 04"},
		{w.mine, store.MessageFilter{Order: store.ReverseThreadOrder}, "04 03 01 00"},
		{w.mine, store.MessageFilter{SentBefore: epoch.Add(-2 * time.Minute)}, "04 03"},
		{w.mine, store.MessageFilter{Roles: []message.Role{message.RoleSystem}}, ""},
		{w.mine, store.MessageFilter{Deleted: store.OnlyDeleted}, "deleted"},
		{w.other(), store.MessageFilter{}, ""},
		{w.st.AllUsers(), store.MessageFilter{SentSince: epoch, Order: store.ThreadOrder}, "theirs"},
	} {
		ms, err := list(3, func(p store.PageRequest) (store.Page[*message.Message], error) {
			return tt.scope.Messages().ListByUser(ctx, tt.filter, p)
		})
		require.NoError(t, err)
		require.Equal(t, tt.want, strings.Join(contents(ms), " "), "%+v", tt.filter)
		ms, err = collect(tt.scope.Messages().AllByUser(ctx, tt.filter))
		require.NoError(t, err)
		require.Equal(t, tt.want, strings.Join(contents(ms), " "), "%+v", tt.filter)
	}
	walksWell(t, w.mine.Messages().AllByUser(ctx, store.MessageFilter{}),
		w.mine.Messages().AllByUser(canceled(t), store.MessageFilter{}), func() { w.get(t, a.ID) })
}

func testMessageFindByProviderID(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, &message.Message{Role: message.RoleUser, GmailMessageID: "g", PostmarkMessageID: "p"})
	find := func(s store.Scope, p message.Provider, id string) (*message.Message, error) {
		return s.Messages().FindByProviderID(ctx, p, id)
	}
	all := w.st.AllUsers()
	for _, s := range []store.Scope{w.mine, all} {
		for provider, id := range map[message.Provider]string{message.ProviderGmail: "g", message.ProviderPostmark: "p"} {
			got, err := find(s, provider, id)
			require.NoError(t, err)
			same(t, m, got)
		}
		missing[*message.Message](t)(find(s, message.ProviderGmail, "p"))
		missing[*message.Message](t)(find(s, message.ProviderPostmark, "P"))
	}
	missing[*message.Message](t)(find(w.other(), message.ProviderGmail, "g"))

	twin := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, GmailMessageID: "g"}}}
	require.NoError(t, w.other().Conversations().Create(ctx, twin))
	_, err := find(all, message.ProviderGmail, "g")
	require.ErrorIs(t, err, store.ErrConflict)
	got, err := find(w.mine, message.ProviderGmail, "g")
	require.NoError(t, err)
	same(t, m, got)

	w.deleteMessage(t, m)
	missing[*message.Message](t)(find(w.mine, message.ProviderPostmark, "p"))
}

func testMessageUpdate(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	m := w.append(t, c, everything(epoch))
	before := w.get(t, c.ID)
	want := *m
	doc := message.JSON(`{"new":123456789012345678901234567890}`)
	var none message.JSON
	for _, u := range []store.MessageUpdate{
		{Content: new("edited " + scripts)}, {Metadata: &doc}, {Content: new(""), Metadata: &none}, {Content: new("z"), Metadata: &doc},
	} {
		now := w.tick()
		got, err := w.mine.Messages().Update(ctx, m.ID, u)
		require.NoError(t, err)
		if u.Content != nil {
			want.Content = *u.Content
		}
		if u.Metadata != nil {
			want.Metadata = *u.Metadata
		}
		want.EditedAt, want.UpdatedAt = &now, now
		want.Revision++
		want.ChangeSeq++
		same(t, want, got)
		same(t, want, w.message(t, m.ID))
	}
	before.LastChangeSeq = want.ChangeSeq
	same(t, before, w.get(t, c.ID))
}

func testMessageUpdateRefuses(t *testing.T, w *world) {
	ctx := t.Context()
	m := w.inbound(t, w.conversation(t))
	bad := message.JSON(`{`)
	for _, u := range []store.MessageUpdate{{}, {Content: new("\x00")}, {Metadata: &bad}, {Content: new("fine"), Metadata: &bad}} {
		_, err := w.mine.Messages().Update(ctx, m.ID, u)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
	x := store.MessageUpdate{Content: new("x")}
	missing[*message.Message](t)(w.mine.Messages().Update(ctx, uuid.New(), x))
	missing[*message.Message](t)(w.other().Messages().Update(ctx, m.ID, x))
	same(t, m, w.message(t, m.ID))
	w.deleteMessage(t, m)
	missing[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, x))
}

func testMessageDelete(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 3)
	before := w.get(t, c.ID)
	last := c.Messages[2]
	missing[*message.Message](t)(w.other().Messages().Delete(ctx, last.ID))
	now := w.tick()
	gone, err := w.mine.Messages().Delete(ctx, last.ID)
	require.NoError(t, err)
	require.True(t, gone.DeletedAt.Time.Equal(now))
	require.Equal(t, last.Content, gone.Content)
	missing[*message.Message](t)(w.mine.Messages().Delete(ctx, last.ID))
	missing[*message.Message](t)(w.mine.Messages().Delete(ctx, uuid.New()))
	require.Equal(t, []string{"1", "2"}, w.messages(t, c))
	after := w.get(t, c.ID)
	require.Equal(t, []any{before.Status, before.LastSeq, before.LastMessageAt}, []any{after.Status, after.LastSeq, after.LastMessageAt})
	require.EqualValues(t, 4, w.append(t, c, text("4")).Seq, "the seq stays taken")
}

func testMessageRestore(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 2)
	m := w.message(t, c.Messages[0].ID)
	w.deleteMessage(t, m)
	missing[*message.Message](t)(w.other().Messages().Restore(ctx, m.ID))
	for range 2 {
		got, err := w.mine.Messages().Restore(ctx, m.ID)
		require.NoError(t, err)
		require.False(t, got.Deleted())
		same(t, got, w.message(t, m.ID))
		require.Equal(t, []string{"1", "2"}, w.messages(t, c))
	}
	missing[*message.Message](t)(w.mine.Messages().Restore(ctx, uuid.New()))
}

func testMessageRestoreAll(t *testing.T, w *world) {
	ctx := t.Context()
	c, elsewhere := w.thread(t, 4), w.thread(t, 1)
	for _, m := range []*message.Message{c.Messages[0], c.Messages[2], elsewhere.Messages[0]} {
		w.deleteMessage(t, m)
	}
	missing[int64](t)(w.other().Messages().RestoreAll(ctx, c.ID))
	for _, want := range []int64{2, 0} {
		n, err := w.mine.Messages().RestoreAll(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, want, n)
		require.Equal(t, []string{"1", "2", "3", "4"}, w.messages(t, c))
	}
	require.Empty(t, w.messages(t, elsewhere))
	missing[int64](t)(w.mine.Messages().RestoreAll(ctx, uuid.New()))
}

// mail is an imported message of c.
func mail(c *conversation.Conversation, i int) *message.Message {
	return &message.Message{
		ConversationID: c.ID, Direction: message.DirectionInbound, Content: fmt.Sprint(i), GmailMessageID: fmt.Sprint("g", i),
		SentAt: epoch.Add(time.Duration(i-100) * time.Hour),
	}
}

func testImportSeveralConversations(t *testing.T, w *world) {
	ctx := t.Context()
	cs := []*conversation.Conversation{w.conversation(t), w.conversation(t), w.conversation(t)}
	var ms []*message.Message
	for i := range 10 {
		ms = append(ms, mail(cs[i%3], i))
	}
	var progress []store.ImportResult
	got, err := w.mine.Messages().Import(ctx, rowsOf(ms...), store.ImportOptions{
		BatchSize: 4, Progress: func(r store.ImportResult) { progress = append(progress, r) },
	})
	require.NoError(t, err)
	require.Equal(t, store.ImportResult{Imported: 10}, got)
	require.Equal(t, []store.ImportResult{{Imported: 4}, {Imported: 8}, {Imported: 10}}, progress)
	require.Equal(t, []string{"0", "3", "6", "9"}, w.messages(t, cs[0]))
	require.Equal(t, []string{"1", "4", "7"}, w.messages(t, cs[1]))
	c := w.get(t, cs[0].ID)
	require.EqualValues(t, 4, c.LastSeq)
	require.Equal(t, conversation.StatusNeedsReply, c.Status)
	require.True(t, c.LastMessageAt.Equal(ms[9].SentAt))
	stored, err := w.mine.Messages().Last(ctx, c.ID, 1)
	require.NoError(t, err)
	require.True(t, stored[0].SentAt.Equal(ms[9].SentAt))

	got, err = w.mine.Messages().Import(ctx, rowsOf(), store.ImportOptions{})
	require.NoError(t, err)
	require.Zero(t, got)
}

func testImportRunAgain(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	must[store.ImportResult](t)(w.mine.Messages().Import(ctx, rowsOf(mail(c, 1), mail(c, 2)), store.ImportOptions{}))
	before := w.get(t, c.ID)
	w.tick()
	w.unchanged(t, func() {
		got, err := w.mine.Messages().Import(ctx, rowsOf(mail(c, 1), mail(c, 2)), store.ImportOptions{})
		require.NoError(t, err)
		require.Equal(t, store.ImportResult{Duplicates: 2}, got)
	})
	same(t, before, w.get(t, c.ID))
	for size := 1; size < 5; size++ {
		fresh := mail(c, 10+size)
		got, err := w.mine.Messages().Import(ctx, rowsOf(mail(c, 2), fresh, mail(c, 10+size), mail(c, 1)), store.ImportOptions{BatchSize: size})
		require.NoError(t, err)
		require.Equal(t, store.ImportResult{Imported: 1, Duplicates: 3}, got, "in batches of %d", size)
	}
	require.Equal(t, []string{"1", "2", "11", "12", "13", "14"}, w.messages(t, c))
}

func testImportBadRow(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	for _, bad := range []*message.Message{{ConversationID: c.ID, Role: "robot"}, {ConversationID: c.ID, Role: message.RoleUser, Content: "\xff"}} {
		before := w.counts(t).Messages
		base := int(before) * 10
		rows := rowsOf(mail(c, base), mail(c, base+1), mail(c, base+2), mail(c, base+3), mail(c, base+4), bad, mail(c, base+6))
		got, err := w.mine.Messages().Import(ctx, rows, store.ImportOptions{BatchSize: 2})
		require.ErrorIs(t, err, store.ErrInvalid)
		var at *store.BatchError
		require.ErrorAs(t, err, &at)
		require.Equal(t, 5, at.Index)
		written := w.counts(t).Messages - before
		require.Equal(t, store.ImportResult{Imported: written}, got)
		require.Contains(t, []int64{4, 5}, written, "the last batch may end before the fault, or not be written")
	}
}

func testImportSourceFails(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	broken := errors.New("the mailbox is gone")
	got, err := w.mine.Messages().Import(ctx, func(yield func(*message.Message, error) bool) {
		for i := range 3 {
			if !yield(mail(c, i), nil) {
				return
			}
		}
		if yield(nil, broken) {
			yield(mail(c, 9), nil)
		}
	}, store.ImportOptions{BatchSize: 2})
	require.ErrorIs(t, err, broken)
	require.Equal(t, w.counts(t).Messages, got.Imported, "the result counts what is written")
	require.GreaterOrEqual(t, got.Imported, int64(2))
	require.NotContains(t, w.messages(t, c), "9", "nothing after the error is read")

	got, err = w.mine.Messages().Import(canceled(t), rowsOf(mail(c, 20)), store.ImportOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, got)
}

// testImportSourceUsesStore makes each conversation just before its messages, and appends
// to one that is being imported.
func testImportSourceUsesStore(t *testing.T, w *world) {
	ctx := t.Context()
	var cs []*conversation.Conversation
	got, err := w.mine.Messages().Import(ctx, func(yield func(*message.Message, error) bool) {
		for i := range 20 {
			if i%4 == 0 {
				cs = append(cs, w.conversation(t))
			}
			if i == 10 {
				appended(t, w.mine, cs[0].ID, inbound("in between"))
			}
			if !yield(mail(cs[len(cs)-1], i), nil) {
				return
			}
		}
	}, store.ImportOptions{BatchSize: 3})
	require.NoError(t, err)
	require.Equal(t, store.ImportResult{Imported: 20}, got)
	require.Equal(t, []string{"0", "1", "2", "3", "in between"}, w.messages(t, cs[0]))
	require.Equal(t, []string{"16", "17", "18", "19"}, w.messages(t, cs[4]))
}

func testImportSourcePanics(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	var told store.ImportResult
	require.PanicsWithValue(t, "the source", func() {
		_, _ = w.mine.Messages().Import(ctx, func(yield func(*message.Message, error) bool) {
			for i := range 5 {
				if !yield(mail(c, i), nil) {
					return
				}
			}
			panic("the source")
		}, store.ImportOptions{BatchSize: 2, Progress: func(r store.ImportResult) { told = r }})
	})
	require.Equal(t, store.ImportResult{Imported: 4}, told, "what was on its way is waited for")
	require.Equal(t, []string{"0", "1", "2", "3"}, w.messages(t, c))
}

func testImportAbsentConversation(t *testing.T, w *world) {
	ctx := t.Context()
	c, gone := w.conversation(t), w.conversation(t)
	w.delete(t, gone)
	absent := &conversation.Conversation{ID: uuid.New()}
	theirs := &conversation.Conversation{}
	require.NoError(t, w.other().Conversations().Create(ctx, theirs))
	for i, bad := range []*conversation.Conversation{gone, absent, theirs} {
		w.unchanged(t, func() {
			got, err := w.mine.Messages().Import(ctx, rowsOf(mail(c, 10*i), mail(bad, 10*i+1)), store.ImportOptions{})
			require.ErrorIs(t, err, store.ErrNotFound)
			var at *store.BatchError
			require.ErrorAs(t, err, &at)
			require.Equal(t, 1, at.Index)
			require.Zero(t, got)
		})
	}
	got, err := w.mine.Messages().Import(ctx, rowsOf(mail(c, 1), mail(absent, 2)), store.ImportOptions{BatchSize: 1})
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Equal(t, store.ImportResult{Imported: 1}, got)
}

func testFindThread(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	w.conversation(t)
	for _, m := range []*message.Message{
		{Role: message.RoleUser, GmailThreadID: "thread", Headers: message.Headers{"MESSAGE-ID": {"<One@mail.example>"}}},
		{Role: message.RoleAssistant, PostmarkMessageID: "0a1b-2c3d"},
		{Role: message.RoleAssistant, EmailMessageID: "<given@mail.example>"},
	} {
		m := w.append(t, c, m)
		w.deleteMessage(t, m) // deleted messages still tell the thread
	}
	found := map[string]*message.Message{
		"gmail thread":    {GmailThreadID: "thread"},
		"in-reply-to":     {Headers: message.Headers{"In-Reply-To": {"<One@mail.example>"}}},
		"any case":        {Headers: message.Headers{"IN-reply-TO": {" <One@mail.example> "}}},
		"given id":        {Headers: message.Headers{"in-reply-to": {"<given@mail.example>"}}},
		"postmark":        {Headers: message.Headers{"in-reply-to": {"<0a1b-2c3d@mtasv.net>"}}},
		"references":      {Headers: message.Headers{"references": {"<x@y> <One@mail.example>\r\n\t<z@y>"}}},
		"postmark ref":    {Headers: message.Headers{"References": {"<0a1b-2c3d@mtasv.net> <x@y>"}}},
		"unknown thread":  {GmailThreadID: "x", Headers: message.Headers{"References": {"<One@mail.example>"}}},
		"unknown reply":   {Headers: message.Headers{"In-Reply-To": {"<x@y>"}, "References": {"<One@mail.example>"}}},
		"several headers": {Headers: message.Headers{"References": {"<x@y>", "<One@mail.example>"}}},
	}
	for name, m := range found {
		for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
			got, err := s.Messages().FindThread(ctx, m)
			require.NoError(t, err, name)
			require.Equal(t, c.ID, got.ID, name)
			same(t, w.get(t, c.ID), got)
		}
		_, err := w.other().Messages().FindThread(ctx, m)
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
	for name, m := range map[string]*message.Message{
		"nothing to go by": {},
		"unknown":          {GmailThreadID: "THREAD", Headers: message.Headers{"In-Reply-To": {"<x@y>"}, "References": {"garbage"}}},
		"its own id":       {EmailMessageID: "<One@mail.example>", GmailMessageID: "thread"},
		"half an id":       {Headers: message.Headers{"In-Reply-To": {"<One@mail"}}},
		"a pattern":        {GmailThreadID: "%", Headers: message.Headers{"In-Reply-To": {"<%@mail.example>"}}},
	} {
		_, err := w.mine.Messages().FindThread(ctx, m)
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
	w.delete(t, c)
	for name, m := range found {
		_, err := w.mine.Messages().FindThread(ctx, m)
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
}

func testFindThreadNewestActivity(t *testing.T, w *world) {
	var newest *conversation.Conversation
	for _, hours := range []time.Duration{1, 3, 2} {
		c := w.conversation(t)
		w.append(t, c, &message.Message{
			Role: message.RoleUser, GmailThreadID: "split", EmailMessageID: "<split@x>", SentAt: epoch.Add((hours - 9) * time.Hour),
		})
		if hours == 3 {
			newest = c
		}
	}
	for _, m := range []*message.Message{
		{GmailThreadID: "split"}, {Headers: message.Headers{"in-reply-to": {"<split@x>"}}}, {Headers: message.Headers{"references": {"<split@x>"}}},
	} {
		got, err := w.mine.Messages().FindThread(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, newest.ID, got.ID)
	}
	w.delete(t, newest)
	got, err := w.mine.Messages().FindThread(t.Context(), &message.Message{GmailThreadID: "split"})
	require.NoError(t, err)
	require.True(t, got.LastMessageAt.Equal(epoch.Add(-7*time.Hour)))
}

// testFindThreadOrder has four conversations that match; the nearest reference wins, whichever
// conversation had the newest activity.
func testFindThreadOrder(t *testing.T, w *world) {
	ids := map[string]uuid.UUID{}
	for i, name := range []string{"thread", "reply", "near", "far"} {
		c := w.conversation(t)
		ids[name] = c.ID
		w.append(t, c, &message.Message{
			Role: message.RoleUser, GmailThreadID: "t-" + name, EmailMessageID: "<" + name + "@x>",
			SentAt: epoch.Add(time.Duration(i) * time.Hour),
		})
	}
	references := message.Headers{"References": {"<far@x> <near@x> <unknown@x>"}}
	reply := message.Headers{"In-Reply-To": {"<reply@x>"}, "References": references["References"]}
	for want, m := range map[string]*message.Message{
		"thread": {GmailThreadID: "t-thread", Headers: reply},
		"reply":  {Headers: reply},
		"near":   {Headers: references},
		"far":    {Headers: message.Headers{"References": {"<far@x>"}}},
	} {
		got, err := w.mine.Messages().FindThread(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, ids[want], got.ID, want)
	}
}
