package storetest

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func usageTests() subtests { return subtests{"Usage": testUsage, "UsageLeavesOut": testUsageLeavesOut} }

func used(model string, in, out int64, cost string, at time.Time) *message.Message {
	return &message.Message{Role: message.RoleAssistant, Content: "x", Model: model, TokensIn: in, TokensOut: out, Cost: decimal.RequireFromString(cost), SentAt: at}
}

// usages are the sums of a report, by what they are of.
func usages[T any](t *testing.T, of func(T) (string, store.UsageTotals)) func([]T, error) []string {
	return func(rows []T, err error) (all []string) {
		t.Helper()
		require.NoError(t, err)
		require.NotNil(t, rows)
		for _, r := range rows {
			name, u := of(r)
			all = append(all, name+" "+decimal.NewFromInt(u.Messages).String()+" "+decimal.NewFromInt(u.TokensIn).String()+"/"+
				decimal.NewFromInt(u.TokensOut).String()+" "+u.Cost.String())
		}
		return all
	}
}

func testUsage(t *testing.T, w *world) {
	ctx, r, zone := t.Context(), w.mine.Reports(), time.FixedZone("east", 3600)
	day := time.Date(2024, 2, 20, 23, 30, 0, 0, time.UTC)
	a, b := w.create(t, &conversation.Conversation{Title: "a"}), w.create(t, &conversation.Conversation{Title: "b"})
	for _, m := range []*message.Message{used("large", 10, 20, "0.1", day), used("large", 1, 2, "0.2", day.Add(-time.Hour)), used("small", 5, 0, "0", day)} {
		w.append(t, a, m)
	}
	for _, m := range []*message.Message{used("", 0, 7, "0", day.AddDate(0, 0, 1)), used("free", 0, 0, "0", day), used("small", 0, 0, "12345678.0000000001", day)} {
		w.append(t, b, m)
	}
	w.append(t, b, text("not of a model"))
	stranger := w.other()
	c := newThread(t, stranger, 1)
	appended(t, stranger, c.ID, used("large", 3, 3, "3", day))

	all := store.Top{}
	assert.Equal(t, []string{"b 3 0/7 12345678.0000000001", "a 3 16/22 0.3"},
		usages(t, func(u store.ConversationUsage) (string, store.UsageTotals) { return u.Title, u.UsageTotals })(r.UsageByConversation(ctx, all)))
	assert.Equal(t, []string{"small 2 5/0 12345678.0000000001", "large 2 11/22 0.3", " 1 0/7 0", "free 1 0/0 0"},
		usages(t, func(u store.ModelUsage) (string, store.UsageTotals) { return u.Model, u.UsageTotals })(r.UsageByModel(ctx, all)))
	byUser := usages(t, func(u store.UserUsage) (string, store.UsageTotals) {
		if u.UserID == w.user {
			return "mine", u.UsageTotals
		}
		return "other", u.UsageTotals
	})
	assert.Equal(t, []string{"mine 6 16/29 12345678.3000000001"}, byUser(r.UsageByUser(ctx, all)))
	assert.Equal(t, []string{"mine 6 16/29 12345678.3000000001", "other 1 3/3 3"}, byUser(w.st.AllUsers().Reports().UsageByUser(ctx, all)))
	assert.Len(t, byUser(w.st.AllUsers().Reports().UsageByUser(ctx, store.Top{Limit: 1})), 1)

	period := store.Period{Since: day.AddDate(0, 0, -1), Before: day.AddDate(0, 0, 2), Zone: zone}
	byDay := usages(t, func(d store.DayUsage) (string, store.UsageTotals) { return d.Date, d.UsageTotals })
	assert.Equal(t, []string{"2024-02-20 1 1/2 0.2", "2024-02-21 4 15/20 12345678.1000000001", "2024-02-22 1 0/7 0"},
		byDay(r.UsageByDay(ctx, store.Days{Period: period, OmitEmpty: true})))
	assert.Len(t, byDay(r.UsageByDay(ctx, store.Days{Period: period})), 4)
	part := store.Top{Period: store.Period{Since: day, Before: day.Add(time.Minute)}}
	assert.Equal(t, []string{"small 2 5/0 12345678.0000000001", "large 1 10/20 0.1", "free 1 0/0 0"},
		usages(t, func(u store.ModelUsage) (string, store.UsageTotals) { return u.Model, u.UsageTotals })(r.UsageByModel(ctx, part)))
	_, err := r.UsageByModel(ctx, store.Top{Limit: -1})
	invalid(t, err, "limit")
	_, err = r.UsageByUser(ctx, store.Top{Period: store.Period{Since: day, Before: day.Add(-1 * time.Hour)}})
	invalid(t, err, "since")
}

// testUsageLeavesOut: what is hidden or still streams is in no sum. What was interrupted cost what
// it cost.
func testUsageLeavesOut(t *testing.T, w *world) {
	c, gone := w.conversation(t), w.conversation(t)
	for _, state := range []message.State{message.StateComplete, message.StateInterrupted, message.StateFailed, message.StateStreaming} {
		m := w.append(t, c, used("m", 1, 1, "1", epoch))
		require.NoError(t, w.st.DB(t.Context()).Model(m).Where("user_id = ?", w.user).UpdateColumn("state", state).Error)
	}
	w.deleteMessage(t, w.append(t, c, used("m", 1, 1, "1", epoch)))
	w.append(t, gone, used("m", 1, 1, "1", epoch))
	w.delete(t, gone)
	rows, err := w.mine.Reports().UsageByModel(t.Context(), store.Top{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.EqualValues(t, 3, rows[0].Messages)
	require.EqualValues(t, 3, rows[0].TokensOut)
	none, err := w.other().Reports().UsageByConversation(t.Context(), store.Top{})
	require.NoError(t, err)
	require.Equal(t, []store.ConversationUsage{}, none)
}
