// Package reports computes figures over many rows: activity, response times, attachments,
// suggestions, edit distances and costs, with the names of the host's leads. It only reads.
package reports

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type reports struct {
	sc    scope.Scope
	types *LeadTypes
}

// New returns the reports on the rows in sc. Every scope of a store shares types.
func New(sc scope.Scope, types *LeadTypes) store.Reports { return reports{sc: sc, types: types} }
