package inbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// do posts a form that must work, and returns the conversation as it is then.
func (w *world) do(as string, id uuid.UUID, what string, form url.Values) *conversation.Conversation {
	w.t.Helper()
	a := w.post(as, path(id)+what, form)
	require.Equal(w.t, http.StatusSeeOther, a.code, a.body)
	c, err := w.mine.Conversations().Get(w.t.Context(), id)
	require.NoError(w.t, err)
	return c
}

func TestOrganize(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	require.NotNil(t, w.do("ann", c.ID, "/pin", nil).PinnedAt)
	require.Nil(t, w.do("ann", c.ID, "/unpin", nil).PinnedAt)
	require.Equal(t, conversation.StatusArchived, w.do("ann", c.ID, "/archive", nil).Status)
	require.Equal(t, conversation.StatusActive, w.do("ann", c.ID, "/reopen", nil).Status)

	w.do("ann", c.ID, "/label", url.Values{"label": {"vip"}})
	w.do("ann", c.ID, "/label", url.Values{"label": {"<b>bad</b>"}})
	page := w.get("ann", path(c.ID))
	require.Contains(t, page.byID("head").text(), "vip")
	require.Contains(t, page.byID("head").text(), "<b>bad</b>")
	w.do("ann", c.ID, "/label", url.Values{"remove": {"vip"}})
	require.NotContains(t, w.get("ann", path(c.ID)).byID("head").text(), "vip")
	require.Equal(t, http.StatusBadRequest, w.post("ann", path(c.ID)+"/label", url.Values{"label": {""}}).code)

	w.do("ann", c.ID, "/read", url.Values{"seq": {"1"}})
	list, err := w.mine.Conversations().Overview(t.Context(), store.ConversationFilter{}, store.OverviewOptions{Reader: "ann"}, store.PageRequest{})
	require.NoError(t, err)
	require.Zero(t, list.Items[0].Unread)
}

func TestAssign(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	require.Equal(t, "ann", w.do("ann", c.ID, "/assign", url.Values{"assignee": {"ann"}, "from": {""}}).Assignee)
	a := w.post("bob", path(c.ID)+"/assign", url.Values{"assignee": {"bob"}, "from": {""}})
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("taken").text(), "ann has this conversation")
	require.Equal(t, "bob", w.do("bob", c.ID, "/assign", url.Values{"assignee": {"bob"}, "from": {"ann"}}).Assignee)
	require.Empty(t, w.do("bob", c.ID, "/assign", url.Values{"assignee": {""}, "from": {"bob"}}).Assignee)
}

func TestSnooze(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	monday := time.Date(2026, time.March, 9, 8, 0, 0, 0, time.UTC)
	w.clock.now.Store(&monday)
	for choice, want := range map[string]time.Time{
		"hour": monday.Add(time.Hour), "tomorrow": time.Date(2026, time.March, 10, 9, 0, 0, 0, time.UTC),
		"monday": time.Date(2026, time.March, 16, 9, 0, 0, 0, time.UTC), "until": time.Date(2026, time.March, 12, 9, 30, 0, 0, time.UTC),
	} {
		got := w.do("ann", c.ID, "/snooze", url.Values{"for": {choice}, "until": {"2026-03-12T09:30"}})
		require.Equal(t, want, got.SnoozedUntil.UTC(), choice)
	}
	require.Contains(t, w.get("ann", "/?view=snoozed").byID("queue").text(), "An offer")
	require.NotContains(t, w.get("ann", "/").byID("queue").text(), "An offer")
	require.Nil(t, w.do("ann", c.ID, "/unsnooze", nil).SnoozedUntil)
	require.Equal(t, http.StatusBadRequest, w.post("ann", path(c.ID)+"/snooze", url.Values{"for": {"ever"}}).code)
}

func TestNote(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	form := url.Values{"note": {"She called.\r\nTwice."}, "key": {uuid.NewString()}}
	require.Equal(t, conversation.StatusNeedsReply, w.do("ann", c.ID, "/note", form).Status)
	w.do("ann", c.ID, "/note", form)
	list, err := w.mine.Messages().List(t.Context(), c.ID, store.MessageFilter{Kinds: []message.Kind{message.KindNote}}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1, "a form that is sent twice is one note")
	require.Equal(t, "She called.\nTwice.", list.Items[0].Content)
	require.Equal(t, "ann", list.Items[0].Author)
	require.Equal(t, http.StatusBadRequest, w.post("ann", path(c.ID)+"/note", nil).code)
}

func TestReply(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("An offer", "How much are ten?")
	key := uuid.NewString()
	form := url.Values{"text": {"90 euros."}, "seen": {"1"}, "key": {key}}
	require.Equal(t, conversation.StatusWaiting, w.do("ann", c.ID, "/reply", form).Status)
	w.do("ann", c.ID, "/reply", form)
	require.Len(t, w.outbox(), 1, "a form that is sent twice is one reply")

	take := w.get("ann", path(c.ID)).doc().find(isTakeBack)
	require.Len(t, take, 1)
	got := w.do("ann", c.ID, "/cancel", url.Values{"message": {w.outbox()[0].MessageID.String()}})
	require.Equal(t, conversation.StatusNeedsReply, got.Status)
	require.Empty(t, w.outbox())

	w.arrives(c.ID, "And in blue?")
	a := w.post("ann", path(c.ID)+"/reply", url.Values{"text": {"I typed this"}, "seen": {"1"}, "key": {uuid.NewString()}})
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("conflict").text(), "And in blue?")
	require.Equal(t, "I typed this", strings.TrimSpace(a.byID("text").text()))
	require.Empty(t, w.outbox())
	again := a.doc().find(named("seen"))[0].attr("value")
	w.do("ann", c.ID, "/reply", url.Values{"text": {"I typed this"}, "seen": {again}, "key": {uuid.NewString()}})
	require.Len(t, w.outbox(), 1)
}

func TestMerge(t *testing.T) {
	w := newWorld(t)
	first, _ := w.mail("An offer", "How much are ten?")
	second, _ := w.mail("Another", "And in blue?")
	require.Contains(t, w.get("ann", path(second.ID)+"/merge").byID("merge-page").text(), "An offer")
	a := w.post("ann", path(second.ID)+"/merge", url.Values{"into": {"https://host.example/inbox/c/" + first.ID.String() + "?view=all"}})
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Contains(t, a.location, first.ID.String())
	require.Contains(t, w.get("ann", path(first.ID)).byID("messages").text(), "And in blue?")
	old := w.get("ann", path(second.ID))
	require.Equal(t, http.StatusSeeOther, old.code)
	require.Contains(t, old.location, first.ID.String())
	require.Equal(t, http.StatusBadRequest, w.post("ann", path(first.ID)+"/merge", url.Values{"into": {"nothing"}}).code)
}

func TestRetry(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros."))
	w.clock.advance(time.Minute)
	claimed, err := w.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "w", Limit: 1})
	require.NoError(t, err)
	_, err = w.mine.Deliveries().Fail(t.Context(), claimed[0].Entry.ID, "w", store.Failure{Error: "550 <b>no such user</b>", Final: true})
	require.NoError(t, err)
	page := w.get("ann", path(c.ID))
	require.Contains(t, page.byID("messages").text(), "550 <b>no such user</b>")
	require.Len(t, page.doc().find(action("retry")), 1)
	w.do("ann", c.ID, "/retry", url.Values{"message": {claimed[0].Message.ID.String()}})
	require.Len(t, w.outbox(), 1)
	other, _ := w.mail("Another", "Hello")
	require.Equal(t, http.StatusNotFound, w.post("ann", path(other.ID)+"/retry", url.Values{"message": {claimed[0].Message.ID.String()}}).code)
}

func TestBranches(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mail("A chat", "Hello")
	for _, text := range []string{"first answer", "second answer"} {
		_, err := w.mine.Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleAssistant, Content: text, ParentSeq: new(int64(1))})
		require.NoError(t, err)
	}
	page := w.get("ann", path(c.ID))
	require.Contains(t, page.byID("messages").text(), "second answer")
	require.NotContains(t, page.byID("messages").text(), "first answer")
	tips := page.doc().find(named("tip"))
	require.Len(t, tips, 1)
	w.do("ann", c.ID, "/branch", url.Values{"tip": {tips[0].attr("value")}})
	require.Contains(t, w.get("ann", path(c.ID)).byID("messages").text(), "first answer")
}

// The queue leads from one conversation to the next, page after page.
func TestQueue(t *testing.T) {
	w := newWorld(t)
	var all []string
	for range 52 {
		c, m := w.mail("An offer", "How much are ten?")
		w.drafted(m, "90 euros.")
		all = append(all, c.ID.String())
	}
	page := w.get("ann", "/?view=drafts")
	require.Len(t, page.with("data-conversation"), 50)
	require.Contains(t, page.byID("views").text(), "Drafts waiting 52")
	rows := page.doc().find(action("open"))
	at := "/" + strings.TrimPrefix(rows[0].attr("href"), "./")
	for i, id := range all {
		require.Contains(t, at, id, "conversation %d", i)
		thread := w.get("ann", at)
		require.Equal(t, http.StatusOK, thread.code)
		next := thread.doc().find(func(n *nodeOf) bool { return node{n}.attr("id") == "next" })
		if i == len(all)-1 {
			require.Empty(t, next)
			break
		}
		at = "/" + strings.TrimPrefix(next[0].attr("href"), "../")
	}
	require.Len(t, w.get("ann", at).doc().find(func(n *nodeOf) bool { return node{n}.attr("id") == "previous" }), 1)
}

// A decision leads to the next draft, so that all of them can be decided one after the other.
func TestDecideAll(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		_, m := w.mail("An offer", "How much are ten?")
		w.drafted(m, "90 euros.")
	}
	at := "/" + strings.TrimPrefix(w.get("ann", "/?view=drafts").doc().find(action("open"))[0].attr("href"), "./")
	for i := range 10 {
		thread := w.get("ann", at)
		form := url.Values{"token": {w.token("ann")}}
		for _, f := range thread.byID("draft-form").find(func(n *nodeOf) bool { return n.Data == "input" || n.Data == "textarea" }) {
			if name := f.attr("name"); name != "later" {
				form.Set(name, f.attr("value"))
			}
		}
		form.Set("text", "90 euros.")
		a := w.call(w.inbox, newRequest(t.Context(), http.MethodPost, strings.TrimSuffix(strings.Split(at, "?")[0], "/")+"/approve", "ann", form))
		require.Equal(t, http.StatusSeeOther, a.code, a.body)
		at = "/" + strings.TrimPrefix(strings.TrimPrefix(a.location, "../"), "../")
		require.Equal(t, i < 9, strings.HasPrefix(at, "/c/"), at)
	}
	require.Len(t, w.outbox(), 10)
	require.Contains(t, w.get("ann", at).byID("queue").text(), "Nothing here")
}
