package migrate

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/rule"
)

// tenant is a second user of the host.
const tenant = "00000000-0000-7000-8000-000000000002"

// hosted makes the host's tables, with two users who both have a lead 7, and the schema.
func hosted(t *testing.T, db *gorm.DB) Options {
	t.Helper()
	o := Options{
		Prefix: "chat_", Users: &Ref{Table: "Users", Column: "uid"},
		Leads: &Ref{Table: "leads", Column: "Key", Owner: "Owner", Type: "bigint"},
	}
	if db.Name() == postgres {
		o.Schema = "crm"
	}
	run(t, db, `CREATE TABLE "Users" (uid uuid PRIMARY KEY)`, `CREATE TABLE leads ("Key" bigint, "Owner" uuid, UNIQUE ("Owner", "Key"))`,
		`INSERT INTO "Users" VALUES ('`+user+`'), ('`+tenant+`')`, "INSERT INTO leads VALUES (7, '"+user+"'), (7, '"+tenant+"'), (8, '"+user+"')")
	require.NoError(t, Up(t.Context(), db, o))
	requireNoDrift(t, db, o)
	return o
}

func TestForeignKeysToTheHostsTables(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := hosted(t, db)
		conversations, messages := o.tables().Table("conversations"), o.tables().Table("messages")
		fill(t, db, o)
		run(t, db, "UPDATE "+conversations+" SET lead_id = 7")
		require.Error(t, db.Exec("UPDATE "+conversations+" SET lead_id = 99").Error, "no such lead")
		require.Error(t, db.Exec("INSERT INTO "+conversations+" (id, user_id) VALUES ('"+inbound+"', '"+inbound+"')").Error, "no such user")

		run(t, db, "DELETE FROM leads WHERE \"Key\" = 8")
		require.EqualValues(t, 1, count(t, db, messages))
		run(t, db, "DELETE FROM leads WHERE \"Key\" = 7")
		require.EqualValues(t, 0, count(t, db, messages))
		require.EqualValues(t, 0, count(t, db, o.tables().Table("ai_suggestions")))

		fill(t, db, o)
		run(t, db, `DELETE FROM "Users"`)
		require.EqualValues(t, 0, count(t, db, conversations))
		require.EqualValues(t, 0, count(t, db, messages))

		require.NoError(t, DownTo(t.Context(), db, o, 0))
		require.EqualValues(t, 0, count(t, db, "leads"))
	})
}

// A user who names the lead of another gets what a lead that does not exist gets, and loses nothing
// with it.
func TestTheForeignKeyToLeadsCarriesTheOwner(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := hosted(t, db)
		conversations := o.tables().Quoted("conversations")
		with := func(lead string) error {
			return db.Exec("INSERT INTO " + conversations + " (id, user_id, lead_id) VALUES ('" + thread + "', '" + tenant + "', " + lead + ")").Error
		}
		absent, others := with("99"), with("8")
		require.Error(t, absent)
		require.Error(t, others)
		require.Equal(t, absent.Error(), others.Error())
		require.NoError(t, with("7"))
		run(t, db, "INSERT INTO "+conversations+" (id, user_id, lead_id) VALUES ('"+thread+"', '"+user+"', 7)",
			"DELETE FROM leads WHERE \"Key\" = 7 AND \"Owner\" = '"+user+"'")
		var left []string
		require.NoError(t, db.Raw("SELECT CAST(user_id AS text) FROM "+conversations).Scan(&left).Error)
		require.Equal(t, []string{tenant}, left)
	})
}

// Without an owner the table only gives its type to lead_id.
func TestLeadsWithoutAnOwner(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		o := Options{Leads: &Ref{Table: "leads", Type: "bigint"}}
		run(t, db, "CREATE TABLE leads (id bigint PRIMARY KEY)", "INSERT INTO leads VALUES (7)")
		require.NoError(t, Up(t.Context(), db, o))
		requireNoDrift(t, db, o)
		fill(t, db, o)
		run(t, db, "UPDATE conversations SET lead_id = 99", "UPDATE conversations SET lead_id = 7", "DELETE FROM leads")
		require.EqualValues(t, 1, count(t, db, "conversations"))
		require.NoError(t, DownTo(t.Context(), db, o, 0))
	})
}

// brokenHost is a schema of a host's to which no foreign key can refer.
type brokenHost struct {
	make  []string
	o     Options
	field string
	// says are parts of the error.
	says []string
	// only is the dialect for which it is one, or empty for both.
	only string
}

func brokenHosts() map[string]brokenHost {
	users := Options{Users: &Ref{Table: "users"}}
	leads := func(kind string) Options { return Options{Leads: &Ref{Table: "leads", Owner: "owner", Type: kind}} }
	const keyed = ", owner uuid, UNIQUE (id, owner))"
	tenantID := []string{"users.id", "store.TenantID"}
	return map[string]brokenHost{
		"no table of users":    {nil, users, "users", []string{"no table users"}, ""},
		"no column of users":   {[]string{"CREATE TABLE users (uid uuid PRIMARY KEY)"}, users, "users", []string{"no column id", "users"}, ""},
		"a view of users":      {[]string{"CREATE VIEW users AS SELECT 1 AS id"}, users, "users", []string{"no table users"}, ""},
		"bigint users":         {[]string{"CREATE TABLE users (id bigint PRIMARY KEY)"}, users, "users", append(tenantID, "bigint"), ""},
		"integer users":        {[]string{"CREATE TABLE users (id integer PRIMARY KEY)"}, users, "users", append(tenantID, "integer"), ""},
		"numeric users":        {[]string{"CREATE TABLE users (id numeric(20) PRIMARY KEY)"}, users, "users", append(tenantID, "numeric(20"), ""},
		"text users":           {[]string{"CREATE TABLE users (id text PRIMARY KEY)"}, users, "users", append(tenantID, "text"), postgres},
		"varchar users":        {[]string{"CREATE TABLE users (id varchar(36) PRIMARY KEY)"}, users, "users", append(tenantID, "character varying(36)"), postgres},
		"users as bytes":       {[]string{"CREATE TABLE users (id blob PRIMARY KEY)"}, users, "users", append(tenantID, "BLOB"), sqlite},
		"users without a key":  {[]string{"CREATE TABLE users (id uuid)"}, users, "users", []string{`CREATE UNIQUE INDEX "users_id_key" ON "users" ("id")`}, ""},
		"half a key of users":  {[]string{"CREATE TABLE users (id uuid, n integer, PRIMARY KEY (id, n))"}, users, "users", []string{`CREATE UNIQUE INDEX "users_id_key" ON "users" ("id")`}, ""},
		"a part of users":      {[]string{"CREATE TABLE users (id uuid, n integer)", "CREATE UNIQUE INDEX u ON users (id) WHERE n > 0"}, users, "users", []string{`CREATE UNIQUE INDEX "users_id_key" ON "users" ("id")`}, ""},
		"no table of leads":    {nil, leads(""), "leads", []string{"no table leads"}, ""},
		"no owner":             {[]string{"CREATE TABLE leads (id text PRIMARY KEY)"}, leads(""), "leads", []string{"no column owner", "leads"}, ""},
		"leads without a key":  {[]string{"CREATE TABLE leads (id text PRIMARY KEY, owner uuid)"}, leads(""), "leads", []string{`CREATE UNIQUE INDEX "leads_id_owner_key" ON "leads" ("id", "owner")`}, ""},
		"bigint owners":        {[]string{"CREATE TABLE leads (id text, owner bigint, UNIQUE (id, owner))"}, leads(""), "leads", []string{"leads.owner", "bigint", "store.TenantID"}, ""},
		"text owners":          {[]string{"CREATE TABLE leads (id text, owner text, UNIQUE (id, owner))"}, leads(""), "leads", []string{"leads.owner", "text", "store.TenantID"}, postgres},
		"bigint leads as text": {[]string{"CREATE TABLE leads (id bigint" + keyed}, leads(""), "leads", []string{"leads.id", "bigint", "lead_id is of type text"}, ""},
		"text leads as bigint": {[]string{"CREATE TABLE leads (id text" + keyed}, leads("bigint"), "leads", []string{"leads.id", "text", "lead_id is of type bigint"}, ""},
		"uuid leads as text":   {[]string{"CREATE TABLE leads (id uuid" + keyed}, leads(""), "leads", []string{"leads.id", "uuid", "lead_id is of type text"}, postgres},
		"an unknown type":      {[]string{"CREATE TABLE leads (id text" + keyed}, leads("no_such_type"), "leads", []string{"no_such_type"}, postgres},
	}
}

// TestHostsThatCannotBeReferredTo: Up and Preflight say what is wrong and what to do, and change
// nothing.
func TestHostsThatCannotBeReferredTo(t *testing.T) {
	t.Parallel()
	advice := regexp.MustCompile(`CREATE UNIQUE INDEX .*`)
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		for name, c := range brokenHosts() {
			if c.only != "" && c.only != db.Name() {
				continue
			}
			run(t, db, c.make...)
			before := names(t, db)
			_, found := Preflight(t.Context(), db, c.o)
			for _, err := range []error{Up(t.Context(), db, c.o), found} {
				var invalid *rule.InvalidError
				require.ErrorAs(t, err, &invalid, name)
				require.Equal(t, c.field, invalid.Field, name)
				for _, part := range c.says {
					require.Contains(t, strings.ToLower(invalid.Rule), strings.ToLower(part), name)
				}
			}
			require.Equal(t, before, names(t, db), name)
			if do := advice.FindString(found.Error()); do != "" {
				run(t, db, do)
				_, err := Preflight(t.Context(), db, c.o)
				require.NoError(t, err, name)
				require.NoError(t, Up(t.Context(), db, c.o), name)
				requireNoDrift(t, db, c.o)
				require.NoError(t, DownTo(t.Context(), db, c.o, 0))
			}
			dropHost(t, db)
		}
	})
}

// dropHost removes the tables and views of a broken host.
func dropHost(t *testing.T, db *gorm.DB) {
	t.Helper()
	for _, name := range []string{"users", "leads"} {
		var kind string
		query := "SELECT coalesce((SELECT type FROM sqlite_master WHERE name = ?), '')"
		if db.Name() == postgres {
			query = "SELECT coalesce((SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END FROM pg_class WHERE oid = to_regclass(?)), '')"
		}
		require.NoError(t, db.Raw(query, name).Scan(&kind).Error)
		if kind != "" {
			run(t, db, "DROP "+kind+" "+name)
		}
	}
}

// TestTypesThatAForeignKeyTakes: the check is no stricter than the database.
func TestTypesThatAForeignKeyTakes(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		kinds := map[string]string{ // of lead_id: of the host's column
			"": "varchar(36)", "varchar(36)": "text", "bigint": "integer", "integer": "bigint", "uuid": "uuid", "smallint": "numeric",
		}
		if db.Name() == postgres {
			run(t, db, "CREATE DOMAIN key_of_host AS uuid", "CREATE DOMAIN key AS key_of_host")
			kinds["uuid"] = "key"
		}
		n := 0
		for own, host := range kinds {
			n++
			table := "leads_" + string(rune('a'+n))
			o := Options{Prefix: table + "_", Leads: &Ref{Table: table, Owner: "owner", Type: own}}
			run(t, db, "CREATE TABLE "+table+" (owner uuid, id "+host+", PRIMARY KEY (owner, id))")
			found, err := Preflight(t.Context(), db, o)
			require.NoError(t, err, "%s: %s", own, host)
			if db.Name() == sqlite {
				require.Nil(t, found)
			}
			require.NoError(t, Up(t.Context(), db, o), "%s: %s", own, host)
			requireNoDrift(t, db, o)
		}
	})
}

// A host's schema may be quoted and have its own unique index, with columns that only travel along.
func TestForeignKeysOfAnotherSchema(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	o := Options{Users: &Ref{Table: "Crm.Users", Column: "Uid"}, Leads: &Ref{Table: "Crm.Leads", Owner: "Uid"}}
	run(t, db, `CREATE SCHEMA "Crm"`, `CREATE TABLE "Crm"."Users" ("Uid" uuid, name text)`, `CREATE TABLE "Crm"."Leads" (id text, "Uid" uuid)`)
	for _, statement := range []string{
		`CREATE UNIQUE INDEX "Users_Uid_key" ON "Crm"."Users" ("Uid")`, `CREATE UNIQUE INDEX "Leads_id_Uid_key" ON "Crm"."Leads" ("id", "Uid")`,
	} {
		require.ErrorContains(t, Up(t.Context(), db, o), statement)
		run(t, db, statement)
	}
	require.NoError(t, Up(t.Context(), db, o))
	requireNoDrift(t, db, o)
}
