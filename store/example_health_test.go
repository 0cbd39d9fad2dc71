package store_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/convostore/convostore/store/sqlite"
)

// What a service's readiness probe and its operator ask.
func ExampleHealth() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	defer st.Close() //nolint:errcheck // nothing is written after the last statement
	h := st.Health()

	r, err := h.Ready(ctx)
	must(err)
	name, _, _ := strings.Cut(r.Database, " ")
	fmt.Println(name, "has the schema:", r.Schema == r.Wanted, "words:", r.FullText, "vectors:", r.Vectors)

	for _, p := range h.PoolStats() {
		fmt.Printf("%s: %d of %d connections in use\n", p.Name, p.InUse, p.MaxOpenConnections)
	}
	sizes, err := h.TableSizes(ctx)
	must(err)
	for _, s := range sizes {
		if s.Table == "conversations" {
			fmt.Printf("%s: %d rows, indexes: %t\n", s.Table, s.Rows, s.Indexes > 0)
		}
	}
	findings, err := h.Check(ctx)
	must(err)
	fmt.Println("damage:", len(findings))
	indexes, err := h.IndexUsage(ctx)
	must(err)
	fmt.Println("has indexes:", len(indexes) > 0, "and counts their use:", indexes[0].Counted)
	// Output:
	// SQLite has the schema: true words: true vectors: true
	// writer: 0 of 1 connections in use
	// conversations: 0 rows, indexes: true
	// damage: 0
	// has indexes: true and counts their use: false
}
