package mailimport

import (
	"context"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/store"
)

// file puts a mail into its conversation. Batches may run more than once, so the mail itself is not
// changed.
func (im *importer) file(ctx context.Context, mine store.Scope, m *mailbox.Mail) (store.Filed, error) {
	stored := *m.Message
	return mine.Messages().File(ctx, &stored, store.FileOptions{
		New:         &conversation.Conversation{CreatedAt: m.Message.SentAt},
		BySubject:   im.BySubject,
		SkipDeleted: true,
	})
}
