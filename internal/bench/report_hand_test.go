package bench

import "strings"

// The reports as somebody would write them for one database and one question, without
// zones, filters or names of leads. {x} is the condition on the owner of x, if there is
// one; the words in braces are what the databases say differently.
const (
	liveMessagesByHand = `messages m JOIN conversations c ON c.id = m.conversation_id AND c.user_id = m.user_id
		WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL{m}{c}`
	liveSuggestionsByHand = `ai_suggestions s JOIN conversations c ON c.id = s.conversation_id AND c.user_id = s.user_id
		WHERE s.deleted_at IS NULL AND c.deleted_at IS NULL{s}{c}`
	statsByHand = `count(*), count(*) FILTER (WHERE s.status = 'pending'), count(*) FILTER (WHERE s.status = 'approved'),
		count(*) FILTER (WHERE s.status = 'edited'), count(*) FILTER (WHERE s.status = 'rejected'),
		avg(s.confidence_score), sum(s.tokens_used), {sum s.generation_cost}`
	gapsByHand = `SELECT conversation_id, lead_id, user_id, sent_at AS at, {seconds sent_at answered_at} AS wait FROM (
		SELECT conversation_id, lead_id, user_id, direction, sent_at,
			lead(sent_at) OVER (PARTITION BY conversation_id ORDER BY sent_at, seq) AS answered_at
		FROM (SELECT m.conversation_id, c.lead_id, c.user_id, m.direction, m.sent_at, m.seq,
				lag(m.direction) OVER (PARTITION BY m.conversation_id ORDER BY m.sent_at, m.seq) AS previous
			FROM ` + liveMessagesByHand + ` AND m.direction IS NOT NULL) t
		WHERE previous IS NULL OR previous <> direction) q
		WHERE direction = 'inbound'`
)

// waitsByHand sums gaps up by a key, with percentiles of floating-point numbers on
// PostgreSQL and by ranks on SQLite.
func waitsByHand(postgres bool, key, gaps, tail string) string {
	if postgres {
		group := ""
		if key != "" {
			group, key = " GROUP BY "+key, key+", "
		}
		return `SELECT ` + key + `count(wait), avg(wait) AS mean, percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY wait)::text,
			count(*) - count(wait), min(at) FILTER (WHERE wait IS NULL) FROM (` + gaps + `) g` + group + tail
	}
	partition, group := "", ""
	if key != "" {
		partition, group, key = "PARTITION BY "+key, " GROUP BY "+key, key+", "
	}
	return `SELECT ` + key + `count(wait), avg(wait) AS mean, max(wait) FILTER (WHERE r = (n + 1) / 2), max(wait) FILTER (WHERE r = n * 90 / 100),
		max(wait) FILTER (WHERE r = n * 95 / 100), count(*) - count(wait), min(at) FILTER (WHERE wait IS NULL)
		FROM (SELECT *, row_number() OVER (` + partition + ` ORDER BY wait NULLS LAST) AS r, count(wait) OVER (` + partition + `) AS n
			FROM (` + gaps + `) g) h` + group + tail
}

// fillBraces renders a statement for a database, of one user ($1) or of all.
func fillBraces(statement string, postgres, one bool) string {
	pairs := []string{"{m}", "", "{c}", "", "{s}", ""}
	if one {
		pairs = []string{"{m}", " AND m.user_id = $1", "{c}", " AND c.user_id = $1", "{s}", " AND s.user_id = $1"}
	}
	for _, column := range []string{"c.created_at", "m.sent_at", "s.created_at", "at"} {
		day := "date(" + column + ")"
		if postgres {
			day = "CAST(" + column + " AT TIME ZONE 'UTC' AS date)::text"
		}
		pairs = append(pairs, "{day "+column+"}", day)
	}
	if postgres {
		pairs = append(pairs, "{sum s.generation_cost}", "sum(s.generation_cost)::text",
			"{length m.attachments}", "jsonb_array_length(m.attachments)",
			"{seconds sent_at answered_at}", "date_part('epoch', answered_at - sent_at)",
			"{seconds s.created_at s.reviewed_at}", "date_part('epoch', s.reviewed_at - s.created_at)")
	} else {
		pairs = append(pairs, "{sum s.generation_cost}", "sum(s.generation_cost)",
			"{length m.attachments}", "json_array_length(m.attachments)",
			"{seconds sent_at answered_at}", "(julianday(answered_at) - julianday(sent_at)) * 86400",
			"{seconds s.created_at s.reviewed_at}", "(julianday(s.reviewed_at) - julianday(s.created_at)) * 86400")
	}
	return strings.NewReplacer(pairs...).Replace(statement)
}
