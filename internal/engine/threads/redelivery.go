package threads

import (
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// checkRedelivery returns a *store.TakenError if a draft has a key of a stored message that it is no
// redelivery of. A provider's id names the same mail wherever it is stored, and a deleted one stays
// deleted. The other keys are the host's: it means a new message by them, unless the stored one is
// there to be returned.
func checkRedelivery(d Draft, stored *message.Message) error {
	ofProvider := false
	for _, k := range d.keys {
		switch {
		case k.column == keyID && stored.ID == d.ID && stored.ConversationID != d.ConversationID:
			return &store.TakenError{Field: keyID, Message: stored}
		case k.column == keyPostmark && k.value == stored.PostmarkMessageID, k.column == keyGmail && k.value == stored.GmailMessageID:
			ofProvider = true
		}
	}
	if ofProvider || !stored.Deleted() {
		return nil
	}
	if stored.ID == d.ID {
		return &store.TakenError{Field: keyID, Message: stored}
	}
	return &store.TakenError{Field: keyIdempotency, Message: stored}
}

// checkRedeliveries is checkRedelivery for a batch. The error is a *store.BatchError. An import takes
// every row that is stored for a redelivery, since it may be run again after messages were deleted
// or moved.
func (b *batchResult) checkRedeliveries(drafts []Draft) error {
	if b.importing {
		return nil
	}
	for i, d := range drafts {
		if stored := b.stored[i]; stored != nil {
			if err := checkRedelivery(d, stored); err != nil {
				return &store.BatchError{Index: i, Err: err}
			}
		}
	}
	return nil
}
