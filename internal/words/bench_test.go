package words_test

import (
	"strings"
	"testing"

	"github.com/convostore/convostore/internal/words"
)

// hostileUnits are what a long text is made of to be slow.
var hostileUnits = []string{
	"a", "A", "a_", "a/", "a ", "é", "ÀÉ", "ß", "\u0301", "a\u0301", "a.\u0301", "東", "東 ", "ก้", "ำ", "น้ำ", "\u0e33\u0e4d", "ﷺ", "ﷲ", "㍿", "㈱", "㌖", "ﬃ", "½", "²",
	"🇩🇪", "👍🏽", "👩\u200d", "\u200d", "\xff", "+", "#", "a++", "a#", "ｶﾞ", "ｶ", "0b6dd3a2-90f1-4a5f-9c3e-0d1d6d4c8a55-", "\u1100\u1161\u11a8", "\u1161", "한글", "हि", "привет ", "Привет ", "مُحَ",
	"\U00010041\u0301", "Ａ", "Ⓐ", "ŀ", "ໜ", "\u0344", "𝕬", "𠀀",
}

func BenchmarkTokens(b *testing.B) {
	for _, unit := range hostileUnits {
		b.Run(strings.ReplaceAll(unit[:min(len(unit), 12)], "/", "slash"), func(b *testing.B) {
			text := strings.Repeat(unit, 200_000/len(unit))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for range words.Tokens(text) {
				}
			}
		})
	}
}
