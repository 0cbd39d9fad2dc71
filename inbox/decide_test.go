package inbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func TestApprove(t *testing.T) { onBoth(t, testApprove) }

func testApprove(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	a := w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros."))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Contains(t, a.location, "done=approved")

	s = w.suggestion(s.ID)
	require.Equal(t, suggestion.StatusApproved, s.Status)
	require.Equal(t, "ann", s.ReviewedBy)
	sent, err := w.mine.Messages().Get(t.Context(), *s.SentMessageID)
	require.NoError(t, err)
	require.Equal(t, "90 euros.", sent.Content)
	require.Equal(t, "ann", sent.Author)
	require.Equal(t, "lead@acme.example", sent.RecipientEmail)
	require.Equal(t, "us@shop.example", sent.SenderEmail)
	require.Equal(t, m.EmailMessageID, sent.Headers.Get("In-Reply-To"))
	require.Equal(t, "Re: An offer", sent.Headers.Get("Subject"))
	out := w.outbox()
	require.Len(t, out, 1)
	require.Equal(t, w.clock.Now().Add(30*time.Second), out[0].DueAt)
	require.Equal(t, "mail", out[0].Channel)
}

func TestApproveEdited(t *testing.T) { onBoth(t, testApproveEdited) }

func testApproveEdited(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.\nBye")
	a := w.post("ann", path(c.ID)+"/approve", decide(s, "80 euros.\r\nBye"))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	s = w.suggestion(s.ID)
	require.Equal(t, suggestion.StatusEdited, s.Status)
	require.Equal(t, "80 euros.\nBye", s.EditedContent)

	_, m = w.mail("Another", "And twenty?")
	s = w.drafted(m, "180 euros.\r\nBye")
	a = w.post("ann", path(m.ConversationID)+"/approve", decide(s, "180 euros.\r\nBye"))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Equal(t, suggestion.StatusApproved, w.suggestion(s.ID).Status, "a line break of the browser's is no edit")

	_, m = w.mail("A third", "And thirty?")
	s = w.drafted(m, "270 euros.")
	a = w.post("ann", path(m.ConversationID)+"/approve", decide(s, ""))
	require.Equal(t, http.StatusBadRequest, a.code)
	require.Equal(t, suggestion.StatusPending, w.suggestion(s.ID).Status)
}

func TestUndo(t *testing.T) { onBoth(t, testUndo) }

func testUndo(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	for _, text := range []string{"90 euros.", "80 euros."} {
		a := w.post("ann", path(c.ID)+"/approve", decide(w.suggestion(s.ID), text))
		require.Equal(t, http.StatusSeeOther, a.code, a.body)
		back, err := url.Parse(a.location)
		require.NoError(t, err)
		w.clock.advance(29 * time.Second)
		page := w.get("ann", path(c.ID)+"?"+back.RawQuery)
		require.Contains(t, page.byID("done").text(), "1 s")

		a = w.post("ann", path(c.ID)+"/undo", decide(s, ""))
		require.Equal(t, http.StatusSeeOther, a.code, a.body)
		require.Equal(t, suggestion.StatusPending, w.suggestion(s.ID).Status)
		require.Empty(t, w.outbox())
		now, err := w.mine.Conversations().Get(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, conversation.StatusNeedsReply, now.Status)
	}
	require.Equal(t, "80 euros.", w.suggestion(s.ID).DraftContent, "the edit is a draft again")

	a := w.post("ann", path(c.ID)+"/undo", decide(s, ""))
	require.Equal(t, http.StatusConflict, a.code, "twice")
}

func TestUndoTooLate(t *testing.T) { onBoth(t, testUndoTooLate) }

func testUndoTooLate(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	a := w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros."))
	back, err := url.Parse(a.location)
	require.NoError(t, err)

	w.clock.advance(31 * time.Second)
	claimed, err := w.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "w", Limit: 1})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	page := w.get("ann", path(c.ID)+"?"+back.RawQuery)
	require.Empty(t, page.doc().find(isUndo), "nobody is offered what is not possible any more")
	a = w.post("ann", path(c.ID)+"/undo", decide(s, ""))
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("conflict").text(), "it is on its way, or has left")
	require.Equal(t, suggestion.StatusApproved, w.suggestion(s.ID).Status)
}

func TestReject(t *testing.T) { onBoth(t, testReject) }

func testReject(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	a := w.post("ann", path(c.ID)+"/reject", decide(s, "", "feedback", "too cheap"))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	s = w.suggestion(s.ID)
	require.Equal(t, suggestion.StatusRejected, s.Status)
	require.Equal(t, "too cheap", s.Feedback)
	require.Equal(t, "ann", s.ReviewedBy)

	a = w.post("bob", path(c.ID)+"/approve", decide(s, "I had typed this"))
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("conflict").text(), "rejected")
	require.Contains(t, a.byID("conflict").text(), "ann")
	require.Contains(t, a.byID("conflict").text(), "too cheap")
	require.Equal(t, "I had typed this", strings.TrimSpace(a.byID("yours").text()))

	a = w.post("ann", path(c.ID)+"/undo", decide(s, ""))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Equal(t, suggestion.StatusPending, w.suggestion(s.ID).Status)
}

func TestSendLater(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	w := newWorld(t, func(o *inbox.Options) {
		ask := o.Operator
		o.Operator = func(r *http.Request) (inbox.Operator, error) {
			op, err := ask(r)
			op.Location = zone
			return op, err
		}
	})
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	when := w.clock.Now().In(zone).AddDate(0, 0, 1).Truncate(time.Minute)
	for _, bad := range []string{"", "soon", w.clock.Now().In(zone).Add(-time.Hour).Format("2006-01-02T15:04")} {
		a := w.post("ann", path(c.ID)+"/approve", decide(s, "typed", "when", "later", "later", bad))
		require.Equal(t, http.StatusBadRequest, a.code, bad)
		require.Contains(t, a.body, "typed", "what was typed is not lost")
	}
	a := w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros.", "when", "later", "later", when.Format("2006-01-02T15:04")))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.True(t, when.Equal(w.outbox()[0].DueAt), "%s is not %s", w.outbox()[0].DueAt, when)

	page := w.get("ann", path(c.ID))
	require.NotEmpty(t, page.doc().find(isTakeBack), "it can be taken back until then")
	a = w.post("ann", path(c.ID)+"/undo", decide(s, ""))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Empty(t, w.outbox())
}

func TestDecidedMeanwhile(t *testing.T) { onBoth(t, testDecidedMeanwhile) }

func testDecidedMeanwhile(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros for ten.")
	require.Equal(t, http.StatusSeeOther, w.post("bob", path(c.ID)+"/approve", decide(s, "85 euros for ten.")).code)

	a := w.post("ann", path(c.ID)+"/approve", decide(s, "80 euros for ten."))
	require.Equal(t, http.StatusConflict, a.code)
	page := a.byID("conflict").text()
	require.Contains(t, page, "Somebody else has approved it")
	require.Contains(t, page, "bob")
	require.Equal(t, "80 euros for ten.", strings.TrimSpace(a.byID("yours").text()))
	require.Equal(t, "85 euros for ten.", a.byID("theirs").text())
	require.Contains(t, a.body, "<del>85</del><ins>80</ins>")
	require.Len(t, w.outbox(), 1)
	require.Equal(t, "85 euros for ten.", w.suggestion(s.ID).EditedContent)

	a = w.post("ann", path(c.ID)+"/reject", decide(s, "", "feedback", "too cheap"))
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.body, "too cheap", "the reason is not lost")
}

func TestNewerMail(t *testing.T) { onBoth(t, testNewerMail) }

func testNewerMail(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	second := w.arrives(c.ID, "And in blue?")

	a := w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros, sure."))
	require.Equal(t, http.StatusConflict, a.code)
	page := a.byID("conflict").text()
	require.Contains(t, page, "Newer mail arrived")
	require.Contains(t, page, "And in blue?")
	require.Equal(t, "90 euros, sure.", strings.TrimSpace(a.byID("text").text()))
	require.Empty(t, w.outbox())

	seen := a.doc().find(named("seen"))[0].attr("value")
	require.Equal(t, "2", seen)
	third := w.arrives(c.ID, "Or in red?")
	a = w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros in any colour.", "seen", seen))
	require.Equal(t, http.StatusConflict, a.code, "the confirmation was for the second mail alone")
	require.Contains(t, a.byID("conflict").text(), "Or in red?")
	require.Equal(t, suggestion.StatusSuperseded, w.suggestion(s.ID).Status)
	require.Empty(t, w.outbox())

	a = w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros in any colour.", "seen", a.doc().find(named("seen"))[0].attr("value")))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Len(t, w.outbox(), 1)
	require.Equal(t, suggestion.StatusEdited, w.suggestion(s.ID).Status)
	require.NotEqual(t, second.ID, third.ID)
}

// A draft for another branch is not overtaken where it stands, but where it would be sent.
func TestStaleBranch(t *testing.T) { onBoth(t, testStaleBranch) }

func testStaleBranch(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	w.arrives(c.ID, "Wait, how much are twenty?")
	_, err := w.mine.Conversations().Get(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = w.mine.Messages().SetHead(t.Context(), c.ID, m.Seq)
	require.NoError(t, err)
	s := w.drafted(m, "90 euros.")
	_, err = w.mine.Messages().SetHead(t.Context(), c.ID, 2)
	require.NoError(t, err)
	require.Equal(t, suggestion.StatusPending, w.suggestion(s.ID).Status)

	a := w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros."))
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("conflict").text(), "how much are twenty?")
	require.Equal(t, suggestion.StatusPending, w.suggestion(s.ID).Status, "nothing was decided")
	a = w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros.", "seen", a.doc().find(named("seen"))[0].attr("value")))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Len(t, w.outbox(), 1)
}

func TestSecondReply(t *testing.T) { onBoth(t, testSecondReply) }

func testSecondReply(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	first, second := w.drafted(m, "90 euros."), w.drafted(m, "Ninety.")
	require.Equal(t, http.StatusSeeOther, w.post("ann", path(c.ID)+"/approve", decide(first, "90 euros.")).code)
	a := w.post("ann", path(c.ID)+"/approve", decide(second, "Ninety."))
	require.Equal(t, http.StatusConflict, a.code)
	require.Contains(t, a.byID("conflict").text(), "answered already")
	require.Len(t, w.outbox(), 1)
	a = w.post("ann", path(c.ID)+"/approve", decide(second, "Ninety.", "second", "1"))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	require.Len(t, w.outbox(), 2)
}

func TestAutosave(t *testing.T) { onBoth(t, testAutosave) }

func testAutosave(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 euros.")
	a := w.post("ann", path(c.ID)+"/draft", decide(s, "90 euros, or"))
	require.Equal(t, http.StatusSeeOther, a.code, a.body)
	saved := w.suggestion(s.ID)
	require.Equal(t, "90 euros, or", saved.DraftContent)
	require.Equal(t, "ann", saved.DraftBy)
	require.Contains(t, w.get("bob", path(c.ID)).byID("saved").text(), "ann")

	// Bob's page has not seen Ann's edit.
	a = w.post("bob", path(c.ID)+"/draft", decide(s, "bob's own"))
	require.Equal(t, http.StatusConflict, a.code)
	require.Equal(t, "bob's own", strings.TrimSpace(a.byID("text").text()))
	require.Equal(t, "90 euros, or", a.byID("theirs").text())
	a = w.post("bob", path(c.ID)+"/approve", decide(s, "90 euros."))
	require.Equal(t, http.StatusConflict, a.code, "an approval would lose the edit as well")
	require.Equal(t, "90 euros, or", w.suggestion(s.ID).DraftContent)
	require.Empty(t, w.outbox())

	form := decide(w.suggestion(s.ID), "bob's own")
	a = w.post("bob", path(c.ID)+"/approve", form)
	require.Equal(t, http.StatusSeeOther, a.code, "he has seen it now")
	require.Equal(t, "bob's own", w.suggestion(s.ID).EditedContent)
}

func TestAutosaveJSON(t *testing.T) { onBoth(t, testAutosaveJSON) }

func testAutosaveJSON(t *testing.T, w *world) {
	c, m := w.mail("An offer", "How much are ten?")
	s := w.drafted(m, "90 <b>euros</b>.")
	save := func(as, text, expected string) *answer {
		form := url.Values{"token": {w.token(as)}, "suggestion": {s.ID.String()}, "text": {text}, "expected": {expected}}
		r := newRequest(t.Context(), http.MethodPost, path(c.ID)+"/draft", as, form)
		r.Header.Set("Accept", "application/json")
		return w.call(w.inbox, r)
	}
	a := save("ann", "80 <b>euros</b>.", "")
	require.Equal(t, http.StatusOK, a.code, a.body)
	var got struct{ Expected, Diff, By, Text string }
	a.json(&got)
	require.Equal(t, got.Expected, w.suggestion(s.ID).DraftAt.Format(time.RFC3339Nano))
	require.Contains(t, got.Diff, "<del>90</del><ins>80</ins>")
	require.NotContains(t, got.Diff, "<b>")

	a = save("bob", "70", "")
	require.Equal(t, http.StatusConflict, a.code)
	a.json(&got)
	require.Equal(t, "ann", got.By)
	require.Equal(t, "80 <b>euros</b>.", got.Text)

	first := w.suggestion(s.ID).DraftAt.Format(time.RFC3339Nano)
	require.Equal(t, http.StatusOK, save("ann", "90 <b>euros</b>.", first).code)
	require.Nil(t, w.suggestion(s.ID).DraftAt, "what was suggested is no edit")
}

// Two processes, two operators, one draft, at the same moment.
func TestOneWins(t *testing.T) { onBoth(t, testOneWins) }

func testOneWins(t *testing.T, w *world) {
	boxes := map[string]http.Handler{"ann": w.inbox, "bob": w.another()}
	tokens := map[string]string{"ann": w.token("ann"), "bob": w.token("bob")}
	for range 20 {
		c, m := w.mail("An offer", "How much are ten?")
		s := w.drafted(m, "90 euros.")
		codes := make(chan int, 4)
		var wg sync.WaitGroup
		for who, in := range boxes {
			for _, what := range []string{"approve", "reject"} {
				form := decide(s, "90 euros, says "+who, "token", tokens[who])
				r := newRequest(t.Context(), http.MethodPost, path(c.ID)+"/"+what, who, form)
				wg.Go(func() { codes <- w.call(in, r).code })
			}
		}
		wg.Wait()
		close(codes)
		count := map[int]int{}
		for code := range codes {
			count[code]++
		}
		require.Equal(t, map[int]int{http.StatusSeeOther: 1, http.StatusConflict: 3}, count)
		list, err := w.mine.Messages().List(t.Context(), c.ID, store.MessageFilter{Direction: message.DirectionOutbound}, store.PageRequest{})
		require.NoError(t, err)
		want := 0
		if w.suggestion(s.ID).Status == suggestion.StatusEdited {
			want = 1
		}
		require.Len(t, list.Items, want)
	}
}
