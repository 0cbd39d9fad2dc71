package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	modernc "modernc.org/sqlite"
)

// lockingSettings are the DSN settings that wait for a lock on the file, with their pragmas.
// The driver would apply them without the context of the call that needs the connection.
var lockingSettings = map[string]string{"_journal_mode": "journal_mode", "_synchronous": "synchronous"}

// connector opens connections and applies the lockingSettings under the context of Connect, so
// that they wait no longer than that context.
type connector struct {
	driver.Connector
	pragmas []string
	// opened is called for each new connection, unless it is nil.
	opened func()
}

// openPool is sql.Open with a connector of this package, which runs pragmas on each connection
// after those of the DSN.
func openPool(dsn string, more []string, opened func()) (*sql.DB, error) {
	dsn, pragmas := cutLocking(dsn)
	opener, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{opener, append(pragmas, more...), opened}), nil
}

// cutLocking returns a DSN without its lockingSettings, and their pragmas.
func cutLocking(dsn string) (rest string, pragmas []string) {
	path, query, _ := strings.Cut(dsn, "?")
	var kept []string
	for _, setting := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(setting, "=")
		if pragma, ok := lockingSettings[key]; ok {
			pragmas = append(pragmas, "PRAGMA "+pragma+" = "+value)
		} else {
			kept = append(kept, setting)
		}
	}
	return path + "?" + strings.Join(kept, "&"), pragmas
}

// Connect implements driver.Connector. It closes a connection on which a pragma fails.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, pragma := range c.pragmas {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, pragma, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	if c.opened != nil {
		c.opened()
	}
	return conn, nil
}
