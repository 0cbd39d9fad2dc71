package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

var mails = []string{
	mail(1, "Invoice 17", "", "The invoice for the garden shed is still unpaid."),
	mail(2, "Re: Invoice 17", "<1@example.com>", "On Monday Ann wrote:\n>> The invoice for the garden shed is still unpaid.\nSorry, I paid the wrong account."),
	mail(3, "Summer party", "", "Shall we meet in the garden on Friday? Bring cake."),
	mail(4, "Re: Summer party", "<3@example.com>", "Friday is good. I bring cake and two chairs."),
	mail(5, "Lawn mower", "", "It is \x1b[31m broken\a again."),
	mail(6, "Empty", "", ""),
}

func mail(day int, subject, answers, text string) string {
	lines := []string{
		fmt.Sprintf("From u%d Sat Nov  1 00:00:00 2025", day%2),
		fmt.Sprintf("From: <u%d@example.com>", day%2), "To: list@example.com", "Subject: " + subject,
		fmt.Sprintf("Date: %02d Nov 2025 10:00:00 +0000", day), fmt.Sprintf("Message-ID: <%d@example.com>", day),
	}
	if answers != "" {
		lines = append(lines, "In-Reply-To: "+answers)
	}
	return strings.Join(append(lines, "", text, ""), "\n")
}

func mbox(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "box.mbox")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(mails, "\n")), 0o600))
	return path
}

var (
	duration   = regexp.MustCompile(`\d+\.\d m?s`)
	similarity = regexp.MustCompile(`(?m)^( +\d+  )-?\d\.\d{3}`)
)

func masked(s string) string {
	return similarity.ReplaceAllString(duration.ReplaceAllString(s, "T"), "${1}S")
}

// try returns what went to the two streams, without times and similarities.
func try(t *testing.T, in string, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = run(t.Context(), args, strings.NewReader(in), &o, &e)
	return masked(o.String()), masked(e.String()), err
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) []string{
		"sqlite":   func(t *testing.T) []string { t.Helper(); return []string{"-db", filepath.Join(t.TempDir(), "x.db")} },
		"postgres": func(t *testing.T) []string { t.Helper(); return []string{"-postgres", pgtest.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := database(t)
			with := func(more ...string) []string { return append(args[:2:2], more...) }
			_, errs, err := try(t, "", with(mbox(t))...)
			require.NoError(t, err)
			assert.Contains(t, errs, "6 mails read: 6 stored, 0 there already, 0 skipped\n")
			assert.Contains(t, errs, "5 messages embedded with hashed-ngrams-1536 in T\n")
			for _, c := range sessions {
				out, errs, err := try(t, c.typed, with("-n", "2")...)
				require.NoError(t, err)
				assert.Empty(t, errs, "nothing is left to do")
				assert.Equal(t, c.printed, out)
			}
		})
	}
}

var sessions = []struct{ typed, printed string }{
	{"wrong account\n\nlike 1", `> wrong account
  1  2025-11-02  u0@example.com  Invoice 17
     On Monday Ann wrote: >> The invoice for the garden shed is still unpaid. Sorry, I paid the [wrong] [account].
1 hit in T, best first
> 
> like 1
  1  S  2025-11-01  u1@example.com  Invoice 17
     The invoice for the garden shed is still unpaid.
  2  S  2025-11-03  u1@example.com  Summer party
     Shall we meet in the garden on Friday? Bring cake.
2 hits in T, exact, by hashed-ngrams-1536
`},
	{"broken\ncake -chairs\n\"bring cake\" chairs", `> broken
  1  2025-11-05  u1@example.com  Lawn mower
     It is  [31m [broken]  again.
1 hit in T, best first
> cake -chairs
  1  2025-11-03  u1@example.com  Summer party
     Shall we meet in the garden on Friday? Bring [cake].
1 hit in T, best first
> "bring cake" chairs
  1  2025-11-04  u0@example.com  Summer party
     Friday is good. I [bring cake] and two [chairs].
1 hit in T, best first
`},
	{"= GARD\nmore\nmore", `> = GARD
  1  2025-11-03  u1@example.com  Summer party
     Shall we meet in the [gard]en on Friday? Bring cake.
  2  2025-11-02  u0@example.com  Invoice 17
     On Monday Ann wrote: >> The invoice for the [gard]en shed is still unpaid. Sorry, I paid the wrong account.
2 hits in T, newest first; "more" has the next
> more
  3  2025-11-01  u1@example.com  Invoice 17
     The invoice for the [gard]en shed is still unpaid.
1 hit in T, newest first
> more
search: there is no next page
`},
	{": empty\nlike 1\n: cake", `> : empty
  1  subject  2025-11-06  Empty
     [Empty]
1 hit in T, best first
> like 1
search: hit 1 is a thread found by its subject, and no mail
> : cake
  1  2 mails  2025-11-04  u0@example.com  Summer party
     Friday is good. I bring [cake] and two chairs.
1 hit in T, best first
`},
	{"~ invoices that nobody paid\n~~ a cake at the party", `> ~ invoices that nobody paid
  1  S  2025-11-02  u0@example.com  Invoice 17
     Sorry, I paid the wrong account.
  2  S  2025-11-01  u1@example.com  Invoice 17
     The invoice for the garden shed is still unpaid.
2 hits in T, exact, by hashed-ngrams-1536
> ~~ a cake at the party
  1  S, best of 2 mails  2025-11-03  u1@example.com  Summer party
     Shall we meet in the garden on Friday? Bring cake.
  2  S, best of 2 mails  2025-11-02  u0@example.com  Invoice 17
     Sorry, I paid the wrong account.
2 hits in T, exact, by hashed-ngrams-1536
`},
	{"+ wrong accounts\nnone of these\nlike 1\n~\nquit\ngarden", `> + wrong accounts
  1  words #1, likeness #1  2025-11-02  u0@example.com  Invoice 17
     On Monday Ann wrote: >> The invoice for the garden shed is still unpaid. Sorry, I paid the [wrong] account.
  2  words -, likeness #2  2025-11-04  u0@example.com  Summer party
     Friday is good. I bring cake and two chairs.
2 hits in T, exact, by hashed-ngrams-1536
> none of these
0 hits in T, exact
No mail has all these words: "+ …" also takes some of them, ": …" looks at subjects too.
> like 1
search: the last answer has no hit 1
> ~
search: there is nothing to look for behind the sign
> quit
`},
	{"help", "> help\n" + helpText},
}

func TestQueriesOfTheCommandLine(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "x.db")
	out, _, err := try(t, "garden", "-db", db, "-me", "u1@example.com", "-q", "mower", "-q", ": mower", "-q", "quit", "-q", "garden", mbox(t))
	require.NoError(t, err)
	assert.Equal(t, `> mower
0 hits in T, exact
No mail has all these words: "+ …" also takes some of them, ": …" looks at subjects too.
> : mower
  1  subject  2025-11-05  Lawn mower
     Lawn [mower]
1 hit in T, best first
> quit
`, out)
	_, _, err = try(t, "", "-db", db, "-q", "more")
	require.EqualError(t, err, "there is no next page")
	_, _, err = try(t, "", "-db", db, "-q", strings.Repeat("x", store.MaxQuery+1))
	require.ErrorIs(t, err, store.ErrInvalid)
	_, _, err = try(t, "", "-db", db, "-user", "else")
	require.ErrorContains(t, err, "there is no mail in the database")
}

func TestApproximate(t *testing.T) {
	t.Parallel()
	var o bytes.Buffer
	s := newSession(nil, options{limit: 1}, &o)
	printSimilar(s, store.Similar[int]{Hits: []int{1}, Model: "m"}, 0)
	printSimilar(s, store.Similar[int]{Model: "m", Short: true}, 1500000)
	assert.Equal(t, "1 hit in 0.0 ms, approximate, by m\n"+
		"0 hits in 1.5 ms, approximate, came up short: there may be more, by m\n", o.String())
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-nope"},
		{"-n", "0"},
		{"-n", "1001"},
		{"-dimensions", "0"},
		{"-mode", "fast"},
		{"-openai", "localhost"},
		{"-openai", "http://localhost", "-model", ""},
	} {
		_, errs, err := try(t, "", args...)
		require.ErrorIs(t, err, errUsage, "%v", args)
		assert.NotEmpty(t, errs)
	}
	_, errs, err := try(t, "", "-help")
	require.ErrorIs(t, err, flag.ErrHelp)
	assert.Contains(t, errs, "no\nlanguage model")
	_, _, err = try(t, "", "-db", filepath.Join(t.TempDir(), "x.db"), filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "x.db")
	_, _, err := try(t, "", "-db", db, mbox(t))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	// Nobody types.
	in, typed := io.Pipe()
	defer typed.Close() //nolint:errcheck // a pipe has no errors
	out := &stopper{stop: cancel}
	go fmt.Fprintln(typed, "garden")
	require.ErrorIs(t, run(ctx, []string{"-db", db}, in, out, io.Discard), context.Canceled)
}

// stopper interrupts once there is an answer.
type stopper struct{ stop func() }

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("hits in")) {
		s.stop()
	}
	return len(p), nil
}

func TestParse(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]query{
		" ":               {},
		"two words":       {kind: words, text: "two words"},
		`"more"`:          {kind: words, text: `"more"`},
		"more or less":    {kind: words, text: "more or less"},
		"like":            {kind: words, text: "like"},
		"like it":         {kind: words, text: "like it"},
		"like  12 ":       {kind: like, hit: 12},
		"-not":            {kind: words, text: "-not"},
		"~text":           {kind: similar, text: "text"},
		"~~ text":         {kind: similarThreads, text: "text"},
		"=  50% ":         {kind: part, text: "50%"},
		": a":             {kind: threadWords, text: "a"},
		"+ a ~ b":         {kind: hybrid, text: "a ~ b"},
		"more ":           {kind: more},
		"exit":            {kind: quit},
		"?":               {kind: help},
		"what is it like": {kind: words, text: "what is it like"},
	} {
		assert.Equal(t, want, parse(line), line)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	m := &message.Message{Content: strings.Repeat("é", 2*maxLetters), Headers: message.Headers{"Subject": {"Hi"}}}
	assert.Equal(t, "Hi\n"+strings.Repeat("é", maxLetters-3), text(m))
	m.Content = "you"
	assert.Equal(t, "Hi\nyou", text(m))
}

func TestOpenAI(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-test")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Model      string
			Input      []string
			Dimensions int
		}
		if !assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent)) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if sent.Model != "small" || r.Header.Get("Authorization") != "Bearer sk-test" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error": {"message": "There is no \u001b[31mmodel of that name.", "type": "invalid_request_error", "code": "model_not_found"}}`)
			return
		}
		var vectors []map[string]any
		for i, text := range sent.Input {
			vectors = append(vectors, map[string]any{"index": i, "embedding": embedtest.New(sent.Dimensions).Vector(text)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": vectors})
	}))
	defer server.Close()
	flags := []string{"-db", filepath.Join(t.TempDir(), "x.db"), "-dimensions", "64", "-shorten", "-openai", server.URL, "-n", "1"}
	_, _, err := try(t, "", append(flags, "-model", "huge", mbox(t))...)
	var errs bytes.Buffer
	printError(&errs, err)
	assert.Equal(t, "search: convostore: embed 5 messages with huge/64: openai: status 404 Not Found (invalid_request_error, model_not_found)\n"+
		"the server says: There is no [31mmodel of that name.\n", errs.String())

	out, _, err := try(t, "~ chairs", append(flags, "-model", "small")...)
	require.NoError(t, err)
	assert.Contains(t, out, "Summer party\n     Friday is good. I bring cake and two chairs.\n1 hit in T, exact, by small/64\n")
}
