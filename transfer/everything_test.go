package transfer_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/transfer"
)

// bothWays are a database and one of the other kind.
func bothWays(t *testing.T, test func(t *testing.T, from, to store.Store)) {
	t.Helper()
	opened := func(t *testing.T, d bothtest.Database) store.Store {
		t.Helper()
		return d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: vectorSize}))
	}
	for name, sqliteFirst := range map[string]bool{"sqlite to postgres": true, "postgres to sqlite": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := opened(t, bothtest.Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")})
			b := opened(t, bothtest.Database{DSN: pgtest.Database(t)})
			if sqliteFirst {
				test(t, a, b)
			} else {
				test(t, b, a)
			}
		})
	}
}

func everything(t testing.TB, st store.Store) string {
	t.Helper()
	var out bytes.Buffer
	_, err := transfer.ExportAll(t.Context(), st, &out, transfer.ExportOptions{Vectors: true})
	require.NoError(t, err)
	return out.String()
}

func takeAll(t testing.TB, st store.Store, doc string) transfer.ImportResult {
	t.Helper()
	res, err := transfer.ImportAll(t.Context(), st, strings.NewReader(doc), transfer.ImportOptions{
		OnProblem: func(p transfer.Problem) error { return fmt.Errorf("%s", p) },
	})
	require.NoError(t, err)
	return res
}

// TestEverything moves a database in which every column of every table has a value to the other
// kind of database. What is exported there is the same file. A column that is added to a model and
// is not exported fails here.
func TestEverything(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, from, to store.Store) {
		newWorld(t, from)
		tablesHaveModels(t, from.DB(t.Context()))
		file := everything(t, from)
		first := takeAll(t, to, file)
		require.EqualValues(t, 4, first.Conversations, "the deleted ones stay behind")
		require.EqualValues(t, 24, first.Messages)
		require.Equal(t, strings.Split(file, "\n"), strings.Split(everything(t, to), "\n"))
		require.Equal(t, transfer.ImportResult{Known: first.Messages}, takeAll(t, to, file), "a second import stores nothing")
		require.Equal(t, file, everything(t, to))

		had, has := valuesOf(t, from.DB(t.Context())), valuesOf(t, to.DB(t.Context()))
		for column, values := range had {
			if strings.HasSuffix(column, ".deleted_at") {
				continue
			}
			assert.NotEmpty(t, values, "%s has a value in the test", column)
			assert.NotEmpty(t, has[column], "%s is moved", column)
			if !numberedAnew[column] {
				assert.Subset(t, values, has[column], "%s is moved as it is", column)
			}
		}
		summariesHold(t, to)
	})
}

// summariesHold looks whether the summaries of the first conversation mean what they did.
func summariesHold(t *testing.T, st store.Store) {
	t.Helper()
	var sums []*conversation.Summary
	require.NoError(t, st.DB(t.Context()).Where("content IN ? AND user_id = ?", []string{"holds", "void"}, owner).Order("content").Find(&sums).Error)
	require.Len(t, sums, 2)
	listed, err := st.ForUser(owner).Summaries().List(t.Context(), sums[0].ConversationID)
	require.NoError(t, err)
	void := map[string]bool{}
	for _, s := range listed {
		void[s.Content] = s.Void()
	}
	require.False(t, void["holds"])
	require.True(t, void["void"])
}

// numberedAnew are the columns with seqs, which count the live messages alone, and with what
// depends on them.
var numberedAnew = map[string]bool{
	"*conversation.Conversation.last_seq": true, "*conversation.Conversation.head_seq": true,
	"*conversation.Conversation.forked_from_seq": true, "*message.Message.seq": true, "*message.Message.parent_seq": true,
	"*conversation.Read.seq": true, "*suggestion.Suggestion.answers_seq": true, "*conversation.Summary.from_seq": true,
	"*conversation.Summary.to_seq": true, "*conversation.Summary.covered_hash": true, "*conversation.Summary.void_at": true,
}

// valuesOf returns the values of each column of the models that are not zero. Documents, which
// the databases write in their own ways, are all the same.
func valuesOf(t testing.TB, db *gorm.DB) map[string][]string {
	t.Helper()
	columns := map[string][]string{}
	for _, model := range models() {
		rows := reflect.New(reflect.SliceOf(reflect.TypeOf(model)))
		require.NoError(t, db.Unscoped().Find(rows.Interface()).Error)
		for _, f := range columnsOf(t, db, model).Fields {
			if f.DBName == "" {
				continue
			}
			name := fmt.Sprintf("%T.%s", model, f.DBName)
			columns[name] = nil
			for i := range rows.Elem().Len() {
				row := rows.Elem().Index(i).Elem()
				if _, zero := f.ValueOf(t.Context(), row); !zero {
					columns[name] = append(columns[name], text(f.ReflectValueOf(t.Context(), row).Interface()))
				}
			}
		}
	}
	return columns
}

func text(v any) string {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer {
		v = p.Elem().Interface()
	}
	switch v := v.(type) {
	case message.JSON:
		return "document"
	case time.Time:
		return v.UTC().String()
	}
	return fmt.Sprint(v)
}

// tablesHaveModels compares models with the tables that the library has rows in.
func tablesHaveModels(t testing.TB, db *gorm.DB) {
	t.Helper()
	var tables []string
	for _, model := range models() {
		tables = append(tables, columnsOf(t, db, model).Table)
	}
	jobs := []string{naming.Claims, naming.Failures} // of embedding, which the other database does itself
	require.ElementsMatch(t, append(naming.WithRows(), naming.AppStates), append(tables, jobs...))
}

// TestOneUser exports one of two users: nothing of the other, nothing of all, and it can become
// another user's.
func TestOneUser(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: vectorSize}))
		newWorld(t, st)
		file := exported(t, st, transfer.JSONL)
		lines := bytes.Count(file, []byte("\n"))
		require.Equal(t, 2+3, lines, "two conversations and three states")
		require.Equal(t, 0, bytes.Count(file, []byte("00000000bb")))
		require.NotContains(t, string(file), "app_state")
		require.NotContains(t, string(file), "embeddings", "vectors come on request")

		other := uuid.New()
		res, err := transfer.Import(t.Context(), st, other, bytes.NewReader(file), transfer.ImportOptions{OnProblem: func(p transfer.Problem) error { return fmt.Errorf("%s", p) }})
		require.NoError(t, err)
		require.EqualValues(t, 2, res.Conversations)
		var again bytes.Buffer
		_, err = transfer.Export(t.Context(), st, other, transfer.JSONL, &again, transfer.ExportOptions{})
		require.NoError(t, err)
		require.Equal(t, string(file), strings.ReplaceAll(again.String(), other.String(), owner.String()))

		var some bytes.Buffer
		_, err = transfer.Export(t.Context(), st, owner, transfer.JSONL, &some, transfer.ExportOptions{Filter: store.ConversationFilter{Labels: []string{"none"}}})
		require.NoError(t, err)
		require.Empty(t, some.String(), "a filter selects conversations, and leaves out what is of none")
	})
}
