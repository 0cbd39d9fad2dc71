package health

import "github.com/convostore/convostore/internal/naming"

// tableNames returns the library's tables without their prefix.
func tableNames() []string { return append(naming.WithRows(), naming.AppStates, naming.Migrations) }
