package health

import (
	"context"
	"fmt"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func (h health) Ready(ctx context.Context) (r store.Readiness, err error) {
	begin := time.Now()
	defer func() { r.Took = time.Since(begin) }()
	r.Wanted = migrate.Latest()
	db := h.probe.conn(ctx)
	version, fault, err := h.probe.settings().read(db, h.probe.version(), h.st.Reader == h.st.Writer)
	if err == nil {
		err = h.probe.identify(db, version, &r)
	}
	if err != nil {
		return r, query.Wrap("ask the database for its version", err)
	}
	have, err := migrate.ReadSchema(ctx, db.Host(), h.st.MigrateOptions())
	if err != nil {
		return r, query.Wrap("ask the database for its schema", err)
	}
	r.Schema = have.Version
	f, err := h.st.ReadFeatures(db)
	if err != nil {
		return r, err
	}
	r.FullText, r.Vectors, r.VectorIndex = f.FullText, f.Vectors, f.VectorIndex
	if fault != nil {
		return r, fault
	}
	if err := scope.CompareSchema(have); err != nil {
		return r, err
	}
	if err := h.st.CheckFile(); err != nil {
		return r, err
	}
	if err := h.intact(ctx, db, f); err != nil {
		return r, err
	}
	return r, h.readerReady(ctx)
}

// intact looks for what has changed in the schema since the migrations made it.
func (h health) intact(ctx context.Context, db query.Conn, f *scope.Features) error {
	drifts, err := migrate.QuickVerify(ctx, db.Host(), h.st.SchemaOptions(f))
	if err != nil {
		return query.Wrap("compare the schema", err)
	}
	if len(drifts) > 0 {
		return fmt.Errorf("%w: %w", store.ErrSchema, &migrate.DriftError{Drifts: drifts})
	}
	return nil
}

// readerReady checks the schema of the reader, without which the store cannot read.
func (h health) readerReady(ctx context.Context) error {
	if !h.probe.readerNeedsCheck() {
		return nil
	}
	have, err := migrate.ReadSchema(ctx, query.On(ctx, h.st.Reader).Host(), h.st.MigrateOptions())
	if err != nil {
		return query.Wrap("ask the reader for its schema", err)
	}
	if err := scope.CompareSchema(have); err != nil {
		return fmt.Errorf("the reader: %w", err)
	}
	return nil
}
