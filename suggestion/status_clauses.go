package suggestion

import (
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/column"
)

// CreateClauses implements GORM's interface of a field's clauses: an INSERT of a suggestion
// binds its times in the form that the tables have.
func (Status) CreateClauses(*schema.Field) []clause.Interface { return column.Times() }

// QueryClauses is CreateClauses for queries.
func (Status) QueryClauses(*schema.Field) []clause.Interface { return column.Times() }

// UpdateClauses is CreateClauses for updates.
func (Status) UpdateClauses(*schema.Field) []clause.Interface { return column.Times() }

// DeleteClauses is CreateClauses for deletes, soft ones among them.
func (Status) DeleteClauses(*schema.Field) []clause.Interface { return column.Times() }
