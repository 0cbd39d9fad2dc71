package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// Search finds messages and conversations by their words, by a part of their text and by
// their meaning. It sees live messages of live conversations and nothing else.
type Search interface {
	TextSearch
	SimilaritySearch
}

// TextSearch finds by what is written.
//
// A query of words (MatchAll, MatchAny) has a small syntax that cannot be wrong:
//
//	invoice paid        both words, anywhere
//	"unpaid invoice"    the words in this order, side by side
//	invoice OR bill     either; OR binds closer than the space
//	inv*                words that begin so
//	-draft -"old one"   not this word, not this phrase
//
// Case does not count, and any of " “ ” „ « » is a quote; one that nothing closes ends
// with the text. A word with signs in it (e-mail, it's) is a phrase. Whatever else is in a
// query is a letter or separates words: a lone quote, a lone minus, brackets, the
// operators of a database. A query that asks for nothing, empty or of signs and
// exclusions alone, finds nothing and is no error.
//
// What a word is, the database says. SQLite folds accents (creme finds Crème) and knows
// no grammar. PostgreSQL goes by the text configuration of the migrations: "simple", the
// default, keeps accents and grammar as they are, "english" finds paying with pay and
// leaves out words such as "the". It takes a mail address, the name of a host or a file
// and a number with its sign for one word each, and does not look into <tags>. Neither
// database cuts Chinese, Japanese or Thai into words: look
// there, and for parts of words, with MatchSubstring.
//
// Only the first 125,000 characters of a message are indexed by PostgreSQL, which
// refuses to index more; MatchSubstring sees all.
type TextSearch interface {
	// Messages returns a page of the messages whose content matches, by rank or newest
	// first. A text that is not valid UTF-8, has U+0000 or more than MaxQuery bytes is
	// refused with ErrInvalid. It returns ErrUnsupported for words if the database was
	// migrated without full text.
	Messages(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*MessageHit], error)

	// Conversations returns a page of the conversations whose title or subject matches,
	// both seen as one text except by MatchSubstring, or one of whose messages does, each
	// conversation once. By rank the best of these counts, the title twice as much as a
	// message; newest first goes by LastMessageAt. With roles, a
	// direction or times in the filter, which are a message's, titles and subjects are
	// not looked at. Errors are those of Messages.
	Conversations(ctx context.Context, text string, o TextOptions, p PageRequest) (Page[*ConversationHit], error)
}

// SimilaritySearch finds by meaning: by the cosine similarity of embeddings.
//
// A result is exact where every vector of the scope was compared, and approximate where
// an index picked the candidates: HNSW on PostgreSQL, a code of one bit a dimension on
// SQLite, either followed by exact comparison. SearchAuto is exact while that is quick
// and says in the result which it was. Hits come with the highest similarity first, ties
// by message id, lowest first.
//
// All methods return ErrInvalid for a vector of another length than the database's, with
// NaN or an infinity in it, or zero; for a text without an embedder; and without a model.
// They return ErrUnsupported on a PostgreSQL that was migrated without pgvector.
type SimilaritySearch interface {
	// SimilarMessages returns the messages nearest to a vector or a text. No embedded
	// message is no error.
	SimilarMessages(ctx context.Context, to SimilarTo, o SimilarOptions) (Similar[*SimilarMessage], error)

	// SimilarConversations returns the conversations of the nearest messages, each once,
	// in the order of its best message.
	SimilarConversations(ctx context.Context, to SimilarTo, o SimilarOptions) (Similar[*SimilarConversation], error)

	// MoreLike returns the messages nearest to a message, itself left out. It returns
	// ErrNotFound if there is no such message and ErrNotEmbedded if it has no vector of
	// the model. In a scope of all users it looks among everybody's.
	MoreLike(ctx context.Context, messageID uuid.UUID, o SimilarOptions) (Similar[*SimilarMessage], error)

	// Hybrid looks for any word of text and for its meaning and fuses the two lists by
	// reciprocal rank: a hit scores the sum of 1/(K+rank) over the lists it is in
	// (Cormack, Clarke and Büttcher, SIGIR 2009). Ties go by message id, lowest first.
	// Text without words leaves the vector's list alone. The errors of Messages and of
	// SimilarMessages are its own.
	Hybrid(ctx context.Context, text string, o HybridOptions) (Similar[*HybridHit], error)
}

// Bounds of a search.
const (
	// MaxQuery is the most bytes of a text to look for.
	MaxQuery = 16 << 10
	// MaxRanked is how many matches are ranked: of more, the newest by CreatedAt, or on
	// SQLite those written last. A ranked list ends there; ranking everything that has a
	// common word takes seconds. Of conversations it is how many messages and how many
	// titles.
	MaxRanked = 2000
	// DefaultSimilar is the limit of a similarity search that sets none.
	DefaultSimilar = 10
)

// SearchFilter says where to look; fields narrow together. The zero value is everywhere.
type SearchFilter struct {
	ConversationID uuid.UUID
	// LeadID is ErrInvalid where it cannot be the key of one of the host's leads.
	LeadID string
	// Statuses, of the conversation, and Roles keep any of them; none keeps all.
	Statuses  []conversation.Status
	Roles     []message.Role
	Direction message.Direction
	// SentSince and SentBefore bound SentAt: since ≤ t < before.
	SentSince, SentBefore time.Time
}

// Match is how a text is looked for.
type Match int

// The ways.
const (
	// MatchAll takes what has all the words.
	MatchAll Match = iota
	// MatchAny takes what has any of the words, and none of those with a minus.
	MatchAny
	// MatchSubstring takes what has the text as it stands somewhere, inside words too:
	// % and _, quotes and OR are letters. Case does not count: of any letters on
	// PostgreSQL, of those of ASCII on SQLite. It reads every message of the scope and
	// filter, unless PostgreSQL has Trigrams (migrate.Options). Spaces around the text
	// are left out.
	MatchSubstring
)

// TextOrder is an order of text hits.
type TextOrder int

// The orders.
const (
	// ByRank puts first what matches best: ts_rank_cd on PostgreSQL, bm25 on SQLite. Of
	// equal rank the higher id comes first, which is the newer one where this library made
	// the ids. MatchSubstring has no rank and is Newest. A page
	// can repeat or miss a hit if messages are written between two pages.
	ByRank TextOrder = iota
	// Newest goes by CreatedAt for messages and LastMessageAt for conversations, latest
	// first. A page never repeats or skips a hit that existed throughout and kept its
	// place.
	Newest
)

// TextOptions of a text search. The zero value looks for all words, best first.
type TextOptions struct {
	Match  Match
	Order  TextOrder
	Filter SearchFilter
}

// MessageHit is a message found by its text.
type MessageHit struct {
	Message *message.Message `json:"message"`
	// Conversation is the message's, without its messages.
	Conversation *conversation.Conversation `json:"conversation"`
	// Score is the rank: higher is better, to be compared within one result only. It is
	// 0 where the order is Newest.
	Score   float64 `json:"score"`
	Snippet Snippet `json:"snippet"`
}

// ConversationHit is a conversation found by its text.
type ConversationHit struct {
	Conversation *conversation.Conversation `json:"conversation"`
	Score        float64                    `json:"score"`
	// Messages counts the messages that match; by rank, of those that were ranked.
	Messages int64 `json:"messages"`
	// Best is the best message that matches, or with Newest the newest; nil if only the
	// title or the subject does.
	Best *message.Message `json:"best,omitempty"`
	// Snippet is of Best, else of the title or the subject.
	Snippet Snippet `json:"snippet"`
}

// SimilarTo says what to be similar to: one of its fields.
type SimilarTo struct {
	Vector message.Vector
	// Text is embedded by the store's embedder, see WithEmbedder, whose model is then the
	// one to compare: another is ErrInvalid.
	Text string
}

// SimilarMode says how a similarity search may work.
type SimilarMode int

// The modes.
const (
	// SearchAuto is exact where few vectors are to be compared: up to 20,000 of one user
	// on PostgreSQL, up to 2,000 on SQLite, and those of the conversation or the lead that
	// the filter names; and where there is no index. Else it is approximate. It does not
	// come up short: if the index gives too few, it compares more, in the end all.
	SearchAuto SimilarMode = iota
	// SearchExact compares every vector of the scope.
	SearchExact
	// SearchApproximate takes what the index gives, and says so if that is too little. On
	// SQLite a filter is looked at after the codes: what it leaves out counts as compared.
	SearchApproximate
)

// SimilarOptions of a similarity search. The zero value returns the ten nearest of
// everything in the scope.
type SimilarOptions struct {
	// Model is whose vectors are compared: that of the store's embedder if empty.
	Model string
	// Limit is the most hits: DefaultSimilar if 0; below 0 or above MaxLimit is refused.
	Limit int
	// MinSimilarity leaves out what is less similar: -1 to 1, where 1 is the same
	// direction. 0 is no bound.
	MinSimilarity float64
	Filter        SearchFilter
	Mode          SimilarMode
	// Candidates is how many vectors an approximate search compares exactly: more is
	// slower and truer. It is hnsw.ef_search on PostgreSQL, where more than 1,000 count as
	// 1,000, and the depth of the second stage on SQLite; never less than Limit. 0 is 400
	// on PostgreSQL, and on SQLite 800 or, if that is more, eight times Limit.
	Candidates int
}

// Similar is what a similarity search found.
type Similar[T any] struct {
	// Hits is not nil.
	Hits []T `json:"hits"`
	// Model is whose vectors were compared.
	Model string `json:"model"`
	// Exact says that every vector of the scope and filter was compared.
	Exact bool `json:"exact"`
	// Short says that there may be more above MinSimilarity than came back: an
	// approximate search gave up before it had enough.
	Short bool `json:"short"`
}

// SimilarMessage is a message found by its meaning.
type SimilarMessage struct {
	Message *message.Message `json:"message"`
	// Conversation is the message's, without its messages.
	Conversation *conversation.Conversation `json:"conversation"`
	// Similarity is the cosine of the angle between the vectors, -1 to 1.
	Similarity float64 `json:"similarity"`
}

// SimilarConversation is a conversation found by the meaning of its messages.
type SimilarConversation struct {
	Conversation *conversation.Conversation `json:"conversation"`
	// Best is the message nearest to what was asked, and Similarity its own.
	Best       *message.Message `json:"best"`
	Similarity float64          `json:"similarity"`
	// Relevant counts the conversation's messages that pass the filter and
	// MinSimilarity. The count is exact.
	Relevant int64 `json:"relevant"`
}

// HybridOptions of a hybrid search.
type HybridOptions struct {
	// Vector is the meaning of the text, if the caller has it; else the store's embedder
	// makes it.
	Vector message.Vector
	// SimilarOptions are those of the vector's part. Limit and Filter are of both, and
	// MinSimilarity bounds what comes from the vectors alone.
	SimilarOptions
	// K flattens the fusion: the higher, the less the first ranks count. 0 is 60.
	K int
	// Depth is how many hits of each list are fused: four times Limit and at least 100
	// if 0, at most MaxLimit.
	Depth int
}

// HybridHit is a message found by its text, its meaning or both.
type HybridHit struct {
	Message      *message.Message           `json:"message"`
	Conversation *conversation.Conversation `json:"conversation"`
	// Score is the sum of 1/(K+rank).
	Score float64 `json:"score"`
	// TextRank and VectorRank count from 1; 0 where the list does not have the hit.
	// TextScore and Similarity are those of the lists, 0 likewise.
	TextRank   int     `json:"text_rank"`
	TextScore  float64 `json:"text_score"`
	VectorRank int     `json:"vector_rank"`
	Similarity float64 `json:"similarity"`
	// Snippet is empty for a hit of the vectors alone.
	Snippet Snippet `json:"snippet"`
}
