package migrate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatements(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][]string{
		"":                              nil,
		"\n \n":                         nil,
		"SELECT 1":                      {"SELECT 1"},
		"SELECT 1;\nSELECT 2;\n":        {"SELECT 1;\n", "SELECT 2;\n"},
		"-- a; b;\nSELECT ';' ||\n1;\n": {"-- a; b;\nSELECT ';' ||\n1;\n"},
		"SELECT 1; -- one\nSELECT 2":    {"SELECT 1; -- one\n", "SELECT 2"},
		"DO $$\nBEGIN\n x;\nEND\n$$;\nDROP TABLE t;\n": {"DO $$\nBEGIN\n x;\nEND\n$$;\n", "DROP TABLE t;\n"},
	} {
		require.Equal(t, want, statements(sql), "%q", sql)
	}
}

// TestStatementsOfTheFiles has nothing lost, and one command in each: those that follow
// another begin a line.
func TestStatementsOfTheFiles(t *testing.T) {
	t.Parallel()
	o := Options{Schema: "crm", Prefix: "chat_", Trigrams: true, Users: &Ref{Table: "a$b"}}
	steps, err := render(files, newPage(postgres, o))
	require.NoError(t, err)
	for _, s := range steps {
		for _, sql := range []string{s.up, s.down} {
			list := statements(sql)
			require.Equal(t, sql, strings.Join(list, ""))
			require.Greater(t, len(list), 1)
			for _, one := range list {
				if strings.Contains(one, "$$") {
					continue
				}
				commands := 0
				for line := range strings.Lines(one) {
					for _, verb := range []string{"CREATE ", "ALTER ", "DROP ", "INSERT ", "DELETE "} {
						if strings.HasPrefix(line, verb) {
							commands++
						}
					}
				}
				require.Equal(t, 1, commands, one)
			}
		}
	}
}
