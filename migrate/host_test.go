package migrate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

func TestPrefixesAndSchemasLiveSideBySide(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		all := []Options{{}, {Prefix: "a_"}, {Prefix: "b_"}}
		if db.Name() == postgres {
			all = append(all, Options{Schema: "crm"}, Options{Schema: "crm", Prefix: "a_"}, Options{Schema: "order"})
		}
		for _, o := range all {
			requireVersion(t, db, o, 0)
			require.NoError(t, Up(ctx, db, o))
			fill(t, db, o)
		}
		for _, o := range all {
			requireNoDrift(t, db, o)
			require.NoError(t, DownTo(ctx, db, o, 0))
			requireVersion(t, db, o, 0)
		}
		// The schemas stay: somebody may have put tables of their own there.
		require.NotContains(t, names(t, db), "r public.messages")
		if db.Name() == postgres {
			require.Contains(t, names(t, db), "schema crm")
		}
	})
}

// A role that may not create schemas uses the one that was made for it.
func TestASchemaOfAnotherOwner(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openTest(t, postgres, dsn)
	role := "convostore_test_" + inboundless(t, db)
	run(t, db, "CREATE EXTENSION vector", "CREATE ROLE "+role, "CREATE SCHEMA crm AUTHORIZATION "+role)
	t.Cleanup(func() {
		dropRole(t, dsn, role)
	})
	limited := openTest(t, postgres, dsn)
	pool, err := limited.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	run(t, limited, "SET ROLE "+role)
	require.Error(t, Up(t.Context(), limited, Options{Schema: "another"}))
	o := Options{Schema: "crm"}
	require.NoError(t, Up(t.Context(), limited, o))
	requireNoDrift(t, limited, o)
}

// inboundless returns letters that no other database of the server uses.
func inboundless(t *testing.T, db *gorm.DB) string {
	t.Helper()
	var name string
	require.NoError(t, db.Raw("SELECT right(current_database(), 12)").Scan(&name).Error)
	return name
}

func dropRole(t *testing.T, dsn, role string) {
	t.Helper()
	db, err := connect(postgres, dsn)
	require.NoError(t, err)
	run(t, db, "DROP OWNED BY "+role+" CASCADE", "DROP ROLE "+role)
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}

// Tables of another tenant further down the search_path are not ours.
func TestTheSearchPathsFirstSchemaCounts(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openTest(t, postgres, dsn)
	require.NoError(t, Up(t.Context(), db, Options{}))
	run(t, db, "CREATE SCHEMA tenant")
	tenant := openTest(t, postgres, dsn+"&search_path=tenant,public")
	requireVersion(t, tenant, Options{}, 0)
	require.NoError(t, Up(t.Context(), tenant, Options{}))
	require.Contains(t, names(t, db), "r tenant.messages")
	requireNoDrift(t, tenant, Options{})
	nowhere := openTest(t, postgres, dsn+"&search_path=nowhere")
	requireVersion(t, nowhere, Options{}, 0)
	require.Error(t, Up(t.Context(), nowhere, Options{}))
}

func TestSimpleProtocol(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"simple_protocol", "exec", "describe_exec"} {
		db := openTest(t, postgres, pgtest.Database(t)+"&default_query_exec_mode="+mode)
		require.NoError(t, Up(t.Context(), db, Options{}), mode)
		requireNoDrift(t, db, Options{})
		steps, err := Status(t.Context(), db, Options{})
		require.NoError(t, err)
		require.NotNil(t, steps[0].AppliedAt)
		require.NoError(t, DownTo(t.Context(), db, Options{}, 0))
	}
}

func TestSizesOfVectors(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	for prefix, c := range map[string]struct {
		o    Options
		want string
	}{
		"a_": {Options{}, "vector(1536)"},
		"b_": {Options{Dimensions: 2000}, "vector(2000)"},
		"c_": {Options{Dimensions: 2001}, "halfvec(2001)"},
		"d_": {Options{Dimensions: 4000}, "halfvec(4000)"},
		"e_": {Options{WithoutPgvector: true}, "text"},
	} {
		c.o.Prefix = prefix
		require.NoError(t, Up(t.Context(), db, c.o))
		var got string
		require.NoError(t, db.Raw("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = 'embedding'",
			prefix+"message_embeddings").Scan(&got).Error)
		require.Equal(t, c.want, got)
		requireNoDrift(t, db, c.o)
	}
}

func TestWithoutPgvectorMakesNoExtension(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{WithoutPgvector: true}))
	require.EqualValues(t, 0, count(t, db.Where("extname = 'vector'"), "pg_extension"))
}
