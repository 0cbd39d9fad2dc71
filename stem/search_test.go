package stem_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/stem"
	"github.com/convostore/convostore/store"
)

// TestSearch finds and marks forms of words in every language, before the texts are packed into
// the index and after, on both databases.
func TestSearch(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}), convostore.WithStemming("en", stem.All()...))
		mine := st.ForUser(uuid.New())
		texts := []struct{ language, text, ask, marked string }{
			{"", "Paying was never the problem.", "pay", "Paying"},
			{"en", "Two CITIES in one day", "city", "CITIES"},
			{"de", "Alle Häuser sind verkauft.", "Haus", "Häuser"},
			{"fr", "La facture a été payée hier.", "payer", "payée"},
			{"es", "Me gustan las canciones viejas.", "canción", "canciones"},
			{"pt", "Preciso de mais informações.", "informação", "informações"},
			{"it", "Tutte le fatture di marzo", "fattura", "fatture"},
			{"nl", "Er zijn twee rekeningen open.", "rekening", "rekeningen"},
			{"sv", "Räkningen kom igår.", "räkningar", "Räkningen"},
			{"nb", "Regningen er betalt.", "regninger", "Regningen"},
			{"da", "Fakturaen er sendt.", "faktura", "Fakturaen"},
			{"fi", "Asumme talossa.", "talo", "talossa"},
			{"ru", "Где мои ЗАКАЗЫ?", "заказ", "ЗАКАЗЫ"},
			{"hu", "Sok levelekkel jött.", "levelek", "levelekkel"},
			{"ro", "Factura pentru clienților noștri", "clienți", "clienților"},
			{"tr", "Yeni siparişler geldi.", "sipariş", "siparişler"},
		}
		for _, text := range texts {
			require.NoError(t, mine.Conversations().Create(t.Context(), &conversation.Conversation{
				Language: text.language, Messages: []*message.Message{{Role: message.RoleUser, Content: text.text}},
			}))
		}
		for range 2 {
			for _, text := range texts {
				page, err := mine.Search().Messages(t.Context(), text.ask, store.TextOptions{Language: text.language}, store.PageRequest{})
				require.NoError(t, err)
				require.Len(t, page.Items, 1, text.ask)
				snippet := page.Items[0].Snippet
				require.Equal(t, text.text, snippet.Text)
				require.Len(t, snippet.Matches, 1)
				require.Equal(t, text.marked, snippet.Text[snippet.Matches[0].Start:snippet.Matches[0].End])
			}
			require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
		}
	})
}
