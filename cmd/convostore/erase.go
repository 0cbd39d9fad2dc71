package main

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/convostore/convostore/store"
)

// eraser is what the commands of erase share.
type eraser struct {
	*app
	user string
	yes  bool
}

func newErase(a *app) *cobra.Command {
	e := &eraser{app: a}
	c := group(&cobra.Command{
		Use: "erase", Short: "Remove a user, a lead, a conversation or orphans for good",
		Long: `Removes rows for good, with everything that hangs on them, also on conversations on hold. It asks first, or wants
--yes. On SQLite "convostore vacuum --full" afterwards leaves no byte of them in the file.`,
		Example: `  convostore erase user ann --database chat.db --yes
  convostore erase lead L-001 --database chat.db --yes`,
	})
	c.PersistentFlags().BoolVar(&e.yes, "yes", false, "do not ask")
	c.AddCommand(e.userCommand(), e.lead(), e.conversation(), e.orphans())
	return c
}

// erases makes a command that erases what its one argument names.
func (e *eraser) erases(c *cobra.Command, what string, do func(ctx context.Context, st store.Store, name string) (store.Counts, error)) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		return e.withStore(c.Context(), func(st store.Store) error {
			if err := e.confirm(e.yes, fmt.Sprintf("This removes %s for good.", fmt.Sprintf(what, oneLine(name)))); err != nil {
				return err
			}
			n, err := do(c.Context(), st, name)
			if err != nil {
				return err
			}
			return e.print(n, func(out io.Writer) error { return printCounts(out, n) })
		})
	}
	return c
}

func (e *eraser) userCommand() *cobra.Command {
	return e.erases(&cobra.Command{
		Use: "user NAME", Short: "Remove everything of a user", Args: arguments(1, 1, "a user: a UUID, a name or a number"),
		Long:    `Removes everything of a user, in every table. A name or number is one of which store.TenantID makes the UUID.`,
		Example: `  convostore erase user 42 --database chat.db --yes`,
	}, "everything of user %s", func(ctx context.Context, st store.Store, name string) (store.Counts, error) {
		if name == everybody {
			return store.Counts{}, usagef("erase user removes one user, not %q; \"migrate to 0\" removes all tables", name)
		}
		return st.ForUser(userID(name)).Maintenance().EraseUser(ctx)
	})
}

func (e *eraser) lead() *cobra.Command {
	c := e.erases(&cobra.Command{
		Use: "lead ID", Short: "Remove every conversation with a lead", Args: arguments(1, 1, "the id of a lead"),
		Long:    `Removes every conversation with a lead, live or deleted, of everybody or of --user.`,
		Example: `  convostore erase lead L-001 --database chat.db --user ann --yes`,
	}, "every conversation with lead %s", func(ctx context.Context, st store.Store, name string) (store.Counts, error) {
		return scopeOf(st, e.user).Maintenance().EraseLead(ctx, name)
	})
	c.Flags().StringVar(&e.user, "user", "", userHelp+" (default everybody)")
	return c
}

func (e *eraser) conversation() *cobra.Command {
	return e.erases(&cobra.Command{
		Use: "conversation ID", Short: "Remove one conversation", Args: arguments(1, 1, "the id of a conversation"),
		Long:    `Removes a conversation, live or deleted, with what was merged into it.`,
		Example: `  convostore erase conversation 01890a5d-ac96-774b-bcce-b302099a8057 --database chat.db --yes`,
	}, "conversation %s", func(ctx context.Context, st store.Store, name string) (store.Counts, error) {
		id, err := uuid.Parse(name)
		if err != nil {
			return store.Counts{}, usagef("%q is not the id of a conversation", name)
		}
		return st.AllUsers().Conversations().Erase(ctx, id)
	})
}

func (e *eraser) orphans() *cobra.Command {
	return e.erases(&cobra.Command{
		Use: "orphans", Short: "Remove rows whose parent is gone", Args: none,
		Long:    `Removes the rows whose parent is gone, which "convostore doctor" counts. There are none unless foreign keys were off.`,
		Example: `  convostore erase orphans --database chat.db --yes`,
	}, "the rows whose parent is gone%s", func(ctx context.Context, st store.Store, _ string) (store.Counts, error) {
		return st.AllUsers().Maintenance().RemoveOrphans(ctx)
	})
}

func printCounts(out io.Writer, n store.Counts) error {
	_, err := fmt.Fprintf(out, "removed %s: %s, %s, %s\n", many(n.Total(), "row"),
		many(n.Conversations, "conversation"), many(n.Messages, "message"), many(n.Suggestions, "suggestion"))
	return err
}
