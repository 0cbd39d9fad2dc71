package dialect

// Care is the SQL for maintenance of whole tables, whose names come quoted. Its statements
// are run one by one and outside of transactions.
type Care interface {
	// Analyze refreshes the statistics of tables.
	Analyze(tables []string) []string
	// Vacuum makes the space of removed rows free for new ones and refreshes the statistics.
	Vacuum(tables []string) []string
	// VacuumFull rewrites the tables without the space of removed rows.
	VacuumFull(tables []string) []string
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

func (postgres) Vacuum(tables []string) []string { return eachTable("VACUUM (ANALYZE) ", tables) }

func (postgres) VacuumFull(tables []string) []string {
	return eachTable("VACUUM (FULL, ANALYZE) ", tables)
}

func (postgres) Reindex(tables []string) []string {
	return eachTable("REINDEX TABLE CONCURRENTLY ", tables)
}

func (postgres) Checkpoint() string { return "" }

func (sqlite) Analyze(tables []string) []string { return eachTable("ANALYZE ", tables) }

// Vacuum of SQLite has no freed space to look for: it gives out the pages of removed rows again
// by itself.
func (d sqlite) Vacuum(tables []string) []string { return d.Analyze(tables) }

func (d sqlite) VacuumFull(tables []string) []string {
	return append([]string{"VACUUM"}, d.Analyze(tables)...)
}

func (sqlite) Reindex(tables []string) []string { return eachTable("REINDEX ", tables) }

func (sqlite) Checkpoint() string { return "PRAGMA wal_checkpoint(TRUNCATE)" }

func eachTable(statement string, tables []string) (statements []string) {
	for _, table := range tables {
		statements = append(statements, statement+table)
	}
	return statements
}
