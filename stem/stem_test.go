package stem_test

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/stem"
)

// forms are words with the same stem, and after the | one with another.
var forms = map[string][]string{
	"da": {"faktura fakturaen | fakta", "betale betaler | betyde"},
	"nl": {"rekening rekeningen | rekenaar", "boeken boek | bak"},
	"en": {"pay pays paying | payroll", "invoice invoices invoiced | voice", "city cities | cite", "happy happiness | happen"},
	"fi": {"talo talossa talon | tilaus", "lasku laskut laskun | laki"},
	"fr": {"facture factures facturé facturée | fracture", "payer payé payée payées | pays", "cheval chevaux | cheveux"},
	"de": {"rechnung rechnungen | rechen", "haus häuser hauses häusern | haut", "zahlung zahlungen | zahn"},
	"hu": {"levelek levelekkel leveleket | leves", "ház házak | hazug"},
	"it": {"fattura fatture | fatto", "pagare pagata pagato | paese"},
	"nb": {"regning regningen regninger | regn", "betale betaler | betyr"},
	"no": {"regning regningen regninger | regn"},
	"pt": {"informação informações | informal", "pagar pago pagado | página"},
	"ro": {"serviciul servicii serviciului | serie", "clienți clienților | clipă"},
	"ru": {"счёта счёту | счастье", "заказ заказы заказов заказами | закат", "оплата оплаты оплату | опыт"},
	"es": {"factura facturas | fractura", "canción canciones | cancelar", "pagar pagado pagando | país"},
	"sv": {"räkning räkningen räkningar | räka", "betala betalar betalade | betyda"},
	"tr": {"sipariş siparişler siparişim | sipsi", "ev evler | ek"},
}

// TestStems: the stems of each language bring the forms of its words together, and are those that
// the version stands for.
func TestStems(t *testing.T) {
	t.Parallel()
	for _, s := range stem.All() {
		require.NotEmpty(t, forms[s.Language()], s.Language())
		for _, row := range forms[s.Language()] {
			same, other, _ := strings.Cut(row, " | ")
			words := strings.Fields(same)
			for _, word := range words[1:] {
				assert.Equal(t, s.Stem(words[0]), s.Stem(word), "%s: %s", s.Language(), word)
			}
			assert.NotEqual(t, s.Stem(words[0]), s.Stem(other), "%s: %s", s.Language(), other)
		}
	}
	assert.Len(t, stem.All(), len(forms))
}

// TestVersion: the stems are those that the version stands for. With other ones, the version must
// be another: indexes have to be made anew.
func TestVersion(t *testing.T) {
	t.Parallel()
	sum := fnv.New64a()
	for _, s := range stem.All() {
		for _, row := range forms[s.Language()] {
			for _, word := range strings.Fields(row) {
				fmt.Fprintln(sum, s.Language(), s.Stem(word))
			}
		}
		assert.Equal(t, stem.English.Version(), s.Version())
	}
	assert.Equal(t, "snowball-0.9.0 32d96c60d83141a0", fmt.Sprintf("%s %x", stem.English.Version(), sum.Sum64()))
}

// TestLanguages: no language has two stemmers, with which a store could not be opened.
func TestLanguages(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range stem.All() {
		assert.False(t, seen[s.Language()], s.Language())
		seen[s.Language()] = true
	}
}

// FuzzStem: no word makes a stemmer fail, or longer than a little more than itself, and it gives the same
// again.
func FuzzStem(f *testing.F) {
	for _, rows := range forms {
		for _, row := range rows {
			for _, word := range strings.Fields(row) {
				f.Add(word)
			}
		}
	}
	for _, word := range []string{"", "ing", "'s", "ß", "ij", "iii", "yyyy", "aeiou", "ı", "йй", "ёё", strings.Repeat("ss", 60), strings.Repeat("ů", 100), "\u0301", "東京"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if !utf8.ValidString(word) || len(word) > 256 {
			return
		}
		for _, s := range stem.All() {
			got := s.Stem(word)
			if !utf8.ValidString(got) || len(got) > len(word)+4 || got != s.Stem(word) {
				t.Errorf("%s makes %q of %q", s.Language(), got, word)
			}
		}
	})
}
