package bench

import (
	"bufio"
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// judgedText is a document or a query of a judged set: a line of JSON.
type judgedText struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// words are the words of a query, without any syntax: the same for each ranking.
func (j judgedText) words() []string {
	return strings.FieldsFunc(strings.ToLower(j.Text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// judgedSet are documents, questions to them, and which documents people found to be answers.
type judgedSet struct {
	name               string
	documents, queries []judgedText
	// grades say for a query how good a document is, from 1 on.
	grades map[string]map[string]float64
}

// readJudgedSet reads documents.jsonl, queries.jsonl and judgements.tsv (query, document, grade)
// of a folder. Queries without a judgement are left out.
func readJudgedSet(t *testing.T, folder string) *judgedSet {
	t.Helper()
	s := &judgedSet{name: filepath.Base(folder), grades: map[string]map[string]float64{}}
	s.documents = judgedTexts(t, filepath.Join(folder, "documents.jsonl"))
	for line := range judgedLines(t, filepath.Join(folder, "judgements.tsv")) {
		fields := strings.Split(line, "\t")
		require.Len(t, fields, 3, "judgements.tsv: %q", line)
		grade, err := strconv.ParseFloat(fields[2], 64)
		require.NoError(t, err)
		if grade <= 0 {
			continue
		}
		if s.grades[fields[0]] == nil {
			s.grades[fields[0]] = map[string]float64{}
		}
		s.grades[fields[0]][fields[1]] = grade
	}
	for _, q := range judgedTexts(t, filepath.Join(folder, "queries.jsonl")) {
		if s.grades[q.ID] != nil {
			s.queries = append(s.queries, q)
		}
	}
	require.NotEmpty(t, s.queries)
	return s
}

func judgedTexts(t *testing.T, file string) (texts []judgedText) {
	t.Helper()
	for line := range judgedLines(t, file) {
		var j judgedText
		require.NoError(t, json.Unmarshal([]byte(line), &j), "%s: %.80q", file, line)
		texts = append(texts, j)
	}
	return texts
}

func judgedLines(t *testing.T, file string) func(yield func(string) bool) {
	t.Helper()
	return func(yield func(string) bool) {
		f, err := os.Open(file)
		require.NoError(t, err)
		defer func() { require.NoError(t, f.Close()) }()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			if lines.Text() != "" && !yield(lines.Text()) {
				return
			}
		}
		require.NoError(t, lines.Err())
	}
}

// judgement is how good a ranking is, on average over the queries.
type judgement struct{ ndcg10, map1000, recall100 float64 }

// judge compares a ranked list with the grades of a query.
func judge(ranked []string, grades map[string]float64) (j judgement) {
	var gain, found float64
	for i, id := range ranked[:min(len(ranked), 1000)] {
		grade := grades[id]
		if grade == 0 {
			continue
		}
		found++
		j.map1000 += found / float64(i+1)
		if i < 10 {
			gain += grade / math.Log2(float64(i)+2)
		}
		if i < 100 {
			j.recall100++
		}
	}
	j.ndcg10 = gain / bestGain(grades)
	j.map1000 /= float64(len(grades))
	j.recall100 /= float64(len(grades))
	return j
}

// bestGain is the gain of ten documents in the best order.
func bestGain(grades map[string]float64) (gain float64) {
	var sorted []float64
	for _, g := range grades {
		sorted = append(sorted, g)
	}
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, g := range sorted[:min(len(sorted), 10)] {
		gain += g / math.Log2(float64(i)+2)
	}
	return gain
}

func TestJudge(t *testing.T) {
	j := judge([]string{"x", "a", "b"}, map[string]float64{"a": 1, "b": 2, "c": 1})
	require.InDelta(t, (1/math.Log2(3)+2/2.0)/(2+1/math.Log2(3)+1/2.0), j.ndcg10, 1e-12)
	require.InDelta(t, (1/2.0+2/3.0)/3, j.map1000, 1e-12)
	require.InDelta(t, 2/3.0, j.recall100, 1e-12)
}
