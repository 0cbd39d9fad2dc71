package mailbox_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// head is that of a good mail; what differs comes behind it.
const head = "From: Ann <ann@example.com>\nTo: me@acme.example\nSubject: Hello\n" +
	"Date: Thu, 26 Nov 2026 08:00:00 +0000\nMessage-ID: <1@example.com>\n"

func parse(t *testing.T, raw string) *mailbox.Mail {
	t.Helper()
	m, err := mailbox.Parse([]byte(raw), mailbox.Options{Own: []string{"me@acme.example"}})
	require.NoError(t, err)
	require.Len(t, m.Files, len(m.Message.Attachments))
	m.Message.Normalize(message.Now())
	require.NoError(t, m.Message.Validate())
	return m
}

// body is the text of a mail whose header ends with the lines.
func body(t *testing.T, rest string) string {
	t.Helper()
	return strings.TrimSpace(parse(t, head+rest).Message.Content)
}

func reasons(m *mailbox.Mail) string {
	var all []string
	for _, p := range m.Problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

const mixed = "Content-Type: multipart/mixed; boundary=x\n\n"

func TestGoodMail(t *testing.T) {
	t.Parallel()
	m := parse(t, "Return-Path: <ann@example.com>\n"+head+"Cc: Bob <bob@example.com>, c@example.com\nReply-To: desk@example.com\n"+
		"In-Reply-To: <0@acme.example>\nReferences: <9@acme.example>\n <0@acme.example>\n"+
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=y\n\n"+
		"--y\nContent-Type: text/plain; charset=utf-8\n\nHi\n--y\nContent-Type: text/html\n\n<p>Hi</p>\n--y--\n"+
		"--x\nContent-Type: image/png; name=logo.png\nContent-Transfer-Encoding: base64\nContent-ID: <logo@x>\nContent-Disposition: inline\n\nAAECAwQ=\n--x--\n")
	assert.Empty(t, m.Problems)
	assert.Equal(t, "Hello", m.Subject)
	assert.Equal(t, "<p>Hi</p>", m.HTML)
	assert.Equal(t, []string{"<0@acme.example>", "<9@acme.example>"}, m.Parents())
	assert.Len(t, m.Cc, 2)
	assert.Equal(t, "desk@example.com", m.ReplyTo[0].Address)
	assert.Equal(t, []byte{0, 1, 2, 3, 4}, m.Files[0].Data)
	msg := m.Message
	assert.Equal(t, "Hi", msg.Content)
	assert.Equal(t, message.RoleUser, msg.Role)
	assert.Equal(t, message.DirectionInbound, msg.Direction)
	assert.Equal(t, message.KindMessage, msg.Kind)
	assert.Equal(t, []string{"ann@example.com", "me@acme.example"}, []string{msg.SenderEmail, msg.RecipientEmail})
	assert.Equal(t, "<1@example.com>", msg.EmailMessageID)
	assert.Equal(t, msg.EmailMessageID, msg.IdempotencyKey)
	assert.Equal(t, time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), msg.SentAt)
	assert.Equal(t, "Bob <bob@example.com>, c@example.com", msg.Headers.Get("cc"))
	assert.Equal(t, message.Attachment{
		Filename: "logo.png", ContentType: "image/png", Size: 5, ContentID: "logo@x", Inline: true,
		Checksum: "sha256:08bb5e5d6eaac1049ede0893d30ed022b1a4d9b5b48db414871f51c9cb35283d",
	}, msg.Attachments[0])
	assert.Nil(t, msg.Payload)
}

// TestBodies has one mail for each way in which the text of a body was lost, doubled or shown as
// the source of the mail.
func TestBodies(t *testing.T) {
	t.Parallel()
	const plain, page = "--x\nContent-Type: text/plain\n\n", "--x\nContent-Type: text/html\n\n"
	alternative := strings.Replace(mixed, "mixed", "alternative", 1)
	for name, c := range map[string]struct{ rest, want string }{
		"plain":                          {"\nHello\n", "Hello"},
		"blank text beside a page":       {alternative + plain + " \n\t\n" + page + "<p>Hello</p>\n--x--\n", "Hello"},
		"no text beside a page":          {alternative + plain + page + "<p>Hello</p>\n--x--\n", "Hello"},
		"blank page beside a text":       {alternative + page + "<p> </p>\n" + plain + "Hello\n--x--\n", "Hello"},
		"the text is chosen":             {alternative + plain + "Hello\n" + page + "<p>Other</p>\n--x--\n", "Hello"},
		"page and footer":                {mixed + page + "<p>Hello</p>\n" + plain + "-- \nthe list\n--x--\n", "Hello\n\n-- \nthe list"},
		"several texts":                  {mixed + plain + "one\n" + plain + "two\n" + page + "<b>three</b>\n--x--\n", "one\n\ntwo\n\nthree"},
		"text and the same as a page":    {mixed + plain + "Hello\n you\n" + page + "<p>Hello you</p>\n--x--\n", "Hello\n you"},
		"page and the same as text":      {mixed + page + "<p>Hello you</p>\n" + plain + "Hello\n you\n--x--\n", "Hello\n you"},
		"texts around a file":            {mixed + plain + "one\n--x\nContent-Type: image/png; name=a.png\n\nxx\n" + plain + "two\n--x--\n", "one\n\ntwo"},
		"attached text":                  {mixed + plain + "one\n--x\nContent-Disposition: attachment\n\ntwo\n--x--\n", "one"},
		"no last boundary":               {mixed + plain + "Hello\n", "Hello"},
		"last boundary cut":              {mixed + plain + "Hello\n--x", "Hello"},
		"inner boundary not closed":      {mixed + "--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\n\nHello\n" + plain + "you\n--x--\n", "Hello\n\nyou"},
		"one boundary for both":          {mixed + "--x\nContent-Type: multipart/alternative; boundary=x\n\n--x\n\nHello\n--x--\n--x\n\nyou\n--x--\n", "Hello\n\nyou"},
		"boundary that begins another":   {mixed + "--x\nContent-Type: multipart/mixed; boundary=xy\n\n--xy\n\nHello\n--xy--\n--x\n\nyou\n--x--\n", "Hello\n\nyou"},
		"text behind the last boundary":  {mixed + "the preamble\n" + plain + "Hello\n--x--\nthe epilogue\n", "Hello"},
		"blanks behind boundaries":       {mixed + "--x  \n\nHello\n--x-- \t\n", "Hello"},
		"header ended by blanks":         {"  \nHello\n", "Hello"},
		"blanks before a quoted header":  {" \nHi,\nFrom: b@b.example\n\nyou\n", "Hi,\nFrom: b@b.example\n\nyou"},
		"header ended by a tab":          {"\t\nHello: you\n", "Hello: you"},
		"part's header ended by blanks":  {mixed + "--x\nContent-Type: text/plain\n \nHello\n--x--\n", "Hello"},
		"header ended by nothing":        {"Hello you\n\nand more\n", "Hello you\n\nand more"},
		"part's header ended by nothing": {mixed + "--x\nContent-Type: text/plain\nHello\n--x--\n", "Hello"},
		"part without a header":          {mixed + "--x\nHello\n--x--\n", "Hello"},
		"first boundary in the header":   {strings.TrimSuffix(mixed, "\n") + plain + "Hello\n--x--\n", "Hello"},
		"unquoted boundary with =":       {"Content-Type: multipart/mixed; boundary=----=_Part_1\n\n------=_Part_1\n\nHello\n------=_Part_1--\n", "Hello"},
		"boundary with an open quote":    {"Content-Type: multipart/mixed; boundary=\"x y\n\n--x y\n\nHello\n--x y--\n", "Hello"},
		"boundary in pieces":             {"Content-Type: multipart/mixed; boundary*0=x;\n boundary*1=y\n\n--xy\n\nHello\n--xy--\n", "Hello"},
		"boundary behind a comment":      {"Content-Type: multipart/mixed (so) ; boundary=\"x\" (really)\n\n--x\n\nHello\n--x--\n", "Hello"},
		"boundary without a semicolon":   {"Content-Type: multipart/mixed boundary=x\n\n--x\n\nHello\n--x--\n", "Hello"},
		"boundary that nobody named":     {"Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\nHello\n--x--\n", "Hello"},
		"wrong boundary":                 {mixed + "--other\nContent-Type: text/plain\n\nHello\n--other--\n", "Hello"},
		"type lost":                      {"\n--x\nContent-Type: text/plain\n\nHello\n--x--\n", "Hello"},
		"multipart without parts":        {mixed + "Hello\n", "Hello"},
		"multipart without a subtype":    {"Content-Type: multipart; boundary=x\n\n--x\n\nHello\n--x--\n", "Hello"},
		"text without a subtype":         {"Content-Type: text\n\nHello\n", "Hello"},
		"html alone as a type":           {"Content-Type: html\n\n<p>Hello\n", "Hello"},
		"empty type":                     {"Content-Type:\n\nHello\n", "Hello"},
		"type that is none":              {"Content-Type: ; charset=utf-8\n\nHello\n", "Hello"},
		"type in quotes":                 {"Content-Type: \"text/html\"; charset=utf-8\n\n<p>Hello\n", "Hello"},
		"second type":                    {"Content-Type:\nContent-Type: text/html\n\n<p>Hello\n", "Hello"},
		"named text is the mail":         {"Content-Type: text/plain; name=body.txt\n\nHello\n", "Hello"},
		"named first part":               {mixed + "--x\nContent-Type: text/plain; name=body.txt\n\nHello\n--x\nContent-Type: text/plain; name=a.txt\n\na\n--x--\n", "Hello"},
		"named alternatives":             {alternative + "--x\nContent-Type: text/plain; name=a.txt\n\n \n--x\nContent-Type: text/html; name=a.html\nContent-Disposition: inline\n\n<p>Hello\n--x--\n", "Hello"},
		"markdown":                       {"Content-Type: text/markdown\n\n# Hello\n", "# Hello"},
		"signed":                         {"Content-Type: multipart/signed; boundary=x; protocol=\"application/pgp-signature\"\n\n" + plain + "Hello\n--x\nContent-Type: application/pgp-signature\n\nsig\n--x--\n", "Hello"},
		"related":                        {"Content-Type: multipart/related; boundary=x\n\n" + page + "<p>Hello<img src='cid:a'>\n--x\nContent-Type: image/png\nContent-ID: <a>\n\nxx\n--x--\n", "Hello"},
		"alternative with files inside":  {alternative + plain + "Hello\n--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\nContent-Type: text/html\n\n<p>Hello\n--y\nContent-Type: a/b; name=c\n\nxx\n--y--\n--x--\n", "Hello"},
		"an unknown kind of multipart":   {strings.Replace(mixed, "mixed", "x-unheard-of", 1) + plain + "Hello\n--x--\n", "Hello"},
		"quoted-printable":               {"Content-Transfer-Encoding: Quoted-Printable\n\nHel=\nlo=20=c3=A9 = =XX=\n", "Hello é = =XX"},
		"soft break with blanks":         {"Content-Transfer-Encoding: quoted-printable\n\nHel=  \nlo  \nyou=", "Hello\nyou"},
		"base64":                         {"Content-Transfer-Encoding: base64\n\nSGVs\nbG8=\n", "Hello"},
		"base64 without padding":         {"Content-Transfer-Encoding: base64\n\nSGVsbG8\n", "Hello"},
		"base64 in two pieces":           {"Content-Transfer-Encoding: base64\n\nSGVsbG8=\nIHlvdQ==\n", "Hello you"},
		"base64 with rubbish":            {"Content-Transfer-Encoding: base64\n\nSG!!VsbG8=\n", "Hello"},
		"base64 with a footer":           {"Content-Transfer-Encoding: base64\n\nSGVsbG8=\n_____\nthe list\n", "Hello\n_____\nthe list"},
		"text that is called base64":     {"Content-Transfer-Encoding: base64\n\nHello to you all\n", "Hello to you all"},
		"encoding with a comment":        {"Content-Transfer-Encoding: base64 (sic);\n\nSGVsbG8=\n", "Hello"},
		"unknown encoding":               {"Content-Transfer-Encoding: rot13\n\nHello\n", "Hello"},
		"encoding of a multipart":        {"Content-Transfer-Encoding: base64\n" + mixed + plain + "Hello\n--x--\n", "Hello"},
		"flowed":                         {"Content-Type: text/plain; format=flowed\n\nHello \nto you.\n\n> one \n> two\n>> three \nfour \n-- \n  Ann\n From here\n", "Hello to you.\n\n> one two\n>> three \nfour \n-- \n Ann\nFrom here"},
		"flowed, the blanks deleted":     {"Content-Type: text/plain; Format=Flowed; DelSp=Yes\n\nHel \nlo \n  you\n", "Hello you"},
		"uuencode in the text":           {"\nHello\nbegin 644 a.txt\n#0V%T\n`\nend\nyou\n", "Hello\nyou"},
		"a begin that is a sentence":     {"\nbegin 644 days\nafter the end\n", "begin 644 days\nafter the end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, body(t, c.rest))
			crlf, cr := strings.ReplaceAll(head+c.rest, "\n", "\r\n"), strings.ReplaceAll(head+c.rest, "\n", "\r")
			assert.Equal(t, c.want, strings.TrimSpace(parse(t, crlf).Message.Content), "CRLF")
			assert.Equal(t, c.want, strings.TrimSpace(parse(t, cr).Message.Content), "CR")
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		"<html><head><title>T</title><style>p{}</style></head><body><p>Hello&nbsp;<b>you</b></p><script>x()</script><br>1 &lt; 2": "Hello you\n\n1 < 2",
		"<table><tr><td>Total</td><td>42</td></tr><tr><th>a<th>b</table>":                                                         "Total 42\na b",
		"<div>one</div><div>two</div>":                      "one\n\ntwo",
		"<style>p{color:red}<p>Hello</p>":                   "Hello",
		"<STYLE type=a>p{}\n<DIV>Hello</DIV>":               "Hello",
		"a<script>var x = 1;<p>Hello</p>":                   "a\nHello",
		"a<!-- note <p>Hello</p>":                           "a note\nHello",
		"<!--[if mso]><p>x</p><![endif]-->Hello<!-- <p>you": "Hello\nyou",
		"<title>T<p>Hello":                                  "Hello",
		"<textarea>Hello<b>you":                             "Helloyou",
		"<ul><li>one<li>two</ul>end":                        "- one\n- two\nend",
		"<pre>one\ntwo</pre>":                               "one\ntwo",
		"one\ntwo":                                          "one two",
		"<noscript>Hello</noscript>":                        "Hello",
		"<script>x</script>Hello":                           "Hello",
		"<script>a('</p>')</script>Hello":                   "Hello",
		"<p>a<style>x</style>b</p>":                         "ab",
		"&#72;i &amp;amp; &unknown; \u00a0":                 "Hi &amp; &unknown;",
	} {
		assert.Equal(t, want, body(t, "Content-Type: text/html; charset=utf-8\n\n"+page), page)
	}
}

func TestPagesThatNameTheirCharset(t *testing.T) {
	t.Parallel()
	for meta, want := range map[string]string{
		"<meta charset=koi8-r>": "Привет",
		`<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">`: "Привет",
		"": "ðÒÉ×ÅÔ",
	} {
		assert.Equal(t, want, body(t, "Content-Type: text/html\n\n"+meta+"<p>\xf0\xd2\xc9\xd7\xc5\xd4"), meta)
	}
}

func TestCharsets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ label, bytes, want string }{
		"utf-8":                       {"utf-8", "caf\xc3\xa9", "café"},
		"latin-1":                     {"iso-8859-1", "caf\xe9", "café"},
		"latin-9":                     {"iso-8859-15", "\xa4", "€"},
		"utf-8 called ascii":          {"us-ascii", "caf\xc3\xa9", "café"},
		"utf-8 called latin-1":        {"iso-8859-1", "caf\xc3\xa9", "café"},
		"utf-8 called windows-1252":   {"windows-1252", "caf\xc3\xa9", "café"},
		"utf-8 without a name":        {"", "caf\xc3\xa9", "café"},
		"windows-1252 called latin-1": {"iso-8859-1", "\x93caf\xe9\x94", "“café”"},
		"windows-1252 called ascii":   {"us-ascii", "\x93caf\xe9\x94", "“café”"},
		"windows-1252 called utf-8":   {"utf-8", "\x93caf\xe9\x94", "“café”"},
		"windows-1252 in utf-8":       {"utf-8", "caf\xc3\xa9 caf\xe9", "café café"},
		"windows-1252 without a name": {"", "caf\xe9", "café"},
		"unknown name":                {"klingon", "caf\xe9", "café"},
		"name in quotes":              {`"'UTF-8'"`, "caf\xc3\xa9", "café"},
		"name with a comment":         {"us-ascii (Plain text)", "cafe", "cafe"},
		"utf-8 with a mark":           {"utf-8", "\xef\xbb\xbfcaf\xc3\xa9", "café"},
		"old name of utf-8":           {"UNICODE-1-1-UTF-8", "caf\xc3\xa9", "café"},
		"utf-7":                       {"utf-7", "caf+AOk- +2D3eAA- a+-b +AOk", "café 😀 a+b é"},
		"utf-7 that is broken":        {"UTF-7", "1+1=2 +A", "1+1=2 +A"},
		"utf-16 with a mark":          {"utf-16", "\xff\xfec\x00a\x00f\x00\xe9\x00", "café"},
		"utf-16be":                    {"utf-16be", "\x00c\x00a\x00f\x00\xe9", "café"},
		"utf-16le":                    {"UTF-16LE", "c\x00a\x00f\x00\xe9\x00", "café"},
		"utf-16 without a mark":       {"utf-16", "c\x00a\x00f\x00\xe9\x00", "café"},
		"utf-16 called utf-8":         {"utf-8", "\xff\xfec\x00a\x00f\x00\xe9\x00", "café"},
		"utf-8 called utf-16":         {"utf-16", "caf\xc3\xa9", "café"},
		"iso-2022-jp":                 {"iso-2022-jp", "\x1b$B$3$s$K$A$O\x1b(B", "こんにちは"},
		"iso-2022-jp called ascii":    {"us-ascii", "\x1b$B$3$s$K$A$O\x1b(B", "こんにちは"},
		"shift_jis":                   {"Shift_JIS", "\x82\xb1\x82\xf1", "こん"},
		"euc-jp":                      {"euc-jp", "\xa4\xb3\xa4\xf3", "こん"},
		"gb18030":                     {"gb18030", "\xc4\xe3\xba\xc3 \x810\x810", "你好 \u0080"},
		"gb18030 called gb2312":       {"gb2312", "\xc4\xe3 \x95\x8b", "你 晪"},
		"utf-8 called gb2312":         {"gb2312", "\xe4\xbd\xa0\xe5\xa5\xbd", "你好"},
		"utf-8 called shift_jis":      {"shift_jis", "\xe3\x81\x93\xe3\x82\x93", "こん"},
		"gb2312 that is short":        {"gb2312", "\xc4\xa3", "模"},
		"big5":                        {"big5", "\xa7A\xa6n", "你好"},
		"euc-kr":                      {"ks_c_5601-1987", "\xb0\xa1", "가"},
		"koi8-r":                      {"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		"windows-1251":                {"cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		"code page of DOS":            {"cp-850", "\x81", "ü"},
		"macintosh":                   {"macintosh", "\x8e", "é"},
		"greek":                       {"iso-8859-7", "\xe1", "α"},
		"NUL":                         {"utf-8", "a\x00b", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			label := ""
			if c.label != "" {
				label = "Content-Type: text/plain; charset=" + c.label + "\n"
			}
			coded := base64.StdEncoding.EncodeToString([]byte(c.bytes))
			assert.Equal(t, c.want, body(t, label+"Content-Transfer-Encoding: base64\n\n"+coded))
		})
	}
}
