package conversation

import "github.com/convostore/convostore/message"

// FromRow returns the conversation that Preload("Conversation") loaded for a message or a
// suggestion, nil for nil. It has no messages and no other associations.
func FromRow(r *message.ConversationRow) *Conversation {
	if r == nil {
		return nil
	}
	return &Conversation{
		ID: r.ID, UserID: r.UserID,
		App: r.App, LeadID: r.LeadID, Language: r.Language, ExternalKey: r.ExternalKey, Title: r.Title, Subject: r.Subject,
		Status: Status(r.Status), Metadata: r.Metadata,
		LastSeq: r.LastSeq, LastMessageAt: r.LastMessageAt, LastChangeSeq: r.LastChangeSeq,
		Branched: r.Branched, HeadSeq: r.HeadSeq,
		ForkedFromID: r.ForkedFromID, ForkedFromSeq: r.ForkedFromSeq, MergedIntoID: r.MergedIntoID,
		Assignee: r.Assignee, SnoozedUntil: r.SnoozedUntil, PinnedAt: r.PinnedAt, HeldAt: r.HeldAt,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, DeletedAt: r.DeletedAt,
	}
}
