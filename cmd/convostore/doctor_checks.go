package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// ready asks for the connection, its settings and the schema, and says whether the tables can be asked.
func (d *doctor) ready(ctx context.Context) bool {
	r, err := d.st.Health().Ready(ctx)
	d.result.Database = r.Database
	var drift *migrate.DriftError
	switch {
	case err == nil:
		d.found("ready", fine, fmt.Sprintf("answers in %s, schema %d of %d", r.Took.Round(time.Microsecond), r.Schema, r.Wanted), "")
	case errors.As(err, &drift):
		for _, one := range drift.Drifts {
			d.found("schema", failure, one.String(), "convostore migrate repair")
		}
		return false
	case errors.Is(err, store.ErrSchema):
		d.found("schema", failure, err.Error(), "convostore migrate status, and then convostore migrate up")
		return false
	case errors.Is(err, store.ErrSetting):
		d.found("settings", failure, err.Error(), "docs/host.md says which setting is needed and why")
		return false
	default:
		d.found("ready", failure, err.Error(), "is the server there, and are the name, the user and the password right?")
		return false
	}
	d.abilities(r)
	return true
}

// abilities are what the database was migrated with.
func (d *doctor) abilities(r store.Readiness) {
	if !r.FullText {
		d.found("abilities", warning, "there is no index of words: each search reads all texts of its scope", "convostore migrate up without --without-full-text, on a new database, or migrate.RebuildSearch")
	}
	if !r.Vectors {
		d.found("abilities", warning, "embeddings are kept as text: there is no search by meaning", "install the extension pgvector before the first migration")
	}
}

// asked notes an error of a check. What the database cannot tell is no failure.
func (d *doctor) asked(check string, err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, store.ErrUnsupported):
		d.found(check, unknown, err.Error(), "")
	default:
		d.found(check, failure, err.Error(), "")
	}
	return false
}

func (d *doctor) orphans(ctx context.Context) {
	n, err := d.st.AllUsers().Maintenance().Orphans(ctx)
	switch {
	case !d.asked("orphans", err):
	case n.Total() > 0:
		d.found("orphans", failure, many(n.Total(), "row")+" without a parent", "somebody writes without foreign keys; convostore erase orphans removes them")
	default:
		d.found("orphans", fine, "no row is without its parent", "")
	}
}

// patience is how long a delivery may be overdue, and a stream without a sign of life.
const patience = 5 * time.Minute

func (d *doctor) deliveries(ctx context.Context) {
	h, err := d.st.Health().Deliveries(ctx)
	switch {
	case !d.asked("deliveries", err):
	case h.OldestDue != nil && d.now().Sub(*h.OldestDue) > patience:
		d.found("deliveries", warning, fmt.Sprintf("%d overdue, the oldest since %s", h.Overdue, h.OldestDue.UTC().Format(time.DateTime)),
			"no worker seems to run: call Deliveries().Run in one")
	case h.Failed > 0:
		d.found("deliveries", warning, many(h.Failed, "message")+" failed for good and not sent since", "Deliveries().Retry sends one again, and the inbox shows them")
	default:
		d.found("deliveries", fine, fmt.Sprintf("%d open, %d overdue", h.Open, h.Overdue), "")
	}
}

func (d *doctor) streams(ctx context.Context) {
	n, err := d.st.AllUsers().Maintenance().DeadStreams(ctx, patience)
	switch {
	case !d.asked("streams", err):
	case n > 0:
		d.found("streams", warning, many(n, "message")+" is still streaming without a writer", "call Maintenance().SweepStreams from time to time")
	default:
		d.found("streams", fine, "no stream has lost its writer", "")
	}
}

// manyNoted is how many texts a search reads by itself in a time that nobody notices.
const manyNoted = 5000

func (d *doctor) words(ctx context.Context) {
	s, err := d.st.AllUsers().Maintenance().SearchState(ctx)
	says := fmt.Sprintf("%d texts in %s, %d to be packed, %d outdated", s.Documents, bytes(s.Bytes), s.Noted, s.Outdated)
	switch {
	case !d.asked("words", err):
	case s.Noted > manyNoted:
		d.found("words", warning, says, "each search reads what is to be packed: convostore vacuum")
	case s.Outdated > 0:
		d.found("words", warning, says, "outdated texts are found by their exact words alone: convostore vacuum --search")
	default:
		d.found("words", fine, says, "")
	}
}

func (d *doctor) indexes(ctx context.Context) {
	all, err := d.st.Health().IndexUsage(ctx)
	if !d.asked("indexes", err) {
		return
	}
	unused, size, counted := 0, int64(0), false
	for _, i := range all {
		counted = counted || i.Counted
		if i.Unused {
			unused, size = unused+1, size+i.Bytes
		}
	}
	switch {
	case !counted:
		d.found("indexes", fine, fmt.Sprintf("%d indexes; this database does not count their uses", len(all)), "")
	case size > 1<<30:
		d.found("indexes", warning, fmt.Sprintf("%d of %d were not used since the statistics began, and take %s", unused, len(all), bytes(size)),
			"docs/indexes.md says which query needs which")
	default:
		d.found("indexes", fine, fmt.Sprintf("%d, of which %d were not used since the statistics began", len(all), unused), "")
	}
}

func (d *doctor) slow(ctx context.Context) {
	const limit, slow = 3, 500 * time.Millisecond
	all, err := d.st.Health().SlowQueries(ctx, limit)
	if !d.asked("slow", err) {
		return
	}
	for _, q := range all {
		if q.Mean > slow {
			d.found("slow", warning, fmt.Sprintf("%s on average, %d calls: %.200s", q.Mean.Round(time.Millisecond), q.Calls, oneLine(q.Query)), "")
		}
	}
}

func (d *doctor) sizes(ctx context.Context) {
	all, err := d.st.Health().TableSizes(ctx)
	if d.asked("sizes", err) {
		d.result.Tables = all
	}
}

func (d *doctor) pages(ctx context.Context) {
	p, err := d.st.Health().Pages(ctx)
	if errors.Is(err, store.ErrUnsupported) || !d.asked("pages", err) {
		return // PostgreSQL has no such file
	}
	says := fmt.Sprintf("%s, of which %s are free", bytes(p.Total*p.Size), bytes(p.Free*p.Size))
	if p.Free*4 > p.Total && p.Free*p.Size > 64<<20 {
		d.found("file", warning, says, "convostore vacuum --full gives the space back")
		return
	}
	d.found("file", fine, says, "")
}

func (d *doctor) drift(ctx context.Context) {
	all, err := migrate.Verify(ctx, d.st.DB(ctx), migrate.Options{Prefix: d.prefix, Schema: d.schema})
	if !d.asked("definitions", err) {
		return
	}
	for _, one := range all {
		d.found("definitions", warning, one.String(), "convostore migrate verify, with the flags of the migration, and then repair")
	}
	if len(all) == 0 {
		d.found("definitions", fine, "all are as the migrations made them", "")
	}
}

func (d *doctor) damage(ctx context.Context) {
	all, err := d.st.Health().Check(ctx)
	if errors.Is(err, store.ErrUnsupported) || !d.asked("damage", err) {
		return // PostgreSQL has amcheck
	}
	for _, one := range all {
		d.found("damage", failure, one, "restore a backup, or export what can still be read")
	}
	if len(all) == 0 {
		d.found("damage", fine, "every page of the file can be read", "")
	}
}
