package threads

import (
	"errors"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// minCopy is how many messages are worth a COPY, which the server parses each time and whose
// values go as text, while an INSERT is prepared.
const minCopy = 50

// errCopyRefused says that the server does not take COPY into the table of messages: it has
// policies for rows, or the host has put a view in its place.
var errCopyRefused = errors.New("convostore: the server refuses COPY")

// copies tells whether drafts go by COPY. It looks for no conflicts: the caller has looked the
// keys up in this transaction, and a unique violation means the same after a COPY as after an
// INSERT. Distributed tables take their rows by INSERT, which Citus sends to the one shard of
// the user over the connection that has locked the conversation.
func copies(sc scope.Scope, db query.Conn, drafts []Draft) (bool, error) {
	if len(drafts) < minCopy || !db.CanCopy() || sc.CopyRefused() {
		return false, nil
	}
	f, err := sc.SchemaFeatures(db)
	return err == nil && !f.Distributed, err
}

// copyMessages is insertMessages by COPY. If the server refuses that, it returns
// errCopyRefused; the transaction is of no use then, and copies is false from now on.
func copyMessages(sc scope.Scope, db query.Conn, drafts []Draft) error {
	statement := "COPY " + sc.Tables.Messages + " (" + record.UserFirst + ") FROM STDIN"
	user := sc.User.String()
	row := make([]any, 0, 1+len(record.MessageTypes))
	var rows dialect.CopyRows
	for part := range insertParts(drafts, len(drafts)) {
		rows.Reset()
		for _, d := range part {
			row = record.MessageArgs(append(row[:0], user, d.ID.String(), d.ConversationID.String(), d.Seq), d.Message)
			if err := rows.Add(row); err != nil {
				return err
			}
		}
		err := db.Copy(statement, rows.Text(), len(part))
		const notSupported, wrongKind = "0A000", "42809"
		switch dialect.CodeOf(err) {
		case notSupported, wrongKind:
			sc.RefuseCopy()
			return errors.Join(errCopyRefused, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unlessCopyRefused runs a transaction, and once more if it met a table that takes no COPY.
func unlessCopyRefused(transaction func() error) error {
	err := transaction()
	if errors.Is(err, errCopyRefused) {
		err = transaction()
	}
	return err
}
