package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// MessageFiler stores mail where it belongs.
type MessageFiler interface {
	// File stores a mail once, in its conversation, in one transaction: however often the mail comes,
	// from however many processes at once, there is one message, and one conversation of its thread.
	//
	// A mail is known if the user has a message, live or deleted, with its ID, its id at a provider or
	// an exclusive name of FileOptions.Refs; or with its Message-ID or another name, if sender and date
	// are the same too. Then nothing is appended: Filed has the stored message, and the names of this
	// copy that the message lacks are added to it. A mail of a deleted conversation is known as well,
	// and the conversation stays deleted.
	//
	// A new mail goes to the conversation that has its thread, see FindThread for what that is, and
	// else to a new one. If it belongs to several, as a mail does that comes after two answers to it,
	// they become one: the one with the oldest message takes over the others, as Conversations.Merge
	// does. So the order in which mails come makes no difference to which of them are together.
	// Conversations stay apart that have different leads or apps, or no address in common, and those
	// that somebody has taken apart. A new mail whose conversation is deleted begins a new one.
	//
	// m is filled in and validated as by Append. Its Kind is that of message.Classify if it is unset,
	// its Gmail ids are stored as message.NormalizeRef has them, and an IdempotencyKey that is its
	// EmailMessageID is left out. It must have no ParentSeq. m comes back as the row that is stored.
	//
	// In a transaction of the caller's, filings of the same user wait for its end.
	File(ctx context.Context, m *message.Message, o FileOptions) (Filed, error)
}

// FileOptions are the options of File. The zero value is usable.
type FileOptions struct {
	// New is what a new conversation is like: LeadID, App, Subject, Title, Metadata, Labels and the
	// rest. It may be nil, and is not changed. Without a Subject the mail's own is taken, without Re:
	// and the like. LeadID and App also keep the mail out of conversations that have others, and a
	// conversation without a lead gets the LeadID of the first mail that has one.
	New *conversation.Conversation
	// Refs are more names of this mail, as in MessageRefs.AddRefs, such as the id that a provider of
	// the host's gives it.
	Refs []message.Ref
	// Threads are names of its thread, such as the host's id of a ticket: mails with one of them are
	// together, whoever wrote them. GmailThreadID is one without being named here.
	Threads []message.Ref
	// BySubject also takes an answer, by its Re: or the like, to the latest live conversation with the
	// same subject that has its correspondent, if no name tells where it belongs. Only conversations
	// of mails that were filed with BySubject are found so.
	BySubject bool
	// SkipDeleted leaves a new mail out that belongs to a deleted conversation and to no live one.
	SkipDeleted bool
}

// Filed says what File did.
type Filed struct {
	// Message is the stored message, nil if the mail was skipped.
	Message *message.Message
	// Conversation is the conversation that it is in, or of a skipped mail the deleted one.
	Conversation *conversation.Conversation
	// Created says that the message was stored by this call, and Begun that its conversation was.
	Created, Begun bool
	// Merged are the conversations that this one took over.
	Merged []uuid.UUID
}
