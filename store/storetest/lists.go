package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func listTests() subtests {
	return subtests{
		"Overview":                testOverview,
		"OverviewUnread":          testOverviewUnread,
		"OverviewLastMessage":     testOverviewLastMessage,
		"OverviewPages":           testOverviewPages,
		"OverviewInput":           testOverviewInput,
		"OverviewIsOneQuery":      testOverviewIsOneQuery,
		"MarkRead":                testMarkRead,
		"Labels":                  testLabels,
		"LabelsRefused":           testLabelsRefused,
		"ConversationsByID":       testConversationsByID,
		"ConversationsByMark":     testConversationsByMark,
		"ConversationsByMetadata": testConversationsByMetadata,
		"ConversationsByCleaned":  testConversationsByCleaned,
	}
}

// fullOverview asks for all that an overview has.
var fullOverview = store.OverviewOptions{LastMessage: true, Reader: "ann", Labels: true, StateKeys: []string{"a", "b", "absent"}, Draft: true}

func (w *world) overview(t testing.TB, o store.OverviewOptions) []*store.ConversationOverview {
	t.Helper()
	page, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, o, page)
	require.NoError(t, err)
	return page.Items
}

func testOverview(t *testing.T, w *world) {
	empty := w.create(t, &conversation.Conversation{Title: "empty"})
	w.tick()
	c := w.create(t, &conversation.Conversation{Title: "full", Metadata: message.JSON(`{"a":1}`), App: "app"})
	m := w.append(t, c, &message.Message{Role: message.RoleAssistant, Direction: message.DirectionOutbound, Author: "bob", Content: "hello"})
	merged(t, w.mine, store.ConversationState(c.ID), store.StateMap{"a": {}, "b": value("\x00\xff"), "c": value("not asked for")})
	must[int64](t)(w.mine.Conversations().AddLabels(t.Context(), c.ID, "ann", []string{"z", "é", `quo"te`, "Z"}))

	all := w.overview(t, fullOverview)
	require.Len(t, all, 2)
	same(t, w.get(t, c.ID), all[0].Conversation)
	require.Equal(t, &store.MessagePreview{
		ID: m.ID, Seq: 1, Role: message.RoleAssistant, Direction: message.DirectionOutbound, Author: "bob", State: message.StateComplete,
		SentAt: m.SentAt, Content: "hello",
	}, all[0].LastMessage)
	require.EqualValues(t, 1, all[0].Unread)
	require.Equal(t, []string{"Z", `quo"te`, "z", "é"}, all[0].Labels)
	require.Equal(t, store.StateMap{"a": {}, "b": value("\x00\xff")}, all[0].States)

	require.Equal(t, empty.ID, all[1].ID)
	require.Equal(t, &store.ConversationOverview{Conversation: all[1].Conversation, Labels: []string{}, States: store.StateMap{}}, all[1])
	for i, bare := range w.overview(t, store.OverviewOptions{}) {
		require.Equal(t, &store.ConversationOverview{Conversation: bare.Conversation}, bare)
		same(t, all[i].Conversation, bare.Conversation)
	}
	other, err := w.other().Conversations().Overview(t.Context(), store.ConversationFilter{}, fullOverview, page)
	require.NoError(t, err)
	require.Equal(t, store.Page[*store.ConversationOverview]{Items: []*store.ConversationOverview{}}, other)
}

func testOverviewUnread(t *testing.T, w *world) {
	c := w.conversation(t)
	say := func(author string, kind message.Kind) *message.Message {
		return w.append(t, c, &message.Message{Role: message.RoleUser, Author: author, Kind: kind, Content: "x"})
	}
	unread := func(reader string) (int64, int64) {
		t.Helper()
		o := w.overview(t, store.OverviewOptions{Reader: reader})[0]
		return o.Unread, o.ReadSeq
	}
	check := func(reader string, n, seq int64) {
		t.Helper()
		gotN, gotSeq := unread(reader)
		require.Equal(t, [2]int64{n, seq}, [2]int64{gotN, gotSeq}, reader)
	}
	say("ann", "")                // 1
	say("bob", "")                // 2
	say("", "")                   // 3
	say("bob", message.KindNote)  // 4
	say("bob", message.KindEvent) // 5
	hidden := say("bob", "")      // 6
	say("ann", message.KindNote)  // 7
	w.deleteMessage(t, hidden)
	check("ann", 3, 0)
	check("bob", 3, 0)
	check("nobody", 5, 0)
	must[*conversation.Read](t)(w.mine.Conversations().MarkRead(t.Context(), c.ID, "ann", 2))
	check("ann", 2, 2)
	check("bob", 3, 0)
	must[*conversation.Read](t)(w.mine.Conversations().MarkRead(t.Context(), c.ID, "ann", 1<<60))
	check("ann", 0, 7)
	say("ann", "")
	check("ann", 0, 7)
	must[*message.Message](t)(w.mine.Messages().Restore(t.Context(), hidden.ID))
	check("ann", 0, 7)
	check("bob", 4, 0)
	many := make([]*message.Message, store.MaxUnread+5)
	for i := range many {
		many[i] = text("x")
	}
	must[[]bool](t)(w.mine.Messages().AppendMany(t.Context(), c.ID, many, store.AppendOptions{}))
	check("ann", store.MaxUnread, 7)
	m := w.append(t, w.conversation(t), &message.Message{Role: message.RoleAssistant, Content: "x"})
	require.NoError(t, w.st.DB(t.Context()).Model(m).Where("user_id = ?", w.user).UpdateColumn("state", message.StateStreaming).Error)
	for _, o := range w.overview(t, fullOverview) {
		if o.ID == m.ConversationID {
			require.Zero(t, o.Unread, "it streams")
			require.Equal(t, message.StateStreaming, o.LastMessage.State)
		}
	}
}

func testOverviewLastMessage(t *testing.T, w *world) {
	c := w.conversation(t)
	last := func() *store.MessagePreview {
		t.Helper()
		return w.overview(t, store.OverviewOptions{LastMessage: true})[0].LastMessage
	}
	require.Nil(t, last())
	w.append(t, c, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "a note"})
	require.Nil(t, last())
	first := w.append(t, c, &message.Message{Role: message.RoleUser, Content: strings.Repeat("é", store.MaxPreview)})
	require.Equal(t, first.Content, last().Content)
	require.False(t, last().Truncated)
	long := w.append(t, c, &message.Message{Role: message.RoleUser, Content: strings.Repeat("字", store.MaxPreview+1)})
	require.Equal(t, strings.Repeat("字", store.MaxPreview), last().Content)
	require.True(t, last().Truncated)
	w.append(t, c, &message.Message{Role: message.RoleUser, Kind: message.KindEvent, Content: "an event"})
	require.Equal(t, long.ID, last().ID)
	w.deleteMessage(t, long)
	require.Equal(t, first.ID, last().ID)
	must[*message.Message](t)(w.mine.Messages().Restore(t.Context(), long.ID))
	head := first.Seq
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(t.Context(), c.ID, head))
	require.Equal(t, first.ID, last().ID, "up to the head")
}

// testOverviewPages: an overview has the rows of List in their order, in each order and scope.
func testOverviewPages(t *testing.T, w *world) {
	for i := range 7 {
		c := w.create(t, &conversation.Conversation{Title: fmt.Sprint(i)})
		if i%2 == 0 {
			w.tick()
		}
		w.inbound(t, c)
	}
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		for _, f := range []store.ConversationFilter{{}, {Order: store.NewestCreated}, {Statuses: []conversation.Status{conversation.StatusNeedsReply}}} {
			want, err := list(3, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
				return s.Conversations().List(t.Context(), f, p)
			})
			require.NoError(t, err)
			got, err := list(3, func(p store.PageRequest) (store.Page[*store.ConversationOverview], error) {
				return s.Conversations().Overview(t.Context(), f, fullOverview, p)
			})
			require.NoError(t, err)
			var of []*conversation.Conversation
			for _, o := range got {
				of = append(of, o.Conversation)
				require.EqualValues(t, 1, o.Unread)
				require.EqualValues(t, 1, o.LastMessage.Seq)
			}
			require.Equal(t, titles(want), titles(of))
		}
	}
	one := store.PageRequest{Limit: 1}
	first, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, fullOverview, one)
	require.NoError(t, err)
	one.After = first.Next
	_, err = w.mine.Conversations().List(t.Context(), store.ConversationFilter{}, one)
	invalid(t, err, "cursor")
	_, err = w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, store.OverviewOptions{}, one)
	require.NoError(t, err, "what is shown does not change the list")
}

func testOverviewInput(t *testing.T, w *world) {
	for field, o := range map[string]store.OverviewOptions{
		"reader": {Reader: "\xff"}, "state_keys": {StateKeys: []string{"a", ""}},
	} {
		_, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, o, page)
		invalid(t, err, field)
	}
	for field, o := range map[string]store.OverviewOptions{
		"reader": {Reader: strings.Repeat("a", 1025)}, "state_keys": {StateKeys: make([]string, store.MaxOverviewStates+1)},
	} {
		_, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, o, page)
		invalid(t, err, field)
	}
	_, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{Order: 9}, fullOverview, page)
	invalid(t, err, "order")
	_, err = w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, fullOverview, store.PageRequest{Limit: -1})
	invalid(t, err, "limit")
}

// testOverviewIsOneQuery counts the statements of a page, however much is asked for.
func testOverviewIsOneQuery(t *testing.T, w *world) {
	rec, s := w.recorded(t)
	for range 5 {
		c := newThread(t, s, 2)
		must[int64](t)(s.Conversations().AddLabels(t.Context(), c.ID, "", []string{"a", "b"}))
	}
	for _, o := range []store.OverviewOptions{{}, fullOverview} {
		rec.Reset()
		got, err := s.Conversations().Overview(t.Context(), store.ConversationFilter{}, o, page)
		require.NoError(t, err)
		require.Len(t, got.Items, 6)
		require.Len(t, rec.Statements(), 1)
	}
}

func testMarkRead(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.thread(t, 5)
	mark := func(reader string, seq int64) *conversation.Read {
		t.Helper()
		r, err := s.MarkRead(ctx, c.ID, reader, seq)
		require.NoError(t, err)
		return r
	}
	first := mark("ann", 2)
	require.Equal(t, &conversation.Read{ConversationID: c.ID, UserID: w.user, Reader: "ann", Seq: 2, ReadAt: epoch}, first)
	at := w.tick()
	require.Equal(t, first, mark("ann", 2))
	require.Equal(t, first, mark("ann", 1), "it never goes back")
	require.EqualValues(t, 0, mark("bob", 0).Seq)
	further := mark("ann", 9000)
	require.EqualValues(t, 5, further.Seq)
	require.Equal(t, at, further.ReadAt)
	require.EqualValues(t, 5, mark("ann", 5).Seq)
	for _, reader := range []string{"", "\xff", "a\x00", strings.Repeat("a", 1025)} {
		_, err := s.MarkRead(ctx, c.ID, reader, 1)
		invalid(t, err, "reader")
	}
	_, err := s.MarkRead(ctx, c.ID, "ann", -1)
	invalid(t, err, "seq")
	missing[*conversation.Read](t)(s.MarkRead(ctx, uuid.New(), "ann", 1))
	missing[*conversation.Read](t)(w.other().Conversations().MarkRead(ctx, c.ID, "ann", 1))
	got, err := w.st.AllUsers().Conversations().MarkRead(ctx, c.ID, "carol", 3)
	require.NoError(t, err)
	require.Equal(t, w.user, got.UserID)
	w.delete(t, c)
	missing[*conversation.Read](t)(s.MarkRead(ctx, c.ID, "ann", 5))
	missing[*conversation.Read](t)(s.MarkRead(ctx, c.ID, "dan", 5))
}

func testLabels(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.conversation(t)
	labels := func() []string {
		t.Helper()
		return w.overview(t, store.OverviewOptions{Labels: true})[0].Labels
	}
	changed := func(want int64) func(int64, error) {
		return func(n int64, err error) {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
	}
	changed(2)(s.AddLabels(ctx, c.ID, "ann", []string{"urgent", "billing", "urgent"}))
	w.tick()
	changed(1)(s.AddLabels(ctx, c.ID, "bob", []string{"urgent", "new"}))
	changed(0)(s.AddLabels(ctx, c.ID, "bob", []string{"urgent", "new"}))
	changed(0)(s.AddLabels(ctx, c.ID, "bob", nil))
	require.Equal(t, []string{"billing", "new", "urgent"}, labels())
	var stored conversation.Label
	require.NoError(t, w.st.DB(ctx).Where("label = ? AND user_id = ?", "urgent", w.user).Take(&stored).Error)
	require.Equal(t, "ann", stored.CreatedBy, "the first one's")
	require.WithinDuration(t, epoch, stored.CreatedAt, 0)
	changed(2)(s.RemoveLabels(ctx, c.ID, []string{"billing", "absent", "new", "new"}))
	changed(0)(s.RemoveLabels(ctx, c.ID, []string{"billing"}))
	changed(0)(s.RemoveLabels(ctx, c.ID, nil))
	require.Equal(t, []string{"urgent"}, labels())
	n, err := s.Erase(ctx, c.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, n.Labels)
}

func testLabelsRefused(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	must[int64](t)(w.mine.Conversations().AddLabels(ctx, c.ID, "", []string{"kept"}))
	both := func(s store.Scope, id uuid.UUID, labels ...string) []error {
		_, added := s.Conversations().AddLabels(ctx, id, "", labels)
		_, removed := s.Conversations().RemoveLabels(ctx, id, labels)
		return []error{added, removed}
	}
	for _, bad := range [][]string{{""}, {"a", "\xff"}, {"a\x00"}, {strings.Repeat("a", 1025)}, make([]string, store.MaxLabels+1)} {
		for _, err := range both(w.mine, c.ID, bad...) {
			invalid(t, err, "labels")
		}
	}
	_, err := w.mine.Conversations().AddLabels(ctx, c.ID, "\xff", []string{"a"})
	invalid(t, err, "created_by")
	w.delete(t, c)
	for _, errs := range [][]error{both(w.mine, c.ID, "kept"), both(w.mine, c.ID), both(w.mine, uuid.New(), "kept"), both(w.other(), c.ID, "kept")} {
		for _, err := range errs {
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	}
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, c.ID))
	require.Equal(t, []string{"kept"}, w.overview(t, fullOverview)[0].Labels)
}

func testConversationsByID(t *testing.T, w *world) {
	ctx := t.Context()
	ids := map[string]uuid.UUID{}
	for _, title := range []string{"a", "b", "c", "d"} {
		ids[title] = w.create(t, &conversation.Conversation{Title: title}).ID
		w.tick()
	}
	cs := w.mine.Conversations()
	must[int64](t)(cs.AddLabels(ctx, ids["b"], "", []string{"x"}))
	must[*conversation.Conversation](t)(cs.Pin(ctx, ids["a"]))
	must[*conversation.Conversation](t)(cs.Snooze(ctx, ids["c"], w.clock.Now().Add(time.Hour)))
	must[*conversation.Conversation](t)(cs.Delete(ctx, ids["d"]))
	w.create(t, &conversation.Conversation{Title: "other"})
	foreign := &conversation.Conversation{Title: "foreign"}
	require.NoError(t, w.other().Conversations().Create(ctx, foreign))
	given := []uuid.UUID{ids["c"], ids["a"], foreign.ID, ids["d"], uuid.New(), ids["b"], uuid.Nil, ids["a"]}
	for name, tt := range map[string]struct {
		f    store.ConversationFilter
		want []string
	}{
		"one":            {store.ConversationFilter{IDs: given[1:2]}, []string{"a"}},
		"some":           {store.ConversationFilter{IDs: given}, []string{"c", "b", "a"}},
		"oldest first":   {store.ConversationFilter{IDs: given, Order: store.OldestActivity}, []string{"a", "b", "c"}},
		"newest created": {store.ConversationFilter{IDs: given, Order: store.NewestCreated}, []string{"c", "b", "a"}},
		"pinned first":   {store.ConversationFilter{IDs: given, PinnedFirst: true}, []string{"a", "c", "b"}},
		"pinned":         {store.ConversationFilter{IDs: given, Pinned: true}, []string{"a"}},
		"awake":          {store.ConversationFilter{IDs: given, Snoozed: store.ExcludeSnoozed}, []string{"b", "a"}},
		"labelled":       {store.ConversationFilter{IDs: given, Labels: []string{"x"}}, []string{"b"}},
		"with a draft":   {store.ConversationFilter{IDs: given, HasDraft: true}, []string{}},
		"deleted":        {store.ConversationFilter{IDs: given, Deleted: store.OnlyDeleted}, []string{"d"}},
		"none of them":   {store.ConversationFilter{IDs: []uuid.UUID{foreign.ID, uuid.New()}}, []string{}},
		"an empty list":  {store.ConversationFilter{IDs: []uuid.UUID{}}, []string{"other", "c", "b", "a"}},
	} {
		require.Equal(t, tt.want, titles(w.listed(t, tt.f)), name)
		n, err := cs.ListNumbered(ctx, tt.f, store.NumberRequest{})
		require.NoError(t, err)
		require.Equal(t, tt.want, titles(n.Items), name)
		require.EqualValues(t, len(tt.want), n.Total, name)
		paged, err := list(1, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
			return cs.List(ctx, tt.f, p)
		})
		require.NoError(t, err)
		require.Equal(t, tt.want, titles(paged), name)
	}
	seen, err := cs.Overview(ctx, store.ConversationFilter{IDs: []uuid.UUID{ids["b"]}}, fullOverview, page)
	require.NoError(t, err)
	require.Len(t, seen.Items, 1)
	require.Equal(t, []string{"x"}, seen.Items[0].Labels)
	all, err := w.st.AllUsers().Conversations().List(ctx, store.ConversationFilter{IDs: given, Order: store.OldestActivity}, page)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "foreign"}, titles(all.Items), "everybody's")
	testManyIDs(t, w, given)
}

// testManyIDs: as many ids as a page has rows, and no more; their order says nothing to a cursor.
func testManyIDs(t *testing.T, w *world, given []uuid.UUID) {
	t.Helper()
	ctx, cs := t.Context(), w.mine.Conversations()
	most := slices.Concat(given, make([]uuid.UUID, store.MaxLimit-len(given)))
	for i := range most[len(given):] {
		most[len(given)+i] = uuid.New()
	}
	before := slices.Clone(most)
	f := store.ConversationFilter{IDs: most}
	first, err := cs.List(ctx, f, store.PageRequest{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, before, most, "the caller's list is left alone")
	slices.Reverse(f.IDs)
	rest, err := cs.List(ctx, f, store.PageRequest{After: first.Next})
	require.NoError(t, err, "the same ids in another order")
	require.Equal(t, []string{"a"}, titles(rest.Items))
	_, err = cs.List(ctx, store.ConversationFilter{IDs: given}, store.PageRequest{After: first.Next})
	invalid(t, err, "cursor")
	f.IDs = append(f.IDs, uuid.New())
	_, err = cs.List(ctx, f, page)
	invalid(t, err, "ids")
	_, err = cs.ListNumbered(ctx, f, store.NumberRequest{})
	invalid(t, err, "ids")
	_, err = cs.Overview(ctx, f, fullOverview, page)
	invalid(t, err, "ids")
	_, err = collect(cs.All(ctx, f))
	invalid(t, err, "ids")
}

func testConversationsByMark(t *testing.T, w *world) {
	ctx := t.Context()
	for i, c := range []*conversation.Conversation{{Title: "none"}, {Title: "a", App: "a", Assignee: "ann"}, {Title: "A", App: "A"}, {Title: "both", App: "a", Assignee: "bob"}} {
		w.create(t, c)
		must[int64](t)(w.mine.Conversations().AddLabels(ctx, c.ID, "", []string{"all", "x", "y", "z"}[:i+1]))
		w.tick()
	}
	require.NoError(t, w.other().Conversations().Create(ctx, &conversation.Conversation{App: "a"}))
	for _, tt := range []struct {
		f    store.ConversationFilter
		want []string
	}{
		{store.ConversationFilter{App: "a"}, []string{"both", "a"}},
		{store.ConversationFilter{App: "b"}, []string{}},
		{store.ConversationFilter{Assignee: "ann"}, []string{"a"}},
		{store.ConversationFilter{App: "A", Assignee: "ann"}, []string{}},
		{store.ConversationFilter{Labels: []string{"all"}}, []string{"both", "A", "a", "none"}},
		{store.ConversationFilter{Labels: []string{"y", "x", "y"}}, []string{"both", "A"}},
		{store.ConversationFilter{Labels: []string{"X"}}, []string{}},
		{store.ConversationFilter{Labels: []string{"y"}, App: "a"}, []string{"both"}},
		{store.ConversationFilter{Labels: []string{"all", "x", "y", "z"}, Order: store.NewestCreated}, []string{"both"}},
	} {
		require.Equal(t, tt.want, titles(w.listed(t, tt.f)), "%+v", tt.f)
		n, err := w.mine.Conversations().ListNumbered(ctx, tt.f, store.NumberRequest{})
		require.NoError(t, err)
		require.EqualValues(t, len(tt.want), n.Total, "%+v", tt.f)
		all, err := w.st.AllUsers().Conversations().Overview(ctx, tt.f, fullOverview, page)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(all.Items), len(tt.want))
	}
	for field, f := range map[string]store.ConversationFilter{
		"app": {App: "\xff"}, "assignee": {Assignee: strings.Repeat("a", 1025)}, "labels": {Labels: []string{""}},
		"metadata": {Metadata: make([]store.MetadataCondition, store.MaxMetadata+1)},
	} {
		_, err := w.mine.Conversations().List(ctx, f, page)
		invalid(t, err, field)
	}
	_, err := w.mine.Conversations().List(ctx, store.ConversationFilter{Labels: make([]string, store.MaxLabels+1)}, page)
	invalid(t, err, "labels")
	one := store.PageRequest{Limit: 1}
	first, err := w.mine.Conversations().List(ctx, store.ConversationFilter{Labels: []string{"x", "all"}}, one)
	require.NoError(t, err)
	one.After = first.Next
	again, err := w.mine.Conversations().List(ctx, store.ConversationFilter{Labels: []string{"all", "x", "x"}}, one)
	require.NoError(t, err, "the same labels in another order")
	require.Equal(t, []string{"A"}, titles(again.Items))
}

func testConversationsByMetadata(t *testing.T, w *world) {
	for _, doc := range []string{
		`{"k":"a"}`, `{"k":1}`, `{"k":true}`, `{"k":null}`, `{"k":["a",1,null,true,["b"]]}`, `{"k":{"a":1}}`, `{"k":"1"}`, `{"k":1.0}`,
		`["k","a"]`, `"k"`, `{"other":"a"}`, `{"a.b":"a","$x":"a","":"a","q\"uote":"é😀"}`, `{"k":[]}`, `{"k":9007199254740992}`, `{"k":1.5}`,
	} {
		w.create(t, &conversation.Conversation{Title: doc, Metadata: message.JSON(doc)})
	}
	w.create(t, &conversation.Conversation{Title: "none"})
	for _, tt := range []struct {
		key, value string
		contains   bool
		want       []string
	}{
		{"k", `"a"`, false, []string{`{"k":"a"}`}},
		{"k", ` "\u0061" `, false, []string{`{"k":"a"}`}},
		{"k", `"A"`, false, []string{}},
		{"k", `1`, false, []string{`{"k":1}`, `{"k":1.0}`}},
		{"k", `"1"`, false, []string{`{"k":"1"}`}},
		{"k", `true`, false, []string{`{"k":true}`}},
		{"k", `false`, false, []string{}},
		{"k", ` null`, false, []string{`{"k":null}`}},
		{"k", `9007199254740992`, false, []string{`{"k":9007199254740992}`}},
		{"k", `"a"`, true, []string{`{"k":["a",1,null,true,["b"]]}`}},
		{"k", `1`, true, []string{`{"k":["a",1,null,true,["b"]]}`}},
		{"k", `null`, true, []string{`{"k":["a",1,null,true,["b"]]}`}},
		{"k", `"b"`, true, []string{}},
		{"0", `"k"`, false, []string{}},
		{"a.b", `"a"`, false, []string{`{"a.b":"a","$x":"a","":"a","q\"uote":"é😀"}`}},
		{"$x", `"a"`, false, []string{`{"a.b":"a","$x":"a","":"a","q\"uote":"é😀"}`}},
		{"", `"a"`, false, []string{`{"a.b":"a","$x":"a","":"a","q\"uote":"é😀"}`}},
		{`q"uote`, `"é\ud83d\ude00"`, false, []string{`{"a.b":"a","$x":"a","":"a","q\"uote":"é😀"}`}},
	} {
		f := store.ConversationFilter{Metadata: []store.MetadataCondition{{Key: tt.key, Value: message.JSON(tt.value), Contains: tt.contains}}}
		assert.ElementsMatch(t, tt.want, titles(w.listed(t, f)), "%s %s %t", tt.key, tt.value, tt.contains)
	}
	two := []store.MetadataCondition{{Key: "a.b", Value: message.JSON(`"a"`)}, {Key: "$x", Value: message.JSON(`"a"`)}}
	require.Len(t, w.listed(t, store.ConversationFilter{Metadata: two}), 1)
	two[1].Value = message.JSON(`"b"`)
	require.Empty(t, w.listed(t, store.ConversationFilter{Metadata: two}))
	for _, bad := range []string{"", "x", "[]", "{}", "1.0", "1e3", "9007199254740993", `"\u0000"`, `"\ud800"`, "\"\xff\"", strings.Repeat(" ", store.MaxQuery) + "1"} {
		_, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{Metadata: []store.MetadataCondition{{Key: "k", Value: message.JSON(bad)}}}, page)
		invalid(t, err, "metadata")
	}
	_, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{Metadata: []store.MetadataCondition{{Key: "\xff", Value: message.JSON("1")}}}, page)
	invalid(t, err, "metadata")
}

func testConversationsByCleaned(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, convostore.WithNULStripped(), convostore.WithInvalidTextReplaced())
	c := w.create(t, &conversation.Conversation{App: "a\x00", Metadata: message.JSON(`{"k\u0000":"v\u0000"}`)})
	must[int64](t)(w.mine.Conversations().AddLabels(t.Context(), c.ID, "", []string{"l\x00", "l"}))
	for _, f := range []store.ConversationFilter{
		{App: "\x00a"}, {Labels: []string{"l\x00"}}, {Metadata: []store.MetadataCondition{{Key: "\x00k", Value: message.JSON(`"v\u0000"`)}}},
	} {
		require.Len(t, w.listed(t, f), 1, "%+v", f)
	}
	_, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{App: "\x00"}, page)
	invalid(t, err, "app")
	must[*conversation.Read](t)(w.mine.Conversations().MarkRead(t.Context(), c.ID, "ann\x00", 0))
	must[int64](t)(w.mine.Conversations().RemoveLabels(t.Context(), c.ID, []string{"\x00l"}))
}
