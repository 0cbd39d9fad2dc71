package store

// HostTable is a table of the host's that reports read: that of the leads.
type HostTable struct {
	// Name is the table's name, "leads", or on PostgreSQL "crm.leads". Case counts.
	Name string
	// Key is the column that lead ids name; "id" if empty. It must be unique.
	Key string
	// Title is the column with a lead's name, joined into reports; without one titles are
	// empty.
	Title string
	// Columns are those that ResponseRate may be asked for.
	Columns []string
}
