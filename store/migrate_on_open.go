package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/convostore/convostore/migrate"
)

// Migrate does what WithMigrate asks for, nothing without it. It is for backends: their
// Open has a context that ends the wait for others, which New has not, and New then finds
// the work done.
func (c *Config) Migrate(ctx context.Context, db *gorm.DB) error {
	if c.migrate == nil {
		return nil
	}
	return migrate.Up(ctx, db, c.migrateOptions())
}
