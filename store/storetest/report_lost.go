package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// testLostAnswers: a reply that failed or bounced answers nothing in reports, as for the status. The
// next one that goes out does.
func testLostAnswers(t *testing.T, w *world) {
	ctx, s, r := t.Context(), w.mine.Deliveries(), w.mine.Reports()
	for name, lose := range map[string]func(c *conversation.Conversation){
		"bounced": func(c *conversation.Conversation) {
			must[*message.Message](t)(s.Bounce(ctx, w.reply(t, c).ID, "no such user"))
		},
		"failed": func(c *conversation.Conversation) {
			e := w.enqueue(t, w.reply(t, c))
			require.Len(t, w.claims(t, "a"), 1)
			must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "a", store.Failure{Error: "no", Final: true}))
		},
	} {
		since := w.tick()
		c := w.conversation(t)
		asked := w.inbound(t, c).SentAt
		w.tick()
		lose(c)
		unread := had[store.Page[*store.UnreadConversation]](t)(r.Unread(ctx, since, store.PageRequest{}))
		require.Len(t, unread.Items, 1, name)
		require.EqualValues(t, 1, unread.Items[0].Unanswered, name)
		require.WithinDuration(t, asked, *unread.Items[0].WaitingSince, 0, name)
		times := had[store.ResponseTimes](t)(r.ResponseTimes(ctx, store.Period{Since: since}))
		require.Zero(t, times.Answered, name)
		require.EqualValues(t, 1, times.Open, name)

		w.tick()
		w.reply(t, c)
		times = had[store.ResponseTimes](t)(r.ResponseTimes(ctx, store.Period{Since: since}))
		require.EqualValues(t, 1, times.Answered, name)
		require.Equal(t, 2*time.Minute, times.Mean, name)
		require.Zero(t, times.Open, name)
	}
}
