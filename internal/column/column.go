// Package column builds the conditions and orders of the models' GORM scopes.
package column

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
)

// Namer is implemented by a naming strategy that knows the prefix and the schema of the
// library's tables.
type Namer interface {
	ConvostoreTable(name string) string
}

// Table returns the name that a Namer gives one of the library's tables. Any other naming
// strategy, such as a host's own with a prefix, does not change the name, since the migrations
// do not know that strategy.
func Table(n schema.Namer, name string) string {
	if own, ok := n.(Namer); ok {
		return own.ConvostoreTable(name)
	}
	return name
}

// InStatement is Table for a statement of GORM, which quotes it.
func InStatement(tx *gorm.DB, name string) clause.Table {
	return clause.Table{Name: Table(tx.NamingStrategy, name)}
}

// Of is a column of a model. Its table is chosen when the statement is built: the statement's own
// table or alias if the statement is about that model, and the model's table otherwise, so that
// a scope also works on a join.
type Of struct {
	Model schema.TablerWithNamer
	Name  string
}

// condition is a clause that chooses its column's table when it is built.
type condition struct {
	column Of
	make   func(clause.Column) clause.Expression
}

// Build implements clause.Expression.
func (c condition) Build(b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		c.make(clause.Column{Name: c.column.Name}).Build(b)
		return
	}
	c.make(clause.Column{Table: c.column.table(stmt), Name: c.column.Name}).Build(b)
}

func (o Of) table(stmt *gorm.Statement) string {
	if stmt.Schema == nil || stmt.Schema.ModelType == reflect.TypeOf(o.Model) {
		return clause.CurrentTable
	}
	return o.Model.TableName(stmt.NamingStrategy)
}

// Scope is a function for gorm.DB.Scopes and Preload.
type Scope = func(*gorm.DB) *gorm.DB

// Where keeps the rows whose column meets an expression that build makes of it.
func (o Of) Where(build func(clause.Column) clause.Expression) Scope { return o.where(build) }

func (o Of) where(build func(clause.Column) clause.Expression) Scope {
	return func(db *gorm.DB) *gorm.DB { return db.Where(condition{o, build}) }
}

// Is keeps the rows whose column equals v.
func (o Of) Is(v any) Scope {
	return o.where(func(c clause.Column) clause.Expression { return clause.Eq{Column: c, Value: v} })
}

// In keeps the rows whose column is one of vs. If vs is empty it keeps none.
func In[T comparable](o Of, vs []T) Scope {
	seen := make(map[T]bool, len(vs))
	values := make([]any, 0, len(vs))
	for _, v := range vs {
		if !seen[v] {
			values = append(values, v)
		}
		seen[v] = true
	}
	return o.where(func(c clause.Column) clause.Expression { return clause.IN{Column: c, Values: values} })
}

// Null keeps the rows whose column is NULL.
func (o Of) Null() Scope { return o.Is(nil) }

// NotNull keeps the rows whose column is not NULL.
func (o Of) NotNull() Scope {
	return o.where(func(c clause.Column) clause.Expression { return clause.Neq{Column: c, Value: nil} })
}

// Meets keeps the rows whose column meets a condition in the SQL of the database, in which a
// question mark stands for the column. On a database that the library does not know, the query
// fails with ErrInvalid.
func (o Of) Meets(condition func(d dialect.Dialect, column string) string) Scope {
	return func(db *gorm.DB) *gorm.DB {
		d, err := dialect.Of(db)
		if err != nil {
			_ = db.AddError(err)
			return db
		}
		sql := condition(d, "?")
		return o.where(func(c clause.Column) clause.Expression {
			return clause.Expr{SQL: sql, Vars: slices.Repeat([]any{c}, strings.Count(sql, "?"))}
		})(db)
	}
}

// AtLeast keeps the rows whose column is v or greater.
func (o Of) AtLeast(v any) Scope {
	return o.where(func(c clause.Column) clause.Expression { return clause.Gte{Column: c, Value: v} })
}

// Since keeps the rows whose time is t or later, Until those whose time is before t. A time that no
// table keeps is a *rule.InvalidError of the statement: SQLite compares texts, in which the year
// 10000 comes before the year 2.
func (o Of) Since(t time.Time) Scope { return o.checked(t, o.AtLeast) }

// Until is described at Since.
func (o Of) Until(t time.Time) Scope { return o.checked(t, o.Below) }

func (o Of) checked(t time.Time, compare func(any) Scope) Scope {
	err := check.Time(o.Name, t)
	if err == nil {
		return compare(t.UTC().Truncate(time.Microsecond))
	}
	return func(db *gorm.DB) *gorm.DB {
		db = compare(time.Time{})(db)
		_ = db.AddError(err)
		return db
	}
}

// After keeps the rows whose time is after t, and NotAfter those whose time is not: it is t, earlier, or
// NULL.
func (o Of) After(t time.Time) Scope { return o.checked(t, o.Above) }

// NotAfter is described at After.
func (o Of) NotAfter(t time.Time) Scope {
	return o.checked(t, func(v any) Scope {
		return o.where(func(c clause.Column) clause.Expression {
			return clause.Expr{SQL: "(? IS NULL OR ? <= ?)", Vars: []any{c, c, v}}
		})
	})
}

// Above keeps the rows whose column is greater than v.
func (o Of) Above(v any) Scope {
	return o.where(func(c clause.Column) clause.Expression { return clause.Gt{Column: c, Value: v} })
}

// Below keeps the rows whose column is less than v.
func (o Of) Below(v any) Scope {
	return o.where(func(c clause.Column) clause.Expression { return clause.Lt{Column: c, Value: v} })
}

// Order sorts by the named columns of the statement's own table.
func Order(desc bool, names ...string) Scope {
	columns := make([]clause.OrderByColumn, len(names))
	for i, name := range names {
		columns[i] = clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: name}, Desc: desc}
	}
	return func(db *gorm.DB) *gorm.DB { return db.Order(clause.OrderBy{Columns: columns}) }
}
