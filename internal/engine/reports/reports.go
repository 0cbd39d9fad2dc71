// Package reports computes figures over many rows: activity, response times, attachments,
// suggestions, edit distances and costs, with the names of the host's leads. It only reads.
package reports

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type reports struct {
	sc scope.Scope
}

// New returns the reports on the rows in sc.
func New(sc scope.Scope) store.Reports { return reports{sc: sc} }
