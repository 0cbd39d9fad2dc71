package inbox_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

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

func hostile(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// line is a text for a field that has no line breaks, of at most so many bytes.
func line(r *rand.Rand, most int) string {
	text := strings.NewReplacer("\r", " ", "\n", " ").Replace(hostile(r))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// allowed are the elements and attributes that the templates, and markdown, write.
var (
	allowedTags = strings.Fields(`html head meta title link script body a header nav form label input button span main div article b p i ol ul li
		details summary pre time h1 h2 h3 h4 h5 h6 section aside textarea dl dt dd dialog kbd select option del ins mark bdi footer
		table thead tbody tr td th code em strong blockquote br hr fieldset legend`)
	allowedAttrs = strings.Fields(`lang charset name content rel href src defer class id data-root data-token data-tab data-operator data-conversation data-user
		data-base data-seq data-position data-live data-draft data-message data-action data-view data-autosave data-status data-countdown data-load
		aria-label aria-labelledby aria-current aria-pressed aria-live role action method type value placeholder dir maxlength title tabindex
		rows cols required readonly open size for formaction formnovalidate datetime target align start autocomplete selected checked scope`)
)

// requireWritten fails for an element or attribute that no template wrote, and for a link that runs.
func requireWritten(t *testing.T, a *answer, what string) {
	t.Helper()
	for _, n := range a.doc().find(func(*html.Node) bool { return true }) {
		if !slices.Contains(allowedTags, n.Data) {
			t.Fatalf("%s has an element %s", what, n.Data)
		}
		for _, at := range n.Attr {
			if !slices.Contains(allowedAttrs, at.Key) {
				t.Fatalf("%s: %s has an attribute %s", what, n.Data, at.Key)
			}
			if at.Key == "href" || at.Key == "src" || at.Key == "action" || at.Key == "formaction" {
				u, err := url.Parse(at.Val)
				require.NoError(t, err, what)
				require.Contains(t, []string{"", "http", "https", "mailto"}, u.Scheme, what)
			}
		}
		if n.Data == "script" {
			require.Empty(t, n.text(), what)
		}
		if n.Data != "textarea" && n.FirstChild != nil && n.FirstChild.Type == html.TextNode { // fields keep what they send
			require.NotContains(t, n.FirstChild.Data, "\x1b", "%s: %s shows a control character", what, n.Data)
		}
	}
	require.NotContains(t, a.body, "ZgotmplZ", what)
}

// hostileThread fills every field that a page shows.
func hostileThread(w *world, r *rand.Rand) *conversation.Conversation {
	t := w.t
	t.Helper()
	c := &conversation.Conversation{Title: line(r, 200), Subject: line(r, 500), LeadID: line(r, 500)}
	require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
	doc := func() message.JSON {
		return message.JSON(fmt.Sprintf(`{%q: %q, "b": 1, "c": [%q]}`, strings.ToValidUTF8(jsonText(hostile(r)), ""), jsonText(hostile(r)), jsonText(hostile(r))))
	}
	var last *message.Message
	for i, kind := range []message.Kind{message.KindMessage, message.KindMessage, message.KindNote, message.KindAutoReply, message.KindBounce, message.KindEvent, message.KindMessage} {
		m := &message.Message{
			Kind: kind, Role: message.Roles()[i%5], Content: hostile(r), Author: line(r, 500), Model: line(r, 500), FinishReason: line(r, 500),
			ToolCalls: doc(), ToolResults: doc(), Metadata: doc(),
			Attachments: message.Attachments{{Filename: hostile(r), ContentType: hostile(r), URL: hostile(r), Size: 5}},
		}
		if i%2 == 0 {
			m.SenderEmail, m.RecipientEmail = line(r, 300), line(r, 300)
			m.Headers = message.Headers{"Subject": {line(r, 300)}, "Reply-To": {line(r, 300)}}
		}
		_, err := w.mine.Messages().Append(t.Context(), c.ID, m)
		require.NoError(t, err)
		if i == 0 {
			last = m
		}
	}
	for range 2 {
		s := &suggestion.Suggestion{
			ConversationID: c.ID, InReplyToMessageID: &last.ID, SuggestedContent: hostile(r), ModelUsed: line(r, 500), SentimentAnalysis: doc(), ContextUsed: doc(),
		}
		require.NoError(t, w.mine.Suggestions().Create(t.Context(), s))
		_, err := w.mine.Suggestions().SaveDraft(t.Context(), s.ID, hostile(r), store.SaveOptions{By: line(r, 500)})
		require.NoError(t, err)
	}
	_, err := w.mine.Conversations().AddLabels(t.Context(), c.ID, "ann", []string{line(r, 500)})
	require.NoError(t, err)
	_, err = w.mine.Conversations().Assign(t.Context(), c.ID, line(r, 500), store.AssignOptions{})
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

// Texts of everybody's are shown and do nothing: the page has the elements and the attributes of its
// template, and no other ones.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(7, 7))
	const threads = 80 // of about thirty texts each
	for i := range threads {
		c := hostileThread(w, r)
		what := fmt.Sprint("thread ", i)
		page := w.get("ann", path(c.ID)+"?view=all&lead="+url.QueryEscape(line(r, 50)))
		require.Equal(t, http.StatusOK, page.code, page.body)
		requireWritten(t, page, what)
		requireWritten(t, w.get("ann", path(c.ID)+"/merge?find="+url.QueryEscape(line(r, 20))), what)
		list, err := w.mine.Suggestions().ListByConversation(t.Context(), c.ID, store.PageRequest{})
		require.NoError(t, err)
		a := w.post("bob", path(c.ID)+"/approve", url.Values{"suggestion": {list.Items[0].ID.String()}, "text": {hostile(r)}})
		require.Equal(t, http.StatusConflict, a.code, "somebody's edit is in the way")
		requireWritten(t, a, what)
		a = w.post("bob", path(c.ID)+"/assign", url.Values{"assignee": {hostile(r)}, "from": {"x"}})
		requireWritten(t, a, what)
		a = w.post("bob", path(c.ID)+"/approve", url.Values{"suggestion": {uuid.NewString()}, "text": {hostile(r)}, "feedback": {hostile(r)}, "note": {hostile(r)}})
		requireWritten(t, a, what)
		q := url.QueryEscape(hostile(r))
		requireWritten(t, w.get("ann", "/search?q="+q+"&label="+q), what)
		requireWritten(t, w.get("ann", "/?view="+q+"&done="+q+"&of="+q), what)
	}
	for _, p := range []string{"/?view=all", "/reports", "/health", "/search?q=EVIL", "/search?q=evil*&archived=1"} {
		a := w.get("ann", p)
		require.Equal(t, http.StatusOK, a.code, a.body)
		if p == "/reports" {
			continue // it has pictures as well, and is made of numbers
		}
		requireWritten(t, a, p)
	}
}

func TestHuge(t *testing.T) {
	w := newWorld(t)
	c, m := w.mail(strings.Repeat("long ", 2000), strings.Repeat("word ", 100_000)+"END-OF-IT")
	w.drafted(m, "short")
	page := w.get("ann", path(c.ID))
	require.Equal(t, http.StatusOK, page.code)
	require.Less(t, len(page.body), 100_000, "what nobody reads at once is not sent at once")
	require.NotContains(t, page.body, "END-OF-IT")
	require.Contains(t, page.byID("m1").text(), "Show all of it")
	require.Contains(t, w.get("ann", path(c.ID)+"?all=1").body, "END-OF-IT")
	require.Less(t, len(w.get("ann", "/").body), 20_000)
}
