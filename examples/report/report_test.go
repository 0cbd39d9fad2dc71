package main

import (
	"bytes"
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
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

var update = flag.Bool("update", false, "write testdata anew")

func friday() time.Time { return time.Date(2026, 3, 27, 15, 30, 0, 0, time.UTC) }

// try returns what was printed, and the status that the program ends with.
func try(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = exitCode(run(t.Context(), args, &o, &e, friday), &e)
	return o.String(), e.String(), code
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := try(t, args...)
	require.Zero(t, code, errs)
	return out
}

func TestDemo(t *testing.T) {
	t.Parallel()
	db, page := filepath.Join(t.TempDir(), "demo.db"), filepath.Join(t.TempDir(), "report.html")
	out, errs, code := try(t, "-demo", db, "-html", page, "-zone", "Europe/Berlin")
	require.Zero(t, code, errs)
	assert.Contains(t, errs, "-user "+demoUsers[1].id.String()+"  sales\n")
	golden(t, out)
	html := read(t, page)
	checkPage(t, html)
	assert.Equal(t, 7, strings.Count(html, "<svg"))
	assert.NotContains(t, html, "Nothing to show for")
	assert.Contains(t, html, "<title>Conversations, 26 February 2026 to 27 March 2026</title>")

	again, errs, code := try(t, "-demo", db)
	assert.Equal(t, 1, code)
	assert.Empty(t, again)
	assert.Contains(t, errs, "exists")

	leads := []string{"-leads", "leads", "-lead-owner", "owner", "-lead-title", "title", "-lead-category", "category"}
	assert.Equal(t, out, must(t, append(leads, "-db", db, "-zone", "Europe/Berlin")...))
	sales := must(t, append(leads, "-db", db, "-user", demoUsers[1].id.String())...)
	assert.Contains(t, sales, "Conversations of user 5a000000-0000-4000-8000-000000000002. Days in UTC.")
	assert.NotContains(t, sales, "Invoice")
	assert.NotContains(t, must(t, "-db", db), "by category")
}

func golden(t *testing.T, out string) {
	t.Helper()
	path := filepath.Join("testdata", "demo.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(out), 0o600))
	}
	assert.Equal(t, read(t, path), out)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
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
	mine, at := st.ForUser(demoUsers[0].id), friday().Add(-time.Hour)
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
	for name, open := range map[string]func(*testing.T) (string, store.Store, error){
		"sqlite": func(t *testing.T) (string, store.Store, error) {
			t.Helper()
			db := filepath.Join(t.TempDir(), "a#b?.db")
			st, err := sqlite.Open(t.Context(), db, convostore.WithMigrate(migrate.Options{}), convostore.WithTablePrefix("chat_"))
			return db, st, err
		},
		"postgres": func(t *testing.T) (string, store.Store, error) {
			t.Helper()
			db := pgtest.Database(t)
			st, err := postgres.Open(t.Context(), db, convostore.WithMigrate(migrate.Options{}), convostore.WithTablePrefix("chat_"))
			return db, st, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, st, err := open(t)
			require.NoError(t, err)
			writeHostile(t, st)
			require.NoError(t, st.Close())
			page := filepath.Join(t.TempDir(), "report.html")
			out := must(t, "-db", db, "-prefix", "chat_", "-html", page,
				"-leads", "crm", "-lead-key", "code", "-lead-title", "label", "-lead-category", "sort")
			checkHostile(t, out, read(t, page))
		})
	}
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

func migrated(t *testing.T, db string) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	require.NoError(t, st.Close())
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	db, page := filepath.Join(t.TempDir(), "empty.db"), filepath.Join(t.TempDir(), "report.html")
	migrated(t, db)
	out := must(t, "-db", db, "-html", page)
	assert.Contains(t, out, "Conversations, 26 February 2026 to 27 March 2026\n")
	assert.Contains(t, out, "\nDay by day\n  Nothing happened.\n")
	assert.Contains(t, out, "–  Response time, median: no question was answered\n")
	html := read(t, page)
	checkPage(t, html)
	assert.NotContains(t, html, "<svg")
	assert.NotContains(t, html, "<table")
	assert.Contains(t, html, "<li>Messages sent, by day: No message was sent.</li>")
	must(t, "-db", db, "-since", "2020-01-01", "-html", page)
	assert.Contains(t, read(t, page), "<li>Messages sent, by month: ")
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.db")
	for args, says := range map[string]string{
		"":                            "give one of -db and -demo",
		"-db x.db -demo y.db":         "give one of -db and -demo",
		"-db":                         "flag needs an argument",
		"-db x.db -nope":              "flag provided but not defined: -nope",
		"-db x.db more":               `"more" is no flag`,
		"-db x.db -user ann":          `-user "ann" is not the UUID of a user`,
		"-db x.db -zone Mars/Base":    "unknown time zone Mars/Base",
		"-db x.db -since yesterday":   `-since "yesterday" is not a day such as 2026-03-01`,
		"-db x.db -before 2026-02-30": `-before "2026-02-30" is not a day`,
		"-db x.db -since 2026-03-01 -before 2026-03-01": "-since is not before -before",
		"-db x.db -top 0":            "-top is not 1 to 1000",
		"-db x.db -lead-title title": "-leads, the table with these columns, is missing",
		"-db x.db -lead-owner owner": "-leads, the table with these columns, is missing",
		"-db x.db -leads l -lead-category c -user " + demoUsers[0].id.String(): "-lead-owner is missing",
		"-demo " + file + " -leads crm":                                        "-demo brings its own tables",
	} {
		_, errs, code := try(t, strings.Fields(args)...)
		assert.Equal(t, 2, code, args)
		assert.Contains(t, errs, says)
	}
	_, errs, code := try(t, "-help")
	assert.Zero(t, code)
	assert.Contains(t, errs, "usage: report -db DATABASE")
	_, errs, code = try(t, "-db", file)
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "no such file")
	assert.NoFileExists(t, file)

	migrated(t, file)
	_, errs, code = try(t, "-db", file, "-since", "2000-01-01")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "more than 3660 days")
	_, _, code = try(t, "-db", file, "-leads", "crm", "-lead-title", "name")
	assert.Equal(t, 1, code, "there is no such table")
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
