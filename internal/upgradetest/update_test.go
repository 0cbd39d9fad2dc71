package upgradetest

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
)

var update = flag.Bool("update", false, "make the fixture of head again")

// TestMakeFixture makes the fixture of head with -update. A release's own never changes again.
func TestMakeFixture(t *testing.T) {
	if !*update {
		t.Skip("makes the fixture again, with -update")
	}
	require.Contains(t, releases, head)
	require.NoError(t, os.MkdirAll(head.path(""), 0o755))
	for _, name := range []string{"sqlite", "postgres"} {
		d := database{name: name}.empty(t)
		db := d.open(t)
		require.NoError(t, migrate.Up(t.Context(), db, options))
		fill(t, db)
		text, err := json.MarshalIndent(read(t, db), "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(head.path(name+".json"), append(text, '\n'), 0o644)) //nolint:gosec // for everybody to read
		if name == "sqlite" {
			require.NoError(t, db.Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error)
			pack(t, d.dsn, head.path(sqliteFile))
		} else {
			require.NoError(t, os.WriteFile(head.path(postgresSQL), []byte(script(t, db)), 0o644)) //nolint:gosec // the same
		}
	}
}

// fill writes the rows as they are, and then a few by the store, which strips U+0000.
func fill(t *testing.T, db *gorm.DB) {
	t.Helper()
	for _, row := range makeRows() {
		require.NoError(t, db.Session(&gorm.Session{SkipHooks: true}).Create(row).Error, "%+v", row)
	}
	st, err := convostore.New(t.Context(), db, convostore.WithNULStripped())
	require.NoError(t, err)
	mine := st.ForUser(owner)
	c := thread(t, db)
	m := &message.Message{ID: newID(), Content: "nul\x00stripped", Direction: message.DirectionInbound, SentAt: at(200), CreatedAt: at(200)}
	_, err = mine.Messages().Append(t.Context(), c.ID, m)
	require.NoError(t, err)
	require.Equal(t, "nulstripped", m.Content)
	claim := fmt.Sprintf("INSERT INTO %s (message_id, user_id, model, claimed_by, claimed_at, claimed_until) VALUES (?, ?, 'model-b', ?, ?, ?)", naming.Claims)
	until := any(latest)
	if db.Name() == "sqlite" {
		until = "9999-12-31 23:59:59.999999+00:00"
	}
	require.NoError(t, db.Exec(claim, m.ID, owner, stranger, until, until).Error)
	failure := fmt.Sprintf("INSERT INTO %s (message_id, user_id, model, attempts, error, failed_at, set_aside_at)"+
		" VALUES (?, ?, 'model-b', 3, 'refused: ä', ?, ?)", naming.Failures)
	require.NoError(t, db.Exec(failure, m.ID, owner, until, until).Error)
}

func pack(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	out, err := os.Create(to)
	require.NoError(t, err)
	w, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, out.Close())
}

// script returns SQL that makes the database once more: the text of the migrations, as the
// release ran it, and an INSERT for each row.
func script(t *testing.T, db *gorm.DB) string {
	t.Helper()
	files, err := migrate.FS("postgres", options, migrate.FormatUpDown)
	require.NoError(t, err)
	names, err := fs.Glob(files, "*.up.sql")
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("SET timezone = 'UTC';\n")
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		b.WriteString("-- " + name + "\n" + string(text) + "\n")
	}
	for _, table := range append(naming.WithRows(), naming.AppStates) {
		writeInserts(t, db, &b, table)
	}
	return b.String()
}

func writeInserts(t *testing.T, db *gorm.DB, b *strings.Builder, table string) {
	t.Helper()
	var columns []string
	require.NoError(t, db.Raw(`SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND attgenerated = '' ORDER BY attnum`,
		table).Scan(&columns).Error)
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = "quote_nullable(" + c + "::text)"
	}
	var rows []string
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET LOCAL timezone = 'UTC'").Error; err != nil {
			return err
		}
		return tx.Raw("SELECT concat_ws(', ', " + strings.Join(quoted, ", ") + ") AS line FROM " + table + " ORDER BY line").Scan(&rows).Error
	}))
	require.NotEmpty(t, rows, table)
	for _, row := range rows {
		fmt.Fprintf(b, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(columns, ", "), row)
	}
}
