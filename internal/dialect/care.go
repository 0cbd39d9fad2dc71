package dialect

// Care is the SQL for maintenance of whole tables, whose names come quoted. Its statements
// are run one by one and outside of transactions.
type Care interface {
	// Analyze refreshes the statistics of tables.
	Analyze(tables []string) []string
	// Vacuum makes the space of removed rows free for new ones and refreshes the statistics.
	// textIndexes are full-text indexes that are tables of their own.
	Vacuum(tables, textIndexes []string) []string
	// VacuumFull rewrites the tables without the space of removed rows.
	VacuumFull(tables, textIndexes []string) []string
	// Reindex rebuilds the indexes of tables.
	Reindex(tables []string) []string
	// Checkpoint is a query that moves the write-ahead log into the database file and empties
	// the log. The first column of its row is 0 if it succeeded, and not 0 if a reader or a
	// writer prevented it. It is empty where the server does checkpoints by itself.
	Checkpoint() string
}

// Citus takes no statement for tables that it distributes together with tables that every node
// has, such as that of the states of apps. PostgreSQL itself works on one table after another
// either way.
func (postgres) Analyze(tables []string) []string { return eachTable("ANALYZE ", tables) }

func (postgres) Vacuum(tables, _ []string) []string { return eachTable("VACUUM (ANALYZE) ", tables) }

func (postgres) VacuumFull(tables, _ []string) []string {
	return eachTable("VACUUM (FULL, ANALYZE) ", tables)
}

func (postgres) Reindex(tables []string) []string {
	return eachTable("REINDEX TABLE CONCURRENTLY ", tables)
}

func (postgres) Checkpoint() string { return "" }

func (sqlite) Analyze(tables []string) []string { return eachTable("ANALYZE ", tables) }

func (d sqlite) Vacuum(tables, textIndexes []string) []string {
	return append(optimize(textIndexes), d.Analyze(tables)...)
}

// VacuumFull merges the full-text indexes first: VACUUM copies their tables as they are, with
// the erased words in them.
func (d sqlite) VacuumFull(tables, textIndexes []string) []string {
	return append(append(optimize(textIndexes), "VACUUM"), d.Analyze(tables)...)
}

func (sqlite) Reindex(tables []string) []string { return eachTable("REINDEX ", tables) }

func (sqlite) Checkpoint() string { return "PRAGMA wal_checkpoint(TRUNCATE)" }

// optimize has FTS5 merge the segments of an index into one, without the removed rows.
func optimize(textIndexes []string) (statements []string) {
	for _, index := range textIndexes {
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
