package madeup

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// days is how long the made-up inbox has been there.
const days = 45

// inbox makes threads up.
type inbox struct {
	*rand.Rand
	now time.Time
}

func plan(now time.Time, random *rand.Rand) []*thread {
	in := inbox{random, now}
	var all []*thread
	for ago := days - 1; ago >= 0; ago-- {
		y, m, d := now.Date()
		day := time.Date(y, m, d-ago, 0, 0, 0, 0, now.Location())
		count := 4 + in.IntN(6)
		if weekend(day) {
			count = in.IntN(4)
		}
		for range count {
			// Mail comes by day, most of it after noon.
			at := day.Add(time.Duration((7 + 6*(in.Float64()+in.Float64())) * float64(time.Hour)))
			if at.Before(now) {
				all = append(all, in.thread(at))
			}
		}
	}
	return all
}

func (in inbox) thread(at time.Time) *thread {
	who := int(float64(len(people)) * math.Pow(in.Float64(), 1.5)) // some write more than others
	topic := topics[in.IntN(len(topics))]
	t := &thread{address: address(who), Conversation: conversation.Conversation{
		UserID: Users[0].ID, LeadID: leadID(who), CreatedAt: at,
		Subject: fmt.Sprintf(topic.subject, 1000+in.IntN(9000)),
	}}
	if in.chance(0.3) {
		t.offer(in, people[who])
		return t
	}
	for t.ask(in, at, topic); t.answer(in, topic) && in.chance(0.45); {
		if at = t.last().SentAt.Add(in.about(5 * time.Hour)); !at.Before(in.now) {
			break
		}
		t.ask(in, at, topic)
	}
	idle := in.now.Sub(t.last().SentAt)
	answered := t.last().Direction == message.DirectionOutbound
	t.archived = answered && idle > 14*24*time.Hour
	t.deleted = !answered && idle > 3*24*time.Hour && in.chance(0.4)
	return t
}

// offer is a thread that begins with a mail of sales, which few answer.
func (t *thread) offer(in inbox, to person) {
	t.UserID, t.Subject = Users[1].ID, "An offer: mail answered in half the time"
	t.say(t.CreatedAt, message.DirectionOutbound, "May I show you in ten minutes what our customers do with it?")
	if at := t.CreatedAt.Add(in.about(20 * time.Hour)); in.chance(to.answers) && at.Before(in.now) {
		t.ask(in, at, offered)
		t.answer(in, offered)
	}
}

// ask says something, sometimes in two mails.
func (t *thread) ask(in inbox, at time.Time, about topic) {
	t.say(at, message.DirectionInbound, about.question)
	if in.chance(0.2) {
		t.last().Attachments = about.files
	}
	if later := at.Add(in.about(30 * time.Minute)); in.chance(0.12) && later.Before(in.now) {
		t.say(later, message.DirectionInbound, "One more thing: it is rather urgent.")
	}
}

// answer drafts one for the last message, has a person decide on it, and sends it. It
// returns false if nothing was sent.
func (t *thread) answer(in inbox, about topic) bool {
	asked := t.last().SentAt
	d := draft{to: len(t.Messages) - 1, Suggestion: in.draft(asked, about)}
	decided := office(d.CreatedAt, in.about(70*time.Minute))
	sent := decided.Add(time.Minute)
	switch fate := in.Float64(); {
	case !decided.Before(in.now) || in.chance(0.03):
		t.drafts = append(t.drafts, d)
		return false
	case fate < math.Pow(*d.ConfidenceScore, 2.5):
		d.Status = suggestion.StatusApproved
	case fate < 0.9:
		d.Status, d.EditedContent = suggestion.StatusEdited, about.edited
	default:
		d.Status, sent = suggestion.StatusRejected, office(decided, in.about(90*time.Minute))
	}
	d.ReviewedBy, d.ReviewedAt = "ann", &decided
	if in.chance(0.06) {
		d.ConfidenceScore = nil
	}
	t.drafts = append(t.drafts, d)
	if !sent.Before(in.now) || d.Status == suggestion.StatusRejected && in.chance(0.3) {
		return false
	}
	t.say(sent, message.DirectionOutbound, about.edited)
	return true
}

// draft costs and is trusted by the model that made it; the larger one came later.
func (in inbox) draft(asked time.Time, about topic) suggestion.Suggestion {
	model := models[0]
	if in.chance(0.7) && in.now.Sub(asked) < 20*24*time.Hour {
		model = models[1]
	}
	tokens := int64(400 + in.IntN(2400))
	confidence := model.confidence + 0.11*in.NormFloat64()
	return suggestion.Suggestion{
		SuggestedContent: about.draft, CreatedAt: asked.Add(time.Duration(20+in.IntN(60)) * time.Second),
		ConfidenceScore: new(math.Round(100*min(max(confidence, 0.3), 0.99)) / 100),
		ModelUsed:       model.name, TokensUsed: tokens,
		GenerationCost: decimal.New(tokens*model.price, -6),
	}
}

func (in inbox) chance(p float64) bool { return in.Float64() < p }

// about is around d, and now and then several times that.
func (in inbox) about(d time.Duration) time.Duration {
	return time.Duration(float64(d) * math.Exp(0.9*in.NormFloat64())).Round(time.Second)
}

// office is when something is done that takes d, by people who work from nine to five.
func office(t time.Time, d time.Duration) time.Time {
	for {
		y, m, day := t.Date()
		opens, closes := time.Date(y, m, day, 9, 0, 0, 0, t.Location()), time.Date(y, m, day, 17, 0, 0, 0, t.Location())
		if t.Before(opens) {
			t = opens
		}
		if left := closes.Sub(t); left > 0 && !weekend(t) {
			if d <= left {
				return t.Add(d)
			}
			d -= left
		}
		t = time.Date(y, m, day+1, 0, 0, 0, 0, t.Location())
	}
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
