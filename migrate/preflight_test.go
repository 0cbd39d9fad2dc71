package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/rule"
)

// hostTables makes the tables that Options can point to, and the options that do.
func hostTables(t *testing.T, db *gorm.DB, o Options) Options {
	t.Helper()
	run(t, db, "CREATE SCHEMA IF NOT EXISTS host",
		"CREATE TABLE IF NOT EXISTS host.users (id uuid PRIMARY KEY, email text UNIQUE)",
		"CREATE TABLE IF NOT EXISTS host.leads (key bigint, owner uuid, PRIMARY KEY (owner, key))")
	o.Users = &Ref{Table: "host.users"}
	o.Leads = &Ref{Table: "host.leads", Column: "key", Owner: "owner", Type: "bigint"}
	return o
}

func TestPreflightFindsNothingInTheLibrarysOwn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, o := range map[string]Options{
		"plain":        {},
		"prefix":       {Prefix: "chat_", Schema: "crm", Trigrams: true, Dimensions: 3000},
		"without much": {WithoutPgvector: true, WithoutFullText: true},
		"hosted":       {Trigrams: true, Dimensions: 8, WithoutVectorIndex: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openTest(t, postgres, pgtest.Database(t))
			if name == "hosted" {
				o = hostTables(t, db, o)
			}
			require.NoError(t, Up(ctx, db, o))
			found, err := Preflight(ctx, db, o)
			require.NoError(t, err)
			require.Nil(t, found)
			require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
				_, err := Preflight(ctx, tx, o)
				return err
			}))
			var tables int64
			require.NoError(t, db.Raw(`SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'host')`).Scan(&tables).Error)
			want := len(owned) + 2
			if !o.WithoutFullText {
				want += len(naming.Search()) // which Distribute drops
			}
			require.EqualValues(t, want, tables, "a new table has to be distributed, or be a reference table like that of apps")
		})
	}
}

// naive is the schema of a service that has not thought of shards.
var naive = []string{
	"CREATE SCHEMA tools", "CREATE EXTENSION pg_trgm SCHEMA tools",
	"CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	"CREATE TABLE plans (id integer PRIMARY KEY)",
	"CREATE TABLE chats (id uuid PRIMARY KEY, user_id uuid, plan_id integer CONSTRAINT chats_plan REFERENCES plans)",
	"CREATE TABLE lines (id integer GENERATED ALWAYS AS IDENTITY, chat_id uuid CONSTRAINT lines_chat REFERENCES chats ON DELETE SET NULL, body text, n serial)",
	"CREATE UNIQUE INDEX lines_body ON lines (body) INCLUDE (chat_id)",
	"CREATE INDEX lines_part ON lines USING gin (body tools.gin_trgm_ops)",
	"CREATE TABLE notes (user_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (user_id, id))",
	"CREATE TABLE labels (chat_id uuid CONSTRAINT labels_chat REFERENCES chats)",
	"CREATE TABLE parts (user_id uuid NOT NULL, PRIMARY KEY (user_id)) PARTITION BY HASH (user_id)",
	"CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
	"CREATE TABLE more_notes () INHERITS (notes)",
	"CREATE VIEW seen AS SELECT 1 AS id",
	"CREATE TRIGGER chats_touch BEFORE UPDATE ON chats FOR EACH ROW EXECUTE FUNCTION touch()",
	"CREATE TABLE host_users (id uuid PRIMARY KEY, plan_id integer CONSTRAINT users_plan REFERENCES plans ON DELETE CASCADE)",
	"CREATE TRIGGER users_touch BEFORE UPDATE ON host_users FOR EACH ROW EXECUTE FUNCTION touch()",
}

func TestPreflightListsEachKind(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := openTest(t, postgres, pgtest.Database(t))
	run(t, db, naive...)
	o := Options{Users: &Ref{Table: "host_users"}}
	require.NoError(t, Up(ctx, db, o))
	run(t, db, "CREATE TABLE pins (conversation_id uuid, user_id uuid,"+
		" CONSTRAINT pins_conversation FOREIGN KEY (conversation_id, user_id) REFERENCES conversations (id, user_id))")
	found, err := Preflight(ctx, db, o, "chats", "public.lines", "lines", "parts", "notes", "more_notes", "seen", "nowhere")
	require.NoError(t, err)
	var got [][3]string
	for _, f := range found {
		require.NotEmpty(t, f.Advice)
		require.NotContains(t, f.String(), "\n")
		got = append(got, [3]string{f.Table, f.Rule, f.Object})
	}
	require.Equal(t, [][3]string{
		{"nowhere", RuleTable, ""},
		{"public.chats", RuleKeyNull, "user_id"},
		{"public.chats", RuleUnique, "chats_pkey"},
		{"public.chats", RuleReferenced, "chats_plan"},
		{"public.chats", RuleTrigger, "chats_touch"},
		{"public.host_users", RuleAction, "users_plan"},
		{"public.host_users", RuleTrigger, "users_touch"},
		{"public.labels", RuleReferencing, "labels_chat"},
		{"public.lines", RuleKey, ""},
		{"public.lines", RuleUnique, "lines_body"},
		{"public.lines", RuleForeignKey, "lines_chat"},
		{"public.lines", RuleAction, "lines_chat"},
		{"public.lines", RuleIdentity, "id"},
		{"public.lines", RuleIdentity, "n"},
		{"public.lines", RuleExtension, "pg_trgm"},
		{"public.more_notes", RuleTable, ""},
		{"public.more_notes", RuleKeyType, "user_id"},
		{"public.notes", RuleTable, ""},
		{"public.notes", RuleKeyType, "user_id"},
		{"public.pins", RuleReferencing, "pins_conversation"},
		{"public.seen", RuleTable, ""},
		{"public.seen", RuleKey, ""},
	}, got)
}

func TestPreflightRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := openTest(t, sqlite, sqliteFile(t)+sqliteOptions)
	found, err := Preflight(ctx, db, Options{})
	require.NoError(t, err)
	require.Nil(t, found, "SQLite distributes nothing")
	require.ErrorContains(t, Distribute(ctx, db, Options{}, DistributeOptions{}), "SQLite")

	db = openTest(t, postgres, pgtest.Database(t))
	for _, table := range []string{"", "a.b.c", `a"b`, "a,b"} {
		_, err = Preflight(ctx, db, Options{}, table)
		require.ErrorIs(t, err, rule.ErrInvalid, table)
	}
	found, err = Preflight(ctx, db, Options{Prefix: "chat_"})
	require.NoError(t, err)
	require.Len(t, found, len(owned), "none of the library's tables is there")
	require.Equal(t, Finding{Table: "public.chat_ai_suggestions", Rule: RuleTable, Advice: advice[0].do}, found[0])
}
