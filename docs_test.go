package convostore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declared are the names that a package's own files declare, methods and fields among them,
// and the literals of its constants.
func declared(t *testing.T, folder string) (names map[string]bool, literals map[string]string) {
	t.Helper()
	names, literals = map[string]bool{}, map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.Field:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					names[name.Name] = true
					if i < len(n.Values) {
						if literal, ok := n.Values[i].(*ast.BasicLit); ok {
							literals[name.Name] = strings.ReplaceAll(literal.Value, "_", "")
						}
					}
				}
			}
			return true
		})
	}
	return names, literals
}

// TestDocumentsNameWhatIsThere: a document that names a call that is gone is worse than none.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	packages, every := map[string]map[string]bool{}, map[string]bool{}
	for name, folder := range map[string]string{
		"convostore": ".", "store": "store", "migrate": "migrate", "postgres": "store/postgres", "sqlite": "store/sqlite",
		"message": "message", "conversation": "conversation", "suggestion": "suggestion", "storetest": "store/storetest",
		"storefake": "store/storefake",
	} {
		packages[name], _ = declared(t, folder)
		for declaration := range packages[name] {
			every[declaration] = true
		}
	}
	documents, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	recipes, err := filepath.Glob("docs/recipes/*.md")
	require.NoError(t, err)
	documents = append(documents, recipes...)
	qualified := regexp.MustCompile(`\b(convostore|store|migrate|postgres|sqlite|message|conversation|suggestion|storetest|storefake)\.([A-Z]\w+)`)
	ofRole := regexp.MustCompile(`(?:\b(?:Conversations|Messages|Suggestions|Deliveries|States|Search|Embeddings|Reports|Maintenance|Health)\(\)|\x60)\.([A-Z]\w+)`)
	bare := regexp.MustCompile("`([A-Z]\\w+)(?:\\([^`]*)?`")
	for _, path := range append(documents, "README.md", "SECURITY.md", "doc.go") {
		doc, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range qualified.FindAllStringSubmatch(string(doc), -1) {
			assert.True(t, packages[m[1]][m[2]], "%s names %s", path, m[0])
		}
		for _, m := range ofRole.FindAllStringSubmatch(string(doc), -1) {
			assert.True(t, packages["store"][m[1]], "%s names %s", path, m[0])
		}
		if path != "docs/operations.md" {
			continue
		}
		// TestReports and Preload are neither: a test, and GORM's.
		every["TestReports"], every["Preload"] = true, true
		for _, m := range bare.FindAllStringSubmatch(string(doc), -1) {
			assert.True(t, every[m[1]], "%s names %s", path, m[1])
		}
	}
}

// TestCommentsSayTheConstants: who reads a contract does not see the constant.
func TestCommentsSayTheConstants(t *testing.T) {
	t.Parallel()
	_, constants := declared(t, "store")
	rooms, err := filepath.Glob("internal/engine/*")
	require.NoError(t, err)
	for _, room := range rooms {
		_, its := declared(t, room)
		maps.Copy(constants, its)
	}
	_, checks := declared(t, "internal/check")
	for name, value := range checks {
		constants["check."+name] = value
	}
	_, bounds := declared(t, "internal/words")
	for name, value := range bounds {
		constants["words."+name] = value
	}
	for _, said := range []struct{ path, sentence, constant string }{
		{"store/search.go", "never less than Limit. 0 means # on PostgreSQL", "defaultEf"},
		{"store/search.go", "where more than # count as", "maxEf"},
		{"store/search.go", "up to # of one user on PostgreSQL", "maxExactUser"},
		{"store/search.go", "up to # on SQLite, and those of the conversation", "ComparedAll"},
		{"store/search.go", "On SQLite it means #, or what", "DefaultDepth"},
		{"store/embeddings_train.go", "the model has # vectors or fewer", "ComparedAll"},
		{"store/embeddings_train.go", "at least # and at most 800", "leastDepth"},
		{"store/embeddings_train.go", "and at most #.", "DefaultDepth"},
		{"store/messages.go", "written in one transaction: # if 0", "defaultBatch"},
		{"store/messages.go", "if 0, at most #.", "maxBatch"},
		{"store/embeddings.go", "SetMany is Set for up to # messages", "maxVectors"},
		{"store/maintenance.go", "a transaction takes at most: # if 0; below 0", "defaultRetainBatch"},
		{"store/maintenance.go", "if 0; below 0 or above # is ErrInvalid. Erasing", "maxRetainBatch"},
		{"store/maintenance.go", "where they are long: # messages", "maxErase"},
		{"store/embeddings.go", "a call of the embedder gets: # if 0", "defaultEmbedBatch"},
		{"store/embeddings.go", "# if 0, at most 64", "defaultWorkers"},
		{"store/embeddings.go", "a call of the embedder is tried: # if 0", "defaultAttempts"},
		{"store/health.go", "limit of them, # if 0", "defaultSlow"},
		{"store/health.go", "nothing if all is well, # findings at most", "maxFindings"},
		{"docs/search.md", "Its default is # on PostgreSQL", "defaultEf"},
		{"docs/search.md", "and on SQLite #, or what a training", "DefaultDepth"},
		{"docs/search.md", "A user with # vectors or fewer", "listedUser"},
		{"docs/search.md", "at least # lists and 200 vectors", "leastProbes"},
		{"docs/search.md", "A search is bounded: # different words", "words.MaxTerms"},
		{"docs/search.md", "different words, # in a phrase", "words.MaxPhrase"},
		{"store/search.go", "A query may have # different words", "words.MaxTerms"},
		{"store/search.go", "and a phrase #; more is", "words.MaxPhrase"},
		{"docs/search.md", "all are compared: # of one user", "maxExactUser"},
		{"docs/chat-states.md", "A call may name # keys", "MaxStateKeys"},
		{"docs/chat-lists.md", "newest live message, # characters", "MaxPreview"},
		{"docs/chat-lists.md", "The count stops at #", "MaxUnread"},
		{"message/message.go", "an id of more than # bytes", "check.MaxKey"},
	} {
		text, err := os.ReadFile(said.path)
		require.NoError(t, err)
		words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "//", " ")), " ")
		require.NotEmpty(t, constants[said.constant], said.constant)
		pattern := strings.Replace(regexp.QuoteMeta(said.sentence), "#", `([\d,]+)`, 1)
		m := regexp.MustCompile(pattern).FindStringSubmatch(words)
		if assert.NotNil(t, m, "%s: %s", said.path, said.sentence) {
			assert.Equal(t, constants[said.constant], strings.ReplaceAll(m[1], ",", ""), "%s: %s", said.path, said.sentence)
		}
	}
}
