// Package hostile makes conversations whose texts try to be more than text. It is for tests alone.
package hostile

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// pieces are what hostile texts are made of. EVIL is in each element and attribute that would run.
var pieces = []string{
	"<script>EVIL()</script>", "<img src=x onerror=EVIL()>", `"><svg onload=EVIL()>`, "' onmouseover=EVIL() x='", "</textarea><evil-tag>", "</title><evil-tag>",
	"<!--", "-->", "<![CDATA[", "]]>", "{{.Token}}", "{{template \"layout\"}}", "javascript:EVIL()", "[a](javascript:EVIL())", "![a](x\" onerror=\"EVIL())",
	"<a href='javascript:EVIL()'>a</a>", "<evil-tag evil=1>", "<style>*{display:none}</style>", "<base href=//evil.example>", "<meta http-equiv=refresh content=0>",
	"\u202eabc", "\u2066\u2067\u2068", "\u200f\u200e\u061c", "\u0301\u0301\u0301\u0301\u0301\u0301", "\x01\x02\x1b[31m", "\u0085\u2028\u2029", "\ufeff", "\U000e0041", "&lt;evil-tag&gt;", "&#60;evil-tag&#62;",
	"\r\n\r\n", "\n\n", "\t", "```\n", "`", "| a | b |\n|---|---|\n", "> ", "# ", "- ", "* * *\n", "<https://a.example/\"onclick=EVIL()>", "http://a.example/<evil-tag>", "[x]: javascript:EVIL()\n", "On x wrote:\n> ",
	strings.Repeat("W", 300), "\u0645\u0631\u062d\u0628\u0627", "日本語", "👩‍👩‍👧", "''", `""`, "--", "%3Cevil-tag%3E", "%s%n", "<evil-tag/onclick=EVIL()", "\u2039evil\u203a", "＜evil-tag＞",
}

// Text is a text of any kind.
func Text(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// Line is a text for a field that has no line breaks, of at most so many bytes.
func Line(r *rand.Rand, most int) string {
	text := strings.NewReplacer("\r", " ", "\n", " ").Replace(Text(r))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// Thread makes a conversation that fills every field that a page shows.
func Thread(t testing.TB, mine store.Scope, r *rand.Rand) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{Title: Line(r, 200), Subject: Line(r, 500), LeadID: Line(r, 500)}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	doc := func() message.JSON {
		return message.JSON(fmt.Sprintf(`{%q: %q, "b": 1, "c": [%q]}`, strings.ToValidUTF8(jsonText(Text(r)), ""), jsonText(Text(r)), jsonText(Text(r))))
	}
	var last *message.Message
	for i, kind := range []message.Kind{message.KindMessage, message.KindMessage, message.KindNote, message.KindAutoReply, message.KindBounce, message.KindEvent, message.KindMessage} {
		m := &message.Message{
			Kind: kind, Role: message.Roles()[i%5], Content: Text(r), Author: Line(r, 500), Model: Line(r, 500), FinishReason: Line(r, 500),
			ToolCalls: doc(), ToolResults: doc(), Metadata: doc(),
			Attachments: message.Attachments{{Filename: Text(r), ContentType: Text(r), URL: Text(r), Size: 5}},
		}
		if i%2 == 0 {
			m.SenderEmail, m.RecipientEmail = Line(r, 300), Line(r, 300)
			m.Headers = message.Headers{"Subject": {Line(r, 300)}, "Reply-To": {Line(r, 300)}}
		}
		_, err := mine.Messages().Append(t.Context(), c.ID, m)
		require.NoError(t, err)
		if i == 0 {
			last = m
		}
	}
	for range 2 {
		s := &suggestion.Suggestion{
			ConversationID: c.ID, InReplyToMessageID: &last.ID, SuggestedContent: Text(r), ModelUsed: Line(r, 500), SentimentAnalysis: doc(), ContextUsed: doc(),
		}
		require.NoError(t, mine.Suggestions().Create(t.Context(), s))
		_, err := mine.Suggestions().SaveDraft(t.Context(), s.ID, Text(r), store.SaveOptions{By: Line(r, 500)})
		require.NoError(t, err)
	}
	_, err := mine.Conversations().AddLabels(t.Context(), c.ID, "ann", []string{Line(r, 500)})
	require.NoError(t, err)
	_, err = mine.Conversations().Assign(t.Context(), c.ID, Line(r, 500), store.AssignOptions{})
	require.NoError(t, err)
	return c
}

// jsonText keeps what %q writes as JSON has it: no escapes that JSON has not.
func jsonText(text string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0xffff || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\u2028' || c == '\u2029' || c >= 0x2000 && c < 0x2070 || c == 0x61c || c == 0xfeff {
			return 'x'
		}
		return c
	}, text)
}
