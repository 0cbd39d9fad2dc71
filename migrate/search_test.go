package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
)

// searchModes are the schemas that the options of search make.
func searchModes() map[string]Options {
	return map[string]Options{
		"plain":                {},
		"without full text":    {WithoutFullText: true},
		"without vector index": {WithoutVectorIndex: true},
		"trigrams":             {Trigrams: true},
		"half precision":       {Dimensions: 3000},
		"without pgvector":     {WithoutPgvector: true},
		"prefix":               {Prefix: "app_", Trigrams: true},
		"nothing":              {WithoutFullText: true, WithoutVectorIndex: true, WithoutPgvector: true},
	}
}

func TestEveryModeOfSearch(t *testing.T) {
	t.Parallel()
	for name, o := range searchModes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachDialect(t, func(t *testing.T, db *gorm.DB) {
				ctx, before := t.Context(), names(t, db)
				require.NoError(t, Up(ctx, db, o))
				fill(t, db, o)
				requireNoDrift(t, db, o)
				requireIndexes(t, db, o)
				require.NoError(t, Down(ctx, db, o))
				requireNoDrift(t, db, o)
				require.NoError(t, Up(ctx, db, o))
				require.NoError(t, DownTo(ctx, db, o, 0))
				require.Equal(t, before, names(t, db))
			})
		})
	}
}

// requireIndexes compares what is there with what the options ask for.
func requireIndexes(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	want := map[string]bool{}
	for _, table := range naming.Search() {
		want[table] = !o.WithoutFullText
	}
	for _, trigger := range naming.SearchTriggers(db.Name()) {
		want[trigger] = !o.WithoutFullText // on PostgreSQL its function
	}
	if db.Name() == postgres {
		want["messages_trigram_idx"], want["conversations_trigram_idx"] = o.Trigrams, o.Trigrams
		want["message_embeddings_vector_idx"] = !o.WithoutVectorIndex && !o.WithoutPgvector
	}
	all := names(t, db)
	for name, there := range want {
		require.Equal(t, there, slices.ContainsFunc(all, func(found string) bool {
			return strings.HasSuffix(found, " "+o.Prefix+name) || strings.HasSuffix(found, "."+o.Prefix+name)
		}), name)
	}
}

func TestVerifyFindsDriftOfSearch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect, statement string
		o                  Options
		want               []string
	}{
		"dropped trigger": {
			sqlite, "DROP TRIGGER messages_search_update",
			Options{},
			[]string{"missing trigger messages.messages_search_update"},
		},
		"another trigger of the name": {
			sqlite, "DROP TRIGGER messages_search_delete;" +
				"CREATE TRIGGER messages_search_delete AFTER DELETE ON messages BEGIN SELECT 1; END",
			Options{},
			[]string{"altered trigger messages.messages_search_delete"},
		},
		"dropped table": {
			sqlite, "DROP TABLE search_notes",
			Options{},
			[]string{"missing table search_notes"},
		},
		"made without": {
			sqlite, "DROP TABLE search_gone; CREATE TABLE search_gone (user_id text NOT NULL, thread_id text NOT NULL, kind integer NOT NULL, id text NOT NULL," +
				" erased boolean NOT NULL, CONSTRAINT search_gone_pkey PRIMARY KEY (user_id, thread_id, kind, id))",
			Options{},
			[]string{"altered table search_gone"},
		},
		"a trigger that is dropped": {
			postgres, "DROP TRIGGER messages_search_insert ON messages",
			Options{},
			[]string{"missing trigger messages.messages_search_insert"},
		},
		"a trigger that is off": {
			postgres, "ALTER TABLE messages DISABLE TRIGGER messages_search_truncate",
			Options{},
			[]string{"altered trigger messages.messages_search_truncate"},
		},
		"a trigger for fewer columns": {
			postgres, "DROP TRIGGER conversations_search_update ON conversations;" +
				"CREATE TRIGGER conversations_search_update AFTER UPDATE OF title ON conversations FOR EACH ROW EXECUTE FUNCTION conversations_search_update()",
			Options{},
			[]string{"altered trigger conversations.conversations_search_update"},
		},
		"another function of the name": {
			postgres, "CREATE OR REPLACE FUNCTION messages_search_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
			Options{},
			[]string{"altered function messages_search_delete"},
		},
		"a dropped function": {
			postgres, "DROP FUNCTION messages_search_delete() CASCADE",
			Options{},
			[]string{"missing trigger messages.messages_search_delete", "missing function messages_search_delete"},
		},
		"dropped vector index": {
			postgres, "DROP INDEX message_embeddings_vector_idx",
			Options{},
			[]string{"missing index message_embeddings.message_embeddings_vector_idx"},
		},
		"no trigrams": {
			postgres, "CREATE EXTENSION pg_trgm",
			Options{Trigrams: true},
			[]string{"missing index conversations.conversations_trigram_idx", "missing index messages.messages_trigram_idx"},
		},
		"no extension": {postgres, "", Options{Trigrams: true}, []string{"missing extension pg_trgm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := sqliteFile(t) + sqliteOptions
			if c.dialect == postgres {
				dsn = pgtest.Database(t)
			}
			db := openTest(t, c.dialect, dsn)
			require.NoError(t, Up(t.Context(), db, Options{}))
			runFile(t, db, c.statement)
			drifts, err := Verify(t.Context(), db, c.o)
			require.NoError(t, err)
			got := []string{}
			for _, d := range drifts {
				got = append(got, d.Kind+" "+d.Object+" "+d.Name)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// A vector that fits stays beside its row, in a page of 8 KB.
func TestStorageOfVectors(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	for prefix, c := range map[string]struct {
		dimensions int
		plain      bool
	}{"a_": {0, true}, "b_": {1748, true}, "c_": {1749, false}, "d_": {2000, false}, "e_": {3000, true}, "f_": {4000, false}} {
		o := Options{Prefix: prefix, Dimensions: c.dimensions}
		require.NoError(t, Up(t.Context(), db, o))
		var storage string
		require.NoError(t, db.Raw("SELECT attstorage FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = 'embedding'",
			prefix+"message_embeddings").Scan(&storage).Error)
		require.Equal(t, c.plain, storage == "p", "%d dimensions: %s", c.dimensions, storage)
		fill(t, db, o)
		// The longest name of a model that is accepted, of letters that do not compress.
		require.NoError(t, db.Exec("INSERT INTO "+prefix+"message_embeddings (message_id, user_id, model, conversation_id, embedding)"+
			" SELECT ?, ?, left(string_agg(md5(i::text), ''), 1024), ?, (SELECT array_agg(1.0 / d) FROM generate_series(1, ?) d)::real[]::vector"+
			" FROM generate_series(1, 32) i", inbound, user, thread, o.dimensions()).Error)
	}
}
