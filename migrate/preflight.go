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

// The rules of a Finding, in the order in which findings are sorted.
const (
	// RuleTable requires an ordinary or partitioned table of that name.
	RuleTable = "table"
	// RuleKey requires a column user_id.
	RuleKey = "key"
	// RuleKeyType requires user_id to be a uuid, as in the library's tables. The rows of a user
	// are on the same node only if the types are the same.
	RuleKeyType = "key_type"
	// RuleKeyNull requires user_id to be NOT NULL.
	RuleKeyNull = "key_null"
	// RuleUnique requires user_id in every primary key, unique index and exclusion constraint.
	RuleUnique = "unique"
	// RuleForeignKey requires user_id to be paired with user_id in every foreign key between
	// distributed tables.
	RuleForeignKey = "foreign_key"
	// RuleReferenced requires a foreign key to refer to a table that is distributed too, or
	// that is a reference table.
	RuleReferenced = "referenced"
	// RuleReferencing forbids a foreign key from a table that stays plain.
	RuleReferencing = "referencing"
	// RuleAction forbids SET NULL, SET DEFAULT and ON UPDATE CASCADE in a foreign key with
	// user_id.
	RuleAction = "action"
	// RuleTrigger forbids triggers.
	RuleTrigger = "trigger"
	// RuleIdentity requires columns that are numbered by a sequence, identity and serial, to be
	// bigint: a worker hands out no smaller numbers.
	RuleIdentity = "identity"
	// RuleExtension requires the extensions that a table needs to be in the schema public.
	RuleExtension = "extension"
)

// advice says how to resolve each finding, in the order of the rules.
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

// Finding is one reason why a table cannot be distributed by user_id.
type Finding struct {
	// Table is the name of the table with its schema. For a table that does not exist it is the
	// name that was given.
	Table string
	// Object is the name of the constraint, index, trigger, column or extension at fault, or
	// empty for the table as a whole.
	Object string
	// Rule is one of the constants that begin with Rule.
	Rule string
	// Advice says how to resolve the finding.
	Advice string
}

// String returns the finding as one line, without a newline.
func (f Finding) String() string {
	text := f.Table
	if f.Object != "" {
		text += ": " + f.Object
	}
	return text + ": " + f.Rule + ": " + f.Advice
}

// Preflight says before Up whether foreign keys can refer to the tables of Options.Users and
// Options.Leads, and lists what prevents the library's tables, and the host's tables named in
// tables, from being distributed by user_id with Citus. It reads the catalogue of any PostgreSQL
// server, with or without the extension, so that a host's test can make sure that distribution
// stays possible. SQLite has nothing to distribute, and no findings. It changes nothing and may
// run inside the host's transaction.
//
// The tables of Options.Users and Options.Leads become reference tables, with a copy on every
// node, and need no user_id. A name may have a schema, "crm.notes"; a table that is named twice
// counts once. The findings are ordered by table, then by rule in the order of the constants,
// then by object. If there are none, the slice is nil.
//
// Bad options and a bad name are a *rule.InvalidError. So is a table of Options.Users or
// Options.Leads that is not there, whose column has a type that user_id or lead_id does not have
// (users with numbers: see store.TenantID), or that lacks a unique key for the foreign key; the
// error has the statement that makes one.
func Preflight(ctx context.Context, db *gorm.DB, o Options, tables ...string) ([]Finding, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := naming.CheckHost("tables", t); err != nil {
			return nil, err
		}
	}
	if err := m.checkHost(ctx, q); err != nil {
		return nil, err
	}
	if m.dialect != postgres {
		return nil, nil
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
	triggers, noted := naming.SearchTriggers(postgres), own[:2] // conversations and messages
	for i := range triggers {
		triggers[i] = m.options.Prefix + triggers[i]
	}
	rows, err := q.QueryContext(ctx, preflightSQL, strings.Join(own, ","), strings.Join(m.references(), ","),
		strings.Join(triggers, ","), strings.Join(noted, ","))
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
		f.Advice = advice[rank(f.Rule)].do
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(rank(a.Rule), rank(b.Rule)), cmp.Compare(a.Object, b.Object))
	})
	return found, rows.Err()
}

// rank returns the position of a rule in the order.
func rank(rule string) int {
	for i, a := range advice {
		if a.rule == rule {
			return i
		}
	}
	return len(advice)
}

// owned are the library's tables with rows of users, parents before children.
var owned = naming.WithRows()

// ownTables returns the quoted names of owned. Without Options.Schema they get the schema in
// which Up would create them, so that no later schema of the search_path is looked at.
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

// references returns the quoted names of the host's tables that the library's tables refer to.
func (m *migrator) references() []string {
	var names []string
	for _, r := range []*Ref{m.options.Users, m.options.Leads} {
		if r != nil && !slices.Contains(names, r.quoted().Table) {
			names = append(names, r.quoted().Table)
		}
	}
	return names
}
