package inbox

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Options are the options of New. Operator is required; every other zero value is usable.
type Options struct {
	// Operator says who makes a request. It is called once for each, after the host's own middleware.
	Operator func(*http.Request) (Operator, error)

	// Prefix is the path under which the handler is mounted, such as "/inbox", if the host does not
	// take it off with http.StripPrefix. Links are relative, so that a proxy may add one of its own.
	Prefix string
	// Hosts are the names by which the inbox is reached, without ports. Requests for others are
	// refused, so that a foreign name which leads to this address cannot read what is here. Empty
	// means localhost and the loopback addresses alone. "*" takes every name: for a host that checks
	// the name itself.
	Hosts []string
	// Secret makes the tokens of forms, at least 32 bytes. All processes behind one address need the
	// same. Empty means a random one: forms that were open before a restart must be sent twice.
	Secret []byte

	// Title is the heading of the pages, "Inbox" if empty.
	Title string
	// LeadColumns are the columns of the host's leads that are shown, of those that
	// store.OverviewOptions.Lead may name. The first one is the name of the lead.
	LeadColumns []string
	// Calendar has the business hours in which response times are counted; nil counts all time.
	Calendar *store.Calendar

	// Channel is the channel of the outbox through which replies go, "mail" if empty.
	Channel string
	// Undo is how long a reply waits in the outbox before a worker may have it: 30 seconds if 0.
	// Less than 0 is refused.
	Undo time.Duration
	// Compose makes the outbound message of a reply: addresses and headers. Its content and its
	// author are set afterwards. answers is the message that it answers, nil if there is none. Nil
	// means MailReply.
	Compose func(ctx context.Context, c *conversation.Conversation, answers *message.Message) (*message.Message, error)
	// NoWorker says that no worker of this process hands over what is in the outbox. The inbox does
	// not, either way; Health then says so, and what waits.
	NoWorker bool

	// Clock is what time it is, time.Now if nil.
	Clock func() time.Time
	// Logger gets the errors of which a page says only that something went wrong; slog.Default if
	// nil.
	Logger *slog.Logger
}

// OptionError says which option was refused, and why.
type OptionError struct {
	// Field is a field of Options.
	Field string
	Rule  string
}

func (e *OptionError) Error() string { return "inbox: Options." + e.Field + " " + e.Rule }

const (
	minSecret   = 32
	defaultUndo = 30 * time.Second
)

// complete checks the options and sets what is unset.
func (o *Options) complete() error {
	if err := o.check(); err != nil {
		return err
	}
	o.Prefix = strings.TrimSuffix(o.Prefix, "/")
	if len(o.Secret) == 0 {
		o.Secret = make([]byte, minSecret)
		_, _ = rand.Read(o.Secret) // never fails
	}
	if o.Title == "" {
		o.Title = "Inbox"
	}
	if o.Channel == "" {
		o.Channel = "mail"
	}
	if o.Undo == 0 {
		o.Undo = defaultUndo
	}
	if o.Compose == nil {
		o.Compose = MailReply
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

func (o *Options) check() error {
	switch {
	case o.Operator == nil:
		return &OptionError{Field: "Operator", Rule: "is required"}
	case o.Prefix != "" && !strings.HasPrefix(o.Prefix, "/"):
		return &OptionError{Field: "Prefix", Rule: "does not begin with a slash"}
	case len(o.Secret) > 0 && len(o.Secret) < minSecret:
		return &OptionError{Field: "Secret", Rule: "has fewer than 32 bytes"}
	case o.Undo < 0:
		return &OptionError{Field: "Undo", Rule: "is negative"}
	case len(o.LeadColumns) > store.MaxLeadColumns:
		return &OptionError{Field: "LeadColumns", Rule: "has more columns than a list may ask for"}
	}
	for _, host := range o.Hosts {
		if host == "" || strings.ContainsAny(host, "/ ") {
			return &OptionError{Field: "Hosts", Rule: "has an entry that is no name of a host"}
		}
	}
	return nil
}
