package mailimport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

var (
	replyMark = regexp.MustCompile(`(?i)^\s*(re|aw|sv|antw|fwd?|wg|tr)\s*(\[\d+\]|\(\d+\))?\s*:\s*`)
	listMark  = regexp.MustCompile(`^\s*\[[^\]]*\]\s*`)
)

// normalSubject is what a subject and the replies to it have in common: Re:, Fwd: and
// the names of lists taken off.
func normalSubject(subject string) string {
	subject = strings.Join(strings.Fields(subject), " ")
	for {
		shorter := listMark.ReplaceAllString(replyMark.ReplaceAllString(subject, ""), "")
		if shorter == subject {
			return subject
		}
		// A subject that is a mark and nothing else keeps it.
		if shorter == "" {
			return subject
		}
		subject = shorter
	}
}

// isReply tells a mail that says it answers another.
func isReply(m *mailbox.Mail) bool {
	return len(m.Parents()) > 0 || saysReply(m.Subject)
}

func saysReply(subject string) bool {
	return replyMark.MatchString(listMark.ReplaceAllString(subject, ""))
}

// subjectKey is the external key of the first thread with a subject.
func subjectKey(subject string) string {
	key := "subject:" + strings.ToLower(normalSubject(subject))
	// Longer than any subject that people write, shorter than a key may be.
	if len(key) > 300 {
		sum := sha256.Sum256([]byte(key))
		key = "subject-sha256:" + hex.EncodeToString(sum[:])
	}
	return key
}

// threadOf finds the conversation of a mail, or makes it: where the mail itself is from
// an earlier run, where a mail is that it answers, where a subject is that it answers,
// and else a new one.
func threadOf(ctx context.Context, mine store.Scope, m *mailbox.Mail) (*conversation.Conversation, error) {
	itself := &message.Message{Headers: message.Headers{"In-Reply-To": {m.Message.EmailMessageID}}}
	for _, clue := range []*message.Message{itself, m.Message} {
		c, err := mine.Messages().FindThread(ctx, clue)
		if !errors.Is(err, store.ErrNotFound) {
			return c, err
		}
	}
	key := subjectKey(m.Subject)
	switch _, err := mine.Conversations().GetByExternalKey(ctx, key); {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	case err == nil && !isReply(m), normalSubject(m.Subject) == "":
		// A first mail with a subject that is taken, "Hello", begins a thread of its own.
		key = "mail:" + m.Message.EmailMessageID
	}
	return newThread(ctx, mine, m, key)
}

func newThread(ctx context.Context, mine store.Scope, m *mailbox.Mail, key string) (*conversation.Conversation, error) {
	if len(key) > 1024 {
		sum := sha256.Sum256([]byte(key))
		key = "mail-sha256:" + hex.EncodeToString(sum[:])
	}
	c := &conversation.Conversation{ExternalKey: key, Subject: normalSubject(m.Subject), CreatedAt: m.Message.SentAt}
	_, err := mine.Conversations().GetOrCreate(ctx, c)
	return c, err
}
