package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

// hostKey is a foreign key of conversations to a table of the host.
type hostKey struct {
	// name is in the name of the constraint, and field that of the option.
	name, field string
	ref         *Ref
	// columns and types are those of conversations, in the order of ref.columns.
	columns, types []string
}

// hostKeys returns the foreign keys that the migrations make.
func (o Options) hostKeys() []hostKey {
	var keys []hostKey
	if o.Users != nil {
		keys = append(keys, hostKey{"user", "users", o.Users, []string{"user_id"}, []string{userType}})
	}
	if o.Leads != nil && o.Leads.Owner != "" {
		keys = append(keys, hostKey{"lead", "leads", o.Leads, []string{"lead_id", "user_id"}, []string{o.leadType(), userType}})
	}
	return keys
}

// userType stands for the type of user_id, which is a text on SQLite.
const userType = "uuid"

func (o Options) leadType() string {
	if o.Leads == nil || o.Leads.Type == "" {
		return "text"
	}
	return o.Leads.Type
}

// hostColumn is a column of a host's table, as the database has it.
type hostColumn struct {
	// declared is its type, empty if there is no such column.
	declared string
	// fits tells whether a foreign key can refer to it.
	fits bool
}

// hostTable is what the database says of the table of a foreign key.
type hostTable struct {
	// there tells whether it is a table, and not a view.
	there   bool
	columns []hostColumn
	// unique tells whether the columns are unique together.
	unique bool
}

// checkHost returns a *rule.InvalidError for the first table of the host to which a foreign key
// cannot refer. PostgreSQL's own errors do not say what to do, and SQLite accepts the foreign key
// and then refuses every conversation.
func (m *migrator) checkHost(ctx context.Context, q querier) error {
	read := readHostSQLite
	if m.dialect == postgres {
		read = readHostPostgres
	}
	for _, k := range m.options.hostKeys() {
		t, err := read(ctx, q, k)
		if err != nil {
			return err
		}
		if err := k.check(t); err != nil {
			return err
		}
	}
	return nil
}

func (k hostKey) check(t hostTable) error {
	if !t.there {
		return rule.Invalid(k.field, "has no table %s: create it first", k.ref.Table)
	}
	for i, column := range k.ref.columns() {
		switch c := t.columns[i]; {
		case c.declared == "":
			return rule.Invalid(k.field, "has no column %s in the table %s", column, k.ref.Table)
		case !c.fits && k.columns[i] == "user_id":
			return rule.Invalid(k.field, "has the column %s.%s of type %s, and user_id is a uuid: leave the table out of the options, "+
				"and give each user the uuid that store.TenantID makes of its key", k.ref.Table, column, c.declared)
		case !c.fits:
			return rule.Invalid(k.field, "has the column %s.%s of type %s, and lead_id is of type %s: give Type as the table has it",
				k.ref.Table, column, c.declared, k.types[i])
		}
	}
	if !t.unique {
		return rule.Invalid(k.field, "has no unique key for the foreign key: %s", k.uniqueIndex())
	}
	return nil
}

// uniqueIndex returns the statement that makes the columns unique. Both databases take it.
func (k hostKey) uniqueIndex() string {
	table := k.ref.Table[strings.LastIndex(k.ref.Table, ".")+1:]
	columns := k.ref.columns()
	name := strings.Join(slices.Concat([]string{table}, columns, []string{"key"}), "_")
	if len(name) > maxHostName {
		name = name[:maxHostName]
	}
	for i, c := range columns {
		columns[i] = naming.Quote(c)
	}
	return fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (%s)", naming.Quote(name), naming.Quote(k.ref.Table), strings.Join(columns, ", "))
}
