package store

// HostTable describes the host's table of leads, which reports read. See
// convostore.WithLeads.
type HostTable struct {
	// Name is the name of the table: "leads", or on PostgreSQL "crm.leads". It is case
	// sensitive.
	Name string
	// Key is the column that holds the ids of leads; "id" if empty. It must be unique.
	Key string
	// Title is the column with the name of a lead, which reports show. If it is empty,
	// titles in reports are empty.
	Title string
	// Columns are the columns that ResponseRate may be asked for.
	Columns []string
}
