package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// A mail comes in, a model drafts, Ann takes it, another mail comes, and she answers both.
func ExampleScope_inbox() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	noon := time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC)
	arrives := func(text, id, answers string, at time.Time) store.Filed {
		filed, err := mine.Messages().File(ctx, &message.Message{
			Direction: message.DirectionInbound, SenderEmail: "carla@acme.example", Content: text, SentAt: at,
			Headers: message.Headers{"Message-ID": {id}, "In-Reply-To": {answers}, "Subject": {"An offer"}},
		}, store.FileOptions{New: &conversation.Conversation{LeadID: "acme"}})
		must(err)
		return filed
	}
	queues := func(when string) {
		q, err := mine.Conversations().Counts(ctx, "ann")
		must(err)
		fmt.Printf("%s: %d to answer, %d with a draft, %d Ann's\n", when, q.NeedsReply, q.WithDraft, q.Mine)
	}
	drafted := func(to *message.Message, text string) *suggestion.Suggestion {
		s := &suggestion.Suggestion{ConversationID: to.ConversationID, InReplyToMessageID: &to.ID, AnswersSeq: to.Seq, SuggestedContent: text}
		must(mine.Suggestions().Create(ctx, s))
		return s
	}

	filed := arrives("How much are ten?", "<1@acme.example>", "", noon)
	old, id, nobody := drafted(filed.Message, "90 euros."), filed.Conversation.ID, ""
	_, err = mine.Conversations().Assign(ctx, id, "ann", store.AssignOptions{From: &nobody})
	must(err)
	queues("drafted")

	filed = arrives("And in blue?", "<2@acme.example>", "<1@acme.example>", noon.Add(10*time.Minute))
	old, err = mine.Suggestions().Get(ctx, old.ID)
	must(err)
	fmt.Println("the draft is", old.Status)
	s := drafted(filed.Message, "90 euros, also in blue.")
	_, err = mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{By: "ann"})
	must(err)

	// It goes out ten seconds later at the earliest. Until then it can be taken back.
	answer := func(due time.Duration) {
		m := &message.Message{RecipientEmail: "carla@acme.example", Author: "ann", SentAt: noon.Add(20 * time.Minute)}
		_, err := mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{
			Deliver: &message.OutboxEntry{Channel: "mail", DueAt: time.Now().Add(due)},
		})
		must(err)
	}
	answer(10 * time.Second)
	queues("on its way")
	_, err = mine.Suggestions().Unsend(ctx, s.ID)
	must(err)
	queues("taken back")

	answer(0)
	must(mine.Deliveries().Run(ctx, store.RunOptions{Once: true}, func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
		fmt.Printf("to %s: %q\n", c.Message.RecipientEmail, c.Message.Content)
		return store.DeliveryResult{EmailMessageID: "<" + c.Key + "@provider.example>"}, nil
	}))
	queues("sent")
	times, err := mine.Reports().ResponseTimes(ctx, store.Period{})
	must(err)
	fmt.Println("answered after", times.Mean)
	// Output:
	// drafted: 1 to answer, 1 with a draft, 1 Ann's
	// the draft is superseded
	// on its way: 0 to answer, 0 with a draft, 0 Ann's
	// taken back: 1 to answer, 0 with a draft, 1 Ann's
	// to carla@acme.example: "90 euros, also in blue."
	// sent: 0 to answer, 0 with a draft, 0 Ann's
	// answered after 20m0s
}
