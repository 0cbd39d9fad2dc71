package bench

import (
	"context"

	"github.com/convostore/convostore/store"
)

// reportCase is a report of the library and the statements that answer the same question
// by hand.
type reportCase struct {
	name string
	// reads is what it goes through: conversations, messages or suggestions.
	reads string
	run   func(ctx context.Context, r store.Reports) error
	hand  func(postgres bool) []string
}

func same(statements ...string) func(bool) []string {
	return func(bool) []string { return statements }
}

// lastMonth is the last 30 days of the data set's messages of one conversation each 30 s.
func lastMonth() store.Period {
	end := million.sentAt(0, million.messages)
	return store.Period{Since: end.AddDate(0, 0, -30), Before: end}
}

func between(column string) string {
	p := lastMonth()
	return " AND " + column + " >= '" + p.Since.Format("2006-01-02 15:04:05+00:00") + "' AND " + column + " < '" +
		p.Before.Format("2006-01-02 15:04:05+00:00") + "'"
}

var allTime store.Period

const namedByHand = ` r JOIN conversations c ON c.id = r.conversation_id ORDER BY `

var reportCases = []reportCase{
	{
		"Summary", "conversations", func(ctx context.Context, r store.Reports) error { return only(r.Summary(ctx, allTime)) },
		same(`SELECT c.status, c.deleted_at IS NOT NULL, count(*) FROM conversations c WHERE 1 = 1{c} GROUP BY 1, 2`),
	},
	{
		"DailySeries, 30 days", "messages", func(ctx context.Context, r store.Reports) error {
			return only(r.DailySeries(ctx, store.Days{Period: lastMonth()}))
		},
		same(`SELECT {day c.created_at}, count(*), count(*) FILTER (WHERE c.status = 'needs_reply') FROM conversations c
			WHERE c.deleted_at IS NULL{c}`+between("c.created_at")+` GROUP BY 1`,
			`SELECT {day m.sent_at}, count(*), count(*) FILTER (WHERE m.direction = 'inbound'), count(*) FILTER (WHERE m.direction = 'outbound')
			FROM `+liveMessagesByHand+between("m.sent_at")+` GROUP BY 1`,
			`SELECT {day s.created_at}, `+statsByHand+` FROM `+liveSuggestionsByHand+between("s.created_at")+` GROUP BY 1`),
	},
	{
		"MostActive", "messages", func(ctx context.Context, r store.Reports) error { return only(r.MostActive(ctx, store.Top{})) },
		same(`SELECT c.subject, r.* FROM (SELECT m.conversation_id, count(*) AS n, count(*) FILTER (WHERE m.direction = 'inbound'),
			count(*) FILTER (WHERE m.direction = 'outbound'), min(m.sent_at), max(m.sent_at) FROM ` + liveMessagesByHand +
			` GROUP BY 1 ORDER BY 2 DESC LIMIT 20)` + namedByHand + `n DESC`),
	},
	{
		"AttachmentCounts", "messages", func(ctx context.Context, r store.Reports) error { return only(r.AttachmentCounts(ctx, store.Top{})) },
		same(`SELECT c.subject, r.* FROM (SELECT m.conversation_id, count(*), sum({length m.attachments}) AS n FROM ` + liveMessagesByHand +
			` AND m.attachments IS NOT NULL GROUP BY 1 ORDER BY 3 DESC LIMIT 20)` + namedByHand + `n DESC`),
	},
	{"MessagesWithAttachments, a page", "messages", func(ctx context.Context, r store.Reports) error {
		return only(r.MessagesWithAttachments(ctx, allTime, page50))
	}, same(`SELECT c.subject, m.id, m.direction, m.sent_at, m.created_at, m.attachments FROM ` + liveMessagesByHand +
		` AND m.attachments IS NOT NULL ORDER BY m.created_at DESC, m.id DESC LIMIT 51`)},
	{
		"ResponseTimes", "messages", func(ctx context.Context, r store.Reports) error { return only(r.ResponseTimes(ctx, allTime)) },
		func(postgres bool) []string { return []string{waitsByHand(postgres, "", gapsByHand, "")} },
	},
	{"ResponseTimesByConversation", "messages", func(ctx context.Context, r store.Reports) error {
		return only(r.ResponseTimesByConversation(ctx, store.Top{}))
	}, func(postgres bool) []string {
		return []string{`SELECT c.subject, r.* FROM (` +
			waitsByHand(postgres, "conversation_id", gapsByHand, " ORDER BY mean DESC NULLS LAST LIMIT 20") + `)` + namedByHand + `mean DESC`}
	}},
	{"ResponseTimesByLead", "messages", func(ctx context.Context, r store.Reports) error {
		return only(r.ResponseTimesByLead(ctx, store.Top{}))
	}, func(postgres bool) []string {
		return []string{waitsByHand(postgres, "lead_id, user_id", gapsByHand, " ORDER BY mean DESC NULLS LAST LIMIT 20")}
	}},
	{"ResponseTimesByDay, 30 days", "messages", func(ctx context.Context, r store.Reports) error {
		return only(r.ResponseTimesByDay(ctx, store.Days{Period: lastMonth()}))
	}, func(postgres bool) []string {
		gaps := `SELECT {day at} AS day, at, wait FROM (` + gapsByHand + `) g WHERE 1 = 1` + between("at")
		return []string{waitsByHand(postgres, "day", gaps, "")}
	}},
	{"SuggestionsByDay, 30 days", "suggestions", func(ctx context.Context, r store.Reports) error {
		return only(r.SuggestionsByDay(ctx, store.Days{Period: lastMonth()}))
	}, same(`SELECT {day s.created_at}, ` + statsByHand + ` FROM ` + liveSuggestionsByHand + between("s.created_at") + ` GROUP BY 1`)},
	{"SuggestionsByConfidence", "suggestions", func(ctx context.Context, r store.Reports) error {
		return only(r.SuggestionsByConfidence(ctx, allTime))
	}, same(`SELECT CASE WHEN s.confidence_score >= 0.85 THEN 'high' WHEN s.confidence_score >= 0.7 THEN 'medium' ELSE 'low' END, ` +
		statsByHand + ` FROM ` + liveSuggestionsByHand + ` GROUP BY 1`)},
	{"SuggestionsByModel", "suggestions", func(ctx context.Context, r store.Reports) error {
		return only(r.SuggestionsByModel(ctx, allTime))
	}, same(`SELECT s.model_used, ` + statsByHand + ` FROM ` + liveSuggestionsByHand + ` GROUP BY 1 ORDER BY 2 DESC`)},
	{"HighConfidenceApproved, a page", "suggestions", func(ctx context.Context, r store.Reports) error {
		return only(r.HighConfidenceApproved(ctx, 0.85, allTime, page50))
	}, same(`SELECT ` + suggestionsByHand + ` FROM ` + liveSuggestionsByHand +
		` AND s.status = 'approved' AND s.confidence_score >= 0.85 ORDER BY s.confidence_score DESC, s.id DESC LIMIT 51`)},
	{
		"DecisionTimes", "suggestions", func(ctx context.Context, r store.Reports) error { return only(r.DecisionTimes(ctx, allTime)) },
		func(postgres bool) []string {
			waits := `SELECT s.created_at AS at, {seconds s.created_at s.reviewed_at} AS wait FROM ` + liveSuggestionsByHand
			return []string{waitsByHand(postgres, "", waits, "")}
		},
	},
	{"CostsByConversation", "suggestions", func(ctx context.Context, r store.Reports) error {
		return only(r.CostsByConversation(ctx, store.Top{}))
	}, same(`SELECT c.subject, r.* FROM (SELECT s.conversation_id, count(*), sum(s.tokens_used), {sum s.generation_cost} AS cost FROM ` +
		liveSuggestionsByHand + ` GROUP BY 1 ORDER BY sum(s.generation_cost) DESC LIMIT 20)` + namedByHand + `cost DESC`)},
	{
		"CostsByLead", "suggestions", func(ctx context.Context, r store.Reports) error { return only(r.CostsByLead(ctx, store.Top{})) },
		same(`SELECT c.lead_id, c.user_id, count(*), sum(s.tokens_used), {sum s.generation_cost} FROM ` +
			liveSuggestionsByHand + ` GROUP BY 1, 2 ORDER BY sum(s.generation_cost) DESC LIMIT 20`),
	},
	{
		"CostsByDay, 30 days", "suggestions", func(ctx context.Context, r store.Reports) error {
			return only(r.CostsByDay(ctx, store.Days{Period: lastMonth()}))
		},
		same(`SELECT {day s.created_at}, count(*), sum(s.tokens_used), {sum s.generation_cost} FROM ` +
			liveSuggestionsByHand + between("s.created_at") + ` GROUP BY 1`),
	},
	{"ResponseRate by category", "conversations", func(ctx context.Context, r store.Reports) error {
		return only(r.ResponseRate(ctx, "category", allTime))
	}, same(`SELECT l.category, count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id
			AND m.user_id = c.user_id AND m.direction = 'inbound' AND m.deleted_at IS NULL{m}))
		FROM conversations c JOIN leads l ON l.id = c.lead_id AND l.owner = c.user_id WHERE c.deleted_at IS NULL{c} GROUP BY 1`)},
}

// suggestionsByHand are the columns of a suggestion, as text where it may be NULL.
const suggestionsByHand = `s.id, s.user_id, s.conversation_id, s.in_reply_to_message_id, s.suggested_content, s.edited_content, s.confidence_score,
	s.sentiment_analysis, s.context_used, s.model_used, s.tokens_used, s.generation_cost, s.status, s.reviewed_by, s.reviewed_at, s.feedback,
	s.sent_message_id, s.created_at, s.updated_at, s.deleted_at`
