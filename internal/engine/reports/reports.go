// Package reports counts and measures: activity, response times, suggestions and costs.
package reports

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type reports struct {
	sc    scope.Scope
	types *LeadTypes
}

// New returns the reports of a scope. types is what is known of the host's leads, which
// every scope of a store shares.
func New(sc scope.Scope, types *LeadTypes) store.Reports { return reports{sc: sc, types: types} }
