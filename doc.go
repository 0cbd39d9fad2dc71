/*
Package convostore is the tour of a library that services embed to keep their
conversations: people and AI assistants talking, e-mail threads with leads, and the
replies that a model drafted and a person decides on. It runs on an SQLite file as on
PostgreSQL, in the host's own process, pool and transaction. This package exports
nothing; the work is done in the packages below it.

# Opening

A service that has no database yet opens a file; one that has PostgreSQL gives the DSN;
one that has a *gorm.DB hands it over:

	st, err := sqlite.Open(ctx, "chat.db", convostore.WithMigrate(migrate.Options{}))
	st, err := postgres.Open(ctx, dsn)
	st, err := convostore.New(ctx, hostDB)

Nothing migrates unless asked: [github.com/convostore/convostore/migrate] has Up, Down,
Status and Verify, and renders its files for other migration tools. A store whose
database has another version of the schema says so with ErrSchema at its first use.

# Scopes

A Store has no rows. Whoever wants some says whose:

	mine := st.ForUser(userID) // every statement carries user_id
	all := st.AllUsers()       // operators and jobs

Rows of other users do not exist for a scope: ErrNotFound, with no hint.

# Messages

	c := &conversation.Conversation{Subject: "Website improvements", LeadID: "123"}
	err = mine.Conversations().Create(ctx, c)

	in := &message.Message{Direction: message.DirectionInbound, Content: "…", GmailMessageID: "1234567890abcdef"}
	created, err := mine.Messages().Append(ctx, c.ID, in)

An append gives the message its seq: 1, 2, 3 … without a gap and without a tie, however
many append at once. The seq is the order of the thread and the cursor of a client that
asks what came after 41. The conversation's status follows: inbound makes it needs_reply,
outbound waiting. A redelivery, told by the provider's id, the host's idempotency key or
the message's own id, returns created == false and the row that was there.

# Suggestions

	s := &suggestion.Suggestion{ConversationID: c.ID, InReplyToMessageID: &in.ID, SuggestedContent: "…"}
	err = mine.Suggestions().Create(ctx, s)
	s, err = mine.Suggestions().Edit(ctx, s.ID, "…", suggestion.Review{By: "ann"})
	out := &message.Message{RecipientEmail: "john@example.com"}
	created, err = mine.Suggestions().Send(ctx, s.ID, out)

Of many people who decide at once one wins and the others get a *TransitionError. Send
writes the outbound message once, however often it is called.

# Search

	page, err := mine.Search().Messages(ctx, "invoice -draft", store.TextOptions{}, store.PageRequest{})
	near, err := mine.Search().SimilarMessages(ctx, store.SimilarTo{Text: "How much is it?"}, store.SimilarOptions{Limit: 10})

By words with a syntax that cannot be wrong, by a part of the text, by meaning, or by both
(Hybrid). A result by meaning says whether every vector was compared. The vectors come
from the host's embedder; EmbedMissing finds what has none, and any number of processes
share its work:

	done, err := st.AllUsers().Embeddings().EmbedMissing(ctx, embedder, store.EmbedOptions{})

# Reports

	days, err := mine.Reports().DailySeries(ctx, store.Period{Since: monday, Zone: berlin})
	times, err := mine.Reports().ResponseTimes(ctx, store.Period{})
	costs, err := st.AllUsers().Reports().CostsByModel(ctx, store.Top{})

Activity, response times, suggestions and costs, for one user or all. Each comment says what
is counted; the numbers are exact and the same on both databases.

# Operating

	r, err := st.Health().Ready(ctx) // the database answers and has this schema
	slow, err := st.Health().SlowQueries(ctx, 10)
	err = st.AllUsers().Maintenance().Vacuum(ctx)
	st, err := sqlite.Open(ctx, "chat.db", convostore.WithLogger(slog.Default(), 200*time.Millisecond))

Health is about the database and not about rows. A log has placeholders for all values.

# Replicas

	st, err := postgres.Open(ctx, primary, postgres.WithReplicas(first, second))

Reads then go to a streaming replica that has all that this store wrote for the scope's
user. WithSession and WithPrimary of package store ask for more.

# Transactions

	err := st.Transaction(ctx, func(tx store.Store) error { … })
	err := hostDB.Transaction(func(tx *gorm.DB) error { … st.WithTx(tx).ForUser(u) … })

The second form writes the host's rows and these together or not at all.

# Deleting

Delete hides a row and Restore brings it back; a conversation takes what is in it along
without marking it, so that a restore brings back exactly what was there. Erase,
EraseLead, EraseUser and Purge remove for good and return how many rows of each table
went. The indexes of search follow in the same transaction. Retain carries out a policy by
age, with a dry run; a conversation on Hold it leaves alone.

# Plain GORM

The models are GORM models and come with scopes:

	db.Scopes(conversation.OwnedBy(u), conversation.NeedsReply).
		Preload("Messages", message.Oldest).Find(&cs)

Read with them as you like. Writing around the store gives up its rules; the methods of
the models, such as AddMessage and Approve, are there for hosts that do.
*/
package convostore
