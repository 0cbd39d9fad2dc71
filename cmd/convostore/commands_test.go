package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/cmd/convostore/internal/report"
	"github.com/convostore/convostore/store"
)

const transferred = "../../transfer/testdata/"

// TestChatIsMovedBetweenDatabases imports an export, twice, searches it, and moves it to another database.
func TestChatIsMovedBetweenDatabases(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		must(t, "migrate", "up", "-d", db)
		var r imported
		mustJSON(t, &r, "import", "-d", db, "--user", "ann", transferred+"chatgpt.json")
		require.Equal(t, store.TenantID("ann").String(), r.User)
		require.Equal(t, int64(3), r.Conversations)
		require.Equal(t, int64(9), r.Stored)
		stored := r.Stored
		mustJSON(t, &r, "import", "-d", db, transferred+"chatgpt.json")
		require.Equal(t, store.TenantID("ann").String(), r.User, "the only user")

		file := filepath.Join(t.TempDir(), "all.jsonl")
		var e exported
		mustJSON(t, &e, "export", "-d", db, "--user", "all", "--output", file)
		require.Equal(t, stored, e.Messages)
		_, errs, code := try(t, "export", "-d", db, "--output", file)
		require.Equal(t, exitFailed, code)
		require.Contains(t, errs, "there already")

		other := filepath.Join(t.TempDir(), "other.db")
		must(t, "import", "-d", other, "--user", "all", file)
		require.Equal(t, must(t, "export", "-d", db, "--user", "all"), must(t, "export", "-d", other, "--user", "all"))
		left, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Len(t, left, 1, "no part of an export is left")
	})
}

func TestMailIsImportedSearchedAndErased(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"1.eml": "From: a@example.com\nTo: us@example.com\nSubject: Boots\nMessage-ID: <1@example.com>\nDate: 4 Nov 2025 10:00:00 +0000\n\nThe red boots \x1b[31mleak",
			"2.eml": "no mail",
		} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		must(t, "migrate", "up", "-d", db)
		out, errs, code := try(t, "import", "-d", db, "--me", "us@example.com", dir)
		require.Zero(t, code, errs)
		require.Contains(t, out, "SKIPPED  "+filepath.Join(dir, "2.eml"))
		require.Contains(t, out, "1 mail read: 1 stored, 0 there already, 1 skipped\nuser "+store.TenantID("me").String())

		hits := must(t, "search", "-d", db, "red", "boots")
		require.Contains(t, hits, "The [red] [boots]")
		require.Contains(t, hits, "1 hit in ")
		require.NotContains(t, hits, "\x1b", "what a stranger wrote does not reach the terminal")
		var f found
		mustJSON(t, &f, "search", "-d", db, "--match", "substring", "ed boot")
		require.Len(t, f.Hits, 1)
		require.Equal(t, "Boots", f.Hits[0].Subject)
		require.Contains(t, must(t, "search", "-d", db, "--", "boots", "-red"), "0 hits")

		box, other := filepath.Join(dir, "out.mbox"), filepath.Join(dir, "other.db")
		require.Equal(t, box+": 1 conversation, 1 message\n", must(t, "export", "-d", db, "--format", "mbox", "--output", box))
		require.Contains(t, must(t, "import", "-d", other, "--me", "us@example.com", box), "1 mail read: 1 stored, 0 there already, 0 skipped")
		require.Equal(t, must(t, "export", "-d", db, "--format", "mbox"), must(t, "export", "-d", other, "--format", "mbox"))
		require.Contains(t, must(t, "import", "-d", db, "--me", "us@example.com", box), "1 mail read: 0 stored, 1 there already")

		_, errs, code = try(t, "erase", "user", "me", "-d", db)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "--yes")
		require.Contains(t, must(t, "search", "-d", db, "boots"), "1 hit")
		var n store.Counts
		mustJSON(t, &n, "erase", "user", "me", "-d", db, "--yes")
		require.Equal(t, int64(1), n.Messages)
		require.Contains(t, must(t, "search", "-d", db, "boots"), "0 hits")
		require.Contains(t, must(t, "vacuum", "-d", db, "--full", "--reindex", "--search"), "vacuum full: done\nreindex: done\nsearch: done\n")
	})
}

func TestRetainIsDryByDefault(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		must(t, "migrate", "up", "-d", db)
		must(t, "import", "-d", db, "--user", "ann", transferred+"claude.json")
		var r retained
		for range 2 {
			mustJSON(t, &r, "retain", "-d", db, "--delete-after", "1d")
			require.True(t, r.DryRun)
			require.Equal(t, int64(2), r.Deleted)
		}
		mustJSON(t, &r, "retain", "-d", db, "--delete-after", "1d", "--yes")
		require.False(t, r.DryRun)
		require.Equal(t, int64(2), r.Deleted)
		mustJSON(t, &r, "retain", "-d", db, "--delete-after", "1d", "--yes")
		require.Zero(t, r.Deleted)
	})
}

func TestReportAndDoctor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db string) {
		must(t, "migrate", "up", "-d", db)
		must(t, "import", "-d", db, "--user", "ann", transferred+"claude.json")
		page := filepath.Join(t.TempDir(), "report.html")
		require.Contains(t, must(t, "report", "-d", db, "--html", page), "Key figures")
		require.FileExists(t, page)
		var r report.Result
		mustJSON(t, &r, "report", "-d", db, "--user", "ann")
		require.Equal(t, store.TenantID("ann").String(), r.User)

		var d diagnosis
		mustJSON(t, &d, "doctor", "-d", db, "--deep")
		require.NotEmpty(t, d.Database)
		require.NotEmpty(t, d.Tables)
		for _, s := range d.Findings {
			require.Contains(t, []severity{fine, unknown}, s.State, "%v", s)
		}
		require.NoError(t, handle(t, db).Exec("DROP INDEX messages_gmail_key").Error)
		out, _, code := try(t, "doctor", "-d", db)
		require.Equal(t, exitFailed, code)
		require.Contains(t, out, "messages_gmail_key")
		require.Contains(t, out, "convostore migrate repair")
	})
}

// TestDoctorFindsPlans: with rows enough, a queue without its index reads a whole table.
func TestDoctorFindsPlans(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "demo.db")
	must(t, "demo", "--keep", db, "--only-write")
	st := open(t, db)
	d := &doctor{app: newApp(os.Stdout, os.Stderr), st: st, statements: &statements{}}
	lines, err := d.planOf(t.Context(), "SELECT * FROM messages WHERE content = ?")
	require.NoError(t, err)
	assert.True(t, wholeTable["sqlite"].MatchString(lines[0]), lines)
	lines, err = d.planOf(t.Context(), "SELECT * FROM messages WHERE user_id = ? AND id = ?")
	require.NoError(t, err)
	assert.False(t, wholeTable["sqlite"].MatchString(lines[0]), lines)
	assert.True(t, wholeTable["postgres"].MatchString("Seq Scan on messages m  (cost=0.00..1.01 rows=1 width=4)"))
	assert.Equal(t, "(NULL, NULL)", nulls("a = $2 AND b = $1 OR c = $2"))
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "x.db")
	must(t, "migrate", "up", "-d", db)
	absent := db + ".absent"
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"frobnicate", exitUsage, `no command "frobnicate"`},
		{"serch x", exitUsage, "is it search"},
		{"search -d " + db, exitUsage, "wants the words"},
		{"search x -d " + db + " --limit 0", exitUsage, "--limit"},
		{"search x -d " + db + " --match most", exitUsage, "--match"},
		{"search x -d " + db + " --since yesterday", exitUsage, "--since"},
		{"search x -d " + db + " --direction up", exitUsage, "direction"},
		{"search x -d " + absent, exitFailed, "there is no database"},
		{"report -d " + db + " --zone Mars/Base", exitUsage, "--zone"},
		{"report -d " + db + " --top 0", exitUsage, "--top"},
		{"report -d " + db + " --since 2026-03-01 --before 2026-03-01", exitUsage, "--since"},
		{"report -d " + db + " --lead-title t", exitUsage, "--leads"},
		{"retain -d " + db, exitUsage, "--purge-after"},
		{"retain -d " + db + " --purge-after soon", exitUsage, "--purge-after"},
		{"retain -d " + db + " --purge-after 999999999999y", exitUsage, "--purge-after"},
		{"erase user all -d " + db + " --yes", exitUsage, "one user"},
		{"erase conversation x -d " + db + " --yes", exitUsage, `"x"`},
		{"import -d " + db + " --format docx x", exitUsage, "--format"},
		{"import -d " + db + " " + absent, exitFailed, "no such file"},
		{"export -d " + db, exitUsage, "--user"},
		{"export -d " + db + " --format pdf", exitUsage, "--format"},
		{"export -d " + db + " --user all --format claude", exitUsage, "--format"},
		{"export -d " + db + " --user all --format mbox", exitUsage, "--format"},
		{"export -d " + db + " --json", exitUsage, "--json"},
		{"serve -d " + db + " --listen 0.0.0.0:0", exitUsage, "--host"},
		{"serve -d " + db + " --listen 0.0.0.0:0 --host x.example", exitUsage, "--tls-cert"},
		{"serve -d " + db + " --tls-cert x", exitUsage, "--tls-key"},
		{"serve -d " + db, exitUsage, "--user"},
		{"demo --port 70000", exitUsage, "--port"},
		{"demo --only-write", exitUsage, "--keep"},
		{"demo --keep " + db, exitFailed, "exists"},
		{"doctor -d postgres://app:secret@127.0.0.1:1/crm", exitFailed, "connect"},
	} {
		_, errs, code := try(t, strings.Fields(c.args)...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, errs, c.says, c.args)
		assert.NotContains(t, errs, "secret", c.args)
	}
	assert.NoFileExists(t, absent)
}

// TestDatabasesThatWillNotDo: each says what it is, and what to do.
func TestDatabasesThatWillNotDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	must(t, "migrate", "up", "-d", newer)
	require.NoError(t, handle(t, newer).Exec("INSERT INTO convostore_migrations (version, name) VALUES (999, 'later')").Error)
	_, errs, code := try(t, "search", "x", "-d", newer)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "version 999")
	require.Contains(t, errs, "update the library")

	older := filepath.Join(dir, "older.db")
	must(t, "migrate", "to", "1", "-d", older)
	_, errs, code = try(t, "search", "x", "-d", older)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "convostore migrate up")

	if runtime.GOOS != "windows" && os.Getuid() != 0 { // root writes everywhere
		readOnly := filepath.Join(dir, "ro.db")
		must(t, "migrate", "up", "-d", readOnly)
		require.NoError(t, os.Chmod(readOnly, 0o400))
		_, errs, code = try(t, "erase", "user", "ann", "--yes", "-d", readOnly)
		require.Equal(t, exitFailed, code)
		require.Contains(t, errs, "ro.db")
	}
}

// TestInKB: what is read is shown of what there is, and the end once.
func TestInKB(t *testing.T) {
	t.Parallel()
	var shown [][2]int
	show := inKB(func(_ string, done, total int) { shown = append(shown, [2]int{done, total}) })
	for _, read := range []int64{1000, 2500, 4999, 5300, 9000} {
		show(read, 5200)
	}
	require.Equal(t, [][2]int{{1, 5}, {2, 5}, {4, 5}, {5, 5}}, shown)
}
