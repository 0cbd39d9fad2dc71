package column_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/rule"
)

// prefixed is a naming strategy that knows this library's tables.
type prefixed struct{ schema.NamingStrategy }

func (prefixed) ConvostoreTable(name string) string { return "app.cs_" + name }

type thread struct {
	ID     int
	LeadID string `gorm:"serializer:convostore_null_text"`
}

func (thread) TableName(n schema.Namer) string { return column.Table(n, "threads") }

type other struct{ ID int }

type noConn struct{ gorm.ConnPool }

func dryRun(t *testing.T, n schema.Namer) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: noConn{}}),
		&gorm.Config{DryRun: true, DisableAutomaticPing: true, NamingStrategy: n})
	require.NoError(t, err)
	return db
}

func of(name string) column.Of { return column.Of{Model: thread{}, Name: name} }

func TestTable(t *testing.T) {
	assert.Equal(t, "threads", column.Table(schema.NamingStrategy{TablePrefix: "host_"}, "threads"),
		"a host's own strategy is not asked: the migrations do not know it")
	assert.Equal(t, "app.cs_threads", column.Table(prefixed{}, "threads"))
}

func TestConditions(t *testing.T) {
	db := dryRun(t, nil)
	for want, scope := range map[string]column.Scope{
		`"threads"."id" = $1`:                                   of("id").Is(1),
		`"threads"."id" IN ($1,$2)`:                             column.In(of("id"), []int{1, 2}),
		`"threads"."id" = $1 `:                                  column.In(of("id"), []int{1}),
		`"threads"."id" IN (NULL)`:                              column.In(of("id"), []int{}),
		`"threads"."lead_id" IS NULL`:                           of("lead_id").Null(),
		`"threads"."lead_id" IS NOT NULL`:                       of("lead_id").NotNull(),
		`"threads"."id" >= $1`:                                  of("id").AtLeast(1),
		`"threads"."id" > $1`:                                   of("id").Above(1),
		`"threads"."id" < $1`:                                   of("id").Below(1),
		`ORDER BY "threads"."id","threads"."lead_id"`:           column.Order(false, "id", "lead_id"),
		`ORDER BY "threads"."id" DESC,"threads"."lead_id" DESC`: column.Order(true, "id", "lead_id"),
	} {
		sql := db.Scopes(scope).Find(&[]thread{}).Statement.SQL.String()
		assert.Contains(t, sql+" ", want)
	}
}

// TestTableIsSettledAtLast asks that a scope can be made before anything is known of the
// statement: its model, an alias, a join, a naming strategy.
func TestTableIsSettledAtLast(t *testing.T) {
	scope := of("lead_id").Is("7")
	for name, c := range map[string]struct {
		run  func(*gorm.DB) *gorm.DB
		n    schema.Namer
		want string
	}{
		"the model's own table": {func(db *gorm.DB) *gorm.DB { return db.Find(&[]thread{}) }, nil, `"threads"."lead_id"`},
		"a prefix and a schema": {func(db *gorm.DB) *gorm.DB { return db.Find(&[]thread{}) }, prefixed{}, `FROM "app"."cs_threads" WHERE "cs_threads"."lead_id"`},
		"an alias":              {func(db *gorm.DB) *gorm.DB { return db.Table("threads AS t").Find(&[]thread{}) }, nil, `"t"."lead_id"`},
		"a table without model": {func(db *gorm.DB) *gorm.DB { return db.Table("threads").Find(&[]map[string]any{}) }, nil, `"threads"."lead_id"`},
		"a join":                {func(db *gorm.DB) *gorm.DB { return db.Joins("JOIN threads").Find(&[]other{}) }, nil, `"threads"."lead_id"`},
		"a join with a prefix":  {func(db *gorm.DB) *gorm.DB { return db.Joins("JOIN x").Find(&[]other{}) }, prefixed{}, `"app"."cs_threads"."lead_id"`},
	} {
		sql := c.run(dryRun(t, c.n).Scopes(scope)).Statement.SQL.String()
		assert.Contains(t, sql, c.want+" = $1", name)
	}
}

// plain is a builder that is not a GORM statement.
type plain struct {
	clause.Builder
	names []any
}

func (p *plain) WriteQuoted(field any)           { p.names = append(p.names, field) }
func (p *plain) WriteString(string) (int, error) { return 0, nil }
func (p *plain) WriteByte(byte) error            { return nil }
func (p *plain) AddVar(clause.Writer, ...any)    {}

func TestConditionOutsideOfAStatement(t *testing.T) {
	db := of("id").Is(1)(dryRun(t, nil).Session(&gorm.Session{}))
	where, ok := db.Statement.Clauses["WHERE"].Expression.(clause.Where)
	require.True(t, ok)
	b := &plain{}
	where.Exprs[0].Build(b)
	assert.Equal(t, []any{clause.Column{Name: "id"}}, b.names)
}

func TestNullText(t *testing.T) {
	db := dryRun(t, nil)
	stmt := &gorm.Statement{DB: db}
	require.NoError(t, stmt.Parse(&thread{}))
	field := stmt.Schema.LookUpField("lead_id")
	for text, want := range map[string]any{"": nil, "7": "7"} {
		got, err := field.Serializer.Value(t.Context(), field, reflect.Value{}, text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	row := thread{LeadID: "before"}
	for want, src := range map[string]any{"": nil, "7": "7", "8": []byte("8"), "9": int64(9)} {
		require.NoError(t, field.Serializer.Scan(t.Context(), field, reflect.ValueOf(&row).Elem(), src))
		assert.Equal(t, want, row.LeadID)
	}
}

// TestTimesThatNoTableKeeps: SQLite would compare the text of the year 10000, and PostgreSQL ends
// before 300000.
func TestTimesThatNoTableKeeps(t *testing.T) {
	db := dryRun(t, nil)
	good := time.Date(2026, 11, 27, 1, 2, 3, 4005, time.FixedZone("", 3600))
	for _, scope := range []func(time.Time) column.Scope{of("id").Since, of("id").Until} {
		stmt := db.Scopes(scope(good)).Find(&[]thread{}).Statement
		require.NoError(t, stmt.Error)
		assert.Equal(t, []any{good.UTC().Truncate(time.Microsecond)}, stmt.Vars)
		for _, year := range []int{-1, 0, 10000, 294277} {
			err := db.Scopes(scope(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))).Find(&[]thread{}).Error
			var invalid *rule.InvalidError
			require.ErrorAs(t, err, &invalid, "year %d", year)
			assert.Equal(t, "id", invalid.Field)
		}
	}
}
