package main

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// statements collects what the store sends while it listens. The log has placeholders for all values.
type statements struct {
	mu        sync.Mutex
	listening bool
	all       []string
}

func (s *statements) logger() *slog.Logger { return slog.New(listener{slog.DiscardHandler, s}) }

// listener is a handler of which only the attribute sql counts.
type listener struct {
	slog.Handler
	to *statements
}

func (listener) Enabled(context.Context, slog.Level) bool { return true }

func (l listener) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "sql" {
			l.to.add(a.Value.String())
		}
		return a.Key != "sql"
	})
	return nil
}

func (s *statements) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening && !slices.Contains(s.all, sql) {
		s.all = append(s.all, sql)
	}
}

// of returns the statements that a call sends.
func (s *statements) of(call func() error) ([]string, error) {
	s.mu.Lock()
	s.listening, s.all = true, nil
	s.mu.Unlock()
	err := call()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening = false
	return s.all, err
}

// wholeTable finds a plan that reads a table from end to end.
var wholeTable = map[string]*regexp.Regexp{
	"sqlite":   regexp.MustCompile(`(?i)^SCAN (?:\S*conversations|\S*messages|\S*suggestions|c|m|s)$`),
	"postgres": regexp.MustCompile(`(?i)Seq Scan on \S*(?:conversations|messages|ai_suggestions)\b`),
}

// fewRows is what a database rightly reads without an index.
const fewRows = 1000

// plans asks how the calls of an inbox and of a chat are planned, as one of one user with all values
// unknown.
func (d *doctor) plans(ctx context.Context) {
	first, _, err := usersOf(ctx, d.st)
	if !d.asked("plans", err) {
		return
	}
	n, err := d.st.AllUsers().Maintenance().Counts(ctx)
	if !d.asked("plans", err) {
		return
	}
	if first == uuid.Nil || n.Messages < fewRows {
		d.found("plans", fine, fmt.Sprintf("with %s every plan will do", many(n.Messages, "message")), "")
		return
	}
	whole := 0
	for _, call := range usualCalls(ctx, d.st.ForUser(first)) {
		sent, err := d.statements.of(call.do)
		if !d.asked("plans", err) {
			return
		}
		for _, sql := range sent {
			lines, err := d.planOf(ctx, sql)
			if !d.asked("plans", err) {
				return
			}
			if i := slices.IndexFunc(lines, wholeTable[d.st.DB(ctx).Name()].MatchString); i >= 0 {
				whole++
				d.found("plans", warning, fmt.Sprintf("%s reads a whole table: %s", call.name, strings.TrimSpace(lines[i])), "convostore vacuum refreshes the statistics; convostore doctor --deep finds indexes that are gone")
			}
		}
	}
	if whole == 0 {
		d.found("plans", fine, "the queue, a thread and the overview of a user read by index", "")
	}
}

// usualCall is a call whose plan matters.
type usualCall struct {
	name string
	do   func() error
}

// usualCalls are what a host calls most.
func usualCalls(ctx context.Context, mine store.Scope) []usualCall {
	one := store.PageRequest{Limit: 1}
	return []usualCall{
		{"the queue", func() error {
			_, err := mine.Conversations().List(ctx, store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}}, one)
			return err
		}},
		{"the overview", func() error {
			_, err := mine.Conversations().Overview(ctx, store.ConversationFilter{}, store.OverviewOptions{}, one)
			return err
		}},
		{"a thread", func() error {
			page, err := mine.Conversations().List(ctx, store.ConversationFilter{}, one)
			if err != nil || len(page.Items) == 0 {
				return err
			}
			_, err = mine.Messages().Last(ctx, page.Items[0].ID, 50)
			return err
		}},
	}
}

// planOf returns the lines of a plan for unknown values.
func (d *doctor) planOf(ctx context.Context, sql string) (lines []string, err error) {
	if d.st.DB(ctx).Name() == "sqlite" {
		var rows []struct{ Detail string }
		err = d.st.DB(ctx).Raw("EXPLAIN QUERY PLAN "+sql, make([]any, strings.Count(sql, "?"))...).Scan(&rows).Error
		for _, r := range rows {
			lines = append(lines, r.Detail)
		}
		return lines, err
	}
	err = d.st.DB(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET LOCAL plan_cache_mode = force_generic_plan").Error; err != nil {
			return err
		}
		if err := tx.Exec("PREPARE convostore_doctor AS " + sql).Error; err != nil {
			return err
		}
		defer tx.Exec("DEALLOCATE convostore_doctor")
		return tx.Raw("EXPLAIN EXECUTE convostore_doctor" + nulls(sql)).Scan(&lines).Error
	})
	return lines, err
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// nulls writes as many arguments as a statement has.
func nulls(sql string) string {
	most := 0
	for _, m := range placeholder.FindAllStringSubmatch(sql, -1) {
		n, _ := strconv.Atoi(m[1])
		most = max(most, n)
	}
	if most == 0 {
		return ""
	}
	return "(" + strings.TrimSuffix(strings.Repeat("NULL, ", most), ", ") + ")"
}
