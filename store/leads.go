package store

// HostTable describes the host's table of leads, which reports read. See
// convostore.WithLeads.
type HostTable struct {
	// Name is the name of the table: "leads", or on PostgreSQL "crm.leads". It is case
	// sensitive.
	Name string
	// Key is the column that holds the ids of leads; "id" if empty. It must be unique, or
	// unique together with Owner.
	Key string
	// Owner is the column with the user to whom a lead belongs: a uuid on PostgreSQL, and a
	// uuid as text on SQLite. A conversation is only with a lead of its own user: if it has
	// the id of another user's lead, reports show what they show for an id that no lead has.
	//
	// Without Owner nobody knows whose a lead is. The columns of the table are then shown in
	// the scope of all users alone: reports of one user have the ids of leads without titles,
	// and ResponseRate is ErrInvalid there.
	Owner string
	// Title is the column with the name of a lead, which reports show. If it is empty,
	// titles in reports are empty.
	Title string
	// Columns are the columns that ResponseRate, and OverviewOptions.Lead, may be asked for.
	Columns []string
}
