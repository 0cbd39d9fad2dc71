package config

import (
	"database/sql"
	"time"

	"github.com/convostore/convostore/rule"
)

// Pool has the settings of a connection pool. The zero value of a field stands for the
// backend's default.
type Pool struct {
	MaxConns              int
	IdleTime, MaxLifetime time.Duration
}

// Apply sets up a pool that opens at most conns connections, unless the option says otherwise.
// Idle connections stay open: a new one costs more than a hundred queries.
func (p Pool) Apply(db *sql.DB, conns int) {
	if p.MaxConns > 0 {
		conns = p.MaxConns
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(p.IdleTime)
	db.SetConnMaxLifetime(p.MaxLifetime)
}

// MaxConns is the option WithMaxConns of the backends.
func MaxConns(n int) Option {
	return func(c *Config) error {
		if n < 1 {
			return rule.Invalid("WithMaxConns", "is not 1 or more")
		}
		c.Pool.MaxConns = n
		return nil
	}
}

// ConnMaxIdleTime is the option WithConnMaxIdleTime of the backends.
func ConnMaxIdleTime(d time.Duration) Option {
	return func(c *Config) error {
		if d <= 0 {
			return rule.Invalid("WithConnMaxIdleTime", "is not above 0")
		}
		c.Pool.IdleTime = d
		return nil
	}
}

// ConnMaxLifetime is the option WithConnMaxLifetime of the backends.
func ConnMaxLifetime(d time.Duration) Option {
	return func(c *Config) error {
		if d <= 0 {
			return rule.Invalid("WithConnMaxLifetime", "is not above 0")
		}
		c.Pool.MaxLifetime = d
		return nil
	}
}
