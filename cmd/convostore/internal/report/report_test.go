package report

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/cmd/convostore/internal/madeup"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

var update = flag.Bool("update", false, "write testdata anew")

func friday() time.Time { return time.Date(2026, 3, 27, 15, 30, 0, 0, time.UTC) }

// show collects and prints in both ways.
func show(t *testing.T, scope store.Scope, o Options) (out, html string) {
	t.Helper()
	f, err := Collect(context.Background(), scope, o)
	require.NoError(t, err)
	var text, page strings.Builder
	require.NoError(t, f.Text(&text))
	require.NoError(t, f.Page(&page))
	return text.String(), page.String()
}

func memory(t *testing.T, with ...convostore.Option) store.Store {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), append(with, convostore.WithClock(friday))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func TestMadeUpInbox(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	st := memory(t, convostore.WithIDs(madeup.IDs()), convostore.WithLeads(madeup.Leads))
	_, err = madeup.History(t.Context(), st, friday().In(zone))
	require.NoError(t, err)
	o := Options{Zone: zone, Now: friday().In(zone), Top: 10, Category: madeup.Leads.Columns[0]}
	out, html := show(t, st.AllUsers(), o)
	golden(t, out)
	checkPage(t, html)
	assert.Equal(t, 7, strings.Count(html, "<svg"))
	assert.NotContains(t, html, "Nothing to show for")
	assert.Contains(t, html, "<title>Conversations, 26 February 2026 to 27 March 2026</title>")

	o.User = madeup.Users[1].ID
	sales, _ := show(t, st.ForUser(o.User), o)
	assert.Contains(t, sales, "Conversations of user 5a000000-0000-4000-8000-000000000002. Days in Europe/Berlin.")
	assert.NotContains(t, sales, "Invoice")
}

func golden(t *testing.T, out string) {
	t.Helper()
	path := filepath.Join("testdata", "demo.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(out), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), out)
}

var (
	loads = regexp.MustCompile(`(?i)(src|href)\s*=|url\s*\(|@import|<(script|link|img|iframe|object|embed|base)\b`)
	svg   = regexp.MustCompile(`(?s)<svg.*?</svg>`)
)

// checkPage makes sure that a page needs nothing else, and that its drawings are whole.
func checkPage(t *testing.T, html string) {
	t.Helper()
	assert.Empty(t, loads.FindAllString(html, -1))
	for _, drawing := range svg.FindAllString(html, -1) {
		for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, drawing)
		}
		assert.NotContains(t, drawing, "NaN")
	}
	assert.NotContains(t, html, "%!")
}

const hostile = `<script>alert("1")</script>` + "\x1b[31m & 'x'"

// writeHostile stores what strangers might write where the reports show it.
func writeHostile(t *testing.T, st store.Store) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Exec("CREATE TABLE crm (code text, label text, sort text)").Error)
	require.NoError(t, st.DB(t.Context()).Exec("INSERT INTO crm VALUES ('1', ?, ?)", hostile, hostile).Error)
	mine, at := st.ForUser(madeup.Users[0].ID), friday().Add(-time.Hour)
	c := &conversation.Conversation{Subject: hostile, LeadID: "1", CreatedAt: at, Messages: []*message.Message{
		{Direction: message.DirectionInbound, Content: "Hi", SentAt: at, CreatedAt: at},
		{Direction: message.DirectionOutbound, Content: "Hi", SentAt: at.Add(90 * time.Second), CreatedAt: at},
		{Direction: message.DirectionInbound, Content: "Ho", SentAt: at.Add(2 * time.Minute), CreatedAt: at},
		{Role: message.RoleSystem, Content: "Hm", SentAt: at.Add(3 * time.Minute), CreatedAt: at},
	}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	require.NoError(t, mine.Suggestions().Create(t.Context(), &suggestion.Suggestion{
		ConversationID: c.ID, SuggestedContent: "Hey", ModelUsed: hostile, CreatedAt: at,
		GenerationCost: decimal.RequireFromString("1234567.5"), TokensUsed: 1234567,
	}))
}

func TestHostile(t *testing.T) {
	t.Parallel()
	st := memory(t, convostore.WithTablePrefix("chat_"), convostore.WithMigrate(migrate.Options{}),
		convostore.WithLeads(store.HostTable{Name: "crm", Key: "code", Title: "label", Columns: []string{"sort"}}))
	writeHostile(t, st)
	out, html := show(t, st.AllUsers(), Options{Zone: time.UTC, Now: friday(), Top: 10, Category: "sort"})
	checkHostile(t, out, html)
}

func checkHostile(t *testing.T, out, html string) {
	t.Helper()
	checkPage(t, html)
	assert.NotContains(t, out+html, "\x1b")
	shown := `<script>alert("1")</script> [31m & 'x'`
	for _, line := range []string{
		"58 min  2026-03-27         1  " + shown + " · " + shown,
		"4   2    1  2026-03-27  " + shown,
		"2 min  2 min         1     1  " + shown,
		"100 %         1      1  " + shown,
		"1,234,567  1,234,567.50  " + shown,
	} {
		assert.Contains(t, out, line)
	}
	assert.Contains(t, html, "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; [31m &amp; &#39;x&#39;")
	assert.Contains(t, html, "</i>without a direction</li>")
	assert.Contains(t, html, "Approval rate by the model&#39;s confidence: None was approved as drafted.")
	drawn := strings.Join(svg.FindAllString(html, -1), "")
	assert.Contains(t, drawn, "&lt;script&gt;alert", "the category of leads is in a drawing")
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	st, o := memory(t), Options{Zone: time.UTC, Now: friday(), Top: 10}
	out, html := show(t, st.AllUsers(), o)
	assert.Contains(t, out, "Conversations, 26 February 2026 to 27 March 2026\n")
	assert.Contains(t, out, "\nDay by day\n  Nothing happened.\n")
	assert.Contains(t, out, "–  Response time, median: no question was answered\n")
	checkPage(t, html)
	assert.NotContains(t, html, "<svg")
	assert.NotContains(t, html, "<table")
	assert.Contains(t, html, "<li>Messages sent, by day: No message was sent.</li>")
	o.Since = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	_, html = show(t, st.AllUsers(), o)
	assert.Contains(t, html, "<li>Messages sent, by month: ")
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 59*time.Second + 400*time.Millisecond: "59 s", 59*time.Second + 600*time.Millisecond: "1 min",
		59*time.Minute + 40*time.Second: "1 h 00 min", 2*time.Hour + 5*time.Minute: "2 h 05 min",
		24*time.Hour - time.Second: "1 d 00 h", 76 * time.Hour: "3 d 04 h", 2400 * time.Hour: "100 d", 30000 * time.Hour: "1,250 d",
	} {
		assert.Equal(t, want, duration(d))
	}
	for d, want := range map[string]string{"0": "0.00", "12.345": "12.35", "999": "999.00", "1234567.8": "1,234,567.80"} {
		assert.Equal(t, want, money(decimal.RequireFromString(d), 2))
	}
	assert.Equal(t, "-123,456", number(-123456))
	assert.Equal(t, "67 %", percent(2./3, true))
	assert.Equal(t, nothing, percent(0, false))
	assert.Equal(t, strings.Repeat("é", 59)+"…", short(strings.Repeat("é", 61)))
	assert.Equal(t, "a b", short("a\u202e\n b\x07"))
}

func TestScale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		top   float64
		whole bool
		end   float64
		ticks int
	}{
		{1, true, 1, 2},
		{3, true, 3, 4},
		{7, true, 8, 5},
		{30, true, 30, 4},
		{1, false, 1, 6},
		{66.4, false, 80, 5},
		{0.89, false, 1, 6},
		{100, false, 100, 6},
		{12345, true, 15000, 4},
	} {
		end, ticks := scale(c.top, c.whole)
		assert.InDelta(t, c.end, end, 1e-9, "%v", c)
		assert.Equal(t, c.ticks, ticks, "%v", c)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	since := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC) // a Wednesday
	for unit, want := range map[string]struct {
		days  int
		count int
		first string
	}{
		"day": {31, 31, "2026-01-01"}, "week": {100, 15, "2026-01-05"}, "month": {500, 18, "2026-01-01"},
	} {
		p := store.Period{Since: since, Before: since.AddDate(0, 0, want.days), Zone: time.UTC}
		days := make([]store.Daily, want.days)
		for i := range days {
			start := since.AddDate(0, 0, i)
			days[i].Day = store.Day{Date: start.Format(time.DateOnly), Start: start}
		}
		is, all := spans(days, p)
		assert.Equal(t, unit, is)
		require.Len(t, all, want.count, unit)
		assert.Equal(t, want.first, all[0].Before.Format(time.DateOnly))
		assert.Equal(t, p.Before, all[len(all)-1].Before)
		for i := range all[1:] {
			assert.Equal(t, all[i].Before, all[i+1].Since)
			assert.Equal(t, all[i].to, all[i+1].from)
		}
		assert.Equal(t, want.days, all[len(all)-1].to)
	}
}
