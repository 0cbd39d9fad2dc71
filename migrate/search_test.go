package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// searchModes are the schemas that the options of search make.
func searchModes() map[string]Options {
	return map[string]Options{
		"plain":                {},
		"without full text":    {WithoutFullText: true},
		"without vector index": {WithoutVectorIndex: true},
		"english":              {TextConfig: "english"},
		"qualified":            {TextConfig: "pg_catalog.german"},
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
	want := map[string]bool{"messages_fts": !o.WithoutFullText, "conversations_fts": !o.WithoutFullText}
	if db.Name() == postgres {
		want = map[string]bool{
			"messages_search_idx":           !o.WithoutFullText,
			"conversations_search_idx":      !o.WithoutFullText,
			"messages_trigram_idx":          o.Trigrams,
			"conversations_trigram_idx":     o.Trigrams,
			"message_embeddings_vector_idx": !o.WithoutVectorIndex && !o.WithoutPgvector,
		}
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
	english := Options{TextConfig: "english"}
	for name, c := range map[string]struct {
		dialect, statement string
		o                  Options
		want               []string
	}{
		"dropped trigger": {
			sqlite, "DROP TRIGGER messages_fts_update",
			Options{},
			[]string{"missing trigger messages.messages_fts_update"},
		},
		"another trigger of the name": {
			sqlite, "DROP TRIGGER messages_fts_delete;" +
				"CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages BEGIN SELECT 1; END",
			Options{},
			[]string{"altered trigger messages.messages_fts_delete"},
		},
		"dropped index of words": {
			sqlite, "DROP TABLE messages_fts",
			Options{},
			[]string{"missing table messages_fts"},
		},
		"made without": {
			sqlite, "DROP TABLE conversations_fts; CREATE VIRTUAL TABLE conversations_fts USING fts5(content, scope)",
			Options{},
			[]string{"altered table conversations_fts"},
		},
		"dropped index": {
			postgres, "DROP INDEX messages_search_idx",
			Options{},
			[]string{"missing index messages.messages_search_idx"},
		},
		"dropped column": {
			postgres, "ALTER TABLE conversations DROP search",
			Options{},
			[]string{"missing index conversations.conversations_search_idx", "missing column conversations.search"},
		},
		"another text configuration": {
			postgres, "", english,
			[]string{"altered column conversations.search", "altered column messages.search"},
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

func TestTextConfig(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	run(t, db, "CREATE TEXT SEARCH CONFIGURATION public.mine (COPY = german)")
	for prefix, c := range map[string]struct {
		config, word string
		found        int64
	}{
		"a_": {"", "pay", 0},
		"b_": {"simple", "paying", 1},
		"c_": {"english", "pay", 1},
		"d_": {"pg_catalog.english", "pay", 1},
		"e_": {"public.mine", "haus", 1},
		"f_": {"mine", "haus", 1},
	} {
		o := Options{Prefix: prefix, TextConfig: c.config}
		require.NoError(t, Up(t.Context(), db, o))
		requireNoDrift(t, db, o)
		fill(t, db, o)
		run(t, db, "UPDATE "+prefix+"messages SET content = 'paying Häuser'", "UPDATE "+prefix+"conversations SET subject = 'paying Häuser'")
		require.Equal(t, c.found, count(t, db.Where("search @@ ?::tsquery", c.word), prefix+"messages"), c.config)
		require.Equal(t, c.found, count(t, db.Where("search @@ ?::tsquery", c.word), prefix+"conversations"), c.config)
	}
}

func TestAnUnknownTextConfigLeavesNothing(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	before := names(t, db)
	err := Up(t.Context(), db, Options{TextConfig: "klingon"})
	require.ErrorContains(t, err, "4 (search)")
	require.ErrorContains(t, err, `text search configuration "klingon" does not exist`)
	require.Equal(t, before, names(t, db))
}

// A message must never be refused for what the index of words can hold.
func TestTheLongestTextsFitTheIndex(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	fill(t, db, Options{})
	letter := func(n string) string { return "chr(131072 + (" + n + ") % 40000)" } // of 4 bytes
	for name, word := range map[string]string{
		"hyphenated": "repeat(" + letter("i") + " || " + letter("i * 7 + i / 40000") + ", 4) || '-' || repeat(" + letter("i * 11") + ", 7) || " + letter("i * 13"),
		"in three":   letter("i") + " || " + letter("i * 7") + " || '-' || " + letter("i * 11") + " || '-' || " + letter("i * 3"),
		// A small letter of 3 bytes has a capital of 2.
		"growing": "chr(570) || " + letter("i") + " || '-' || chr(570) || i",
	} {
		text := "(SELECT string_agg(" + word + ", ' ') FROM generate_series(1, 20000) i)"
		require.NoError(t, db.Exec("UPDATE messages SET content = "+text).Error, name)
		require.NoError(t, db.Exec("UPDATE conversations SET subject = "+text).Error, name)
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
