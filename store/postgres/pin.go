package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
)

// pinned are the settings that every connection asks for when it begins, so that neither the
// DSN nor a default of the database or the role counts. They are those that PgBouncer keeps for
// each of its clients. It refuses a connection that asks for any other setting.
var pinned = map[string]string{"client_encoding": "UTF8", "datestyle": "ISO, MDY", "standard_conforming_strings": "on"}

// pin has new connections of config ask for settings.
func pin(config *pgx.ConnConfig, settings map[string]string) {
	for name, value := range settings {
		maps.DeleteFunc(config.RuntimeParams, func(other, _ string) bool { return strings.EqualFold(other, name) })
		config.RuntimeParams[name] = value
	}
}

// connect opens the pool and its first connection. Where that one has other settings than the
// store needs, and a client may set them, the connections of the pool ask for the right ones.
func connect(ctx context.Context, c *config.Config, config *pgx.ConnConfig) (*sql.DB, error) {
	pool := openPool(c, config)
	pins, fault, err := engine.PostgresPins(ctx, pool)
	if err == nil && len(pins) == 0 {
		return pool, nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: connect: %w", err), pool.Close())
	}
	if err := pool.Close(); err != nil {
		return nil, fmt.Errorf("convostore: connect: %w", err)
	}
	c.Postgres.Pins = pins
	pin(config, pins)
	pool = openPool(c, config)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fault, fmt.Errorf("convostore: connect with the settings that the store needs: %w", err), pool.Close())
	}
	return pool, nil
}
