package message

import (
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/column"
)

// QueryClauses implements schema.QueryClausesInterface, see column.Times.
func (ConversationStatus) QueryClauses(*schema.Field) []clause.Interface { return column.Times() }
