package health

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// setting is one that changes what the library's statements mean.
type setting struct {
	name string
	// value is SQL for the value as a text, NULL where the database does not know the setting.
	value string
	// works tells whether the store works with a value.
	works func(value string) bool
	// want is a value that works, and why what goes wrong with others.
	want, why string
	// writing says that it matters only to a connection that writes.
	writing bool
}

// is returns the test for the value want.
func is(want string) func(string) bool { return func(v string) bool { return v == want } }

// settings are read in one statement.
type settings []setting

// text is the statement, whose row has a text for each of more and then for each setting.
func (s settings) text(more ...string) string {
	for _, one := range s {
		more = append(more, one.value)
	}
	return "SELECT CAST(" + strings.Join(more, " AS text), CAST(") + " AS text)"
}

// faults returns a *store.SettingError for each value that does not work, joined.
func (s settings) faults(values []sql.NullString, writing bool) error {
	var errs []error
	for i, one := range s {
		if v := values[i]; v.Valid && (writing || !one.writing) && !one.works(v.String) {
			errs = append(errs, &store.SettingError{Setting: one.name, Value: v.String, Want: one.want, Why: one.why})
		}
	}
	return errors.Join(errs...)
}

// destinations returns what a row of n texts is read into.
func destinations(n int) ([]sql.NullString, []any) {
	values, dest := make([]sql.NullString, n), make([]any, n)
	for i := range values {
		dest[i] = &values[i]
	}
	return values, dest
}

// read asks for the settings and for one expression more. What does not work is the fault, err
// that the database did not answer.
func (s settings) read(db query.Conn, more string, writing bool) (first string, fault, err error) {
	values, dest := destinations(len(s) + 1)
	if _, err := query.New(s.text(more)).Row(db, dest...); err != nil {
		return "", nil, err
	}
	return values[0].String, s.faults(values[1:], writing), nil
}

// CheckSettings returns a *store.SettingError for each setting with which the store does not
// work. It writes nothing. Of the connections of a host it asks more than Ready does: see
// checkConns.
func CheckSettings(ctx context.Context, st *scope.Store, writer *gorm.DB) error {
	p := probeOf(st)
	if pool, err := writer.DB(); err == nil && pool != nil && st.Closer == nil && !st.InTx {
		checked, err := p.checkConns(ctx, pool)
		if err != nil {
			return query.Wrap("look at the settings of the connections", err)
		}
		if checked {
			return checkReader(ctx, p, st)
		}
	}
	_, fault, err := p.settings().read(query.On(ctx, st.Writer), "''", true)
	if err != nil {
		return query.Wrap("ask the database for its settings", err)
	}
	if fault != nil {
		return fault
	}
	return checkReader(ctx, p, st)
}

// checkReader asks a reader that the host opened.
func checkReader(ctx context.Context, p probe, st *scope.Store) error {
	if st.Reader == st.Writer || st.Closer != nil {
		return nil
	}
	_, fault, err := p.settings().read(query.On(ctx, st.Reader), "''", false)
	if err != nil {
		return query.Wrap("ask the reader for its settings", err)
	}
	return fault
}
