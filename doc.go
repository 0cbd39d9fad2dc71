/*
Package convostore is the entry point of a library that services embed to store their
conversations: people and AI assistants talking, e-mail threads with leads, and replies that
a model drafts and a person decides on. It runs on an SQLite file or on PostgreSQL, in the
host's own process, connection pool and transaction.

This package exports [New], which puts a store on a host's *gorm.DB, [NewNaming] for plain
GORM, and the options of every store (WithMigrate, WithLogger, WithEmbedder …). What a store
can do is the contract in package [github.com/convostore/convostore/store].

# Opening

A service without a database opens a file. One that has PostgreSQL gives the DSN. One that
has a *gorm.DB hands it over:

	st, err := sqlite.Open(ctx, "chat.db", convostore.WithMigrate(migrate.Options{}))
	st, err := postgres.Open(ctx, dsn)
	st, err := convostore.New(ctx, hostDB)
	defer st.Close() // closes what Open opened

Nothing migrates unless asked. [github.com/convostore/convostore/migrate] has Up, Down,
Status and Verify, and renders its files for other migration tools. If the database has
another version of the schema, the store's first call returns ErrSchema.

# Scopes

A Store itself shows no rows. A scope says whose rows are meant:

	mine := st.ForUser(userID) // every statement carries user_id
	all := st.AllUsers()       // operators and jobs

The rows of other users do not exist for a scope: it returns ErrNotFound and gives no hint
that there is such a row.

# Messages

	c := &conversation.Conversation{Subject: "Website improvements", LeadID: "123"}
	err = mine.Conversations().Create(ctx, c)

	in := &message.Message{Direction: message.DirectionInbound, Content: "…", GmailMessageID: "1234567890abcdef"}
	created, err := mine.Messages().Append(ctx, c.ID, in)

An append gives the message its seq: 1, 2, 3 …, without gaps or ties, however many append
concurrently. The seq is the order of the thread, and the cursor of a client that asks what
came after 41. The conversation's status follows: an inbound message makes it needs_reply, an
outbound one waiting. A redelivery is recognized by the provider's id, by the host's
idempotency key or by the message's own id. It returns created == false and the row that was
stored first.

# Chat

	s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	err = s.Write(ctx, token) // for each token
	err = s.Finish(ctx, store.Usage{Model: "m-1", TokensOut: 5})

A reply is stored while a model makes it: what was flushed survives its writer. StopStream ends
it from any process, ResumeStream goes on with it, FollowStream reads it from any byte, and
SweepStreams ends what nobody writes any more.

	again := &message.Message{Role: message.RoleAssistant, Content: "…", ParentSeq: &question.Seq}
	created, err := mine.Messages().Append(ctx, c.ID, again) // beside the first reply
	c, err = mine.Conversations().Get(ctx, c.ID)
	branches, err := mine.Messages().Branches(ctx, c.ID, again.Seq)
	c, err = mine.Messages().SetHead(ctx, c.ID, branches[0].TipSeq) // and back to that

Regenerating and editing make branches, and readers see the path that ends at the head. Fork
copies a path into a conversation of its own.

	w, err := mine.Messages().Context(ctx, c.ID, window.Budget{Tokens: 8000})
	prompt, err := payload.NewPrompt(payload.Anthropic, w.Messages())

Context chooses what a model is sent, with summaries of what is older. Packages
[github.com/convostore/convostore/window] and [github.com/convostore/convostore/payload] do the
same without a store.

	for change, err := range mine.Messages().Tail(ctx, c.ID, store.PositionOf(c), store.TailOptions{}) { … }
	list, err := mine.Conversations().Overview(ctx, store.ConversationFilter{},
		store.OverviewOptions{LastMessage: true, Reader: "ann"}, store.PageRequest{})

Tail follows a conversation and Watch a list, whichever process writes. Overview is that list,
with the last messages, what is unread, and labels. Vote keeps what people think of a message,
States what an agent knows, and package [github.com/convostore/convostore/transfer] takes a
history in and out. The documents docs/chat-*.md say more.

# Suggestions

	s := &suggestion.Suggestion{ConversationID: c.ID, InReplyToMessageID: &in.ID, SuggestedContent: "…"}
	err = mine.Suggestions().Create(ctx, s)
	s, err = mine.Suggestions().Edit(ctx, s.ID, "…", suggestion.Review{By: "ann"})
	out := &message.Message{RecipientEmail: "john@example.com"}
	created, err = mine.Suggestions().Send(ctx, s.ID, out, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}})

If several people decide at the same time, one wins and the others get a *TransitionError.
Send writes the outbound message once, however often it is called, and in the same transaction puts
it into the outbox, from where [github.com/convostore/convostore/store.Deliveries] hands it to a
provider. It refuses a draft that a newer message has overtaken, and a second reply to the same
message. What the provider refused or the host deleted is sent anew, and Unsend takes back what no
worker has yet.

# Search

	page, err := mine.Search().Messages(ctx, "invoice -draft", store.TextOptions{}, store.PageRequest{})
	near, err := mine.Search().SimilarMessages(ctx, store.SimilarTo{Text: "How much is it?"}, store.SimilarOptions{Limit: 10})

Search finds by words, with a syntax in which no query is an error, by a part of the text, by
meaning, or by words and meaning together (Hybrid). A result by meaning says whether every
vector was compared. The vectors come from the host's embedder. EmbedMissing embeds the
messages that have none, and any number of processes share its work:

	done, err := st.AllUsers().Embeddings().EmbedMissing(ctx, embedder, store.EmbedOptions{})

# Reports

	days, err := mine.Reports().DailySeries(ctx, store.Days{Period: store.Period{Since: monday, Zone: berlin}})
	times, err := mine.Reports().ResponseTimes(ctx, store.Period{})
	costs, err := st.AllUsers().Reports().CostsByModel(ctx, store.Top{})

Reports cover activity, response times, suggestions and costs, for one user or for all. Each
comment says what is counted. The numbers are exact, and the same on both databases.

# Operating

	r, err := st.Health().Ready(ctx) // the database answers and has this schema
	slow, err := st.Health().SlowQueries(ctx, 10)
	err = st.AllUsers().Maintenance().Vacuum(ctx)
	st, err := sqlite.Open(ctx, "chat.db", convostore.WithLogger(slog.Default(), 200*time.Millisecond))

Health is about the database, not about anybody's rows. The log has placeholders for all
values.

# Replicas

	st, err := postgres.Open(ctx, primary, postgres.WithReplicas(first, second))

A read then goes to a streaming replica if the replica has everything that this store wrote
for the scope's user. WithSession and WithPrimary of package store ask for more.

# Transactions

	err := st.Transaction(ctx, func(tx store.Store) error { … })
	err := hostDB.Transaction(func(tx *gorm.DB) error { … st.WithTx(tx).ForUser(u) … })

The second form writes the host's rows and the library's together or not at all.

# Deleting

Delete hides a row and Restore brings it back. A deleted conversation hides its messages and
suggestions without marking them, so that Restore brings back exactly what was visible
before. Erase, EraseLead, EraseUser and Purge remove rows for good and return how many of each
table they removed; the search indexes follow in the same transaction. Retain carries out a
policy by age, with a dry run; it skips conversations on hold.

# Plain GORM

The models are GORM models and come with GORM scopes:

	db.Scopes(conversation.OwnedBy(u), conversation.NeedsReply).
		Preload("Messages", message.Oldest).Find(&cs)

Read with them as you like. A write that bypasses the store also bypasses its rules; methods
of the models, such as AddMessage and Approve, are there for hosts that do so.

# Glossary

  - scope: the rows that calls see and change: of one user (ForUser) or of all (AllUsers).
  - user: the owner of rows, a UUID of the host's; a tenant or a workspace can be one. For users
    with numbers or names see store.TenantID.
  - lead: somebody outside whom a conversation is with, by an id of the host's. It belongs to
    one user.
  - thread: the messages that a conversation shows, in the order of seq; all, if it has no branches.
  - seq: a message's number in its conversation, given in the order of arrival.
  - stream: a message that is stored while it is made. Its writer is who holds the fence, a
    number that each takeover raises; a flush stores the text that waits.
  - sweep: to end streams whose writers were not seen for some time.
  - parent: the message that another one follows, by its seq; the one before it, unless it says
    otherwise.
  - branch: one of several messages with the same parent, and what follows it.
  - head: the message at which what a conversation shows ends; the last one, unless it was moved.
  - path: a message and its parents up to the first. The path of the head is the thread.
  - payload: a message as an SDK made it, to the byte, in its format.
  - window: what of a conversation is sent to a model, within a budget. Summaries stand for what
    is older.
  - tail: an iteration over what happens in a conversation; a position says where to go on, a
    doorbell that it is worth to look. A watch is the same for many conversations.
  - state: a value that an agent keeps by a key, of a conversation, a user or an app.
  - overview: a page of a list, each conversation with its last message, labels and unread count.
  - mark: how far a reader has read, by seq.
  - vote: what a person thinks of a message, up or down.
  - transfer: a history of another product, or of another store, in and out.
  - redelivery: an append of a message that is stored already; it stores nothing.
  - suggestion: a drafted reply; pending until a person approves, edits or rejects it.
  - bound: the largest value that is taken, such as the bytes of a message; docs/limits.md.
  - activity: the time that orders a conversation, that of its latest message or now.
  - hold: a mark on a conversation that exempts it from everything done by age.
  - purge: to erase what was deleted some time ago. Erase removes rows for good, Delete hides.
  - code of a vector: one bit for each dimension, which SQLite compares before the vectors.
  - claim: a lease on messages that one call of EmbedMissing is embedding; it expires.
  - set aside: of a message, not to be embedded with a model any more, which refused it.
  - primary: the PostgreSQL server that takes the writes. Replicas follow it.
  - role: an interface of a scope, such as MessageAppender; of a message, who speaks.
  - session: a context whose reads see all earlier writes made with it, also on replicas.
  - setting: what a database or a connection is set to, such as foreign_keys; docs/host.md.
  - host: the service that embeds this library.
*/
package convostore
