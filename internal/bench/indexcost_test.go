package bench

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
)

// indexSet is a choice of indexes, made by statements on the migrated schema.
type indexSet struct {
	name string
	make func(t *testing.T, db *sql.DB)
}

// wished are the indexes of a usual design that the migrations do without, because
// another one serves.
var wished = []string{
	"conversations (user_id)", "conversations (user_id, deleted_at)", "conversations (status, last_message_at)",
	"messages (conversation_id)", "messages (conversation_id, created_at)", "messages (conversation_id, deleted_at)",
	"messages (user_id)", "messages (role)",
}

var indexSets = []indexSet{
	{"the indexes of the migrations", func(*testing.T, *sql.DB) {}},
	{"keys and foreign keys alone", dropOptional},
	{"those of the migrations and the wished ones", func(t *testing.T, db *sql.DB) {
		for i, w := range wished {
			run(t, db, fmt.Sprintf("CREATE INDEX wished_%d ON %s", i, w))
		}
	}},
}

// dropOptional keeps what a rule needs: primary keys and what is unique.
func dropOptional(t *testing.T, db *sql.DB) {
	rs, err := db.QueryContext(t.Context(), `SELECT indexrelid::regclass::text FROM pg_index
		WHERE NOT indisunique AND indrelid IN ('messages'::regclass, 'conversations'::regclass)`)
	require.NoError(t, err)
	defer rs.Close()
	var names []string
	for rs.Next() {
		var name string
		require.NoError(t, rs.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rs.Err())
	for _, name := range names {
		run(t, db, "DROP INDEX "+name)
	}
}

func run(t *testing.T, db *sql.DB, statement string) {
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

// caseMail appends a mail with everything that an index is made of.
var caseMail = workCase{name: "AppendMail", work: func(ctx context.Context, f *fixture, i int) error {
	j := live(i * 7919 % f.conversations)
	n := itoa(int(f.run.Add(1)))
	m := newMessage(int64(i))
	m.IdempotencyKey, m.GmailMessageID, m.GmailThreadID, m.EmailMessageID = "key-"+n, "new-"+n, "thread-"+itoa(j), "<new-"+n+"@example.com>"
	m.Attachments = message.Attachments{{Filename: "offer.pdf", Size: 48123}}
	return f.appendMessage(ctx, f.userOf(j), id(kindConversation, j), m)
}}

// TestPlansIndexCost measures what the indexes cost an append on PostgreSQL: the same
// statement on three databases in turns.
func TestPlansIndexCost(t *testing.T) {
	needPlans(t)
	d := databases[1]
	z := size{users: 200, conversations: 8_000, messages: 10, extra: 0, suggestions: 100}
	fixtures := make([]*fixture, len(indexSets))
	for i, set := range indexSets {
		db, address := d.openFilledAt(t, z)
		set.make(t, db)
		hand, err := d.byHand(t.Context(), address)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, hand.close()) })
		fixtures[i] = &fixture{side: hand, size: z, database: d}
	}
	samples := make([][]sample, len(indexSets))
	for range 45 {
		for i, f := range fixtures {
			samples[i] = append(samples[i], once(t, caseMail, f, 100))
		}
	}
	report(t, "indexes.md", "cost", costTable(samples))
}

func costTable(samples [][]sample) []string {
	table := []string{"| indexes | append, median | ratio |", "|---|--:|--:|"}
	for i, set := range indexSets {
		ratios := make([]float64, len(samples[i]))
		for k := range ratios {
			ratios[k] = float64(samples[i][k].perOp) / float64(samples[0][k].perOp)
		}
		table = append(table, fmt.Sprintf("| %s | %s | %.2f |", set.name, short(median(samples[i]).perOp.Round(time.Microsecond)), middle(ratios)))
	}
	return table
}

// TestPlansNoIndexCoversAnother finds an index that begins another one of the same rows:
// the longer one answers all that the shorter one does.
func TestPlansNoIndexCoversAnother(t *testing.T) {
	needPlans(t)
	db := databases[1].openFilled(t, size{users: 1, conversations: 10, messages: 1, suggestions: 1})
	rs, err := db.QueryContext(t.Context(), `
		SELECT a.indexrelid::regclass::text, b.indexrelid::regclass::text FROM pg_index a JOIN pg_index b
			ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid AND NOT a.indisunique
			AND (a.indkey::text || ' ') = left(b.indkey::text || ' ', length(a.indkey::text) + 1)
			AND coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
		WHERE a.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)`)
	require.NoError(t, err)
	defer rs.Close()
	for rs.Next() {
		var covered, by string
		require.NoError(t, rs.Scan(&covered, &by))
		t.Errorf("%s is covered by %s", covered, by)
	}
	require.NoError(t, rs.Err())
}
