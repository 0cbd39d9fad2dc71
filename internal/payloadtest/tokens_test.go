package payloadtest

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"

	"github.com/convostore/convostore/window"
)

// corpus returns texts of many kinds, each cut into pieces of some kilobytes.
func corpus(t *testing.T) map[string][]string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	all := map[string][]string{}
	add := func(kind string, text string) {
		for len(text) > 4096 {
			cut := 4096
			for cut > 0 && text[cut]&0xc0 == 0x80 {
				cut--
			}
			all[kind], text = append(all[kind], text[:cut]), text[cut:]
		}
		all[kind] = append(all[kind], text)
	}
	read := func(kind, ext, root string) {
		n := 0
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ext) || n > 40 {
				return err
			}
			n++
			text, err := os.ReadFile(path)
			add(kind, string(text))
			return err
		}))
	}
	read("Go", ".go", "../engine/threads")
	read("SQL", ".sql", "../../migrate/sql")
	read("English", ".md", "../../docs")
	read("JSON", ".json", "../../payload/testdata")
	for kind, text := range map[string]string{
		"Russian":  "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний даст мощный толчок подъёму сельского хозяйства. ",
		"Greek":    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Τάχιστη αλώπηξ βαφής ψημένη γη, δρασκελίζει υπέρ νωθρού κυνός. ",
		"Czech":    "Příliš žluťoučký kůň úpěl ďábelské ódy. Nechť již hříšné saxofony ďáblů rozezvučí síň úděsnými tóny waltzu, tanga a quickstepu. ",
		"German":   "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Donaudampfschifffahrtsgesellschaftskapitänsmütze. ",
		"Chinese":  "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽。龘靐齉爩麤灪龗厵纞虋。 ",
		"Japanese": "いろはにほへと ちりぬるを わかよたれそ つねならむ。パーティーでコンピューターを使う。東京特許許可局。 ",
		"Korean":   "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 뷁쉙쀍. ",
		"Arabic":   "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق. ",
		"Hindi":    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले। ",
		"Thai":     "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน ",
		"emoji":    "🙂👍🏽👨‍👩‍👧‍👦🇳🇴🏴󠁧󠁢󠁳󠁣󠁴󠁿⚠️✨🧑‍🚀 𝕳𝖊𝖑𝖑𝖔 ‽ ⸮ “quotes” – — … ",
		"shouting": "THE QUICK BROWN FOX, HTTPServer XMLHttpRequest iPhone McDonald SCREAMING_SNAKE_CASE kebab-case-word QZXJKVWPYGB qzxjkvwpygb Qzxjkv ",
		"space":    "a  b   c    d\t\te\t\t\tf\n\n\n\ng\r\n\r\nh \n \n \t \n      \n\ti\v\f\u00a0\u3000\u2003x ",
		"symbols":  `{}[]()<>;:,.'"!?@#$%^&*-_=+|\/~` + "`" + ` != === => -> :: // /* */ """ ''' ### *** ---- ==== .... ~~~~ \\n \\\" \u00e9 `,
		"numbers":  "0 12 123 1234 3.14159265358979 1,234,567.89 2026-11-27T15:44:03.123456Z 0xDEADBEEF 1e-10 192.168.0.1 +47 55 12 34 56 ",
	} {
		add(kind, strings.Repeat(text, 20))
	}
	random := func(kind string, alphabet string, n int) {
		letters := []rune(alphabet)
		for range 20 {
			var b strings.Builder
			for range n {
				b.WriteRune(letters[r.IntN(len(letters))])
			}
			add(kind, b.String())
		}
	}
	random("random lower", "abcdefghijklmnopqrstuvwxyz", 2000)
	random("random upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 2000)
	random("random mixed", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ", 2000)
	random("random hex", "0123456789abcdef", 2000)
	random("random ASCII", " !\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~\n\t", 2000)
	random("random words", "abcdefghijklmnopqrstuvwxyz     ", 2000)
	random("random Cyrillic", "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ ", 1000)
	random("random small Cyrillic", "абвгдежзийклмнопрстуфхцчшщъыьэюя ", 1000)
	random("random long words", "abcdefghijklmnopqrstuvwxyz  ", 2000)
	for range 20 {
		raw := make([]byte, 2000)
		for i := range raw {
			raw[i] = byte(r.IntN(256))
		}
		add("base64", base64.StdEncoding.EncodeToString(raw))
		var b strings.Builder
		for range 800 {
			b.WriteRune(rune(r.IntN(0x30000)))
		}
		add("random runes", strings.ToValidUTF8(b.String(), "?"))
		doc, err := json.Marshal(map[string]any{"id": "call_" + base64.RawURLEncoding.EncodeToString(raw[:18]), "name": "search_documents", "arguments": map[string]any{
			"query": "what is the \"best\" way\nto do it?", "limit": r.IntN(1000), "filters": []any{map[string]any{"field": "created_at", "op": ">=", "value": "2026-01-01"}}, "nested": string(raw[:40]),
		}})
		require.NoError(t, err)
		add("JSON of a call", string(doc))
	}
	return all
}

// Bound never counts less than a tokenizer does, and less than there are bytes.
func TestBoundNeverUndercounts(t *testing.T) {
	texts := corpus(t)
	for _, encoding := range []tokenizer.Encoding{tokenizer.O200kBase, tokenizer.Cl100kBase} {
		codec, err := tokenizer.Get(encoding)
		require.NoError(t, err)
		for kind, pieces := range texts {
			tokens, bound, bytes := 0, 0, 0
			for _, text := range pieces {
				ids, _, err := codec.Encode(text)
				require.NoError(t, err)
				n := window.Bound{}.Count(text)
				if n < len(ids) {
					t.Errorf("%s, %s: %d tokens, counted %d: %.80q", encoding, kind, len(ids), n, text)
				}
				tokens, bound, bytes = tokens+len(ids), bound+n, bytes+len(text)
			}
			require.LessOrEqual(t, bound, bytes)
			t.Logf("%s %-16s %6d bytes %6d tokens: counted %.2f of them, bytes are %.2f", encoding, kind, bytes, tokens, float64(bound)/float64(tokens), float64(bytes)/float64(tokens))
		}
	}
}
