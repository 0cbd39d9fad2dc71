package upgradetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// models are the models of all tables with rows but the claims and failures, which have none.
var models = []any{
	conversation.Conversation{},
	message.Message{},
	suggestion.Suggestion{},
	message.Embedding{},
	message.Ref{},
	message.Vote{},
	message.OutboxEntry{},
	conversation.Label{},
	conversation.Read{},
	conversation.State{},
	conversation.UserState{},
	conversation.AppState{},
	conversation.Summary{},
}

// content is every row of a database as JSON: table, then primary key, then column.
type content map[string]map[string]map[string]any

// read returns the rows as the models have them, deleted ones included.
func read(t *testing.T, db *gorm.DB) content {
	t.Helper()
	all := content{}
	for _, model := range models {
		rows := reflect.New(reflect.SliceOf(reflect.TypeOf(model)))
		require.NoError(t, db.Unscoped().Find(rows.Interface()).Error)
		stmt := &gorm.Statement{DB: db}
		require.NoError(t, stmt.Parse(model))
		table := map[string]map[string]any{}
		for i := range rows.Elem().Len() {
			row := rows.Elem().Index(i)
			key := ""
			for _, f := range stmt.Schema.PrimaryFields {
				value, _ := f.ValueOf(t.Context(), row)
				key += fmt.Sprint(value) + "|"
			}
			table[key] = decoded(t, row.Interface())
		}
		all[stmt.Schema.Table] = table
	}
	all[naming.Claims] = readClaims(t, db)
	all[naming.Failures] = readFailures(t, db)
	return all
}

// timeText is the text of a time on both databases.
func timeText(db *gorm.DB, column string) string {
	if db.Name() == "postgres" {
		return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US\"+00:00\"')"
	}
	return "CAST(" + column + " AS text)"
}

func readFailures(t *testing.T, db *gorm.DB) map[string]map[string]any {
	t.Helper()
	var rows []struct {
		MessageID, UserID, Model, Error, Failed, Aside string
		Attempts                                       int
	}
	columns := "message_id, user_id, model, attempts, error, " + timeText(db, "failed_at") + " AS failed, " + timeText(db, "set_aside_at") + " AS aside"
	require.NoError(t, db.Table(naming.Failures).Select(columns).Scan(&rows).Error)
	table := map[string]map[string]any{}
	for _, row := range rows {
		table[row.MessageID+row.Model] = decoded(t, row)
	}
	return table
}

func readClaims(t *testing.T, db *gorm.DB) map[string]map[string]any {
	t.Helper()
	var rows []struct{ MessageID, UserID, Model, ClaimedBy, At, Until string }
	columns := "message_id, user_id, model, claimed_by, " + timeText(db, "claimed_at") + " AS at, " + timeText(db, "claimed_until") + " AS until"
	require.NoError(t, db.Table(naming.Claims).Select(columns).Scan(&rows).Error)
	table := map[string]map[string]any{}
	for _, row := range rows {
		table[row.MessageID+row.Model] = decoded(t, row)
	}
	return table
}

// decoded returns a row as JSON has it, with numbers to the last digit.
func decoded(t *testing.T, row any) (columns map[string]any) {
	t.Helper()
	text, err := json.Marshal(row)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&columns))
	return columns
}

// stored returns the rows as the release read them when it made the fixture.
func stored(t *testing.T, r release, name string) (all content) {
	t.Helper()
	f, err := os.Open(r.path(name + ".json"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	d := json.NewDecoder(f)
	d.UseNumber()
	require.NoError(t, d.Decode(&all))
	return all
}

// requireRows requires every row of want with each of its values. What got has beyond that is
// newer: rows of the writers, columns of later releases.
func requireRows(t *testing.T, want, got content) {
	t.Helper()
	for table, rows := range want {
		for key, row := range rows {
			now, ok := got[table][key]
			if !assert.True(t, ok, "%s has no row %s", table, key) {
				continue
			}
			for column, value := range row {
				assert.Equal(t, value, now[column], "%s.%s of %s", table, column, key)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
