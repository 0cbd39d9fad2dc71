package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// liveWrites is how many writes of a run are searched for, by all writers together.
func liveWrites() int64 {
	if testrun.Full() {
		return 4000
	}
	return 200
}

// TestWritesAreFoundAtOnce: writers look for each word right after they wrote it, in all the ways
// that a host may write, while others pack the index and make it anew, from two stores. A word is
// found as often as it was written, and one that was edited or deleted is not found.
func TestWritesAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		stores := [2]store.Store{d.Store(t, convostore.WithMigrate(migrate.Options{})), d.Store(t)}
		var left atomic.Int64
		left.Store(liveWrites())
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var writers, keepers sync.WaitGroup
		for i := range 4 {
			w := newLiveWriter(t, stores[i%2], d.SQLite, uint64(i))
			writers.Go(func() {
				for left.Add(-1) >= 0 {
					if err := w.write(t.Context()); err != nil {
						t.Error(w.how, err)
						left.Store(0)
					}
				}
			})
		}
		for i, st := range stores {
			keepers.Go(func() { keepIndex(ctx, t, st, i == 0) })
		}
		writers.Wait()
		stop()
		keepers.Wait()
		checkIndex(t, stores[0])
	})
}

// keepIndex packs the index, or makes it anew, until the context ends.
func keepIndex(ctx context.Context, t *testing.T, st store.Store, anew bool) {
	t.Helper()
	care := st.AllUsers().Maintenance()
	for ctx.Err() == nil {
		err := care.PackSearch(ctx)
		if err == nil && anew {
			err = care.ReindexSearch(ctx, nil)
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// liveWriter writes for a user, and knows what is to be found.
type liveWriter struct {
	st          store.Store
	mine        store.Scope
	sqlite      bool
	rand        *rand.Rand
	user        uuid.UUID
	thread, raw uuid.UUID // raw has what is written past the store
	// words are those of the messages that are there.
	words       map[uuid.UUID]string
	order       []uuid.UUID
	number, how int
	seq         int64
	prefix      string
}

func newLiveWriter(t *testing.T, st store.Store, sqlite bool, n uint64) *liveWriter {
	t.Helper()
	w := &liveWriter{
		st: st, sqlite: sqlite, rand: rand.New(rand.NewPCG(7, n)), user: uuid.New(), words: map[uuid.UUID]string{},
		prefix: string(rune('a'+n)) + letters(rand.Uint64()),
	}
	w.mine = st.ForUser(w.user)
	for _, id := range []*uuid.UUID{&w.thread, &w.raw} {
		c := &conversation.Conversation{Subject: "live"}
		require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
		*id = c.ID
	}
	return w
}

// letters writes a number in letters, which are one word.
func letters(n uint64) string {
	var s strings.Builder
	for _, digit := range fmt.Sprintf("%x", n) {
		s.WriteRune('a' + digit%'W'%26)
	}
	return s.String()
}

func (w *liveWriter) word() string {
	w.number++
	return w.prefix + "x" + letters(uint64(w.number)*0x9e3779b97f4a7c15)
}

// write does one thing and looks for what it did.
func (w *liveWriter) write(ctx context.Context) error {
	how := w.rand.IntN(11)
	w.how = how
	if len(w.order) == 0 && how > 4 {
		how = 0
	}
	switch how {
	case 0, 1, 2, 3:
		return w.add(ctx, how)
	case 4:
		return w.addInTransaction(ctx)
	default:
		return w.change(ctx, how, w.order[w.rand.IntN(len(w.order))])
	}
}

func (w *liveWriter) add(ctx context.Context, how int) (err error) {
	m := &message.Message{ID: uuid.Must(uuid.NewV7()), Role: message.RoleUser, Content: "a word is " + w.word()}
	word := m.Content[len("a word is "):]
	switch how {
	case 0, 1:
		_, err = w.mine.Messages().Append(ctx, w.thread, m)
	case 2:
		m.UserID, m.ConversationID = w.user, w.thread
		err = w.st.DB(ctx).Transaction(func(tx *gorm.DB) error { return tx.Create(m).Error })
	case 3:
		w.seq++
		err = w.st.DB(ctx).Exec("INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES (?, ?, ?, ?, 'user', ?)",
			m.ID.String(), w.user.String(), w.raw.String(), w.seq, m.Content).Error
	}
	if err != nil {
		return err
	}
	w.words[m.ID], w.order = word, append(w.order, m.ID)
	return w.expect(ctx, word, 1)
}

var errUndo = errors.New("undo")

// addInTransaction searches in the transaction, and after it is undone.
func (w *liveWriter) addInTransaction(ctx context.Context) error {
	word := w.word()
	err := w.st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(w.user)
		if _, err := mine.Messages().Append(ctx, w.thread, &message.Message{Role: message.RoleUser, Content: word}); err != nil {
			return err
		}
		if err := expectWord(ctx, mine, word, 1); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		return err
	}
	return w.expect(ctx, word, 0)
}

func (w *liveWriter) change(ctx context.Context, how int, id uuid.UUID) (err error) {
	old, word := w.words[id], w.word()
	db := w.st.DB(ctx)
	switch how {
	case 5:
		_, err = w.mine.Messages().Update(ctx, id, store.MessageUpdate{Content: &word})
	case 6:
		err = db.Model(&message.Message{}).Where("id = ? AND user_id = ?", id, w.user).Update("content", word).Error
	case 7:
		if _, err = w.mine.Messages().Delete(ctx, id); err == nil {
			if err = expectWord(ctx, w.mine, old, 0); err == nil {
				_, err = w.mine.Messages().Restore(ctx, id)
			}
		}
		word = old
	case 8:
		err = db.Exec("DELETE FROM messages WHERE id = ? AND user_id = ?", id.String(), w.user.String()).Error
	case 9:
		err = db.Exec("UPDATE messages SET deleted_at = created_at WHERE id = ? AND user_id = ?", id.String(), w.user.String()).Error
	case 10: // an edit that is undone
		err = w.st.Transaction(ctx, func(tx store.Store) error {
			if _, err := tx.ForUser(w.user).Messages().Update(ctx, id, store.MessageUpdate{Content: &word}); err != nil {
				return err
			}
			return errors.Join(expectWord(ctx, tx.ForUser(w.user), word, 1), expectWord(ctx, tx.ForUser(w.user), old, 0), errUndo)
		})
		if errors.Is(err, errUndo) && err.Error() == errUndo.Error() {
			err = nil
		}
		old, word = word, old
	}
	if err != nil {
		return err
	}
	if how == 8 || how == 9 {
		w.remove(id)
		return w.expect(ctx, old, 0)
	}
	w.words[id] = word
	if old != word {
		err = w.expect(ctx, old, 0)
	}
	return errors.Join(err, w.expect(ctx, word, 1))
}

func (w *liveWriter) remove(id uuid.UUID) {
	delete(w.words, id)
	for i, o := range w.order {
		if o == id {
			w.order = append(w.order[:i], w.order[i+1:]...)
			return
		}
	}
}

// expect looks for a word, in the user's scope or in that of all users, and for another that was
// written before.
func (w *liveWriter) expect(ctx context.Context, word string, times int) error {
	sc := w.mine
	if w.rand.IntN(8) == 0 {
		sc = w.st.AllUsers()
	}
	err := expectWord(ctx, sc, word, times)
	if len(w.order) > 0 {
		err = errors.Join(err, expectWord(ctx, w.mine, w.words[w.order[w.rand.IntN(len(w.order))]], 1))
	}
	return err
}

func expectWord(ctx context.Context, sc store.Scope, word string, times int) error {
	page, err := sc.Search().Messages(ctx, word, store.TextOptions{}, store.PageRequest{})
	if err == nil && len(page.Items) != times {
		err = fmt.Errorf("%s is found %d times instead of %d", word, len(page.Items), times)
	}
	return err
}
