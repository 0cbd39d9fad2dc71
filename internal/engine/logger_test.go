package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
	"github.com/convostore/convostore/window"
)

// logbook keeps the lines of a log.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logbook) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// line is one of a log. Nothing but this may be in it.
type line struct {
	Time     time.Time `json:"time"`
	Level    string    `json:"level"`
	Msg      string    `json:"msg"`
	SQL      string    `json:"sql"`
	Duration int64     `json:"duration"`
	Rows     *int64    `json:"rows"`
	Code     string    `json:"code"`
}

// take returns the lines so far and forgets them.
func (b *logbook) take(t *testing.T) []line {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []line
	d := json.NewDecoder(bytes.NewReader(b.text.Bytes()))
	d.DisallowUnknownFields()
	for d.More() {
		var l line
		require.NoError(t, d.Decode(&l))
		lines = append(lines, l)
	}
	b.text.Reset()
	return lines
}

// loggedStores opens one on each database, which logs into the book.
func loggedStores(slow time.Duration) map[string]func(t *testing.T, b *logbook) store.Store {
	o := migrate.Options{Dimensions: 64}
	opts := func(b *logbook) []convostore.Option {
		leads := store.HostTable{Name: "leads", Owner: "owner", Title: "title", Columns: []string{"branch"}}
		return []convostore.Option{
			convostore.WithLogger(b.logger(), slow), convostore.WithEmbedder(embedtest.New(64)), convostore.WithLeads(leads), convostore.WithMigrate(o),
		}
	}
	return map[string]func(t *testing.T, b *logbook) store.Store{
		"sqlite": func(t *testing.T, b *logbook) store.Store {
			st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "chat.db"), opts(b)...)
			require.NoError(t, err)
			return st
		},
		"postgres": func(t *testing.T, b *logbook) store.Store {
			st, err := postgres.Open(t.Context(), pgtest.Database(t), opts(b)...)
			require.NoError(t, err)
			return st
		},
	}
}

func onLogged(t *testing.T, slow time.Duration, test func(t *testing.T, st store.Store, b *logbook)) {
	t.Helper()
	for name, open := range loggedStores(slow) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &logbook{}
			st := open(t, b)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			test(t, st, b)
		})
	}
}

// secrets makes texts that are told apart from everything else, in either case of letters.
type secrets struct{ n int }

func (s *secrets) next() string {
	s.n++
	return fmt.Sprintf("sesam%d", s.n)
}

func (s *secrets) json() message.JSON {
	return message.JSON(fmt.Sprintf(`{%q: [%q, 1]}`, s.next(), s.next()))
}

func (s *secrets) message() *message.Message {
	return &message.Message{
		Role: message.RoleUser, Content: s.next() + " " + s.next(), SenderEmail: s.next() + "@example.com", RecipientEmail: s.next(),
		PostmarkMessageID: s.next(), GmailMessageID: s.next(), GmailThreadID: s.next(), EmailMessageID: "<" + s.next() + "@x>",
		IdempotencyKey: s.next(), Headers: message.Headers{s.next(): {s.next()}, "In-Reply-To": {"<" + s.next() + "@x>"}},
		Attachments: message.Attachments{{Filename: s.next(), ContentType: s.next(), URL: s.next(), Key: s.next()}},
		ToolCalls:   s.json(), ToolResults: s.json(), Metadata: s.json(),
	}
}

func (s *secrets) conversation(ms ...*message.Message) *conversation.Conversation {
	return &conversation.Conversation{
		LeadID: s.next(), ExternalKey: s.next(), Title: s.next(), Subject: s.next(), Metadata: s.json(), Messages: ms,
	}
}

func (s *secrets) suggestion(c *conversation.Conversation) *suggestion.Suggestion {
	return &suggestion.Suggestion{
		ConversationID: c.ID, SuggestedContent: s.next(), SentimentAnalysis: s.json(), ContextUsed: s.json(), ModelUsed: s.next(),
		ConfidenceScore: new(0.5),
	}
}

// caller calls methods by their names, so that it is known which have been called.
type caller struct {
	t      *testing.T
	b      *logbook
	called map[string]bool
	lines  []line
	// around runs each call, with the name of its method, if it is set.
	around func(name string, call func() error)
}

// call runs a method and requires that it logged a statement, which an invalid call would
// not get to. Of what it returns only an iterator is looked at, and read.
func (c *caller) call(role any, method string, args ...any) {
	c.t.Helper()
	c.called[fmt.Sprintf("%T.%s", role, method)] = true
	m := reflect.ValueOf(role).MethodByName(method)
	in := []reflect.Value{reflect.ValueOf(c.t.Context())}
	for _, a := range args {
		in = append(in, reflect.ValueOf(a))
	}
	run := func() error {
		out := m.Call(in)
		if out[0].Kind() == reflect.Func {
			for range out[0].Seq2() {
				continue
			}
		}
		err, _ := out[len(out)-1].Interface().(error)
		require.NotErrorIs(c.t, err, store.ErrInvalid, method)
		return err
	}
	if c.around != nil {
		c.around(fmt.Sprintf("%T.%s", role, method), run)
	} else {
		_ = run()
	}
	lines := c.b.take(c.t)
	require.NotEmpty(c.t, lines, "%s is not logged", method)
	c.lines = append(c.lines, lines...)
}

// calledAll requires that every method of the role was called.
func calledAll[T any](c *caller, role T) {
	c.t.Helper()
	for m := range reflect.TypeFor[T]().Methods() {
		require.Contains(c.t, c.called, fmt.Sprintf("%T.%s", role, m.Name))
	}
}

func TestWithLogger(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, testLogged)
}

func testLogged(t *testing.T, st store.Store, b *logbook) {
	s, user := &secrets{}, uuid.New()
	c := &caller{t: t, b: b, called: map[string]bool{}}
	thread := callAll(c, s, st, user)
	require.Greater(t, s.n, 200)

	placeholder := regexp.MustCompile(`\?|\$1\b`)
	artefact := regexp.MustCompile(`\$\d+\$`)
	with := 0
	for _, l := range c.lines {
		text := strings.ToLower(fmt.Sprintf("%+v", l))
		require.NotContains(t, text, "sesam")
		require.NotContains(t, text, user.String())
		require.NotContains(t, text, thread.ID.String())
		require.NotRegexp(t, artefact, l.SQL)
		require.NotEmpty(t, l.SQL)
		require.Positive(t, l.Duration)
		require.NotEqual(t, "slow query", l.Msg)
		require.NotEqual(t, "ERROR", l.Level, "%+v", l)
		if placeholder.MatchString(l.SQL) {
			with++
		}
	}
	require.Greater(t, with, 100)
}

// callAll calls every method for a user, and returns the conversation that most are about.
func callAll(c *caller, s *secrets, st store.Store, user uuid.UUID) *conversation.Conversation {
	c.t.Helper()
	mine := st.ForUser(user)
	thread := s.conversation(s.message(), s.message())
	callConversations(c, s, mine.Conversations(), thread)
	callMessages(c, s, mine.Messages(), thread)
	callStates(c, s, mine.States(), thread)
	callSuggestions(c, s, mine.Suggestions(), thread)
	callSummaries(c, s, mine.Summaries(), thread)
	callDeliveries(c, s, mine, thread)
	callEmbeddings(c, s, mine.Embeddings(), thread)
	callSearch(c, s, mine.Search(), thread)
	callReports(c, s, st, mine.Reports(), thread)
	callTraining(c, s, st)
	callMaintenance(c, s, st.AllUsers().Maintenance())
	c.call(mine.Conversations(), "Erase", thread.ID)
	c.call(mine.Maintenance(), "EraseUser")
	calledAll(c, mine.Conversations())
	calledAll(c, mine.Messages())
	calledAll(c, mine.States())
	calledAll(c, mine.Suggestions())
	calledAll(c, mine.Summaries())
	calledAll(c, mine.Deliveries())
	calledAll(c, mine.Embeddings())
	calledAll(c, mine.Search())
	calledAll(c, mine.Reports())
	calledAll(c, mine.Maintenance())
	return thread
}

func callConversations(c *caller, s *secrets, r store.Conversations, thread *conversation.Conversation) {
	c.call(r, "Create", thread)
	c.call(r, "Create", &conversation.Conversation{ExternalKey: thread.ExternalKey}) // a duplicate
	c.call(r, "Upsert", &conversation.Conversation{ID: thread.ID, ExternalKey: thread.ExternalKey, Title: s.next()})
	c.call(r, "GetOrCreate", s.conversation())
	for _, method := range []string{"Get", "Thread", "Archive", "Reopen", "Hold", "Release", "Delete", "Restore"} {
		c.call(r, method, thread.ID)
	}
	c.call(r, "GetByExternalKey", s.next())
	f := store.ConversationFilter{Text: s.next(), LeadID: s.next()}
	c.call(r, "List", f, store.PageRequest{})
	c.call(r, "ListNumbered", f, store.NumberRequest{})
	c.call(r, "All", f)
	marked := store.ConversationFilter{App: s.next(), Assignee: s.next(), Labels: []string{s.next()}, Metadata: []store.MetadataCondition{
		{Key: s.next(), Value: message.MustJSON(s.next())}, {Key: s.next(), Value: message.MustJSON(s.next()), Contains: true},
	}}
	shown := store.OverviewOptions{LastMessage: true, Reader: s.next(), Labels: true, StateKeys: []string{s.next()}}
	c.call(r, "Overview", marked, shown, store.PageRequest{})
	c.call(r, "Assign", thread.ID, s.next(), store.AssignOptions{})
	c.call(r, "Assign", thread.ID, s.next(), store.AssignOptions{From: new(s.next())})
	c.call(r, "Unassign", thread.ID, store.AssignOptions{From: new(s.next())})
	c.call(r, "Snooze", thread.ID, time.Now().Add(time.Hour))
	c.call(r, "Unsnooze", thread.ID)
	c.call(r, "Pin", thread.ID)
	c.call(r, "Unpin", thread.ID)
	c.call(r, "Counts", s.next())
	c.call(r, "MarkRead", thread.ID, s.next(), int64(1))
	c.call(r, "AddLabels", thread.ID, s.next(), []string{s.next(), s.next()})
	c.call(r, "RemoveLabels", thread.ID, []string{s.next()})
	c.call(r, "NeedsReply", store.PageRequest{})
	c.call(r, "Unread", time.Now(), store.PageRequest{})
	c.call(r, "SetTitle", thread.ID, s.next())
	c.call(r, "SetSubject", thread.ID, s.next())
	c.call(r, "SetLanguage", thread.ID, "de")
	c.call(r, "SetMetadata", thread.ID, s.json())
	c.call(r, "MergeMetadata", thread.ID, s.json())
	c.call(r, "Watch", store.WatchOptions{Since: time.Unix(0, 0), Once: true})
	c.call(r, "Fork", thread.ID, store.ForkOptions{ExternalKey: s.next(), Title: s.next()})
	other := s.conversation(s.message())
	c.call(r, "Create", other)
	c.call(r, "Merge", other.ID, thread.ID, store.MoveOptions{AcrossLeads: true})
	c.called[fmt.Sprintf("%T.Erase", r)] = true // at the end
}

func callMessages(c *caller, s *secrets, r store.Messages, thread *conversation.Conversation) {
	m := s.message()
	c.call(r, "Append", thread.ID, m)
	again := *m
	again.ID = uuid.Nil
	c.call(r, "Append", thread.ID, &again) // a redelivery
	c.call(r, "AppendMany", thread.ID, []*message.Message{s.message(), s.message()}, store.AppendOptions{})
	changes := store.StateMap{s.next(): conversation.Value(s.next())}
	c.call(r, "AppendMany", thread.ID, []*message.Message{s.message()}, store.AppendOptions{
		States: store.AppendStates{Conversation: changes, User: changes, App: changes},
	})
	in := s.message()
	in.ConversationID = thread.ID
	c.call(r, "Import", func(yield func(*message.Message, error) bool) { yield(in, nil) }, store.ImportOptions{})
	c.call(r, "Get", m.ID)
	c.call(r, "List", thread.ID, store.MessageFilter{}, store.PageRequest{})
	c.call(r, "ListNumbered", thread.ID, store.MessageFilter{}, store.NumberRequest{})
	c.call(r, "ListByUserNumbered", store.MessageFilter{}, store.NumberRequest{})
	c.call(r, "All", thread.ID, store.MessageFilter{})
	c.call(r, "Last", thread.ID, 2)
	c.call(r, "Around", thread.ID, int64(2), 2)
	c.call(r, "Context", thread.ID, window.Budget{Messages: 10})
	c.call(r, "ListByUser", store.MessageFilter{HasAttachments: true}, store.PageRequest{})
	c.call(r, "AllByUser", store.MessageFilter{})
	c.call(r, "FindByProviderID", message.ProviderGmail, m.GmailMessageID)
	c.call(r, "FindThread", s.message())
	filed := s.message()
	c.call(r, "File", filed, store.FileOptions{
		New:  &conversation.Conversation{Subject: s.next(), Labels: []*conversation.Label{{Label: s.next()}}},
		Refs: []message.Ref{{Provider: s.next(), Ref: s.next()}}, Threads: []message.Ref{{Provider: s.next(), Ref: s.next()}}, BySubject: true,
	})
	ref := message.Ref{Provider: s.next(), Ref: s.next(), Exclusive: true}
	c.call(r, "AddRefs", m.ID, ref)
	c.call(r, "Refs", m.ID)
	c.call(r, "GetByRef", ref.Provider, ref.Ref)
	c.call(r, "RemoveRefs", m.ID, ref)
	c.call(r, "Update", m.ID, store.MessageUpdate{Content: new(s.next()), Metadata: new(s.json())})
	c.call(r, "MergeMetadata", m.ID, s.json())
	c.call(r, "Move", []uuid.UUID{m.ID}, thread.ID, store.MoveOptions{})
	voter := s.next()
	c.call(r, "Vote", m.ID, message.Vote{Voter: voter, Value: message.VoteDown, Comment: s.next()})
	c.call(r, "Votes", m.ID)
	c.call(r, "CountVotes", []uuid.UUID{m.ID})
	c.call(r, "Unvote", m.ID, voter)
	c.call(r, "Delete", m.ID)
	c.call(r, "Restore", m.ID)
	c.call(r, "RestoreAll", thread.ID)
	streamed := s.message()
	c.call(r, "Stream", thread.ID, streamed, store.StreamOptions{})
	c.call(r, "ResumeStream", streamed.ID, store.StreamOptions{})
	c.call(r, "StopStream", streamed.ID)
	c.call(r, "FollowStream", streamed.ID, int64(0), store.FollowOptions{})
	c.call(r, "Tail", thread.ID, store.Position{}, store.TailOptions{Once: true})
	c.call(r, "GetByKey", thread.ID, m.IdempotencyKey)
	c.call(r, "Path", thread.ID, int64(1), store.PageRequest{})
	c.call(r, "Branches", thread.ID, int64(1))
	c.call(r, "SetHead", thread.ID, int64(1))
	c.call(r, "TruncateAfter", thread.ID, int64(0), store.TruncateOptions{})
	c.call(r, "Replace", thread.ID, []*message.Message{s.message()}, store.ReplaceOptions{})
	c.call(r, "RestoreAll", thread.ID)
}

func callStates(c *caller, s *secrets, r store.States, thread *conversation.Conversation) {
	for _, in := range []store.StatePlace{store.ConversationState(thread.ID), store.UserState(s.next()), store.AppState(s.next())} {
		key := s.next()
		c.call(r, "Merge", in, store.StateMap{key: conversation.Value(s.next())}, store.MergeOptions{})
		c.call(r, "Merge", in, store.StateMap{key: nil, s.next(): {}}, store.MergeOptions{Expected: map[string]int64{key: 1}})
		c.call(r, "Get", in, key)
		c.call(r, "List", in, store.StateFilter{Prefix: s.next(), After: s.next(), Keys: []string{s.next()}})
	}
	c.call(r, "OfConversation", thread.ID)
	c.call(r, "OfConversations", []*conversation.Conversation{thread})
}

func callSummaries(c *caller, s *secrets, r store.Summaries, thread *conversation.Conversation) {
	sum := &conversation.Summary{ConversationID: thread.ID, FromSeq: 1, ToSeq: 1, Content: s.next(), Model: s.next()}
	c.call(r, "Cover", thread.ID, int64(1), int64(1))
	c.call(r, "Create", sum)
	c.call(r, "List", thread.ID)
	c.call(r, "Delete", sum.ID)
}

func callDeliveries(c *caller, s *secrets, mine store.Scope, thread *conversation.Conversation) {
	r, worker, channel := mine.Deliveries(), s.next(), s.next()
	queue := func() (*message.Message, *message.OutboxEntry) {
		m := s.message()
		m.Role, m.Direction = message.RoleAssistant, message.DirectionOutbound
		c.call(mine.Messages(), "Append", thread.ID, m)
		e := &message.OutboxEntry{MessageID: m.ID, Channel: channel}
		c.call(r, "Enqueue", e)
		return m, e
	}
	m, e := queue()
	c.call(r, "Get", e.ID)
	c.call(r, "List", store.DeliveryFilter{MessageID: m.ID, Channel: channel, State: store.DeliveryOpen}, store.PageRequest{})
	c.call(r, "Reschedule", e.ID, time.Now().Add(-time.Hour))
	c.call(r, "Claim", store.ClaimOptions{Worker: worker, Channels: []string{channel}})
	c.call(r, "Renew", e.ID, worker, time.Minute)
	c.call(r, "Fail", e.ID, worker, store.Failure{Error: s.next(), Final: true})
	c.call(r, "Retry", m.ID)
	c.call(r, "Claim", store.ClaimOptions{Worker: worker})
	c.call(r, "Done", e.ID, worker, store.DeliveryResult{
		Refs: []message.Ref{{Provider: s.next(), Ref: s.next(), Exclusive: true}}, GmailMessageID: s.next(), GmailThreadID: s.next(), EmailMessageID: s.next(),
	})
	c.call(r, "Delivered", m.ID)
	c.call(r, "Bounce", m.ID, s.next())
	_, e = queue()
	c.call(r, "Cancel", e.ID)
	queue()
	c.call(r, "Run", store.RunOptions{Name: s.next(), Once: true}, store.SendFunc(func(context.Context, *store.Claimed) (store.DeliveryResult, error) {
		return store.DeliveryResult{PostmarkMessageID: s.next()}, nil
	}))
}

func callSuggestions(c *caller, s *secrets, r store.Suggestions, thread *conversation.Conversation) {
	for _, decide := range []string{"Approve", "Reject", "Edit"} {
		sg := s.suggestion(thread)
		c.call(r, "Create", sg)
		c.call(r, "SaveDraft", sg.ID, s.next(), store.SaveOptions{By: s.next()})
		c.call(r, "Expire", store.ExpireOptions{CreatedBefore: time.Now().Add(time.Hour)})
		c.call(r, "Reopen", sg.ID, store.ReopenOptions{Current: true})
		args := []any{sg.ID}
		if decide == "Edit" {
			args = append(args, s.next())
		}
		c.call(r, decide, append(args, suggestion.Review{By: s.next(), Feedback: s.next()})...)
		c.call(r, "Get", sg.ID)
		c.call(r, "Send", sg.ID, &message.Message{RecipientEmail: s.next(), GmailMessageID: s.next()}, store.SendOptions{Deliver: &message.OutboxEntry{Channel: s.next()}})
		c.call(r, "Unsend", sg.ID)
		c.call(r, "Delete", sg.ID)
		c.call(r, "Restore", sg.ID)
	}
	c.call(r, "Pending", store.PageRequest{})
	c.call(r, "PendingNumbered", store.NumberRequest{})
	c.call(r, "ListByConversationNumbered", thread.ID, store.NumberRequest{})
	c.call(r, "ListByConversation", thread.ID, store.PageRequest{})
}

func callReports(c *caller, s *secrets, st store.Store, r store.Reports, thread *conversation.Conversation) {
	db := st.DB(c.t.Context())
	require.NoError(c.t, db.Exec("CREATE TABLE leads (id text PRIMARY KEY, owner uuid, title text, branch text)").Error)
	require.NoError(c.t, db.Exec("INSERT INTO leads VALUES (?, ?, ?, ?)", thread.LeadID, thread.UserID.String(), s.next(), s.next()).Error)
	period := store.Period{Since: time.Now().AddDate(0, 0, -1), Before: time.Now().AddDate(0, 0, 1)}
	c.call(r, "Daily", time.Now())
	c.call(r, "Unread", time.Time{}, store.PageRequest{})
	c.call(r, "MessagesWithAttachments", period, store.PageRequest{})
	c.call(r, "HighConfidenceApproved", 0.1, period, store.PageRequest{})
	c.call(r, "ResponseRate", "branch", period)
	for _, method := range []string{
		"Summary", "ResponseTimes", "FirstResponseTimes", "SuggestionsByConfidence", "SuggestionsByModel", "DecisionTimes", "EditDistances",
	} {
		c.call(r, method, period)
	}
	open, err := store.NewCalendar(store.BusinessHours{Week: store.Workdays(store.Span{To: 24 * time.Hour})})
	require.NoError(c.t, err)
	counted := store.Period{Calendar: open}
	c.call(r, "ResponseTimes", counted)
	c.call(r, "ResponseTimesByConversation", store.Top{Period: counted})
	c.call(r, "ResponseTimesByLead", store.Top{Period: counted})
	c.call(r, "ResponseTimesByAssignee", store.Top{Period: counted})
	for _, method := range []string{"DailySeries", "ResponseTimesByDay", "SuggestionsByDay", "CostsByDay", "UsageByDay"} {
		c.call(r, method, store.Days{Period: period})
	}
	for _, method := range []string{
		"MostActive", "AttachmentCounts", "ResponseTimesByConversation", "ResponseTimesByLead", "ResponseTimesByAssignee",
		"CostsByConversation", "CostsByLead", "CostsByModel", "UsageByConversation", "UsageByUser", "UsageByModel",
	} {
		c.call(r, method, store.Top{Period: period})
	}
}

func callMaintenance(c *caller, s *secrets, r store.Maintenance) {
	long := 1000 * time.Hour
	c.call(r, "ArchiveInactive", time.Now().Add(-long))
	c.call(r, "Purge", time.Now().Add(-long))
	c.call(r, "Retain", store.RetentionPolicy{ArchiveAfter: long, DeleteAfter: long, PurgeAfter: long})
	c.call(r, "EraseLead", s.next())
	for _, method := range []string{"Orphans", "RemoveOrphans", "Counts", "Analyze", "Vacuum", "VacuumFull", "Reindex", "PackSearch", "SearchState"} {
		c.call(r, method)
	}
	c.call(r, "SweepStreams", time.Hour)
	c.call(r, "DeadStreams", time.Hour)
	c.call(r, "ReindexSearch", func(store.SearchProgress) {})
}

func callEmbeddings(c *caller, s *secrets, r store.Embeddings, thread *conversation.Conversation) {
	m, v := thread.Messages[0], message.Vector(embedtest.New(64).Vector("x"))
	model := s.next()
	c.call(r, "Set", m.ID, model, v)
	c.call(r, "SetMany", s.next(), []store.MessageVector{{MessageID: m.ID, Vector: v}})
	c.call(r, "Get", m.ID, model)
	c.call(r, "Missing", s.next(), store.EmbedFilter{})
	c.call(r, "EmbedMissing", embedtest.New(64), store.EmbedOptions{})
	c.call(r, "Models")
	c.call(r, "ListSetAside", s.next(), store.PageRequest{})
	c.call(r, "RetrySetAside", s.next(), []uuid.UUID{m.ID})
	c.call(r, "DropModel", model)
}

// callTraining leaves out PostgreSQL, where there is nothing to do and nothing to log.
func callTraining(c *caller, s *secrets, st store.Store) {
	r := st.AllUsers().Embeddings()
	if st.DB(c.t.Context()).Name() == "postgres" {
		c.called[fmt.Sprintf("%T.Train", r)], c.called[fmt.Sprintf("%T.Trainings", r)] = true, true
		return
	}
	c.call(r, "Train", s.next(), store.TrainOptions{})
	c.call(r, "Trainings")
}

func callSearch(c *caller, s *secrets, r store.Search, thread *conversation.Conversation) {
	filter := store.SearchFilter{LeadID: s.next()}
	for _, text := range []string{"sesam1", s.next(), `"` + s.next() + ` ` + s.next() + `" -` + s.next(), s.next() + "*", "ses%_am'"} {
		for _, o := range []store.TextOptions{{}, {Filter: filter}, {Match: store.MatchSubstring}, {Order: store.Newest}} {
			c.call(r, "Messages", text, o, store.PageRequest{})
			c.call(r, "Conversations", text, o, store.PageRequest{})
		}
		c.call(r, "Hybrid", text, store.HybridOptions{})
	}
	for _, mode := range []store.SimilarMode{store.SearchAuto, store.SearchExact, store.SearchApproximate} {
		o := store.SimilarOptions{Mode: mode}
		c.call(r, "SimilarMessages", store.SimilarTo{Text: s.next()}, o)
		c.call(r, "SimilarConversations", store.SimilarTo{Text: s.next()}, o)
		c.call(r, "MoreLike", thread.Messages[0].ID, o)
	}
}

// TestWithLoggerErrors has statements fail whose arguments the databases quote in their
// errors.
func TestWithLoggerErrors(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, func(t *testing.T, st store.Store, b *logbook) {
		s, ctx, mine := &secrets{}, t.Context(), st.ForUser(uuid.New())
		isPostgres := st.DB(ctx).Name() == "postgres"
		only := func(err error, level, msg string, codes ...string) {
			t.Helper()
			require.Error(t, err)
			lines := b.take(t)
			lines = slices.DeleteFunc(lines, func(l line) bool { return l.Msg == "query" })
			require.Len(t, lines, 1)
			require.Equal(t, level, lines[0].Level)
			require.Equal(t, msg, lines[0].Msg)
			require.Contains(t, codes, lines[0].Code)
			require.NotContains(t, fmt.Sprint(lines), "sesam")
			require.NotEmpty(t, lines[0].SQL)
		}
		thread := s.conversation(s.message())
		require.NoError(t, mine.Conversations().Create(ctx, thread))
		b.take(t)

		only(mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: thread.ExternalKey}),
			"WARN", "query failed", "23505", "2067")
		db := func() *gorm.DB { return st.DB(ctx) }
		only(db().Exec("UPDATE conversations SET status = ?", s.next()).Error, "ERROR", "query failed", "23514", "275")
		broken := "SELECT json(?)"
		if isPostgres {
			broken = "SELECT CAST(CAST(? AS text) AS uuid)"
		}
		only(db().Raw(broken, s.next()).Scan(new(string)).Error, "ERROR", "query failed", "22P02", "1")
		only(db().Raw("SELECT 'x' AS n").Scan(new(int)).Error, "ERROR", "query failed", "*errors.errorString")
		for _, ended := range []struct {
			ctx         context.Context
			level, code string
		}{{over(t, context.Canceled), "DEBUG", "context canceled"}, {over(t, context.DeadlineExceeded), "WARN", "context deadline exceeded"}} {
			_, err := mine.Conversations().Get(ended.ctx, thread.ID)
			only(err, ended.level, "query failed", ended.code)
		}
		// GORM's own word for an empty result is no error, and neither is an absent row.
		require.ErrorIs(t, db().Where("title = ?", s.next()).First(&conversation.Conversation{}).Error, gorm.ErrRecordNotFound)
		_, err := mine.Conversations().Get(ctx, uuid.New())
		require.ErrorIs(t, err, store.ErrNotFound)
		for _, l := range b.take(t) {
			require.Equal(t, "DEBUG", l.Level)
			require.Equal(t, "query", l.Msg)
		}
		require.NoError(t, db().Exec("DROP TABLE ai_suggestions").Error)
		_, err = mine.Suggestions().Get(ctx, uuid.New())
		only(err, "ERROR", "query failed", "42P01", "1")
	})
}

// over returns a context that has ended.
func over(t *testing.T, cause error) context.Context {
	t.Helper()
	if errors.Is(cause, context.Canceled) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	t.Cleanup(cancel)
	return ctx
}

func TestWithLoggerSlow(t *testing.T) {
	t.Parallel()
	onLogged(t, time.Nanosecond, func(t *testing.T, st store.Store, b *logbook) {
		s := &secrets{}
		thread := s.conversation(s.message(), s.message(), s.message())
		require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(t.Context(), thread))
		b.take(t)
		_, err := st.AllUsers().Messages().List(t.Context(), thread.ID, store.MessageFilter{}, store.PageRequest{})
		require.NoError(t, err)
		lines := b.take(t)
		require.NotEmpty(t, lines)
		for _, l := range lines {
			require.Equal(t, "WARN", l.Level)
			require.Equal(t, "slow query", l.Msg)
		}
		require.True(t, slices.ContainsFunc(lines, func(l line) bool { return l.Rows != nil && *l.Rows == 3 }), "the rows that were read")
	})
}

// TestWithLoggerTx has the statements of a store inside a host's transaction, and a
// host's own through Store.DB; the host's handle keeps its logger.
func TestWithLoggerTx(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, _ := sqliteHost(t, filepath.Join(t.TempDir(), "host.db"), "on")
	b := &logbook{}
	st, err := convostore.New(t.Context(), db, convostore.WithLogger(b.logger(), 0))
	require.NoError(t, err)
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		c := &conversation.Conversation{Title: "sesam"}
		require.NoError(t, st.WithTx(tx).ForUser(uuid.New()).Conversations().Create(ctx, c))
		lines := b.take(t)
		require.True(t, slices.ContainsFunc(lines, func(l line) bool { return strings.HasPrefix(l.SQL, "INSERT") }))
		require.NoError(t, tx.First(&conversation.Conversation{}).Error)
		require.Empty(t, b.take(t), "the host's own handle")
		return nil
	}))
	require.NoError(t, st.DB(ctx).Debug().Where("title = ?", "sesam").First(&conversation.Conversation{}).Error)
	lines := b.take(t)
	require.Len(t, lines, 1)
	require.NotContains(t, lines[0].SQL, "sesam")
	require.Contains(t, lines[0].SQL, "?")
	silent := st.DB(ctx).Session(&gorm.Session{Logger: st.DB(ctx).Logger.LogMode(logger.Silent)})
	require.NoError(t, silent.First(&conversation.Conversation{}).Error)
	require.Empty(t, b.take(t))

	st.DB(ctx).Logger.Error(ctx, "failed to parse %v", "sesam")
	st.DB(ctx).Logger.Warn(ctx, "%v", "sesam")
	st.DB(ctx).Logger.Info(ctx, "%v", "sesam")
	require.Contains(t, b.text.String(), "failed to parse")
	require.NotContains(t, b.text.String(), "sesam")
}

func TestWithLoggerRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []convostore.Option{convostore.WithLogger(nil, 0), convostore.WithLogger(slog.Default(), -1)} {
		_, err := sqlite.OpenMemory(t.Context(), o)
		require.ErrorIs(t, err, store.ErrInvalid)
		require.ErrorContains(t, err, "WithLogger")
	}
}
