package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// eager is a set of one replica, which always has everything: it is a handle on the same
// database that cannot write. It keeps what it was asked.
type eager struct {
	db *gorm.DB

	mu    sync.Mutex
	picks int
	since time.Time
	left  []error
}

func (e *eager) Pick(since time.Time) query.Replica {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.picks++
	e.since = since
	return e
}

func (e *eager) FellBack(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = append(e.left, err)
}

func (e *eager) Replicas() []query.Replica { return []query.Replica{e} }
func (e *eager) DB() *gorm.DB              { return e.db }
func (e *eager) Alive() context.Context    { return context.Background() }
func (e *eager) State() store.ReplicaState { return store.ReplicaState{Address: "here", InUse: true} }

// during returns how many reads were sent to the replica while f ran.
func (e *eager) during(f func()) int {
	e.mu.Lock()
	before := e.picks
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.picks - before
}

// onEager opens a store on each database, and gives its replica.
func onEager(t *testing.T, test func(t *testing.T, st store.Store, e *eager, b *logbook)) {
	t.Helper()
	options := func(e *eager, b *logbook) []convostore.Option {
		leads := store.HostTable{Name: "leads", Owner: "owner", Title: "title", Columns: []string{"branch"}}
		return []convostore.Option{
			withReplicas(e, replica.Rules{MaxLag: time.Hour, HostTransaction: time.Hour}), convostore.WithLogger(b.logger(), 0),
			convostore.WithEmbedder(embedtest.New(64)), convostore.WithLeads(leads), convostore.WithMigrate(migrate.Options{Dimensions: 64}),
		}
	}
	replica := func(t *testing.T, d gorm.Dialector) *eager {
		t.Helper()
		db, err := gorm.Open(d, &gorm.Config{Logger: logger.Discard, DisableAutomaticPing: true})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		return &eager{db: db}
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		readOnly := gormpostgres.Open(readOnly(d.DSN))
		if d.SQLite {
			require.NoError(t, d.Store(t).Close(), "the file is there")
			readOnly = sqlite.Dialector("file:" + d.DSN + "?mode=ro&_busy_timeout=5000&_time_format=sqlite")
		}
		e, b := replica(t, readOnly), &logbook{}
		test(t, d.Store(t, options(e, b)...), e, b)
	})
}

// readOnly refuses writes as a standby does, with the same SQLSTATE.
func readOnly(dsn string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " options='-c default_transaction_read_only=on'"
	}
	join := "?"
	if strings.Contains(dsn, "?") {
		join = "&"
	}
	return dsn + join + "options=-c%20default_transaction_read_only%3Don"
}

// writes are the methods that change rows, with those that decide what is to be changed.
var writes = map[string]string{
	"threads.conversations":   "Create Upsert GetOrCreate SetTitle SetSubject SetLanguage SetMetadata MergeMetadata MarkRead AddLabels RemoveLabels Assign Unassign Snooze Unsnooze Pin Unpin Archive Reopen Hold Release Delete Restore Erase Fork Merge",
	"engine.messages":         "Append AppendMany Import File AddRefs RemoveRefs Update MergeMetadata Vote Unvote Delete Restore RestoreAll Stream ResumeStream StopStream SetHead TruncateAfter Replace Move",
	"states.states":           "Merge",
	"threads.summaries":       "Create Delete",
	"deliveries.deliveries":   "Enqueue Cancel Reschedule Retry Claim Renew Done Fail Bounce Delivered Run",
	"suggestions.suggestions": "Create Approve Edit Reject Send SaveDraft Reopen Expire Unsend Delete Restore",
	"embeddings.embeddings":   "Set SetMany EmbedMissing RetrySetAside DropModel",
	"maintenance.maintenance": "EraseUser",
}

// decisions note nothing, and still have nothing to do on a replica. Of everybody's they
// are maintenance.
var decisions = map[string]string{
	"threads.conversations":   "Watch",
	"engine.messages":         "FindThread Tail",
	"threads.summaries":       "Cover",
	"embeddings.embeddings":   "Train",
	"maintenance.maintenance": "ArchiveInactive Purge Retain EraseLead RemoveOrphans SweepStreams Analyze Vacuum VacuumFull Reindex PackSearch ReindexSearch SearchState",
}

// behindHeirs are the rooms of the roles that package heirs stands before.
var behindHeirs = map[string]string{
	"heirs.conversations": "threads.conversations", "heirs.messages": "engine.messages", "heirs.states": "states.states",
	"heirs.summaries": "threads.summaries", "heirs.suggestions": "suggestions.suggestions",
}

func isAmong(methods map[string]string, name string) bool {
	role, method := name[:strings.LastIndex(name, ".")], name[strings.LastIndex(name, ".")+1:]
	if behind, ok := behindHeirs[role]; ok {
		role = behind
	}
	return strings.Contains(" "+methods[role]+" ", " "+method+" ")
}

// Every method but those of writes and decisions reads from a replica, and nothing that
// a write does goes to one. What is written, the user's next read is told to see.
func TestReplicaForReadsAlone(t *testing.T) {
	t.Parallel()
	onEager(t, func(t *testing.T, st store.Store, e *eager, b *logbook) {
		user := uuid.New()
		probe := func(user uuid.UUID) time.Time {
			_, err := st.ForUser(user).Conversations().Get(t.Context(), uuid.New())
			require.ErrorIs(t, err, store.ErrNotFound)
			return e.since
		}
		probe(user) // the check of the schema counts as a write
		c := &caller{t: t, b: b, called: map[string]bool{}}
		c.around = func(name string, call func() error) {
			begun := time.Now()
			var err error
			picks := e.during(func() { err = call() })
			if err != nil {
				require.NotContains(t, err.Error(), "25006", name)
			}
			switch {
			case isAmong(writes, name):
				require.Zero(t, picks, "%s asked a replica", name)
				require.True(t, probe(user).After(begun), "%s is not noted", name)
				require.True(t, probe(uuid.New()).Before(begun), "%s is noted for others", name)
			case isAmong(decisions, name):
				require.Zero(t, picks, "%s asked a replica", name)
			default:
				require.Positive(t, picks, "%s asked no replica", name)
				require.True(t, probe(user).Before(begun), "%s is noted as a write", name)
			}
		}
		callAll(c, &secrets{}, st, user)
		for _, err := range e.left {
			require.ErrorIs(t, err, store.ErrNotFound, "it was asked what it cannot do")
		}
		require.Positive(t, e.picks)
	})
}

// What AllUsers writes, its next read is told to see, and so is that of the user whose it
// was; others are not.
func TestReplicaAfterAllUsers(t *testing.T) {
	t.Parallel()
	onEager(t, func(t *testing.T, st store.Store, e *eager, _ *logbook) {
		ctx, user := t.Context(), uuid.New()
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "a"}}}
		require.NoError(t, st.ForUser(user).Conversations().Create(ctx, c))
		sg := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "b"}
		require.NoError(t, st.ForUser(user).Suggestions().Create(ctx, sg))
		all, id, v := st.AllUsers(), c.Messages[0].ID, message.Vector(embedtest.New(64).Vector("x"))
		since := func(sc store.Scope) time.Time {
			_, err := sc.Messages().Last(ctx, c.ID, 1)
			if err != nil {
				require.ErrorIs(t, err, store.ErrNotFound)
			}
			return e.since
		}
		var begun time.Time
		for name, write := range map[string]func() error{
			"Create": func() error { return all.Conversations().Create(ctx, &conversation.Conversation{UserID: user}) },
			"Append": func() error {
				// One of the lead would supersede the suggestion that is approved.
				_, err := all.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleAssistant, Content: "c"})
				return err
			},
			"SetTitle":      func() error { _, err := all.Conversations().SetTitle(ctx, c.ID, "d"); return err },
			"MergeMetadata": func() error { _, err := all.Conversations().MergeMetadata(ctx, c.ID, []byte(`{}`)); return err },
			"Hold":          func() error { _, err := all.Conversations().Hold(ctx, c.ID); return err },
			"Approve": func() error {
				_, err := all.Suggestions().Approve(ctx, sg.ID, suggestion.Review{By: "e"})
				return err
			},
			"Set": func() error { return all.Embeddings().Set(ctx, id, "m", v) },
			"SetMany": func() error {
				return all.Embeddings().SetMany(ctx, "m", []store.MessageVector{{MessageID: id, Vector: v}})
			},
			"EmbedMissing": func() error {
				_, err := all.Embeddings().EmbedMissing(ctx, embedtest.New(64), store.EmbedOptions{})
				return err
			},
			"ArchiveInactive": func() error {
				require.NoError(t, st.ForUser(user).Conversations().Create(ctx, &conversation.Conversation{}), "one that is not held")
				begun = time.Now()
				_, err := all.Maintenance().ArchiveInactive(ctx, begun.Add(time.Hour))
				return err
			},
			"Transaction": func() error {
				return st.Transaction(ctx, func(tx store.Store) error {
					_, err := tx.AllUsers().Conversations().SetTitle(ctx, c.ID, "f")
					return err
				})
			},
		} {
			begun = time.Now()
			var err error
			require.Zero(t, e.during(func() { err = write() }), "%s asked a replica", name)
			require.NoError(t, err, name)
			require.True(t, since(all).After(begun), "%s: everybody's", name)
			require.True(t, since(st.ForUser(user)).After(begun), "%s: the user's", name)
			require.True(t, since(st.ForUser(uuid.New())).Before(begun), "%s: a stranger's", name)
		}
	})
}

// A host's commit is not seen: its writes count as acknowledged for as long as it may take.
func TestReplicaAfterWithTx(t *testing.T) {
	t.Parallel()
	onEager(t, func(t *testing.T, st store.Store, e *eager, _ *logbook) {
		user := uuid.New()
		require.NoError(t, st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
			in := st.WithTx(tx)
			var err error
			require.Zero(t, e.during(func() {
				err = in.ForUser(user).Conversations().Create(t.Context(), &conversation.Conversation{})
				_, listErr := in.ForUser(user).Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
				require.NoError(t, listErr)
			}), "a transaction reads what it wrote")
			return err
		}))
		_, err := st.ForUser(user).Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
		require.NoError(t, err)
		require.True(t, e.since.After(time.Now().Add(50*time.Minute)))
		require.Zero(t, e.during(func() {
			_, err = st.ForUser(user).Conversations().List(store.WithPrimary(t.Context()), store.ConversationFilter{}, store.PageRequest{})
		}))
		require.NoError(t, err)
	})
}

// withReplicas is what a backend sets.
func withReplicas(set replica.Set, rules replica.Rules) convostore.Option {
	return func(c *config.Config) error {
		c.Replicas, c.ReplicaRules = set, rules
		return nil
	}
}
