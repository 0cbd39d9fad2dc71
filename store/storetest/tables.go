package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// ownTable is one of the library's tables, as the database has it.
type ownTable struct {
	// bare is the name without prefix and schema, and name the one for GORM.
	bare, name string
	columns    []string
}

func (o ownTable) owned() bool { return slices.Contains(o.columns, "user_id") }

// ownTables asks the database for its tables, so that one that is added later is in every test. The
// index of words is made from the rows of the others, and has tests of its own.
func ownTables(t testing.TB, st store.Store) (all []ownTable) {
	t.Helper()
	db := st.DB(t.Context())
	var names naming.Tables
	if n, ok := db.NamingStrategy.(config.Naming); ok {
		names = n.Tables
	}
	query, args := `SELECT m.name AS "table", c.name AS "column" FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1, c.cid`, []any{}
	if db.Name() == Postgres {
		query, args = `SELECT c.table_name AS "table", c.column_name AS "column" FROM information_schema.columns c
			WHERE c.table_schema = coalesce(nullif(?, ''), current_schema()) AND EXISTS (SELECT FROM pg_tables p
				WHERE p.schemaname = c.table_schema AND p.tablename = c.table_name) ORDER BY 1, c.ordinal_position`, []any{names.Schema}
	}
	var rows []struct{ Table, Column string }
	require.NoError(t, db.Raw(query, args...).Scan(&rows).Error)
	for _, row := range rows {
		bare, ours := strings.CutPrefix(row.Table, names.Prefix)
		if !ours || bare == leadsTable || row.Table == "host_rows" || slices.Contains(naming.Search(), bare) {
			continue
		}
		if n := len(all); n == 0 || all[n-1].bare != bare {
			all = append(all, ownTable{bare: bare, name: names.Table(bare)})
		}
		last := &all[len(all)-1]
		last.columns = append(last.columns, row.Column)
	}
	require.GreaterOrEqual(t, len(all), len(naming.All()), "the tables of the schema")
	return all
}

// count counts the rows of the table that match.
func (o ownTable) count(t testing.TB, st store.Store, condition string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Table(o.name).Where(condition, args...).Count(&n).Error)
	return n
}

// dump is everything that is stored of a user, column by column, and what belongs to nobody.
func dump(t testing.TB, st store.Store, user uuid.UUID) string {
	t.Helper()
	var all []string
	for _, table := range ownTables(t, st) {
		q := st.DB(t.Context()).Table(table.name)
		if table.owned() {
			q = q.Where("user_id = ?", user)
		}
		var rows []map[string]any
		require.NoError(t, q.Find(&rows).Error)
		for _, row := range rows {
			doc, err := json.Marshal(row)
			require.NoError(t, err)
			all = append(all, fmt.Sprintf("%s %s", table.bare, doc))
		}
	}
	slices.Sort(all)
	doc, err := json.Marshal(all)
	require.NoError(t, err)
	return string(doc)
}

// rowsFor returns a row for every table whose rows belong to a message or to its conversation and
// in which no call of the store writes yet: of each one, and two names of the message.
func rowsFor(m *message.Message) []any {
	id, user := m.ConversationID, m.UserID
	return []any{
		&message.Ref{MessageID: m.ID, UserID: user, Provider: "gmail", Ref: m.ID.String(), Exclusive: true},
		&message.Ref{MessageID: m.ID, UserID: user, Provider: "rfc5322", Ref: "<shared@example.com>"},
		&message.Vote{MessageID: m.ID, UserID: user, Voter: "ann", Value: message.VoteDown, Comment: scripts},
		&message.OutboxEntry{UserID: user, MessageID: m.ID, Channel: "gmail", ClaimedBy: "worker", ClaimedUntil: &future, LastError: scripts},
		&conversation.Label{ConversationID: id, UserID: user, Label: m.ID.String(), CreatedBy: "ann"},
		&conversation.Read{ConversationID: id, UserID: user, Reader: m.ID.String(), Seq: 1},
		&conversation.State{ConversationID: id, UserID: user, Key: m.ID.String(), Value: conversation.Value("a\x00\xff")},
		&conversation.Summary{UserID: user, ConversationID: id, FromSeq: 1, ToSeq: 2, Content: scripts, Model: "model", Tokens: 3},
	}
}

// furnish writes rowsFor a message.
func furnish(t testing.TB, db *gorm.DB, m *message.Message) {
	t.Helper()
	for _, row := range rowsFor(m) {
		require.NoError(t, db.Create(row).Error)
	}
}

// furnished is what furnish writes: first what belongs to the message, then the rest.
var (
	furnishedMessage = store.Counts{Refs: 2, Votes: 1, Deliveries: 1}
	furnished        = furnishedMessage.Add(store.Counts{Labels: 1, Reads: 1, States: 1, Summaries: 1})
)

// remember writes a state of the user, and claim the lease of a job that embeds the message.
func remember(t testing.TB, db *gorm.DB, user uuid.UUID) {
	t.Helper()
	require.NoError(t, db.Create(&conversation.UserState{UserID: user, App: "app", Key: "key", Value: conversation.Value("{}")}).Error)
}

func claim(t testing.TB, db *gorm.DB, m *message.Message) {
	t.Helper()
	until := []any{future}
	if db.Name() == SQLite {
		dialect.BindTimes(until)
	}
	require.NoError(t, db.Table(bareTable(db, naming.Claims)).Create(map[string]any{
		"message_id": m.ID.String(), "user_id": m.UserID.String(), "model": "claimed", "claimed_by": uuid.NewString(), "claimed_at": until[0], "claimed_until": until[0],
	}).Error)
}

// trained gives the vectors of a model lists on SQLite, one that all belong to, so that there are
// rows in every table. Afterwards each vector that is written gets into it.
func trained(t testing.TB, db *gorm.DB, model string) {
	t.Helper()
	if db.Name() != SQLite {
		return
	}
	name := func(table string) string {
		if n, ok := db.NamingStrategy.(config.Naming); ok {
			table = n.ConvostoreTable(table)
		}
		return quoted(table)
	}
	at := []any{future}
	dialect.BindTimes(at)
	partitions := name(naming.Partitions)
	require.NoError(t, db.Exec("INSERT INTO "+partitions+" (model, state, lists, vectors, last_row, probes, candidates, recall, trained_at)"+
		" SELECT ?, 'serving', 1, 0, 0, 1, 200, 1, ? WHERE NOT EXISTS (SELECT 1 FROM "+partitions+" WHERE model = ? AND state = 'serving')",
		model, at[0], model).Error)
	require.NoError(t, db.Exec("INSERT INTO "+name(naming.Centroids)+" (partition_id, list, centroid)"+
		" SELECT id, 0, ? FROM "+partitions+" WHERE model = ? AND state = 'serving' ON CONFLICT DO NOTHING", vector.Encode(axis(0)), model).Error)
}

// everyTableHasRows requires that a new table is not forgotten above.
func everyTableHasRows(t testing.TB, st store.Store, user uuid.UUID) {
	t.Helper()
	for _, table := range ownTables(t, st) {
		if table.owned() {
			require.Positive(t, table.count(t, st, "user_id = ?", user), "rows in %s", table.bare)
		}
	}
}

// nothingOf requires that no table has a row of the user.
func nothingOf(t testing.TB, st store.Store, user uuid.UUID) {
	t.Helper()
	for _, table := range ownTables(t, st) {
		if table.owned() {
			require.Zero(t, table.count(t, st, "user_id = ?", user), "rows in %s", table.bare)
		}
	}
}

// nothingNames requires that no column of any table has one of the ids, as a row of the user.
func nothingNames(t testing.TB, st store.Store, user uuid.UUID, ids ...uuid.UUID) {
	t.Helper()
	for _, table := range ownTables(t, st) {
		for _, column := range table.columns {
			if table.owned() && (column == "id" || strings.HasSuffix(column, "_id")) && column != "user_id" && !slices.Contains(namesOfOthers, column) {
				require.Zero(t, table.count(t, st, "user_id = ? AND "+column+" IN ?", user, ids), "rows in %s by %s", table.bare, column)
			}
		}
	}
}

// namesOfOthers are columns with texts of providers, and with what is left of a conversation that
// was erased since.
var namesOfOthers = []string{
	"lead_id", "row_id", "postmark_message_id", "gmail_message_id", "gmail_thread_id", "email_message_id", "forked_from_id", "merged_into_id",
}
