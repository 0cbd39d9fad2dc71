package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func conversationTests() subtests {
	return subtests{
		"ConversationCreateFillsIn":              testConversationCreateFillsIn,
		"ConversationKeepsEveryColumn":           testConversationKeepsEveryColumn,
		"ConversationKeepsGivenTimes":            testConversationKeepsGivenTimes,
		"ConversationKeepsLongTexts":             testConversationKeepsLongTexts,
		"ConversationCreateWithMessages":         testConversationCreateWithMessages,
		"ConversationCreateIsAtomic":             testConversationCreateIsAtomic,
		"ConversationCreateConflicts":            testConversationCreateConflicts,
		"ConversationCreateRefuses":              testConversationCreateRefuses,
		"ConversationGet":                        testConversationGet,
		"ConversationGetByExternalKey":           testConversationGetByExternalKey,
		"ConversationThread":                     testConversationThread,
		"ConversationListOrders":                 testConversationListOrders,
		"ConversationListFilters":                testConversationListFilters,
		"ConversationListDeleted":                testConversationListDeleted,
		"ConversationListText":                   testConversationListText,
		"ConversationListNumbered":               testConversationListNumbered,
		"ConversationAll":                        testConversationAll,
		"ConversationNeedsReply":                 testConversationNeedsReply,
		"ConversationUpsertCreates":              testConversationUpsertCreates,
		"ConversationUpsertSets":                 testConversationUpsertSets,
		"ConversationUpsertConflicts":            testConversationUpsertConflicts,
		"ConversationGetOrCreate":                testConversationGetOrCreate,
		"ConversationGetOrCreateDeleted":         testConversationGetOrCreateDeleted,
		"ConversationSetTitle":                   testConversationSetTitle,
		"ConversationSetMetadata":                testConversationSetMetadata,
		"ConversationMergeMetadata":              testConversationMergeMetadata,
		"ConversationMergeMetadataRefuses":       testConversationMergeMetadataRefuses,
		"ConversationArchiveAndReopen":           testConversationArchiveAndReopen,
		"ConversationChangesNeedARow":            testConversationChangesNeedARow,
		"ConversationDeleteHides":                testConversationDeleteHides,
		"ConversationRestore":                    testConversationRestore,
		"ConversationErase":                      testConversationErase,
		"ConversationMethodsInEverybodysScope":   testConversationEverybody,
		"ConversationMethodsEndWithTheirContext": testConversationContext,
	}
}

func testConversationCreateFillsIn(t *testing.T, w *world) {
	c := &conversation.Conversation{}
	w.create(t, c)
	require.NotEqual(t, uuid.Nil, c.ID)
	require.Equal(t, uuid.Version(7), c.ID.Version())
	require.Equal(t, w.user, c.UserID)
	require.Equal(t, conversation.StatusActive, c.Status)
	require.Zero(t, c.LastSeq)
	for _, at := range []time.Time{c.CreatedAt, c.UpdatedAt, c.LastMessageAt} {
		require.Equal(t, epoch, at)
	}
	require.False(t, c.Deleted())
	same(t, c, w.get(t, c.ID))
}

func testConversationKeepsEveryColumn(t *testing.T, w *world) {
	c := &conversation.Conversation{
		ID: uuid.New(), LeadID: "lead-" + scripts, ExternalKey: "key-" + scripts, Title: "t " + scripts, Subject: "s " + oneLine(scripts),
		Status: conversation.StatusArchived, Metadata: message.JSON(digits), HeldAt: new(epoch),
		App: "app " + scripts, Language: "hu", Assignee: "ann " + scripts, SnoozedUntil: new(epoch.Add(time.Hour)), PinnedAt: new(epoch.Add(-time.Hour)),
		ForkedFromID: new(uuid.New()), ForkedFromSeq: new(int64(3)), MergedIntoID: new(uuid.New()),
		Messages: []*message.Message{{Role: message.RoleSystem, Content: "be brief"}},
	}
	want := *c
	w.create(t, c)
	w.delete(t, c)

	found := w.listed(t, store.ConversationFilter{Deleted: store.OnlyDeleted})
	require.Len(t, found, 1)
	got := found[0]
	filled(t, got, "Messages", "Suggestions", "Labels", "Reads", "States", "Summaries", "LastChangeSeq", "Branched", "HeadSeq")
	require.Equal(t, want.ID, got.ID)
	require.Equal(t, w.user, got.UserID)
	require.Equal(t, []string{want.LeadID, want.ExternalKey, want.Title, want.Subject},
		[]string{got.LeadID, got.ExternalKey, got.Title, got.Subject})
	require.Equal(t, want.Status, got.Status)
	require.Equal(t, []*time.Time{want.HeldAt, want.SnoozedUntil, want.PinnedAt}, []*time.Time{got.HeldAt, got.SnoozedUntil, got.PinnedAt})
	require.Equal(t, []string{want.App, want.Assignee, want.Language}, []string{got.App, got.Assignee, got.Language})
	require.Equal(t, []*uuid.UUID{want.ForkedFromID, want.MergedIntoID}, []*uuid.UUID{got.ForkedFromID, got.MergedIntoID})
	require.Equal(t, want.ForkedFromSeq, got.ForkedFromSeq)
	sameJSON(t, digits, got.Metadata)
	require.EqualValues(t, 1, got.LastSeq)
	isUTC(t, got.CreatedAt, got.UpdatedAt, got.LastMessageAt, got.DeletedAt.Time)
}

func testConversationKeepsGivenTimes(t *testing.T, w *world) {
	at := time.Date(1999, 12, 31, 23, 59, 59, 999999999, time.FixedZone("west", -int((9*time.Hour+30*time.Minute)/time.Second)))
	c := w.create(t, &conversation.Conversation{CreatedAt: at, UpdatedAt: at.Add(time.Hour), LastMessageAt: at.Add(2 * time.Hour)})
	got := w.get(t, c.ID)
	cut := at.Truncate(time.Microsecond)
	require.True(t, got.CreatedAt.Equal(cut), "%s is not %s", got.CreatedAt, cut)
	require.True(t, got.UpdatedAt.Equal(cut.Add(time.Hour)))
	require.True(t, got.LastMessageAt.Equal(cut.Add(2*time.Hour)))
	isUTC(t, got.CreatedAt, got.UpdatedAt, got.LastMessageAt)
	same(t, c, got)
}

func testConversationKeepsLongTexts(t *testing.T, w *world) {
	title := strings.Repeat("漢", conversation.MaxTitle)
	key := strings.Repeat("k", 1024)
	subject := strings.Repeat("s", 1<<16)
	c := w.create(t, &conversation.Conversation{Title: title, ExternalKey: key, LeadID: key, Subject: subject})
	got := w.get(t, c.ID)
	require.Equal(t, []string{title, key, key, subject}, []string{got.Title, got.ExternalKey, got.LeadID, got.Subject})
}

func testConversationCreateWithMessages(t *testing.T, w *world) {
	past := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	c := &conversation.Conversation{Messages: []*message.Message{
		{Role: message.RoleSystem, Content: "a", SentAt: past},
		{Direction: message.DirectionInbound, Content: "b", SentAt: past.Add(time.Hour)},
		{Role: message.RoleAssistant, Content: "c", SentAt: past.Add(time.Minute)},
		{Role: message.RoleTool, Content: "d", SentAt: past.Add(2 * time.Minute)},
	}}
	w.create(t, c)
	require.Equal(t, conversation.StatusNeedsReply, c.Status, "that of the latest message with a direction")
	require.EqualValues(t, 4, c.LastSeq)
	require.True(t, c.LastMessageAt.Equal(past.Add(time.Hour)), "the latest, even in the past")
	require.Equal(t, epoch, c.CreatedAt)
	for i, m := range c.Messages {
		require.EqualValues(t, i+1, m.Seq)
		require.Equal(t, []uuid.UUID{w.user, c.ID}, []uuid.UUID{m.UserID, m.ConversationID})
		same(t, m, w.message(t, m.ID))
	}
	require.Equal(t, message.RoleUser, c.Messages[1].Role)
	require.Equal(t, message.DirectionOutbound, c.Messages[2].Direction)

	got, err := w.mine.Conversations().Thread(t.Context(), c.ID)
	require.NoError(t, err)
	same(t, c, got)
	require.Equal(t, store.Counts{Conversations: 1, Messages: 4}, w.counts(t))
}

func testConversationCreateIsAtomic(t *testing.T, w *world) {
	old := w.append(t, w.conversation(t), &message.Message{Role: message.RoleUser, GmailMessageID: "g"})
	tests := map[string]struct {
		third *message.Message
		want  error
	}{
		"bad role":       {&message.Message{Role: "robot"}, store.ErrInvalid},
		"no role":        {&message.Message{}, store.ErrInvalid},
		"same key":       {&message.Message{Role: message.RoleUser, IdempotencyKey: "first"}, store.ErrConflict},
		"same provider":  {&message.Message{Role: message.RoleUser, PostmarkMessageID: "pm"}, store.ErrConflict},
		"older provider": {&message.Message{Role: message.RoleUser, GmailMessageID: "g"}, store.ErrConflict},
		"older id":       {&message.Message{Role: message.RoleUser, ID: old.ID}, store.ErrConflict},
	}
	for name, tt := range tests {
		w.unchanged(t, func() {
			err := w.mine.Conversations().Create(t.Context(), &conversation.Conversation{Messages: []*message.Message{
				{Role: message.RoleUser, IdempotencyKey: "first"},
				{Role: message.RoleAssistant, PostmarkMessageID: "pm"},
				tt.third,
			}})
			require.ErrorIs(t, err, tt.want, name)
		})
	}
	require.Len(t, w.listed(t, store.ConversationFilter{Deleted: store.IncludeDeleted}), 1)
}

func testConversationCreateConflicts(t *testing.T, w *world) {
	live := w.create(t, &conversation.Conversation{ExternalKey: "live"})
	gone := w.create(t, &conversation.Conversation{ExternalKey: "gone"})
	w.delete(t, gone)
	w.unchanged(t, func() {
		for name, c := range map[string]*conversation.Conversation{
			"id":          {ID: live.ID},
			"deleted id":  {ID: gone.ID},
			"key":         {ExternalKey: "live"},
			"deleted key": {ExternalKey: "gone"},
		} {
			require.ErrorIs(t, w.mine.Conversations().Create(t.Context(), c), store.ErrConflict, name)
		}
	})
	same(t, live, w.get(t, live.ID))

	// Keys are unique for one user: another user may use the same ones.
	twin := &conversation.Conversation{ID: live.ID, ExternalKey: "live", Title: "twin"}
	require.NoError(t, w.other().Conversations().Create(t.Context(), twin))
	same(t, live, w.get(t, live.ID))
}

func testConversationCreateRefuses(t *testing.T, w *world) {
	w.unchanged(t, func() {
		err := w.mine.Conversations().Create(t.Context(), &conversation.Conversation{
			Suggestions: []*suggestion.Suggestion{{SuggestedContent: "x"}},
		})
		invalid(t, err, "suggestions")
		invalid(t, w.st.AllUsers().Conversations().Create(t.Context(), &conversation.Conversation{}), "user_id")
	})
	c := &conversation.Conversation{UserID: w.user}
	require.NoError(t, w.st.AllUsers().Conversations().Create(t.Context(), c))
	same(t, c, w.get(t, c.ID))
}

func testConversationGet(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 2)
	got := w.get(t, c.ID)
	require.Empty(t, got.Messages)
	missing[*conversation.Conversation](t)(w.mine.Conversations().Get(ctx, uuid.New()))
	missing[*conversation.Conversation](t)(w.mine.Conversations().Get(ctx, uuid.Nil))
	missing[*conversation.Conversation](t)(w.other().Conversations().Get(ctx, c.ID))
	w.delete(t, c)
	missing[*conversation.Conversation](t)(w.mine.Conversations().Get(ctx, c.ID))
}

func testConversationGetByExternalKey(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{ExternalKey: "crm/%_1"})
	w.conversation(t)
	got, err := w.mine.Conversations().GetByExternalKey(ctx, "crm/%_1")
	require.NoError(t, err)
	same(t, c, got)
	missing[*conversation.Conversation](t)(w.mine.Conversations().GetByExternalKey(ctx, "crm/%"))
	missing[*conversation.Conversation](t)(w.mine.Conversations().GetByExternalKey(ctx, "CRM/%_1"))
	missing[*conversation.Conversation](t)(w.other().Conversations().GetByExternalKey(ctx, "crm/%_1"))

	all := w.st.AllUsers().Conversations()
	got, err = all.GetByExternalKey(ctx, "crm/%_1")
	require.NoError(t, err)
	same(t, c, got)
	require.NoError(t, w.other().Conversations().Create(ctx, &conversation.Conversation{ExternalKey: "crm/%_1"}))
	_, err = all.GetByExternalKey(ctx, "crm/%_1")
	require.ErrorIs(t, err, store.ErrConflict, "two users have the key")

	w.delete(t, c)
	missing[*conversation.Conversation](t)(w.mine.Conversations().GetByExternalKey(ctx, "crm/%_1"))
}

func testConversationThread(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 60) // more than a default page
	ms := c.Messages
	c.Messages = nil
	w.deleteMessage(t, ms[1])
	first := w.suggest(t, c, ms[0])
	gone := w.suggest(t, c, nil)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, gone.ID))
	w.tick()
	last := w.suggest(t, c, nil)
	w.suggest(t, w.thread(t, 1), nil)

	got, err := w.mine.Conversations().Thread(ctx, c.ID)
	require.NoError(t, err)
	same(t, append(ms[:1:1], ms[2:]...), got.Messages)
	same(t, []*suggestion.Suggestion{first, last}, got.Suggestions)
	got.Messages, got.Suggestions = nil, nil
	same(t, w.get(t, c.ID), got)

	missing[*conversation.Conversation](t)(w.mine.Conversations().Thread(ctx, uuid.New()))
	missing[*conversation.Conversation](t)(w.other().Conversations().Thread(ctx, c.ID))
	w.delete(t, c)
	missing[*conversation.Conversation](t)(w.mine.Conversations().Thread(ctx, c.ID))

	empty := w.conversation(t)
	got, err = w.mine.Conversations().Thread(ctx, empty.ID)
	require.NoError(t, err)
	same(t, empty, got)
}

func testConversationListOrders(t *testing.T, w *world) {
	require.Empty(t, w.listed(t, store.ConversationFilter{}))
	id := func(last byte) uuid.UUID { return uuid.UUID{0: 1, 6: 0x70, 8: 0x80, 15: last} }
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	w.clock.add(time.Hour) // a time in the future counts as now
	for _, c := range []*conversation.Conversation{
		{ID: id(1), Title: "a", CreatedAt: at(0), LastMessageAt: at(9)},
		{ID: id(9), Title: "b", CreatedAt: at(1), LastMessageAt: at(5)},
		{ID: id(5), Title: "c", CreatedAt: at(1), LastMessageAt: at(5)},
		{ID: id(200), Title: "d", CreatedAt: at(1), LastMessageAt: at(5)},
		{ID: id(0), Title: "e", CreatedAt: at(2), LastMessageAt: at(3)},
	} {
		w.create(t, c)
	}
	require.NoError(t, w.other().Conversations().Create(t.Context(), &conversation.Conversation{Title: "other"}))
	require.Equal(t, []string{"a", "d", "b", "c", "e"}, titles(w.listed(t, store.ConversationFilter{})))
	require.Equal(t, []string{"e", "d", "b", "c", "a"},
		titles(w.listed(t, store.ConversationFilter{Order: store.NewestCreated})))
	page, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{Limit: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 5)
	require.Empty(t, page.Next, "nothing follows")
}

func testConversationListFilters(t *testing.T, w *world) {
	at := func(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }
	w.clock.add(time.Hour) // a time in the future counts as now
	for _, c := range []*conversation.Conversation{
		{Title: "a", LeadID: "1", CreatedAt: at(0), LastMessageAt: at(10), Status: conversation.StatusActive},
		{Title: "b", LeadID: "1", CreatedAt: at(1), LastMessageAt: at(11), Status: conversation.StatusNeedsReply},
		{Title: "c", LeadID: "12", CreatedAt: at(2), LastMessageAt: at(12), Status: conversation.StatusWaiting},
		{Title: "d", CreatedAt: at(3), LastMessageAt: at(13), Status: conversation.StatusArchived},
	} {
		w.create(t, c)
	}
	const needsReply, archived = conversation.StatusNeedsReply, conversation.StatusArchived
	east := time.FixedZone("east", 5*3600)
	tests := map[string]struct {
		filter store.ConversationFilter
		want   string
	}{
		"lead":             {store.ConversationFilter{LeadID: "1"}, "ba"},
		"no such lead":     {store.ConversationFilter{LeadID: "%"}, ""},
		"status":           {store.ConversationFilter{Statuses: []conversation.Status{archived}}, "d"},
		"statuses":         {store.ConversationFilter{Statuses: []conversation.Status{archived, needsReply}}, "db"},
		"open":             {store.ConversationFilter{Statuses: conversation.OpenStatuses()}, "cba"},
		"active since":     {store.ConversationFilter{ActiveSince: at(12)}, "dc"},
		"active before":    {store.ConversationFilter{ActiveBefore: at(12)}, "ba"},
		"active between":   {store.ConversationFilter{ActiveSince: at(11), ActiveBefore: at(13)}, "cb"},
		"in another zone":  {store.ConversationFilter{ActiveSince: at(11).In(east), ActiveBefore: at(13).In(east)}, "cb"},
		"created since":    {store.ConversationFilter{CreatedSince: at(2)}, "dc"},
		"created before":   {store.ConversationFilter{CreatedBefore: at(2)}, "ba"},
		"created between":  {store.ConversationFilter{CreatedSince: at(1), CreatedBefore: at(3)}, "cb"},
		"an empty range":   {store.ConversationFilter{CreatedSince: at(3), CreatedBefore: at(1)}, ""},
		"lead and status":  {store.ConversationFilter{LeadID: "1", Statuses: []conversation.Status{needsReply, archived}}, "b"},
		"text":             {store.ConversationFilter{Text: "C"}, "c"},
		"text and status":  {store.ConversationFilter{Text: "c", Statuses: []conversation.Status{archived}}, ""},
		"lead, text, time": {store.ConversationFilter{LeadID: "1", Text: "a", ActiveSince: at(10), CreatedBefore: at(1)}, "a"},
		"in other order":   {store.ConversationFilter{Statuses: conversation.OpenStatuses(), Order: store.NewestCreated}, "cba"},
	}
	for name, tt := range tests {
		require.Equal(t, tt.want, strings.Join(titles(w.listed(t, tt.filter)), ""), name)
		numbered, err := w.mine.Conversations().ListNumbered(t.Context(), tt.filter, store.NumberRequest{})
		require.NoError(t, err)
		require.Equal(t, tt.want, strings.Join(titles(numbered.Items), ""), name)
		require.EqualValues(t, len(tt.want), numbered.Total, name)
	}
}

func testConversationListDeleted(t *testing.T, w *world) {
	w.create(t, &conversation.Conversation{Title: "live"})
	w.tick()
	w.delete(t, w.create(t, &conversation.Conversation{Title: "gone"}))
	for deleted, want := range map[store.Deleted][]string{
		store.ExcludeDeleted: {"live"}, store.IncludeDeleted: {"gone", "live"}, store.OnlyDeleted: {"gone"},
	} {
		require.Equal(t, want, titles(w.listed(t, store.ConversationFilter{Deleted: deleted})))
		n, err := w.mine.Conversations().ListNumbered(t.Context(), store.ConversationFilter{Deleted: deleted}, store.NumberRequest{})
		require.NoError(t, err)
		require.EqualValues(t, len(want), n.Total)
	}
}

func testConversationListText(t *testing.T, w *world) {
	for _, title := range []string{`100% off`, `100 off`, `a_b`, `axb`, `back\slash`, `it's "quoted"`, `Straße 東京`, `MiXeD`} {
		w.create(t, &conversation.Conversation{Title: title})
		w.tick()
	}
	w.create(t, &conversation.Conversation{Title: "t", Subject: "In The Subject"})
	w.create(t, &conversation.Conversation{})
	for term, want := range map[string][]string{
		`%`:          {`100% off`},
		`0% o`:       {`100% off`},
		`_`:          {`a_b`},
		`A_B`:        {`a_b`},
		`\`:          {`back\slash`},
		`\\`:         {},
		`\%`:         {},
		`'`:          {`it's "quoted"`},
		`"QUOTED"`:   {`it's "quoted"`},
		`東`:          {`Straße 東京`},
		`mixed`:      {`MiXeD`},
		`MIXED`:      {`MiXeD`},
		`the subj`:   {`t`},
		`100`:        {`100 off`, `100% off`},
		`*`:          {},
		`nothing so`: {},
	} {
		require.Equal(t, want, titles(w.listed(t, store.ConversationFilter{Text: term})), "text %q", term)
	}
}

func testConversationListNumbered(t *testing.T, w *world) {
	for _, title := range []string{"e", "d", "c", "b", "a"} {
		w.tick()
		w.create(t, &conversation.Conversation{Title: title})
	}
	read := func(n store.NumberRequest) store.NumberedPage[*conversation.Conversation] {
		page, err := w.mine.Conversations().ListNumbered(t.Context(), store.ConversationFilter{}, n)
		require.NoError(t, err)
		require.EqualValues(t, 5, page.Total)
		return page
	}
	for number, want := range map[int]string{0: "ab", 1: "ab", 2: "cd", 3: "e", 4: "", 1 << 30: ""} {
		page := read(store.NumberRequest{Number: number, Size: 2})
		require.Equal(t, want, strings.Join(titles(page.Items), ""), "page %d", number)
		require.Equal(t, max(number, 1), page.Number)
		require.Equal(t, 2, page.Size)
		require.EqualValues(t, 3, page.Pages)
	}
	page := read(store.NumberRequest{})
	require.Equal(t, []any{1, store.DefaultLimit, int64(1)}, []any{page.Number, page.Size, page.Pages})
	require.EqualValues(t, 1, read(store.NumberRequest{Size: 5}).Pages, "a full last page")

	empty, err := w.other().Conversations().ListNumbered(t.Context(), store.ConversationFilter{}, store.NumberRequest{})
	require.NoError(t, err)
	require.Zero(t, empty.Total)
	require.Zero(t, empty.Pages)
	require.Empty(t, empty.Items)
}

func testConversationAll(t *testing.T, w *world) {
	for range store.DefaultLimit + 3 {
		w.conversation(t)
	}
	walk := w.mine.Conversations().All(t.Context(), store.ConversationFilter{Order: store.NewestCreated})
	want, err := list(1000, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
		return w.mine.Conversations().List(t.Context(), store.ConversationFilter{Order: store.NewestCreated}, p)
	})
	require.NoError(t, err)
	require.Len(t, want, store.DefaultLimit+3)
	for range 2 { // a sequence can be walked again
		got, err := collect(walk)
		require.NoError(t, err)
		same(t, want, got)
	}
	walksWell(t, walk, w.mine.Conversations().All(canceled(t), store.ConversationFilter{}), func() {
		w.get(t, want[0].ID)
	})
}

func testConversationNeedsReply(t *testing.T, w *world) {
	ctx := t.Context()
	for _, d := range []message.Direction{message.DirectionInbound, message.DirectionOutbound, message.DirectionInbound} {
		c := w.create(t, &conversation.Conversation{Title: w.tick().Format("04")})
		w.append(t, c, &message.Message{Direction: d, Role: message.RoleUser})
	}
	gone := w.conversation(t)
	w.inbound(t, gone)
	w.delete(t, gone)
	page, err := w.mine.Conversations().NeedsReply(ctx, store.PageRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"02", "00"}, titles(page.Items))
	walked, err := list(1, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
		return w.mine.Conversations().NeedsReply(ctx, p)
	})
	require.NoError(t, err)
	require.Equal(t, []string{"02", "00"}, titles(walked))

	for since, want := range map[time.Time][]string{
		walked[1].LastMessageAt: {"02", "00"}, walked[1].LastMessageAt.Add(time.Microsecond): {"02"},
		walked[0].LastMessageAt.In(time.FixedZone("east", 3600)): {"02"}, walked[0].LastMessageAt.Add(1000): {},
	} {
		page, err := w.mine.Conversations().Unread(ctx, since, store.PageRequest{})
		require.NoError(t, err)
		require.Equal(t, want, titles(page.Items), "since %s", since)
	}
	page, err = w.other().Conversations().NeedsReply(ctx, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
}

func testConversationUpsertCreates(t *testing.T, w *world) {
	ctx := t.Context()
	c := &conversation.Conversation{ID: uuid.New(), Title: "new", Metadata: message.JSON(`{"a":1}`)}
	created, err := w.mine.Conversations().Upsert(ctx, c)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, conversation.StatusActive, c.Status)
	same(t, c, w.get(t, c.ID))

	w.unchanged(t, func() {
		_, err = w.mine.Conversations().Upsert(ctx, &conversation.Conversation{})
		invalid(t, err, "id")
		_, err = w.mine.Conversations().Upsert(ctx, &conversation.Conversation{ID: uuid.New(), Messages: []*message.Message{text("x")}})
		invalid(t, err, "messages")
	})

	// The id of another user's conversation is not taken for this user.
	created, err = w.other().Conversations().Upsert(ctx, &conversation.Conversation{ID: c.ID})
	require.NoError(t, err)
	require.True(t, created)
	same(t, c, w.get(t, c.ID))
}

func testConversationUpsertSets(t *testing.T, w *world) {
	c := w.create(t, &conversation.Conversation{
		LeadID: "1", ExternalKey: "k", Title: "old", Subject: "old", Metadata: message.JSON(`{"a":1}`),
		Messages: []*message.Message{text("x")},
	})
	before := w.get(t, c.ID)
	now := w.tick()
	again := &conversation.Conversation{
		ID: c.ID, Title: "new", Metadata: message.JSON(digits),
		Status: conversation.StatusArchived, LastSeq: 99, LastMessageAt: now, CreatedAt: now,
	}
	created, err := w.mine.Conversations().Upsert(t.Context(), again)
	require.NoError(t, err)
	require.False(t, created)
	got := w.get(t, c.ID)
	same(t, got, again)
	require.True(t, got.UpdatedAt.Equal(now))
	want := *before
	want.LeadID, want.ExternalKey, want.Title, want.Subject = "", "", "new", ""
	want.Metadata, want.UpdatedAt = message.JSON(digits), got.UpdatedAt
	same(t, want, got)
}

func testConversationUpsertConflicts(t *testing.T, w *world) {
	ctx := t.Context()
	w.create(t, &conversation.Conversation{ExternalKey: "taken"})
	mine := w.create(t, &conversation.Conversation{ExternalKey: "mine"})
	gone := w.conversation(t)
	w.delete(t, gone)
	for name, c := range map[string]*conversation.Conversation{
		"deleted":            {ID: gone.ID, Title: "x"},
		"another's key":      {ID: mine.ID, ExternalKey: "taken"},
		"new with taken key": {ID: uuid.New(), ExternalKey: "taken"},
	} {
		w.unchanged(t, func() {
			_, err := w.mine.Conversations().Upsert(ctx, c)
			require.ErrorIs(t, err, store.ErrConflict, name)
		})
	}
	same(t, mine, w.get(t, mine.ID))
	require.Empty(t, w.listed(t, store.ConversationFilter{Deleted: store.OnlyDeleted})[0].Title)
}

func testConversationGetOrCreate(t *testing.T, w *world) {
	ctx := t.Context()
	c := &conversation.Conversation{ExternalKey: "k", Title: "first"}
	created, err := w.mine.Conversations().GetOrCreate(ctx, c)
	require.NoError(t, err)
	require.True(t, created)
	same(t, c, w.get(t, c.ID))

	w.tick()
	again := &conversation.Conversation{ExternalKey: "k", Title: "second", LeadID: "7"}
	created, err = w.mine.Conversations().GetOrCreate(ctx, again)
	require.NoError(t, err)
	require.False(t, created)
	same(t, c, again)
	same(t, c, w.get(t, c.ID))

	theirs := &conversation.Conversation{ExternalKey: "k"}
	created, err = w.other().Conversations().GetOrCreate(ctx, theirs)
	require.NoError(t, err)
	require.True(t, created, "keys are the user's own")
	require.NotEqual(t, c.ID, theirs.ID)

	w.unchanged(t, func() {
		_, err = w.mine.Conversations().GetOrCreate(ctx, &conversation.Conversation{})
		invalid(t, err, "external_key")
		_, err = w.mine.Conversations().GetOrCreate(ctx, &conversation.Conversation{ExternalKey: "n", Messages: []*message.Message{text("x")}})
		invalid(t, err, "messages")
		_, err = w.mine.Conversations().GetOrCreate(ctx, &conversation.Conversation{ID: c.ID, ExternalKey: "n"})
		require.ErrorIs(t, err, store.ErrConflict, "the id is another conversation's")
	})
}

func testConversationGetOrCreateDeleted(t *testing.T, w *world) {
	gone := w.create(t, &conversation.Conversation{ExternalKey: "k", Title: "gone"})
	w.delete(t, gone)
	again := &conversation.Conversation{ExternalKey: "k"}
	w.unchanged(t, func() {
		_, err := w.mine.Conversations().GetOrCreate(t.Context(), again)
		require.ErrorIs(t, err, store.ErrConflict)
	})
	require.Equal(t, gone.ID, again.ID)
	require.Equal(t, "gone", again.Title)
	require.True(t, again.Deleted())
}

func testConversationSetTitle(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{Subject: "old"})
	want := *c
	for _, title := range []string{"new", strings.Repeat("é", conversation.MaxTitle), ""} {
		now := w.tick()
		got, err := w.mine.Conversations().SetTitle(ctx, c.ID, title)
		require.NoError(t, err)
		want.Title, want.UpdatedAt = title, now
		same(t, want, got)
		same(t, want, w.get(t, c.ID))
	}
	for _, subject := range []string{"Re: " + oneLine(scripts), ""} {
		now := w.tick()
		got, err := w.mine.Conversations().SetSubject(ctx, c.ID, subject)
		require.NoError(t, err)
		want.Subject, want.UpdatedAt = subject, now
		same(t, want, got)
		same(t, want, w.get(t, c.ID))
	}
}

func testConversationSetMetadata(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, doc := range []string{digits, `{"a":1}`, `{}`, `[1,"two",null]`, `"text"`, `7.50`, `true`} {
		got, err := w.mine.Conversations().SetMetadata(t.Context(), c.ID, message.JSON(doc))
		require.NoError(t, err)
		sameJSON(t, doc, got.Metadata)
		sameJSON(t, doc, w.get(t, c.ID).Metadata)
	}
	for _, none := range []message.JSON{nil, {}, message.JSON("null")} {
		must[*conversation.Conversation](t)(w.mine.Conversations().SetMetadata(t.Context(), c.ID, message.JSON(`{"a":1}`)))
		got, err := w.mine.Conversations().SetMetadata(t.Context(), c.ID, none)
		require.NoError(t, err, "%q", none)
		require.Nil(t, got.Metadata)
		require.Nil(t, w.get(t, c.ID).Metadata)
	}
}

func testConversationArchiveAndReopen(t *testing.T, w *world) {
	ctx := t.Context()
	for _, from := range conversation.Statuses() {
		c := w.create(t, &conversation.Conversation{Status: from})
		want := *c
		now := w.tick()
		got, err := w.mine.Conversations().Reopen(ctx, c.ID)
		require.NoError(t, err)
		if from == conversation.StatusArchived {
			want.Status, want.UpdatedAt = conversation.StatusActive, now
		}
		same(t, want, got)
		same(t, want, w.get(t, c.ID))

		want.Status, want.UpdatedAt = conversation.StatusArchived, w.tick()
		got, err = w.mine.Conversations().Archive(ctx, c.ID)
		require.NoError(t, err)
		same(t, want, got)

		w.tick()
		got, err = w.mine.Conversations().Archive(ctx, c.ID)
		require.NoError(t, err)
		same(t, want, got)
		same(t, want, w.get(t, c.ID))
	}
}

// changes are the methods that take the id of a live conversation.
func changes(s store.Scope) map[string]func(context.Context, uuid.UUID) error {
	cs := s.Conversations()
	return map[string]func(context.Context, uuid.UUID) error{
		"SetTitle":    func(ctx context.Context, id uuid.UUID) error { _, err := cs.SetTitle(ctx, id, "x"); return err },
		"SetSubject":  func(ctx context.Context, id uuid.UUID) error { _, err := cs.SetSubject(ctx, id, "x"); return err },
		"SetLanguage": func(ctx context.Context, id uuid.UUID) error { _, err := cs.SetLanguage(ctx, id, "en"); return err },
		"SetMetadata": func(ctx context.Context, id uuid.UUID) error {
			_, err := cs.SetMetadata(ctx, id, message.JSON(`{}`))
			return err
		},
		"MergeMetadata": func(ctx context.Context, id uuid.UUID) error {
			_, err := cs.MergeMetadata(ctx, id, message.JSON(`{}`))
			return err
		},
		"Archive": func(ctx context.Context, id uuid.UUID) error { _, err := cs.Archive(ctx, id); return err },
		"Reopen":  func(ctx context.Context, id uuid.UUID) error { _, err := cs.Reopen(ctx, id); return err },
		"Delete":  func(ctx context.Context, id uuid.UUID) error { _, err := cs.Delete(ctx, id); return err },
	}
}

func testConversationChangesNeedARow(t *testing.T, w *world) {
	live, gone := w.conversation(t), w.conversation(t)
	w.delete(t, gone)
	for name, change := range changes(w.mine) {
		require.ErrorIs(t, change(t.Context(), uuid.New()), store.ErrNotFound, name)
		require.ErrorIs(t, change(t.Context(), gone.ID), store.ErrNotFound, name)
	}
	for name, change := range changes(w.other()) {
		require.ErrorIs(t, change(t.Context(), live.ID), store.ErrNotFound, name)
	}
	for name, change := range changes(w.st.AllUsers()) {
		require.ErrorIs(t, change(t.Context(), uuid.New()), store.ErrNotFound, name)
		require.ErrorIs(t, change(t.Context(), gone.ID), store.ErrNotFound, name)
	}
	same(t, live, w.get(t, live.ID))
}

func testConversationDeleteHides(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.create(t, &conversation.Conversation{ExternalKey: "k"})
	m := w.append(t, c, &message.Message{
		Direction: message.DirectionInbound, GmailMessageID: "g", PostmarkMessageID: "p", GmailThreadID: "th",
	})
	s := w.suggest(t, c, m)
	now := w.tick()
	gone, err := w.mine.Conversations().Delete(ctx, c.ID)
	require.NoError(t, err)
	require.True(t, gone.DeletedAt.Time.Equal(now))
	missing[*conversation.Conversation](t)(w.mine.Conversations().Delete(ctx, c.ID))

	require.Empty(t, w.listed(t, store.ConversationFilter{}))
	page, err := w.mine.Conversations().NeedsReply(ctx, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	missing[*message.Message](t)(w.mine.Messages().Get(ctx, m.ID))
	missing[store.Page[*message.Message]](t)(w.mine.Messages().List(ctx, c.ID, store.MessageFilter{}, store.PageRequest{}))
	missing[[]*message.Message](t)(w.mine.Messages().Last(ctx, c.ID, 1))
	missing[*message.Message](t)(w.mine.Messages().FindByProviderID(ctx, message.ProviderGmail, "g"))
	missing[*message.Message](t)(w.mine.Messages().FindByProviderID(ctx, message.ProviderPostmark, "p"))
	missing[*conversation.Conversation](t)(w.mine.Messages().FindThread(ctx, &message.Message{GmailThreadID: "th"}))
	missing[*message.Message](t)(w.mine.Messages().Update(ctx, m.ID, store.MessageUpdate{Content: new("x")}))
	missing[*message.Message](t)(w.mine.Messages().Delete(ctx, m.ID))
	missing[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	missing[int64](t)(w.mine.Messages().RestoreAll(ctx, c.ID))
	missing[bool](t)(w.mine.Messages().Append(ctx, c.ID, text("x")))
	missing[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{text("x")}, store.AppendOptions{}))
	for _, f := range []store.MessageFilter{{}, {Deleted: store.IncludeDeleted}, {Deleted: store.OnlyDeleted}} {
		byUser, err := w.mine.Messages().ListByUser(ctx, f, store.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, byUser.Items)
	}

	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Get(ctx, s.ID))
	pending, err := w.mine.Suggestions().Pending(ctx, store.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, pending.Items)
	missing[store.Page[*suggestion.Suggestion]](t)(w.mine.Suggestions().ListByConversation(ctx, c.ID, store.PageRequest{}))
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{}))
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, s.ID))
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Restore(ctx, s.ID))
	missing[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{}))
	require.ErrorIs(t, w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}), store.ErrNotFound)
	require.Equal(t, store.Counts{Conversations: 1, Messages: 1, Suggestions: 1}, w.counts(t), "nothing went")
}

func testConversationRestore(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.thread(t, 3)
	w.deleteMessage(t, c.Messages[1])
	s := w.suggest(t, c, c.Messages[0])
	before, err := w.mine.Conversations().Thread(ctx, c.ID)
	require.NoError(t, err)
	w.tick()
	w.delete(t, c)
	w.tick()
	got, err := w.mine.Conversations().Restore(ctx, c.ID)
	require.NoError(t, err)
	require.False(t, got.Deleted())
	after, err := w.mine.Conversations().Thread(ctx, c.ID)
	require.NoError(t, err)
	same(t, before.Messages, after.Messages)
	same(t, before.Suggestions, after.Suggestions)
	require.Equal(t, []string{"1", "3"}, contents(after.Messages), "what was deleted by itself stays so")
	require.Equal(t, before.Status, after.Status)
	same(t, s, w.suggestion(t, s.ID))

	w.tick()
	again, err := w.mine.Conversations().Restore(ctx, c.ID)
	require.NoError(t, err)
	same(t, got, again)
	missing[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, uuid.New()))
	missing[*conversation.Conversation](t)(w.other().Conversations().Restore(ctx, c.ID))
}

func testConversationErase(t *testing.T, w *world) {
	ctx := t.Context()
	kept := w.thread(t, 2)
	w.embed(t, kept.Messages[0], "m")
	w.suggest(t, kept, kept.Messages[0])
	left := store.Counts{Conversations: 1, Messages: 2, Embeddings: 1, Suggestions: 1}
	for _, deleted := range []bool{false, true} {
		c := w.thread(t, 3)
		w.embed(t, c.Messages[0], "a")
		w.embed(t, c.Messages[0], "b")
		w.embed(t, c.Messages[2], "a")
		w.deleteMessage(t, c.Messages[2])
		s := w.suggest(t, c, c.Messages[0])
		w.suggest(t, c, nil)
		must[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{}))
		must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{}))
		if deleted {
			w.delete(t, c)
		}
		missing[store.Counts](t)(w.other().Conversations().Erase(ctx, c.ID))
		gone, err := w.mine.Conversations().Erase(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, store.Counts{Conversations: 1, Messages: 4, Embeddings: 3, Suggestions: 2}, gone)
		require.Equal(t, left, w.counts(t))
		missing[store.Counts](t)(w.mine.Conversations().Erase(ctx, c.ID))
		missing[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	}
	gone, err := w.st.AllUsers().Conversations().Erase(ctx, kept.ID)
	require.NoError(t, err)
	require.Equal(t, left, gone)
	require.Zero(t, w.counts(t))
}

func testConversationEverybody(t *testing.T, w *world) {
	c := w.thread(t, 1)
	require.NoError(t, w.other().Conversations().Create(t.Context(), &conversation.Conversation{}))
	all := w.st.AllUsers()
	for name, change := range changes(all) {
		if name != "Delete" {
			require.NoError(t, change(t.Context(), c.ID), name)
		}
	}
	got, err := all.Conversations().Get(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, w.user, got.UserID)
	require.Equal(t, "x", got.Title)
	page, err := all.Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
	must[bool](t)(all.Messages().Append(t.Context(), c.ID, text("y")))
	require.Equal(t, w.user, w.message(t, c.Messages[0].ID).UserID)
	require.Equal(t, []string{"1", "y"}, w.messages(t, c))
}

func testConversationContext(t *testing.T, w *world) {
	c := w.conversation(t)
	for name, change := range changes(w.mine) {
		require.ErrorIs(t, change(canceled(t), c.ID), context.Canceled, name)
	}
	_, err := w.mine.Conversations().List(canceled(t), store.ConversationFilter{}, store.PageRequest{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, w.mine.Conversations().Create(canceled(t), &conversation.Conversation{}), context.Canceled)
	same(t, c, w.get(t, c.ID))
	require.EqualValues(t, 1, w.counts(t).Conversations)
}
