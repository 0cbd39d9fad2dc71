package migrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

// The rules of a Finding, in the order in which they are listed.
const (
	// RuleTable wants an ordinary or partitioned table of that name.
	RuleTable = "table"
	// RuleKey wants a column user_id.
	RuleKey = "key"
	// RuleKeyType wants user_id to be a uuid, as it is in the library's tables: rows of
	// one user lie together only where the types are the same.
	RuleKeyType = "key_type"
	// RuleKeyNull wants user_id to be NOT NULL.
	RuleKeyNull = "key_null"
	// RuleUnique wants user_id in every primary key, unique index and exclusion.
	RuleUnique = "unique"
	// RuleForeignKey wants user_id paired with user_id in every foreign key between
	// distributed tables.
	RuleForeignKey = "foreign_key"
	// RuleReferenced wants a foreign key to lead to a table that is distributed too, or
	// copied to every node.
	RuleReferenced = "referenced"
	// RuleReferencing wants no foreign key from a table that stays where it is.
	RuleReferencing = "referencing"
	// RuleAction wants no SET NULL and no SET DEFAULT in a foreign key with user_id, nor
	// ON UPDATE CASCADE.
	RuleAction = "action"
	// RuleTrigger wants no triggers.
	RuleTrigger = "trigger"
	// RuleIdentity wants the columns that a sequence numbers, identity and serial, to be
	// bigint: a worker gives no smaller numbers out.
	RuleIdentity = "identity"
	// RuleExtension wants the extensions that a table needs in the schema public.
	RuleExtension = "extension"
)

// advice says what to do, in the order of the rules.
var advice = []struct{ rule, do string }{
	{RuleTable, "make it an ordinary table that inherits from none; the library's own are made by Up"},
	{RuleKey, "add a column user_id uuid NOT NULL and fill it"},
	{RuleKeyType, "change user_id to uuid"},
	{RuleKeyNull, "fill user_id everywhere and make it NOT NULL"},
	{RuleUnique, "make it anew with user_id among its columns"},
	{RuleForeignKey, "make it anew with user_id at the same place on both sides"},
	{RuleReferenced, "distribute the other table as well, make it a reference table, or drop the constraint"},
	{RuleReferencing, "distribute this table as well, or drop the constraint"},
	{RuleAction, "use ON DELETE CASCADE or NO ACTION, and no action ON UPDATE"},
	{RuleTrigger, "drop the trigger, and do its work in the service"},
	{RuleIdentity, "change the column to bigint"},
	{RuleExtension, "move it: ALTER EXTENSION … SET SCHEMA public"},
}

// Finding is one thing that keeps a table from being distributed by user_id.
type Finding struct {
	// Table is the table's name with its schema, or as it was given if there is none.
	Table string
	// Object is the name of the constraint, index, trigger, column or extension at fault;
	// empty where it is the table as a whole.
	Object string
	// Rule is one of the constants that begin with Rule.
	Rule string
	// Advice says what to do.
	Advice string
}

// String returns one line without a newline.
func (f Finding) String() string {
	text := f.Table
	if f.Object != "" {
		text += ": " + f.Object
	}
	return text + ": " + f.Rule + ": " + f.Advice
}

// Preflight lists what would keep the library's tables, and more tables of the host's, from
// being distributed by user_id with Citus. It reads the catalogue of any PostgreSQL, with
// or without the extension, so that a test of the host's can keep the way open. It changes
// nothing and may run inside the host's transaction.
//
// The tables named by Options.Users and Options.Leads become reference tables, with a copy
// on every node, and need no user_id. A table may have a schema, "crm.notes"; one that is
// named twice counts once. The findings are ordered by table, then by rule as the constants
// are listed, then by object; without any the slice is nil.
//
// Bad options, a name that is none, and SQLite are a *rule.InvalidError.
func Preflight(ctx context.Context, db *gorm.DB, o Options, tables ...string) ([]Finding, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	if m.dialect != postgres {
		return nil, errNotPostgres
	}
	for _, t := range tables {
		if err := naming.CheckHost("tables", t); err != nil {
			return nil, err
		}
	}
	return m.preflight(ctx, q, tables)
}

var errNotPostgres = rule.Invalid("db", "is SQLite, and only PostgreSQL can be distributed")

func (m *migrator) preflight(ctx context.Context, q querier, tables []string) ([]Finding, error) {
	own, err := m.ownTables(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		own = append(own, naming.Quote(t))
	}
	rows, err := q.QueryContext(ctx, preflightSQL, strings.Join(own, ","), strings.Join(m.references(), ","))
	if err != nil {
		return nil, fmt.Errorf("convostore: read the catalogue: %w", err)
	}
	defer rows.Close()
	var found []Finding
	for rows.Next() {
		var f Finding
		if err := rows.Scan(&f.Rule, &f.Table, &f.Object); err != nil {
			return nil, fmt.Errorf("convostore: read the catalogue: %w", err)
		}
		f.Advice = advice[place(f.Rule)].do
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(place(a.Rule), place(b.Rule)), cmp.Compare(a.Object, b.Object))
	})
	return found, rows.Err()
}

// place is where a rule stands in the order.
func place(rule string) int {
	for i, a := range advice {
		if a.rule == rule {
			return i
		}
	}
	return len(advice)
}

// owned are the library's tables with rows of users, parents first.
var owned = naming.WithRows()

// ownTables returns the quoted names of owned. Without a schema they are looked for where
// Up would make them, and not further down the search_path.
func (m *migrator) ownTables(ctx context.Context, q querier) ([]string, error) {
	var schema string
	if err := scanRow(ctx, q, "SELECT coalesce("+m.options.schemaSQL()+", 'public')", &schema); err != nil {
		return nil, fmt.Errorf("convostore: the current schema: %w", err)
	}
	var names []string
	for _, name := range owned {
		names = append(names, naming.Quote(schema)+"."+m.options.tables().Name(name))
	}
	return names, nil
}

// references returns the quoted names of the host's tables that ours point to.
func (m *migrator) references() []string {
	var names []string
	for _, r := range []*Ref{m.options.Users, m.options.Leads} {
		if r != nil && !slices.Contains(names, r.quoted().Table) {
			names = append(names, r.quoted().Table)
		}
	}
	return names
}
