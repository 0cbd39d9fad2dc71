package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
)

// private is what neither a span nor a metric may have in it.
var private = []string{"4711", "dear John", "reservation", "ticket-0815", "charged", "gmail-", "ann"}

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	text := out.String()
	for _, want := range []string{
		`(?m)^chat append +[\d.]+[µm]?s *\n  \S`,
		`(?m)^  INSERT messages +[\d.]+[µm]?s +INSERT INTO "messages" \(.*`,
		`(?m)^  UPDATE conversations +[\d.]+[µm]?s +UPDATE "conversations" SET .*\?`,
		`(?m)^  sql.tx.commit +[\d.]+[µm]?s`,
		`(?m)^  INSERT conversations +[\d.]+[µm]?s +error 2067: INSERT INTO "conversations"`,
		`(?m)^go_sql_open_connections\{db_name="chat"\} [1-9]`,
		`(?m)^chat_span_seconds_count\{span="INSERT messages"\} 3`, // of them one redelivery, which inserts nothing
	} {
		assert.Regexp(t, want, text)
	}
	for _, secret := range private {
		assert.NotContains(t, text, secret)
	}
	assert.NotContains(t, text, "CREATE", "the migrations")
}

// TestSpans looks at all that an exporter would get, not only at what is printed.
func TestSpans(t *testing.T) {
	t.Parallel()
	tel := newTelemetry()
	db, closeDB, err := tel.open(filepath.Join(t.TempDir(), "chat.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, closeDB()) }()
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	tel.forget()
	require.NoError(t, chat(t.Context(), tel, st))
	require.Error(t, db.Exec("UPDATE conversations SET status = ?", question).Error)

	var steps []string
	spans := tel.list()
	for _, s := range spans {
		if depth(s) == 0 {
			steps = append(steps, s.Name())
			continue
		}
		for _, secret := range private {
			assert.NotContains(t, fmt.Sprint(s.Name(), s.Attributes()), secret)
		}
		assert.Empty(t, s.Events())
		assert.Empty(t, s.Status().Description)
	}
	assert.Equal(t, []string{
		"chat create", "chat append", "chat suggest", "chat edit", "chat send", "chat search", "chat create again",
	}, steps)
	for _, code := range []string{"2067", "275"} { // the key that is taken, the CHECK of the status
		assert.True(t, slices.ContainsFunc(spans, func(s sdktrace.ReadOnlySpan) bool { return value(s, "error.type") == code }), code)
	}
	for _, s := range spans {
		if depth(s) == 1 && value(s, "error.type") != "275" {
			assert.True(t, s.Parent().IsValid() || s.Name() == "sql.conn.begin_tx" || s.Name() == "sql.tx.rollback", "%s belongs to a step", s.Name())
		}
	}
}
