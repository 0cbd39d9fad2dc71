package migrate

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	ref := func(table, column, kind string) *Ref { return &Ref{Table: table, Column: column, Type: kind} }
	cases := map[string]struct {
		o     Options
		field string
	}{
		"prefix with a quote":        {Options{Prefix: `a"; DROP TABLE x; --`}, "prefix"},
		"prefix with a single quote": {Options{Prefix: `a'`}, "prefix"},
		"prefix with a dot":          {Options{Prefix: "a.b_"}, "prefix"},
		"prefix in upper case":       {Options{Prefix: "App_"}, "prefix"},
		"prefix with a digit first":  {Options{Prefix: "1a_"}, "prefix"},
		"prefix with a space":        {Options{Prefix: "a _"}, "prefix"},
		"prefix with a newline":      {Options{Prefix: "a\n"}, "prefix"},
		"prefix with a NUL":          {Options{Prefix: "a\x00"}, "prefix"},
		"prefix that is not ASCII":   {Options{Prefix: "ä_"}, "prefix"},
		"prefix too long":            {Options{Prefix: strings.Repeat("a", 21)}, "prefix"},
		"prefix of Verify":           {Options{Prefix: scratch}, "prefix"},
		"schema with a quote":        {Options{Schema: `a"b`}, "schema"},
		"schema with a dot":          {Options{Schema: "a.b"}, "schema"},
		"schema in upper case":       {Options{Schema: "Crm"}, "schema"},
		"schema too long":            {Options{Schema: strings.Repeat("a", 64)}, "schema"},
		"schema of PostgreSQL":       {Options{Schema: "pg_mine"}, "schema"},
		"negative dimensions":        {Options{Dimensions: -1}, "dimensions"},
		"too many dimensions":        {Options{Dimensions: 4001}, "dimensions"},
		"users without a table":      {Options{Users: ref("", "id", "")}, "users"},
		"users with a type":          {Options{Users: ref("users", "id", "uuid")}, "users"},
		"users with an owner":        {Options{Users: &Ref{Table: "users", Owner: "owner"}}, "users"},
		"leads with a bad owner":     {Options{Leads: &Ref{Table: "leads", Owner: "owner) --"}}, "leads"},
		"users with a quote":         {Options{Users: ref(`users"`, "id", "")}, "users"},
		"users with a quoted quote":  {Options{Users: ref(`users'`, "id", "")}, "users"},
		"users with two dots":        {Options{Users: ref("a.b.c", "id", "")}, "users"},
		"users with half a schema":   {Options{Users: ref(".users", "id", "")}, "users"},
		"users with a bad column":    {Options{Users: ref("users", "id) --", "")}, "users"},
		"leads with a column's dot":  {Options{Leads: ref("leads", "leads.id", "")}, "leads"},
		"leads too long":             {Options{Leads: ref(strings.Repeat("a", 64), "id", "")}, "leads"},
		"leads with two columns":     {Options{Leads: ref("leads", "id", "bigint, evil text")}, "leads"},
		"leads with a semicolon":     {Options{Leads: ref("leads", "id", "bigint; DROP TABLE x")}, "leads"},
		"leads out of the bracket":   {Options{Leads: ref("leads", "id", "text) , (x int")}, "leads"},
		"leads with a comment":       {Options{Leads: ref("leads", "id", "text --")}, "leads"},
	}
	for name, c := range cases {
		for _, dialect := range []string{postgres, sqlite} {
			_, err := FS(dialect, c.o, FormatUpDown)
			invalid := (*rule.InvalidError)(nil)
			require.ErrorAs(t, err, &invalid, name)
			require.Equal(t, c.field, invalid.Field, name)
		}
	}
}

func TestWhatSQLiteDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Schema: "crm"}, {Users: &Ref{Table: "main.users"}}} {
		_, err := FS(postgres, o, FormatUpDown)
		require.NoError(t, err)
		_, err = FS(sqlite, o, FormatUpDown)
		require.ErrorIs(t, err, rule.ErrInvalid)
	}
	_, err := FS("mysql", Options{}, FormatUpDown)
	require.ErrorIs(t, err, rule.ErrInvalid)
	_, err = FS(sqlite, Options{}, Format(7))
	require.ErrorIs(t, err, rule.ErrInvalid)
}

func TestEveryCallRefusesBadOptions(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx, bad := t.Context(), Options{Prefix: "Bad"}
		before := names(t, db)
		require.ErrorIs(t, Up(ctx, db, bad), rule.ErrInvalid)
		require.ErrorIs(t, Down(ctx, db, bad), rule.ErrInvalid)
		require.ErrorIs(t, DownTo(ctx, db, bad, 0), rule.ErrInvalid)
		_, err := Version(ctx, db, bad)
		require.ErrorIs(t, err, rule.ErrInvalid)
		_, err = Status(ctx, db, bad)
		require.ErrorIs(t, err, rule.ErrInvalid)
		require.ErrorIs(t, RebuildSearch(ctx, db, bad), rule.ErrInvalid)
		_, err = Verify(ctx, db, bad)
		require.ErrorIs(t, err, rule.ErrInvalid)
		require.Equal(t, before, names(t, db))
	})
}

func TestGoodTypesOfLeads(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{
		"bigint", "uuid", "varchar(36)", "character varying(36)", "numeric(10, 2)",
		"timestamp(3) with time zone", "VARCHAR ( 36 )", "my_domain",
	} {
		o := Options{Leads: &Ref{Table: "leads", Type: kind}}
		require.NoError(t, o.check(postgres), kind)
	}
}

// PostgreSQL cuts a longer name without a word, and two names may then be the same.
func TestNamesStayShortWithTheLongestPrefix(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`"([^"]+)"`)
	o := Options{Prefix: strings.Repeat("p", 20), Users: &Ref{Table: "users"}, Leads: &Ref{Table: "leads", Owner: "owner"}}
	for _, dialect := range []string{postgres, sqlite} {
		made, err := FS(dialect, o, FormatUpDown)
		require.NoError(t, err)
		all, err := fs.Glob(made, "*")
		require.NoError(t, err)
		for _, name := range all {
			text, err := fs.ReadFile(made, name)
			require.NoError(t, err)
			for _, found := range quoted.FindAllStringSubmatch(string(text), -1) {
				require.LessOrEqual(t, len(found[1]), 63, found[1])
			}
		}
	}
}
