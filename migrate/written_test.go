package migrate

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// variants are options of which each makes another schema.
func variants(dialect string) []Options {
	list := []Options{
		{},
		{Prefix: "app_"},
		{WithoutFullText: true},
		{WithoutVectorIndex: true},
		{Trigrams: true},
		{WithoutPgvector: true},
		{Users: &Ref{Table: "users"}, Dimensions: 64},
	}
	if dialect == postgres {
		list = append(list, Options{Schema: "crm", Prefix: "x_"})
	}
	return list
}

// The quick comparison reads the SQL of the migrations, the thorough one what a database made of
// it: both must see the same objects, whatever a later migration adds.
func TestWrittenIsWhatTheDatabaseMakes(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		run(t, db, "CREATE TABLE users (id uuid PRIMARY KEY)")
		for _, o := range variants(db.Name()) {
			require.NoError(t, Up(t.Context(), db, o))
			m, err := open(db, o, 0)
			require.NoError(t, err)
			var made catalogue
			err = m.locked(t.Context(), func(q querier) error {
				inspect := m.inspectSQLite
				if m.dialect == postgres {
					inspect = m.inspectPostgres
				}
				made, _, err = inspect(t.Context(), q, Latest())
				require.NoError(t, err)
				return errUndo
			})
			require.ErrorIs(t, err, errUndo)
			read, err := written(files, newPage(m.dialect, o), Latest())
			require.NoError(t, err)
			if m.dialect == sqlite {
				require.Equal(t, made, read, "%+v", o)
			} else {
				// A trigger without its function cannot be.
				maps.DeleteFunc(made, func(o object, _ string) bool { return o.kind == "function" })
				require.ElementsMatch(t, slices.Collect(maps.Keys(made)), slices.Collect(maps.Keys(read)), "%+v", o)
			}
			require.NoError(t, DownTo(t.Context(), db, o, 0))
		}
	})
}
