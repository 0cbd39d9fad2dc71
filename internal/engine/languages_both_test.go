package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// stemming is the option with which the table of languages is right.
func stemming() convostore.Option {
	stemmers := searchtest.Stemmers()
	all := make([]store.Stemmer, len(stemmers))
	for i, s := range stemmers {
		all[i] = s
	}
	return convostore.WithStemming("en", all...)
}

// TestLanguagesOnBothDatabases asks the table of languages as TestWordsOnBothDatabases asks the
// table of words: of noted texts, of packed ones, and where there is no index. Each query is also
// asked as one of a language.
func TestLanguagesOnBothDatabases(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]migrate.Options{"index": {}, "no index": {WithoutFullText: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both := newTwinWith(t, o, stemming())
			ids := map[string][]uuid.UUID{}
			for _, g := range searchtest.Languages() {
				ids[g.Kind] = both.tell(t, g)
			}
			both.compareLanguages(t, ids)
			if o.WithoutFullText {
				return
			}
			for _, st := range both {
				require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
			}
			both.compareLanguages(t, ids)
		})
	}
}

func (w twin) compareLanguages(t *testing.T, ids map[string][]uuid.UUID) {
	t.Helper()
	for _, g := range searchtest.Languages() {
		own := func(st store.Store) store.Scope { return st.ForUser(groupUser(g)) }
		for i, q := range g.Queries {
			languages := []string{"", []string{"en", "de", "fr", "ru"}[i%4]}
			if q.How == searchtest.Part {
				languages = languages[:1]
			}
			for _, only := range languages {
				found, _ := w.ask(t, t, own, q.Ask, store.TextOptions{Match: store.Match(q.How), Language: only})
				want := map[uuid.UUID]float64{}
				for _, hit := range searchtest.FindForms(g.Said(), q.Ask, q.How, forms(only)) {
					want[ids[g.Kind][hit.Text]] = hit.Score
				}
				sameScores(t, want, found, fmt.Sprintf("%s in %q", q.Ask, only))
			}
		}
	}
}

func forms(only string) searchtest.Forms {
	return searchtest.Forms{Standard: "en", Stemmers: searchtest.Stemmers(), Only: only}
}

// formPieces are forms of each other in some of the languages.
var formPieces = []string{
	"pay", "pays", "paying", "paid", "payment", "payer", "payé", "payee", "payées", "Häuser", "haus", "hauser", "rates", "rated", "raten",
	"заказ", "заказов", "東京", "c++", "12s", "e-mail", "e-mails", "ﬁles", "filing",
}

// TestRandomLanguagesOnBothDatabases does random things to both databases and to a model in plain
// Go: it appends, edits, moves texts to other conversations, gives these other languages, and packs.
// Random queries find the same in all three, with the same scores.
func TestRandomLanguagesOnBothDatabases(t *testing.T) {
	t.Parallel()
	m := &formModel{twin: newTwinWith(t, migrate.Options{}, stemming()), t: t, user: uuid.New(), r: rand.New(rand.NewPCG(1, 2))}
	for range 4 {
		m.newThread()
	}
	steps := 60
	if testrun.Full() {
		steps = 1000
	}
	for range steps {
		m.step()
		m.check()
	}
}

// formModel is what the user's rows are.
type formModel struct {
	twin
	t        *testing.T
	user     uuid.UUID
	r        *rand.Rand
	threads  []*formThread
	messages []*formMessage
}

type formThread struct {
	id       uuid.UUID
	language string
}

type formMessage struct {
	id     uuid.UUID
	thread *formThread
	text   string
}

func (m *formModel) both(do func(mine store.Scope, st store.Store) error) {
	m.t.Helper()
	for _, st := range m.twin {
		require.NoError(m.t, do(st.ForUser(m.user), st))
	}
}

func (m *formModel) language() string {
	return []string{"", "en", "de", "fr", "ru", "xx"}[m.r.IntN(6)]
}

func (m *formModel) text() string {
	var words []string
	for range 1 + m.r.IntN(8) {
		words = append(words, formPieces[m.r.IntN(len(formPieces))])
	}
	return strings.Join(words, " ")
}

func (m *formModel) newThread() {
	th := &formThread{uuid.New(), m.language()}
	m.threads = append(m.threads, th)
	m.both(func(mine store.Scope, _ store.Store) error {
		return mine.Conversations().Create(m.t.Context(), &conversation.Conversation{ID: th.id, Language: th.language})
	})
}

func (m *formModel) step() {
	ctx, th := m.t.Context(), m.threads[m.r.IntN(len(m.threads))]
	what := m.r.IntN(10)
	switch {
	case what < 5 || len(m.messages) == 0:
		one := &formMessage{uuid.New(), th, m.text()}
		m.messages = append(m.messages, one)
		m.both(func(mine store.Scope, _ store.Store) error {
			_, err := mine.Messages().Append(ctx, th.id, &message.Message{ID: one.id, Role: message.RoleUser, Content: one.text})
			return err
		})
	case what < 7:
		one := m.messages[m.r.IntN(len(m.messages))]
		one.text = m.text()
		m.both(func(mine store.Scope, _ store.Store) error {
			_, err := mine.Messages().Update(ctx, one.id, store.MessageUpdate{Content: &one.text})
			return err
		})
	case what == 7:
		th.language = m.language()
		m.both(func(mine store.Scope, _ store.Store) error {
			_, err := mine.Conversations().SetLanguage(ctx, th.id, th.language)
			return err
		})
	case what == 8:
		th.language = m.language() // by a host's own GORM
		m.both(func(_ store.Scope, st store.Store) error {
			language := any(th.language)
			if th.language == "" {
				language = nil
			}
			return st.DB(ctx).Exec("UPDATE conversations SET language = ? WHERE id = ? AND user_id = ?", language, th.id, m.user).Error
		})
	default:
		m.both(func(_ store.Scope, st store.Store) error { return st.AllUsers().Maintenance().PackSearch(ctx) })
	}
}

func (m *formModel) check() {
	var ask strings.Builder
	for range 1 + m.r.IntN(3) {
		p := formPieces[m.r.IntN(len(formPieces))]
		ask.WriteString([]string{p, p, p, "-" + p, "OR " + p, `"` + p + `"`, p[:len(p)-1] + "*"}[m.r.IntN(7)] + " ")
	}
	query, only := strings.ToValidUTF8(ask.String(), ""), []string{"", "", "en", "de"}[m.r.IntN(4)]
	how := []searchtest.How{searchtest.All, searchtest.Any}[m.r.IntN(2)]
	var said []searchtest.Said
	for _, one := range m.messages {
		said = append(said, searchtest.Said{Value: one.text, Language: one.thread.language})
	}
	want := map[uuid.UUID]float64{}
	for _, hit := range searchtest.FindForms(said, query, how, forms(only)) {
		want[m.messages[hit.Text].id] = hit.Score
	}
	mine := func(st store.Store) store.Scope { return st.ForUser(m.user) }
	found, _ := m.ask(m.t, m.t, mine, query, store.TextOptions{Match: store.Match(how), Language: only})
	sameScores(m.t, want, found, query)
	for _, hit := range found {
		i := slices.IndexFunc(m.messages, func(one *formMessage) bool { return one.id == hit.id })
		require.NotEqual(m.t, "[]", hit.marks, "%q finds %q and marks nothing", query, m.messages[i].text)
	}
}
