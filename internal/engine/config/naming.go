package config

import (
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/naming"
)

// Naming is a GORM naming strategy that tells the models of this library where their
// tables are, and leaves all other models to the host's own strategy:
//
//	gorm.Open(dialector, &gorm.Config{NamingStrategy: convostore.NewNaming("chat_", "", nil)})
//
// A store of New on such a handle finds its prefix and schema by itself.
type Naming struct {
	schema.Namer
	Tables naming.Tables
}

// NewNaming returns the strategy for a prefix and a schema, either of which may be
// empty. A nil host is GORM's default strategy.
func NewNaming(prefix, schemaName string, host schema.Namer) Naming {
	if host == nil {
		host = schema.NamingStrategy{IdentifierMaxLength: 64}
	}
	return Naming{Namer: host, Tables: naming.Tables{Prefix: prefix, Schema: schemaName}}
}

// ConvostoreTable returns the place of one of the library's tables.
func (n Naming) ConvostoreTable(name string) string { return n.Tables.Table(name) }
