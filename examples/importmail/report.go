package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// thread is a row of the printed table.
type thread struct {
	Subject     string
	Messages    int64
	People      int64
	Attachments int64
	First, Last string
}

// printThreads lists the conversations, latest first. The query is the host's own, with
// the library's models and scopes, to show that a host can read the rows with plain GORM.
func printThreads(ctx context.Context, out io.Writer, st store.Store, userID uuid.UUID, rows int) error {
	var threads []thread
	query := threadQuery(st.DB(ctx), userID)
	if rows > 0 {
		query = query.Limit(rows)
	}
	if err := query.Scan(&threads).Error; err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "MESSAGES\tPEOPLE\tFILES\tFIRST\tLAST\t  SUBJECT")
	for _, t := range threads {
		fmt.Fprintf(w, "%d\t%d\t%d\t%.10s\t%.10s\t  %s\n", t.Messages, t.People, t.Attachments, t.First, t.Last, shortSubject(t.Subject))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printCounts(ctx, out, st, userID, len(threads))
}

func threadQuery(db *gorm.DB, userID uuid.UUID) *gorm.DB {
	return db.Model(&conversation.Conversation{}).
		Select(`conversations.subject, count(*) AS messages, count(DISTINCT lower(messages.sender_email)) AS people,
			sum(coalesce(json_array_length(messages.attachments), 0)) AS attachments,
			min(messages.sent_at) AS first, max(messages.sent_at) AS last`).
		Joins("JOIN messages ON messages.conversation_id = conversations.id AND messages.user_id = conversations.user_id").
		Scopes(conversation.OwnedBy(userID), message.OwnedBy(userID), message.Live).
		Group("conversations.id, conversations.user_id").
		Order("last DESC, conversations.id")
}

func printCounts(ctx context.Context, out io.Writer, st store.Store, userID uuid.UUID, listed int) error {
	n, err := st.ForUser(userID).Maintenance().Counts(ctx)
	if err != nil {
		return err
	}
	if more := n.Conversations - int64(listed); more > 0 {
		fmt.Fprintf(out, "… and %d more threads (-rows 0 lists them all)\n", more)
	}
	fmt.Fprintf(out, "\n%s with %s in the database\n", many(n.Conversations, "thread"), many(n.Messages, "message"))
	return nil
}

func printTotals(out io.Writer, r mailimport.Report) {
	fmt.Fprintf(out, "%s read: %d stored, %d there already (the same Message-ID), %d skipped\n",
		many(int64(r.Found), "mail"), r.Stored, r.Known, r.Skipped())
	if r.LeftOut > 0 {
		fmt.Fprintf(out, "%d drafts, spam and trash left out (-all takes them)\n", r.LeftOut)
	}
}

func printProblems(out io.Writer, problems []mailimport.Problem) {
	if len(problems) == 0 {
		return
	}
	fmt.Fprintln(out, "Problems")
	for _, p := range problems {
		verdict := "mended "
		if p.Skipped {
			verdict = "SKIPPED"
		}
		fmt.Fprintf(out, "  %s  %s: %s\n", verdict, p.Where, p.Reason)
	}
	fmt.Fprintln(out)
}

func many(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func shortSubject(s string) string {
	const most = 60
	if s == "" {
		return "(no subject)"
	}
	letters := []rune(mailimport.OneLine(s))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}
