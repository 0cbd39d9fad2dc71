package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// MessageVoter keeps what people think of messages. Its methods find live messages of live
// conversations alone, and return ErrNotFound for any other.
type MessageVoter interface {
	// Vote stores what v.Voter thinks of a message, in place of what that voter thought before,
	// and returns the row as it is now. v has a Voter of 1 to 1,024 bytes, a Value of
	// message.VoteUp or message.VoteDown and, if there is one, a Comment, which may not have more
	// bytes than convostore.WithMaxMessageBytes allows; its other fields must be unset. A vote
	// does not change the message: no revision, no UpdatedAt.
	Vote(ctx context.Context, messageID uuid.UUID, v message.Vote) (*message.Vote, error)

	// Unvote takes back what a voter thought of a message. It returns ErrNotFound also if the
	// voter has not voted.
	Unvote(ctx context.Context, messageID uuid.UUID, voter string) error

	// Votes returns the votes on a message, latest CreatedAt first, ties by voter: the first
	// MaxLimit of them.
	Votes(ctx context.Context, messageID uuid.UUID) ([]*message.Vote, error)

	// CountVotes counts the votes on up to MaxLimit messages, such as those of a page. A message
	// that is not found or has no votes is not in the result.
	CountVotes(ctx context.Context, messageIDs []uuid.UUID) (map[uuid.UUID]VoteCount, error)
}

// VoteCount counts the votes on a message.
type VoteCount struct {
	Up   int64 `json:"up"`
	Down int64 `json:"down"`
}
