package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// size of a data set. Conversation j belongs to user j % users; the first conversation
// of each user has extra messages, so that there are threads to read the end of.
type size struct {
	users, conversations, messages, extra, suggestions int
}

// Kinds of deterministic ids: a number makes the same id here and in SQL. They ascend
// as version 7 does, which matters to the indexes.
const (
	kindUser = iota + 1
	kindConversation
	kindMessage
	kindSuggestion
)

func id(kind, n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-800%d-%012x", kind, n))
}

func (z size) userOf(conversation int) uuid.UUID { return id(kindUser, conversation%z.users) }

// messageID is that of the message with this seq; ids and times ascend together.
func (z size) messageID(conversation, seq int) uuid.UUID {
	return id(kindMessage, seq*z.conversations+conversation)
}

// epoch is when the first message was sent; one follows every step.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

const step = 30 * time.Second

func (z size) sentAt(conversation, seq int) time.Time {
	return epoch.Add(time.Duration(seq*z.conversations+conversation) * step)
}

// fillSQL is the same for both databases but for the functions in {braces}. About 5 %
// of the rows are deleted. Half of the conversations are e-mail, with provider ids and
// headers. Messages come in two parts: those that every conversation has, and the extra
// ones of the first of each user.
const fillConversations = `
INSERT INTO conversations (id, user_id, lead_id, external_key, title, subject, status, metadata, last_seq,
	last_message_at, created_at, updated_at, deleted_at)
SELECT {id 2 j}, {id 1 j % $users}, 'lead-' || (j % ($conversations / 5)), 'ext-' || j,
	'Conversation ' || j, CASE WHEN j % 2 = 0 THEN 'Website improvements ' || j END,
	CASE WHEN j % 10 = 0 THEN 'needs_reply' WHEN j % 10 < 4 THEN 'waiting' WHEN j % 10 < 7 THEN 'active' ELSE 'archived' END,
	'{"tags":["import"],"model":"large"}',
	$messages + CASE WHEN j < $users THEN $extra ELSE 0 END,
	{at ($messages + CASE WHEN j < $users THEN $extra ELSE 0 END) * $conversations + j}, {at j}, {at j},
	CASE WHEN j % 20 = 7 THEN {at $conversations * $messages + j} END
FROM {series j 0 $conversations-1}`

// fillMessages is for the seqs of a range, in the conversations before a number.
const fillMessages = `
INSERT INTO messages (id, user_id, conversation_id, seq, role, direction, content, sender_email, recipient_email,
	postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, headers, attachments,
	tool_calls, tool_results, metadata, sent_at, created_at, updated_at, deleted_at)
SELECT {id 3 n}, {id 1 j % $users}, {id 2 j}, s,
	CASE s % 4 WHEN 1 THEN 'user' WHEN 3 THEN 'tool' ELSE 'assistant' END,
	CASE s % 4 WHEN 1 THEN 'inbound' WHEN 3 THEN NULL ELSE 'outbound' END,
	'Message ' || n || ': thank you for the examples, they look like what we have in mind for the new site. '
		|| 'Could you tell us what a redesign of the front page would cost, and how long it takes?',
	CASE WHEN mail THEN 'john' || j || '@example.com' END, CASE WHEN mail THEN 'desk@example.com' END,
	CASE WHEN mail AND s % 4 IN (0, 2) THEN 'pm-' || n END,
	CASE WHEN mail AND s % 4 = 1 THEN 'gm-' || n END, CASE WHEN mail THEN 'thread-' || j END,
	CASE WHEN mail THEN '<m' || n || '@example.com>' END,
	CASE WHEN mail THEN {json '{"Message-ID":"<m' || n || '@example.com>","Subject":"Re: Website improvements"}'} END,
	CASE WHEN (s + j) % 33 = 0 THEN {json '[{"filename":"offer.pdf","content_type":"application/pdf","size":48123}]'} END,
	CASE WHEN s % 10 = 2 THEN {json '[{"id":"call_' || n || '","function":{"name":"find_site","arguments":{"url":"example.com"}}}]'} END,
	CASE WHEN s % 4 = 3 THEN {json '[{"tool_call_id":"call_1","status":"success"}]'} END,
	CASE WHEN s % 4 = 0 THEN {json '{"tokens":451}'} END,
	{at n}, {at n}, {at n}, CASE WHEN (s + j) % 20 = 3 THEN {at n + 1} END
FROM (SELECT j, s, s * $conversations + j AS n, j % 2 = 0 AND s % 4 <> 3 AS mail
	FROM {series s $from $to} CROSS JOIN {series j 0 $before-1}) AS rows
ORDER BY n`

const fillSuggestions = `
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, suggested_content, confidence_score,
	sentiment_analysis, model_used, tokens_used, generation_cost, status, reviewed_by, reviewed_at, created_at, updated_at, deleted_at)
SELECT {id 4 i}, {id 1 j % $users}, {id 2 j}, {id 3 $conversations + j},
	'Hi John! I have looked at your site and found three things to improve.', 0.92,
	'{"intent":"requesting_information"}', 'large', 450, '0.0135',
	CASE WHEN i % 10 = 0 THEN 'pending' WHEN i % 10 < 7 THEN 'approved' ELSE 'rejected' END,
	CASE WHEN i % 10 <> 0 THEN 'operator' END, CASE WHEN i % 10 <> 0 THEN {at $conversations + j + 2} END,
	{at $conversations + j + 1}, {at $conversations + j + 1}, CASE WHEN i % 20 = 9 THEN {at $conversations * 2 + j} END
FROM (SELECT i, i * 5 % $conversations AS j FROM {series i 0 $suggestions-1}) AS rows`

// messageParts are the statements for all messages, each of about so many rows.
func (z size) messageParts(rows int) (parts []string) {
	add := func(first, last, before int) {
		seqs := max(1, rows/max(1, before))
		for from := first; from <= last; from += seqs {
			parts = append(parts, strings.NewReplacer("$from", fmt.Sprint(from), "$to", fmt.Sprint(min(last, from+seqs-1)),
				"$before", fmt.Sprint(before)).Replace(fillMessages))
		}
	}
	add(1, z.messages, z.conversations)
	add(z.messages+1, z.messages+z.extra, z.users)
	return parts
}

// fillPart is how many messages a statement makes: their sort fits into memory.
const fillPart = 1_000_000

// fill makes the rows inside the database, which is many times faster than sending them.
func fill(tb testing.TB, db *sql.DB, postgres bool, z size) {
	tb.Helper()
	statements := append([]string{fillConversations}, z.messageParts(fillPart)...)
	for _, statement := range append(statements, fillSuggestions) {
		_, err := db.ExecContext(tb.Context(), z.render(statement, postgres))
		require.NoError(tb, err)
	}
	analyze(tb, db, postgres)
}

func analyze(tb testing.TB, db *sql.DB, postgres bool) {
	tb.Helper()
	statement := "ANALYZE"
	if postgres {
		statement = "VACUUM ANALYZE"
	}
	_, err := db.ExecContext(tb.Context(), statement)
	require.NoError(tb, err)
}

// dimensions of the vectors where only their keys matter.
const dimensions = 8

// fillVectors gives the first messages of half of the conversations a vector each, so
// that the table is too big to be read from end to end unnoticed.
func fillVectors(tb testing.TB, db *sql.DB, postgres bool, z size) {
	tb.Helper()
	vector := fmt.Sprintf("zeroblob(%d)", 4*dimensions+(dimensions+7)/8) // the numbers and their code
	if postgres {
		vector = "'[1" + strings.Repeat(",0", dimensions-1) + "]'"
	}
	_, err := db.ExecContext(tb.Context(), z.render(`
INSERT INTO message_embeddings (message_id, user_id, model, conversation_id, embedding)
SELECT {id 3 $conversations + j}, {id 1 j % $users}, 'small', {id 2 j}, `+vector+`
FROM {series j 0 $conversations/2-1}`, postgres))
	require.NoError(tb, err)
	analyze(tb, db, postgres)
}

func (z size) render(statement string, postgres bool) string {
	for name, n := range map[string]int{
		"$users": z.users, "$conversations": z.conversations,
		"$messages": z.messages, "$extra": z.extra, "$suggestions": z.suggestions,
	} {
		statement = strings.ReplaceAll(statement, name, fmt.Sprint(n))
	}
	call := sqliteCall
	if postgres {
		call = postgresCall
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(statement, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		// A document is no call.
		name, args, _ := strings.Cut(rest, " ")
		switch name {
		case "id", "at", "series", "json":
			body, end := untilBrace(args)
			out.WriteString(call(name, body))
			statement = end
		default:
			out.WriteString("{")
			statement = rest
		}
	}
}

// untilBrace cuts at the brace that closes what is open already.
func untilBrace(s string) (body, rest string) {
	depth := 1
	for i, r := range s {
		switch r {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

func postgresCall(name, args string) string {
	first, rest, _ := strings.Cut(args, " ")
	switch name {
	case "id":
		return fmt.Sprintf("('00000000-0000-7000-800%s-' || lpad(to_hex(%s), 12, '0'))::uuid", first, rest)
	case "at":
		return fmt.Sprintf("(timestamptz '2025-01-01 00:00:00Z' + (%s) * interval '30 seconds')", args)
	case "json":
		return "(" + args + ")::jsonb"
	}
	from, to, _ := strings.Cut(rest, " ")
	return fmt.Sprintf("generate_series(%s, %s) AS %s", from, to, first)
}

func sqliteCall(name, args string) string {
	first, rest, _ := strings.Cut(args, " ")
	switch name {
	case "id":
		return fmt.Sprintf("printf('00000000-0000-7000-800%s-%%012x', %s)", first, rest)
	case "at":
		return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%S+00:00', 1735689600 + (%s) * 30, 'unixepoch')", args)
	case "json":
		return "(" + args + ")"
	}
	from, to, _ := strings.Cut(rest, " ")
	return fmt.Sprintf("(WITH RECURSIVE r(%[1]s) AS (SELECT %[2]s UNION ALL SELECT %[1]s + 1 FROM r WHERE %[1]s < %[3]s) SELECT %[1]s FROM r)",
		first, from, to)
}

// pending replaces the suggestions of a conversation by n that wait for a decision,
// with ids that count from first.
func pending(ctx context.Context, db *sql.DB, postgres bool, z size, conversation, first, n int) error {
	const insert = `
INSERT INTO ai_suggestions (id, user_id, conversation_id, suggested_content, confidence_score, model_used, created_at, updated_at)
SELECT {id 4 i}, {id 1 %d}, {id 2 %d}, 'Hi John! I found three things to improve.', 0.92, 'large', {at i}, {at i}
FROM {series i %d %d}`
	_, err := db.ExecContext(ctx, z.render(fmt.Sprintf(insert, conversation%z.users, conversation, first, first+n-1), postgres))
	return err
}
