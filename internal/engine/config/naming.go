package config

import (
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/naming"
)

// Naming is a GORM naming strategy that names the tables of this library's models, and leaves
// all other models to the host's own strategy:
//
//	gorm.Open(dialector, &gorm.Config{NamingStrategy: convostore.NewNaming("chat_", "", nil)})
//
// convostore.New takes the prefix and the schema from such a handle.
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

// ConvostoreTable returns the name of one of the library's tables with prefix and schema.
func (n Naming) ConvostoreTable(name string) string { return n.Tables.Table(name) }
