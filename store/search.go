package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// Search finds messages and conversations by words, by a part of the text, and by meaning. It
// searches the live messages of live conversations and nothing else.
type Search interface {
	TextSearch
	SimilaritySearch
}

// TextSearch finds by what is written.
//
// With MatchAll and MatchAny a query has a small syntax, in which no text is an error:
//
//	invoice paid        both words, anywhere
//	"unpaid invoice"    the phrase: these words in this order, side by side
//	invoice OR bill     either word; OR binds closer than the space
//	inv*                words that begin with inv
//	-draft -"old one"   without this word, without this phrase
//
// Any of " “ ” „ « » is a quote; an unclosed quote extends to the end of the text. Everything else
// is a letter or separates words: a single quote mark, a single minus, brackets, the operators of
// a database. A query that asks for nothing, because it is empty or has only punctuation and
// exclusions, finds nothing and is no error.
//
// Both databases find the same, in the same order. Case does not count, nor do accents (creme
// finds Crème), the width of letters and other spellings of one character (NFKC). A word is a run
// of letters and digits: e-mail, ann@example.com, user_id and a path are found by each of their
// parts, and as a whole, which is the phrase of the parts. Chinese, Japanese, Korean, Thai, Lao,
// Khmer and Burmese have no spaces: a query in them finds that run of characters. Use
// MatchSubstring for other parts of words.
//
// Without stemmers there is no grammar: paying is found by pay*, not by pay. A store with stemmers
// (convostore.WithStemming) finds what has the same stem in the language of the text, which is that
// of its conversation. That goes for words by themselves, also with a minus: what stands in
// quotes, the beginning of a word and a compound are found as they are, so "pay" finds pay alone.
// A form counts as the word does, and a text has a word as often as it has its forms.
//
// A query may have 1,024 different words, and a phrase 256; more is ErrInvalid. A search ends with
// its context.
//
// A message is found from the commit of its append on, whoever wrote it. On a database that was
// migrated without full text, and on distributed tables, each search reads all texts of its scope.
type TextSearch interface {
	// Messages returns a page of the messages whose content matches, by rank or newest first.
	// A text that is not valid UTF-8, has U+0000 or more than MaxQuery bytes is ErrInvalid.
	Messages(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*MessageHit], error)

	// Conversations returns a page of the conversations that match, each once. A conversation
	// matches if its title and subject do (taken as one text, but separately by
	// MatchSubstring), or if one of its messages does. Its rank is the best of these ranks,
	// where the title counts twice as much as a message. Newest is by LastMessageAt. If the
	// filter has roles, a direction or times, which only messages have, titles and subjects are
	// not searched. The errors are those of Messages.
	Conversations(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*ConversationHit], error)
}

// SimilaritySearch finds by meaning: by the cosine similarity of embeddings.
//
// A result is exact if every vector of the scope and filter was compared. It is approximate if
// an index chose the candidates, which are then compared exactly. The index is HNSW on
// PostgreSQL; on SQLite it is a code of one bit for each dimension, and for a model that was
// trained (EmbeddingTraining) lists of the codes of near vectors. SearchAuto is exact where
// that is fast, and the result says which it was. Hits come with the highest similarity first,
// ties by message id, lowest first.
//
// ErrInvalid are a vector with another number of dimensions than the database's, with NaN or an
// infinity, or of zeros alone; a text, if the store has no embedder; and an empty model, if the
// store has no embedder to name one. On a PostgreSQL that was migrated without pgvector all
// methods return ErrUnsupported.
type SimilaritySearch interface {
	// SimilarMessages returns the messages nearest to a vector or a text. If no message has a
	// vector of the model, the result is empty and there is no error.
	SimilarMessages(ctx context.Context, to SimilarTo, o SimilarOptions) (Similar[*SimilarMessage], error)

	// SimilarConversations returns the conversations of the nearest messages, each once, in the
	// order of its nearest message.
	SimilarConversations(ctx context.Context, to SimilarTo, o SimilarOptions) (Similar[*SimilarConversation], error)

	// MoreLike returns the messages nearest to a message, without that message. It returns
	// ErrNotFound if there is no such message, and ErrNotEmbedded if the message has no vector
	// of the model. In the scope of all users it compares the messages of all.
	MoreLike(ctx context.Context, messageID uuid.UUID, o SimilarOptions) (Similar[*SimilarMessage], error)

	// Hybrid searches for any word of text and for its meaning, and merges the two lists by
	// reciprocal rank fusion: the score of a hit is the sum of 1/(K+rank) over the lists that
	// it is in (Cormack, Clarke and Büttcher, SIGIR 2009). Ties go by message id, lowest first.
	// If the text has no words, the result is the list by meaning. The errors are those of
	// TextSearch.Messages and SimilarMessages.
	Hybrid(ctx context.Context, text string, o HybridOptions) (Similar[*HybridHit], error)
}

// Bounds of a search.
const (
	// MaxQuery is the largest number of bytes of a text to search for.
	MaxQuery = 16 << 10
	// MaxFolded is the largest number of characters that differ only in case from those of a
	// ConversationFilter.Text, composed or decomposed: k has two, K and the sign K for kelvin.
	MaxFolded = 100
	// DefaultSimilar is the limit of a similarity search without one.
	DefaultSimilar = 10
)

// SearchFilter says where to search. A row must meet every field that is set. The zero value
// searches everything in the scope.
type SearchFilter struct {
	ConversationID uuid.UUID
	// App takes conversations with this app, as in Conversation.App; empty takes those of all.
	App string
	// LeadID takes conversations with this lead. An id that cannot be a key of the host's leads
	// is ErrInvalid.
	LeadID string
	// Statuses takes conversations with any of these, Roles messages with any of these; an
	// empty list takes all.
	Statuses  []conversation.Status
	Roles     []message.Role
	Direction message.Direction
	// Kinds takes messages of any of these kinds, Labels conversations with any of these labels;
	// an empty list takes all. More than 100 labels are ErrInvalid.
	Kinds  []message.Kind
	Labels []string
	// Metadata takes messages whose metadata has all of these texts under their keys, at the top
	// of the document. More than 20 are ErrInvalid, and so is an empty key.
	Metadata []MetadataText
	// SentSince and SentBefore bound SentAt: since ≤ t < before. Zero is no bound.
	SentSince, SentBefore time.Time
}

// MetadataText is a text under a key of a document. Case counts. Numbers and other values are no
// texts.
type MetadataText struct{ Key, Value string }

// Match is how a text is searched for. An unknown value is ErrInvalid.
type Match int

// The ways to match.
const (
	// MatchAll finds texts that have all the words.
	MatchAll Match = iota
	// MatchAny finds texts that have any of the words, and none of those with a minus.
	MatchAny
	// MatchSubstring finds texts that contain the query exactly as it is, also inside words:
	// %, _, quotes and OR are ordinary characters. Spaces around the query are removed. Case does
	// not count in any alphabet, by Unicode's simple case folding: one character stands for one,
	// in no language (ß is not ss, and i is neither ı nor İ). A query also finds texts that have
	// it composed (NFC) or decomposed (NFD). Accents count: a finds á only where that is an a and
	// an accent. It reads every message of the scope and filter, unless PostgreSQL has Trigrams
	// (migrate.Options), in a time that no text and query multiply.
	MatchSubstring
)

// TextOrder is an order of the hits of a text search. An unknown value is ErrInvalid.
type TextOrder int

// The orders.
const (
	// ByRank puts the best match first, by BM25 over the messages of the scope. A phrase and a
	// prefix count like a word. Ties go by id, highest first, which is the newer one if this
	// library made the ids.
	// MatchSubstring has no rank and uses Newest. A page can repeat or miss a hit if messages
	// are written between two pages.
	ByRank TextOrder = iota
	// Newest sorts messages by CreatedAt and conversations by LastMessageAt, latest first. A
	// page never repeats or skips a hit that existed throughout and kept its place.
	Newest
)

// TextOptions are the options of a text search. The zero value searches for all words, best
// match first.
type TextOptions struct {
	Match  Match
	Order  TextOrder
	Filter SearchFilter
	// Language is that of the query: texts in other languages are found by its exact words alone.
	// Empty means that each text is found by the stems of its own. One that the store has no
	// stemmer of is ErrInvalid. MatchSubstring has no use for it.
	Language string
	// In says where in a message the words may be; each word of a query may be in another place,
	// the words of a phrase are in the same. Empty means InContent. MatchSubstring looks in the
	// content alone, and anything else is ErrInvalid. An unknown value is ErrInvalid.
	In []TextField
}

// TextField is a part of a message that has words.
type TextField int

// The parts of a message.
const (
	// InContent is the content.
	InContent TextField = iota
	// InAttachments are the file names of the attachments.
	InAttachments
	// InToolResults are the texts in the tool results.
	InToolResults
	// InMetadata are the texts in the metadata, its keys left out.
	InMetadata
)

// MessageHit is a message found by its text.
type MessageHit struct {
	Message *message.Message `json:"message"`
	// Conversation is the conversation of the message, without its messages.
	Conversation *conversation.Conversation `json:"conversation"`
	// Score is the rank, higher is better. Compare it within one result only. It is 0 in the
	// order Newest.
	Score   float64 `json:"score"`
	Snippet Snippet `json:"snippet"`
}

// ConversationHit is a conversation found by its text.
type ConversationHit struct {
	Conversation *conversation.Conversation `json:"conversation"`
	Score        float64                    `json:"score"`
	// Messages is the number of messages that match.
	Messages int64 `json:"messages"`
	// Best is the message that matches best, or in the order Newest the newest that matches. It
	// is nil if only the title or the subject matches.
	Best *message.Message `json:"best,omitempty"`
	// Snippet is of Best, else of the title or the subject.
	Snippet Snippet `json:"snippet"`
}

// SimilarTo says what hits shall be similar to: a vector or a text. Both, and neither, are
// ErrInvalid.
type SimilarTo struct {
	Vector message.Vector
	// Text is embedded by the store's embedder, see convostore.WithEmbedder. Only vectors of the
	// embedder's own model can then be compared: another Model in SimilarOptions is ErrInvalid.
	Text string
}

// SimilarMode says how a similarity search may work. An unknown value is ErrInvalid.
type SimilarMode int

// The modes.
const (
	// SearchAuto is exact if there are few vectors to compare: up to 20,000 of one user on
	// PostgreSQL, up to 2,000 on SQLite, and those of the conversation or the lead that the
	// filter names. It is also exact if there is no index. Otherwise it is approximate. Its
	// result is never Short: if the index gives too few hits, it compares more vectors, in the
	// end all.
	SearchAuto SimilarMode = iota
	// SearchExact compares every vector of the scope and filter.
	SearchExact
	// SearchApproximate returns what the index gives, and sets Short if that is too little. On
	// SQLite the filter applies after the codes were compared, so vectors that it leaves out use
	// up Candidates. Of a trained model it reads the codes of Training.Probes lists, and of more
	// only for twice as many codes as Candidates.
	SearchApproximate
)

// SimilarOptions are the options of a similarity search. The zero value returns the ten nearest
// of everything in the scope. A value out of bounds is ErrInvalid.
type SimilarOptions struct {
	// Model is the model whose vectors are compared; if empty, that of the store's embedder.
	Model string
	// Limit is the largest number of hits: DefaultSimilar if 0, at most MaxLimit.
	Limit int
	// MinSimilarity leaves out hits that are less similar: -1 to 1, where 1 means the same
	// direction. 0 is no bound.
	MinSimilarity float64
	Filter        SearchFilter
	Mode          SimilarMode
	// Candidates is how many vectors an approximate search compares exactly. More is slower and
	// finds more of the true neighbours. It is hnsw.ef_search on PostgreSQL, where more than
	// 1,000 count as 1,000, and the depth of the second stage on SQLite. It is never less than
	// Limit. 0 means 400 on PostgreSQL. On SQLite it means 800, or what a training found out
	// (Training.Candidates), or eight times Limit if that is more.
	Candidates int
}

// Similar is what a similarity search found.
type Similar[T any] struct {
	// Hits are the hits, never nil.
	Hits []T `json:"hits"`
	// Model is the model whose vectors were compared.
	Model string `json:"model"`
	// Exact says that every vector of the scope and filter was compared.
	Exact bool `json:"exact"`
	// Short says that an approximate search ended before it had enough hits: there may be more
	// above MinSimilarity.
	Short bool `json:"short"`
}

// SimilarMessage is a message found by meaning.
type SimilarMessage struct {
	Message *message.Message `json:"message"`
	// Conversation is the conversation of the message, without its messages.
	Conversation *conversation.Conversation `json:"conversation"`
	// Similarity is the cosine of the angle between the vectors, -1 to 1.
	Similarity float64 `json:"similarity"`
}

// SimilarConversation is a conversation found by the meaning of its messages.
type SimilarConversation struct {
	Conversation *conversation.Conversation `json:"conversation"`
	// Best is the nearest message of the conversation, and Similarity that message's.
	Best       *message.Message `json:"best"`
	Similarity float64          `json:"similarity"`
	// Relevant is the exact number of the conversation's messages that meet the filter and
	// MinSimilarity.
	Relevant int64 `json:"relevant"`
}

// HybridOptions are the options of a hybrid search. A value out of bounds is ErrInvalid.
type HybridOptions struct {
	// Vector is the vector of the text, if the caller has it. Otherwise the store's embedder
	// makes it.
	Vector message.Vector
	// SimilarOptions are those of the search by meaning. Limit and Filter apply to both parts;
	// MinSimilarity applies to the search by meaning alone.
	SimilarOptions
	// K is the constant of the fusion: the higher it is, the less the first ranks outweigh the
	// later ones. 0 means 60.
	K int
	// Depth is how many hits of each list are merged, at most MaxLimit. 0 means four times
	// Limit, and at least 100.
	Depth int
}

// HybridHit is a message found by words, by meaning or by both.
type HybridHit struct {
	Message      *message.Message           `json:"message"`
	Conversation *conversation.Conversation `json:"conversation"`
	// Score is the sum of 1/(K+rank).
	Score float64 `json:"score"`
	// TextRank and VectorRank are the ranks in the two lists, counted from 1; 0 means that the
	// list does not have the hit. TextScore and Similarity are the hit's scores in the lists, 0
	// in the same case.
	TextRank   int     `json:"text_rank"`
	TextScore  float64 `json:"text_score"`
	VectorRank int     `json:"vector_rank"`
	Similarity float64 `json:"similarity"`
	// Snippet is empty if only the search by meaning found the hit.
	Snippet Snippet `json:"snippet"`
}
