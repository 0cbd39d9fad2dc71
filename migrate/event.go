package migrate

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// EventKind is what an Event tells of.
type EventKind string

const (
	// EventApplied is a migration that is now applied and recorded.
	EventApplied EventKind = "applied"
	// EventReverted is a migration that is now taken back.
	EventReverted EventKind = "reverted"
	// EventRebuilt is the search indexes, made again by RebuildSearch.
	EventRebuilt EventKind = "rebuilt"
	// EventPart is a part of a migration that is done in parts: its statements in one
	// transaction, an index, a constraint or all batches of a statement.
	EventPart EventKind = "part"
	// EventBatches tells, once a second, how many rows a statement in batches has changed so far.
	EventBatches EventKind = "batches"
	// EventWaiting is a try that found its tables locked. Nothing of it is left, and another
	// one follows.
	EventWaiting EventKind = "waiting"
)

// Event is what happened in a call of this package, for Options.OnEvent.
type Event struct {
	Kind EventKind
	// Host is the name of the host's set of migrations, and empty for the library's.
	Host string
	// Version and Name are of the migration, 0 and empty where an event belongs to none.
	Version int64
	Name    string
	// What is the beginning of the statement that an EventPart or EventBatches is about.
	What string
	// Rows is how many rows the statement has changed, -1 if that means nothing.
	Rows int64
	// Took is how long it took, in an EventWaiting since the call began to wait.
	Took time.Duration
	// Blockers are, in an EventWaiting, the sessions that hold the locks, as far as they were
	// still there afterwards.
	Blockers []Blocker
}

// String returns the event as one line, without a newline.
func (e Event) String() string {
	var b strings.Builder
	if e.Host != "" {
		b.WriteString(e.Host + " ")
	}
	if e.Version != 0 {
		fmt.Fprintf(&b, "%d %s: ", e.Version, e.Name)
	}
	if e.Kind == EventWaiting {
		fmt.Fprintf(&b, "waiting for %s", e.Took.Round(time.Millisecond))
	} else {
		fmt.Fprintf(&b, "%s in %s", e.Kind, e.Took.Round(time.Millisecond))
	}
	if e.Rows >= 0 && (e.Kind == EventPart || e.Kind == EventBatches) {
		fmt.Fprintf(&b, ", %d rows", e.Rows)
	}
	if e.What != "" {
		b.WriteString(": " + e.What)
	}
	for _, blocker := range e.Blockers {
		b.WriteString("; " + blocker.String())
	}
	return b.String()
}

// LogValue implements slog.LogValuer, so that a host can write
//
//	OnEvent: func(e migrate.Event) { slog.InfoContext(ctx, "migrate", "event", e) }
func (e Event) LogValue() slog.Value { return slog.StringValue(e.String()) }

// tell hands an event to the host.
func (m *migrator) tell(e Event) {
	if m.options.OnEvent != nil {
		e.Host = m.host
		m.options.OnEvent(e)
	}
}

// of returns an event about a step.
func (s step) of(kind EventKind, begin time.Time) Event {
	return Event{Kind: kind, Version: s.version, Name: s.name, Rows: -1, Took: time.Since(begin)}
}
