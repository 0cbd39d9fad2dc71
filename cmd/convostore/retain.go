package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/convostore/convostore/store"
)

// retainer is the command retain.
type retainer struct {
	*app
	user                   string
	archive, remove, purge age
	yes                    bool
}

// retained is its result.
type retained struct {
	DryRun bool `json:"dry_run"`
	store.RetentionResult
}

func newRetain(a *app) *cobra.Command {
	r := &retainer{app: a}
	c := &cobra.Command{
		Use: "retain", Short: "Archive, delete and purge by age", Args: none,
		Long: `Archives and deletes conversations by the time since their last message, and removes for good what was deleted
that long ago. It first counts what would be done and does nothing; --yes does it. Conversations on hold are skipped.

An age is a number and a letter: 36h, 180d, 12w, 2y (of 365 days). One run takes each conversation one step further.`,
		Example: `  convostore retain --database chat.db --archive-after 180d --delete-after 2y --purge-after 30d
  convostore retain --database chat.db --purge-after 30d --yes`,
		RunE: func(c *cobra.Command, _ []string) error { return r.run(c.Context()) },
	}
	f := c.Flags()
	f.Var(&r.archive, "archive-after", "archive what has had no message for this long")
	f.Var(&r.remove, "delete-after", "delete (hide) what has had no message for this long")
	f.Var(&r.purge, "purge-after", "remove for good what was deleted this long ago")
	f.StringVar(&r.user, "user", "", userHelp+" (default everybody)")
	f.BoolVar(&r.yes, "yes", false, "do it; without it nothing is written")
	return c
}

func (r *retainer) run(ctx context.Context) error {
	p := store.RetentionPolicy{
		ArchiveAfter: time.Duration(r.archive), DeleteAfter: time.Duration(r.remove), PurgeAfter: time.Duration(r.purge), DryRun: !r.yes,
	}
	if p.ArchiveAfter+p.DeleteAfter+p.PurgeAfter == 0 {
		return usagef("one of --archive-after, --delete-after and --purge-after is missing")
	}
	return r.withStore(ctx, func(st store.Store) error {
		done, err := scopeOf(st, r.user).Maintenance().Retain(ctx, p)
		if err != nil {
			return err
		}
		return r.print(retained{p.DryRun, done}, func(out io.Writer) error {
			return printRetained(out, done, p.DryRun)
		})
	})
}

func printRetained(out io.Writer, r store.RetentionResult, dry bool) error {
	fmt.Fprintf(out, "archived  %d\ndeleted   %d\npurged    %d conversations, %d messages, %s in all\n",
		r.Archived, r.Deleted, r.Purged.Conversations, r.Purged.Messages, many(r.Purged.Total(), "row"))
	if dry {
		fmt.Fprintln(out, "Nothing was done: this is what --yes would do.")
	}
	return nil
}
