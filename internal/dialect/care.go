package dialect

import "strings"

// Care is the SQL that looks after tables, whose names come quoted. Its statements run one
// by one, and outside of transactions.
type Care interface {
	// Analyze refreshes the statistics of tables.
	Analyze(tables []string) []string
	// Vacuum frees the room of removed rows and refreshes the statistics. words are the
	// indexes of words that are tables of their own.
	Vacuum(tables, words []string) []string
	// VacuumFull writes the tables anew.
	VacuumFull(tables, words []string) []string
	// Reindex builds the indexes of tables anew.
	Reindex(tables []string) []string
	// Checkpoint is a query that moves a write-ahead log into the database's file and
	// empties it. The first column of its row is 0 if nobody stood in the way. It is empty
	// where a server does so by itself.
	Checkpoint() string
}

func (postgres) Analyze(tables []string) []string {
	return []string{"ANALYZE " + strings.Join(tables, ", ")}
}

func (postgres) Vacuum(tables, _ []string) []string {
	return []string{"VACUUM (ANALYZE) " + strings.Join(tables, ", ")}
}

func (postgres) VacuumFull(tables, _ []string) []string {
	return []string{"VACUUM (FULL, ANALYZE) " + strings.Join(tables, ", ")}
}

func (postgres) Reindex(tables []string) []string {
	return eachTable("REINDEX TABLE CONCURRENTLY ", tables)
}

func (postgres) Checkpoint() string { return "" }

func (sqlite) Analyze(tables []string) []string { return eachTable("ANALYZE ", tables) }

func (d sqlite) Vacuum(tables, words []string) []string {
	return append(optimize(words), d.Analyze(tables)...)
}

// VacuumFull merges the indexes of words first: what it writes anew are their tables,
// with the erased words in them.
func (d sqlite) VacuumFull(tables, words []string) []string {
	return append(append(optimize(words), "VACUUM"), d.Analyze(tables)...)
}

func (sqlite) Reindex(tables []string) []string { return eachTable("REINDEX ", tables) }

func (sqlite) Checkpoint() string { return "PRAGMA wal_checkpoint(TRUNCATE)" }

// optimize has FTS5 merge its segments into one, without the entries of removed rows.
func optimize(words []string) (statements []string) {
	for _, index := range words {
		statements = append(statements, "INSERT INTO "+index+"("+index+") VALUES ('optimize')")
	}
	return statements
}

func eachTable(statement string, tables []string) (statements []string) {
	for _, table := range tables {
		statements = append(statements, statement+table)
	}
	return statements
}
