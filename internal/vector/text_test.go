package vector_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/vector"
)

func TestText(t *testing.T) {
	require.Equal(t, "[1,-0.5,1e-40,3.4028235e+38]", vector.Text([]float32{1, -0.5, 1e-40, math.MaxFloat32}))
	for _, text := range []string{"", "[", "]", "1,2", "[]", "[,]", "[1,]", "[a]", "[NaN]", "[inf]", "[1e39]", "[1;2]", "{1,2}"} {
		_, err := vector.ParseText(text)
		require.Error(t, err, text)
	}
}

func TestTextIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float32(), 1, 50).Draw(t, "v")
		read, err := vector.ParseText(vector.Text(v))
		if err != nil {
			t.Fatal(err)
		}
		for i := range v {
			if math.Float32bits(v[i]) != math.Float32bits(read[i]) {
				t.Fatalf("%v came back as %v", v[i], read[i])
			}
		}
	})
}

// PostgreSQL reads what Text writes, and ParseText reads what PostgreSQL writes: the same floats.
func TestTextAndPostgres(t *testing.T) {
	db, err := gorm.Open(postgres.Open(pgtest.Database(t)), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	require.NoError(t, db.Exec("CREATE EXTENSION IF NOT EXISTS vector").Error)
	v := []float32{1, -0.5, 0.1, 1e-38, 1e38, math.MaxFloat32, 16777217, math.Pi}
	var text string
	require.NoError(t, db.Raw("SELECT CAST(CAST(? AS vector) AS text)", vector.Text(v)).Scan(&text).Error)
	read, err := vector.ParseText(text)
	require.NoError(t, err)
	require.Equal(t, v, read)
}
