package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
	"github.com/convostore/convostore/window"
)

// runTenancy calls every method of every role, found by reflection, with one user's ids,
// keys and cursors: as that user, as a stranger, and as nobody. A method without a call
// in the table fails the test, so none can be forgotten.
func runTenancy(t *testing.T, f Factory) {
	t.Run("every method has a call", everyMethodHasACall)
	t.Run("strangers", func(t *testing.T) { strangersFindNothing(t, besideLeads(t, f)) })
	t.Run("leads of others", func(t *testing.T) { leadsOfOthersAreAsAbsent(t, besideLeads(t, f)) })
	t.Run("leads of nobody", func(t *testing.T) { leadsOfNobodyAreForAllUsers(t, besideLeads(t, f)) })
	t.Run("same ids", func(t *testing.T) { sameIDsStayApart(t, f(t)) })
	t.Run("nobody", func(t *testing.T) { nobodyIsRefused(t, besideLeads(t, f)) })
	t.Run("statements", func(t *testing.T) { statementsNameTheUser(t, besideLeads(t, f)) })
	t.Run("merged", func(t *testing.T) { mergedOnesAreTold(t, besideLeads(t, f)) })
	t.Run("wrong times", func(t *testing.T) { wrongTimesAreRefused(t, besideLeads(t, f)) })
	t.Run("unclean keys", func(t *testing.T) {
		uncleanKeysFind(t, besideLeads(t, f, convostore.WithNULStripped(), convostore.WithInvalidTextReplaced()))
	})
}

// besideLeads opens a store beside a host's table for the leads that estates have.
func besideLeads(t *testing.T, f Factory, opts ...convostore.Option) store.Store {
	t.Helper()
	st := f(t, append(opts, withLeads())...)
	makeLeadsTable(t, st, nil)
	return st
}

// outcome is the expected result of a call by a stranger.
type outcome int

const (
	notFound outcome = iota // ErrNotFound
	empty                   // nothing, without an error
	refused                 // ErrInvalid
	own                     // a row of the stranger's own
)

// call is one use of a method. Its arguments, after the context, come from the estate of
// the user whose things they are; visitor is a conversation of the caller's own.
type call struct {
	want outcome
	args func(e *estate, visitor uuid.UUID) []any
	// none says that the owner gets nothing either.
	none bool
}

// estate is everything that a user can have.
type estate struct {
	user                      uuid.UUID
	live, archived, deleted   *conversation.Conversation
	inbound, outbound, hidden *message.Message
	streaming                 *message.Message
	pending, approved, gone   *suggestion.Suggestion
	summary                   *conversation.Summary
	outbox                    outbox
	byActivity, queue         store.Cursor
	thread, byUser            store.Cursor
	pendingNext, drafts       store.Cursor
	texts, threads            store.Cursor
	unread, attached, sure    store.Cursor
	aside, overviews          store.Cursor
}

// future is after everything in an estate, so that maintenance finds all of it.
var future = time.Date(9000, time.January, 1, 0, 0, 0, 0, time.UTC)

// newEstate makes an estate of a new user. Two rows of a kind make a second page.
func newEstate(t *testing.T, st store.Store) *estate {
	t.Helper()
	e := &estate{user: uuid.New()}
	insertLeads(t, st, map[leadKey]hostLead{{e.user, "lead"}: {title: new("Lead"), category: new("category")}})
	s := st.ForUser(e.user)
	e.live = &conversation.Conversation{LeadID: "lead", ExternalKey: "key", Title: "title", Subject: "subject"}
	e.archived, e.deleted = &conversation.Conversation{LeadID: "lead"}, &conversation.Conversation{LeadID: "lead"}
	for _, c := range []*conversation.Conversation{e.live, e.archived, e.deleted} {
		require.NoError(t, s.Conversations().Create(t.Context(), c))
		first := inbound("first")
		first.SentAt = time.Now().Add(-time.Hour) // of two replies, the one to it took longer, however fast this is
		appended(t, s, c.ID, first)
		furnish(t, st.DB(t.Context()), first)
	}
	e.fillThread(t, st, s)
	e.fillSuggestions(t, s)
	e.outbox = newOutbox(t, s, newThread(t, s, 1).ID)
	e.summary = &conversation.Summary{ConversationID: e.live.ID, FromSeq: 1, ToSeq: 2, Content: "summary"}
	require.NoError(t, s.Summaries().Create(t.Context(), e.summary))
	must[*conversation.Conversation](t)(s.Conversations().Archive(t.Context(), e.archived.ID))
	must[*conversation.Conversation](t)(s.Conversations().Delete(t.Context(), e.deleted.ID))
	e.fillCursors(t, s)
	everyTableHasRows(t, st, e.user)
	return e
}

func (e *estate) fillThread(t *testing.T, st store.Store, s store.Scope) {
	t.Helper()
	e.outbound = &message.Message{Direction: message.DirectionOutbound, Content: "out", IdempotencyKey: "idempotent", Model: "model", TokensOut: 1}
	e.hidden = &message.Message{Direction: message.DirectionInbound, Content: "hidden", PostmarkMessageID: "postmark"}
	e.inbound = &message.Message{
		Direction: message.DirectionInbound, Content: "in", GmailMessageID: "gmail", GmailThreadID: "gthread",
		EmailMessageID: "<mail@example.com>",
		Attachments:    message.Attachments{{Filename: "a.txt", ContentType: "text/plain", Size: 1}},
	}
	for _, m := range []*message.Message{e.outbound, e.hidden, e.inbound} {
		appended(t, s, e.live.ID, m)
	}
	must[*message.Message](t)(s.Messages().Delete(t.Context(), e.hidden.ID))
	another := inbound("another that needs a reply")
	another.Attachments = e.inbound.Attachments
	appended(t, s, newThread(t, s, 1).ID, another)
	e.streaming = &message.Message{Role: message.RoleAssistant, State: message.StateStreaming, Content: "half", Fence: 1}
	appended(t, s, newThread(t, s, 0).ID, e.streaming)
	trained(t, st.DB(t.Context()), "model")
	require.NoError(t, e.inbound.SetEmbedding("model", axis(0)))
	require.NoError(t, st.DB(t.Context()).Create(e.inbound.Embeddings).Error)
	db := st.DB(t.Context())
	furnish(t, db, e.inbound)
	furnish(t, db, e.hidden)
	claim(t, db, e.inbound)
	setAside(t, db, e.inbound)
	setAside(t, db, e.outbound)
	remember(t, db, e.user)
}

func (e *estate) fillSuggestions(t *testing.T, s store.Scope) {
	t.Helper()
	draft := func() *suggestion.Suggestion {
		d := &suggestion.Suggestion{
			ConversationID: e.live.ID, InReplyToMessageID: &e.inbound.ID, SuggestedContent: "draft", ConfidenceScore: new(0.9),
		}
		require.NoError(t, s.Suggestions().Create(t.Context(), d))
		return d
	}
	e.pending, e.approved, e.gone = draft(), draft(), draft()
	draft() // a second one that is pending
	for _, d := range []*suggestion.Suggestion{e.approved, draft()} {
		must[*suggestion.Suggestion](t)(s.Suggestions().Approve(t.Context(), d.ID, suggestion.Review{}))
	}
	must[*suggestion.Suggestion](t)(s.Suggestions().Delete(t.Context(), e.gone.ID))
}

func (e *estate) fillCursors(t *testing.T, s store.Scope) {
	t.Helper()
	one := store.PageRequest{Limit: 1}
	e.byActivity = next(t)(s.Conversations().List(t.Context(), store.ConversationFilter{}, one))
	e.overviews = nextOf[*store.ConversationOverview](t)(s.Conversations().Overview(t.Context(), store.ConversationFilter{}, fullOverview, one))
	e.queue = next(t)(s.Conversations().NeedsReply(t.Context(), one))
	e.thread = nextOf[*message.Message](t)(s.Messages().List(t.Context(), e.live.ID, store.MessageFilter{}, one))
	e.byUser = nextOf[*message.Message](t)(s.Messages().ListByUser(t.Context(), store.MessageFilter{}, one))
	e.pendingNext = nextOf[*store.PendingSuggestion](t)(s.Suggestions().Pending(t.Context(), one))
	anyWord := store.TextOptions{Match: store.MatchAny}
	e.texts = nextOf[*store.MessageHit](t)(s.Search().Messages(t.Context(), "first another", anyWord, one))
	e.threads = nextOf[*store.ConversationHit](t)(s.Search().Conversations(t.Context(), "title another", anyWord, one))
	e.drafts = nextOf[*suggestion.Suggestion](t)(s.Suggestions().ListByConversation(t.Context(), e.live.ID, one))
	e.aside = nextOf[*store.SetAsideMessage](t)(s.Embeddings().ListSetAside(t.Context(), "aside", one))
	e.unread = nextOf[*store.UnreadConversation](t)(s.Reports().Unread(t.Context(), time.Time{}, one))
	e.attached = nextOf[*store.AttachedMessage](t)(s.Reports().MessagesWithAttachments(t.Context(), store.Period{}, one))
	e.sure = nextOf[*suggestion.Suggestion](t)(s.Reports().HighConfidenceApproved(t.Context(), 0.5, store.Period{}, one))
}

func next(t *testing.T) func(store.Page[*conversation.Conversation], error) store.Cursor {
	return nextOf[*conversation.Conversation](t)
}

func nextOf[T any](t *testing.T) func(store.Page[T], error) store.Cursor {
	return func(p store.Page[T], err error) store.Cursor {
		t.Helper()
		require.NoError(t, err)
		require.NotEmpty(t, p.Next, "a second page")
		return p.Next
	}
}

// The arguments that most methods take.

func liveID(e *estate, _ uuid.UUID) []any     { return []any{e.live.ID} }
func archivedID(e *estate, _ uuid.UUID) []any { return []any{e.archived.ID} }
func deletedID(e *estate, _ uuid.UUID) []any  { return []any{e.deleted.ID} }
func inboundID(e *estate, _ uuid.UUID) []any  { return []any{e.inbound.ID} }
func hiddenID(e *estate, _ uuid.UUID) []any   { return []any{e.hidden.ID} }
func pendingID(e *estate, _ uuid.UUID) []any  { return []any{e.pending.ID} }
func goneID(e *estate, _ uuid.UUID) []any     { return []any{e.gone.ID} }
func pendingReview(e *estate, _ uuid.UUID) []any {
	return []any{e.pending.ID, suggestion.Review{By: "b"}}
}

// with are arguments that name nothing of anybody's.
func with(args ...any) func(*estate, uuid.UUID) []any {
	return func(*estate, uuid.UUID) []any { return args }
}

// live puts the id of the live conversation before the arguments.
func live(args ...any) func(*estate, uuid.UUID) []any {
	return func(e *estate, _ uuid.UUID) []any { return append([]any{e.live.ID}, args...) }
}

var page = store.PageRequest{}

// ofEstate takes the live conversation of an estate by its id.
func ofEstate(e *estate) store.ConversationFilter {
	return store.ConversationFilter{IDs: []uuid.UUID{e.live.ID}, Deleted: store.IncludeDeleted}
}

func conversationCalls() map[string][]call {
	filter := store.ConversationFilter{LeadID: "lead", Deleted: store.IncludeDeleted}
	after := func(c store.Cursor) store.PageRequest { return store.PageRequest{Limit: 1, After: c} }
	return map[string][]call{
		"Get":              {{want: notFound, args: liveID}},
		"GetByExternalKey": {{want: notFound, args: with("key")}},
		"Thread":           {{want: notFound, args: liveID}},
		"List": {
			{want: empty, args: with(filter, page)},
			{want: empty, args: with(store.ConversationFilter{Text: "title"}, page)},
			{want: empty, args: with(store.ConversationFilter{Order: store.NewestCreated}, page)},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{ofEstate(e), page} }},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.ConversationFilter{}, after(e.byActivity)}
			}},
		},
		"Overview": {
			{want: empty, args: with(filter, fullOverview, page)},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{ofEstate(e), fullOverview, page} }},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.ConversationFilter{Labels: []string{e.inbound.ID.String()}}, fullOverview, page}
			}},
			{want: empty, args: with(
				store.ConversationFilter{Statuses: theQueue.Statuses, HasDraft: true, PinnedFirst: true},
				store.OverviewOptions{Draft: true, Lead: []string{"title"}}, page,
			)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.ConversationFilter{}, fullOverview, after(e.overviews)}
			}},
		},
		"Assign":       {{want: notFound, args: live("ann", store.AssignOptions{})}},
		"Unassign":     {{want: notFound, args: live(store.AssignOptions{From: new("")})}},
		"Snooze":       {{want: notFound, args: live(future)}},
		"Unsnooze":     {{want: notFound, args: liveID}},
		"Pin":          {{want: notFound, args: liveID}},
		"Unpin":        {{want: notFound, args: liveID}},
		"Counts":       {{want: empty, args: with("ann")}},
		"MarkRead":     {{want: notFound, args: live("ann", int64(1))}},
		"AddLabels":    {{want: notFound, args: live("ann", []string{"new"})}},
		"RemoveLabels": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.live.ID, []string{e.inbound.ID.String()}} }}},
		"ListNumbered": {
			{want: empty, args: with(filter, store.NumberRequest{})},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{ofEstate(e), store.NumberRequest{}} }},
		},
		"All": {
			{want: empty, args: with(filter)},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{ofEstate(e)} }},
		},
		"Watch": {{want: empty, args: with(store.WatchOptions{Since: time.Unix(0, 0), Once: true})}},
		"NeedsReply": {
			{want: empty, args: with(page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any { return []any{after(e.queue)} }},
		},
		"Unread": {{want: empty, args: with(time.Unix(0, 0), page)}},
		"Create": {
			{want: own, args: func(*estate, uuid.UUID) []any {
				return []any{&conversation.Conversation{ID: uuid.New(), ExternalKey: "key for creating", LeadID: "lead"}}
			}},
			{want: own, none: true, args: func(e *estate, _ uuid.UUID) []any {
				m := &message.Message{ID: e.inbound.ID, Role: message.RoleUser, GmailMessageID: "gmail"}
				c := &conversation.Conversation{ID: e.live.ID, ExternalKey: "key", Messages: []*message.Message{m}}
				return []any{c}
			}},
		},
		"Upsert": {{want: own, args: func(e *estate, _ uuid.UUID) []any {
			return []any{&conversation.Conversation{ID: e.live.ID, ExternalKey: "key", Title: "upserted"}}
		}}},
		"GetOrCreate": {{want: own, args: func(*estate, uuid.UUID) []any {
			return []any{&conversation.Conversation{ExternalKey: "key", Title: "made"}}
		}}},
		"SetTitle":      {{want: notFound, args: live("changed")}},
		"SetSubject":    {{want: notFound, args: live("changed")}},
		"SetLanguage":   {{want: notFound, args: live("de")}},
		"SetMetadata":   {{want: notFound, args: live(message.JSON(`{"a":1}`))}},
		"MergeMetadata": {{want: notFound, args: live(message.JSON(`{"a":1}`))}},
		"Archive":       {{want: notFound, args: liveID}},
		"Reopen":        {{want: notFound, args: archivedID}},
		"Hold":          {{want: notFound, args: liveID}, {want: notFound, args: deletedID}},
		"Release":       {{want: notFound, args: liveID}, {want: notFound, args: deletedID}},
		"Delete":        {{want: notFound, args: liveID}},
		"Restore":       {{want: notFound, args: deletedID}},
		"Erase":         {{want: notFound, args: liveID}, {want: notFound, args: deletedID}},
		"Fork":          {{want: notFound, args: live(store.ForkOptions{AtSeq: 1})}, {want: notFound, args: live(store.ForkOptions{})}},
		"Merge": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				return []any{e.outbox.unsent.ConversationID, e.live.ID, store.MoveOptions{}}
			}},
			{want: notFound, none: true, args: func(e *estate, visitor uuid.UUID) []any {
				return []any{visitor, e.live.ID, store.MoveOptions{}}
			}},
		},
	}
}

func messageCalls() map[string][]call {
	all := store.MessageFilter{Deleted: store.IncludeDeleted}
	same := func(e *estate) *message.Message {
		return &message.Message{
			ID: e.inbound.ID, Role: message.RoleUser, Content: "mine",
			GmailMessageID: "gmail", PostmarkMessageID: "postmark", IdempotencyKey: "idempotent",
		}
	}
	reads := map[string][]call{
		"Get": {{want: notFound, args: inboundID}},
		"List": {
			{want: notFound, args: live(all, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{e.live.ID, store.MessageFilter{}, store.PageRequest{Limit: 1, After: e.thread}}
			}},
			{want: refused, args: func(e *estate, visitor uuid.UUID) []any {
				return []any{visitor, store.MessageFilter{}, store.PageRequest{Limit: 1, After: e.thread}}
			}},
		},
		"ListNumbered":       {{want: notFound, args: live(all, store.NumberRequest{})}},
		"ListByUserNumbered": {{want: empty, args: with(all, store.NumberRequest{})}},
		"All":                {{want: notFound, args: live(all)}},
		"Last":               {{want: notFound, args: live(5)}},
		"Tail":               {{want: notFound, args: live(store.Position{}, store.TailOptions{Once: true})}},
		"GetByKey":           {{want: notFound, args: live("idempotent")}},
		"Path":               {{want: notFound, args: live(int64(2), page)}},
		"Branches":           {{want: notFound, args: live(int64(2))}},
		"Around":             {{want: notFound, args: live(int64(2), 5)}},
		"Context":            {{want: notFound, args: live(window.Budget{Messages: 5})}},
		"ListByUser": {
			{want: empty, args: with(all, page)},
			{want: empty, args: with(store.MessageFilter{HasAttachments: true}, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.MessageFilter{}, store.PageRequest{Limit: 1, After: e.byUser}}
			}},
		},
		"Votes":      {{want: notFound, args: inboundID}},
		"CountVotes": {{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{[]uuid.UUID{e.inbound.ID}} }}},
		"AllByUser":  {{want: empty, args: with(all)}},
		"Refs":       {{want: notFound, args: inboundID}},
		"GetByRef": {
			{want: notFound, args: with(message.RefGmail, "gmail")},
			{want: notFound, args: with(message.RefEmail, "<mail@example.com>")},
		},
		"FindByProviderID": {{want: notFound, args: with(message.ProviderGmail, "gmail")}},
		"FindThread": {
			{want: notFound, args: with(&message.Message{GmailThreadID: "gthread"})},
			{want: notFound, args: with(&message.Message{Headers: message.Headers{"In-Reply-To": {"<mail@example.com>"}}})},
			{want: notFound, args: with(&message.Message{Headers: message.Headers{"References": {"<postmark@example.com>"}}})},
		},
	}
	writes := map[string][]call{
		"Append": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.live.ID, inbound("new")} }},
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.live.ID, same(e)} }},
			{want: own, none: true, args: func(e *estate, visitor uuid.UUID) []any { return []any{visitor, same(e)} }},
		},
		"AppendMany": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				return []any{e.live.ID, []*message.Message{inbound("new")}, store.AppendOptions{}}
			}},
			{want: own, none: true, args: func(e *estate, visitor uuid.UUID) []any {
				return []any{visitor, []*message.Message{same(e)}, store.AppendOptions{}}
			}},
		},
		"Import": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				m := inbound("new")
				m.ConversationID = e.live.ID
				return []any{rowsOf(m), store.ImportOptions{}}
			}},
			{want: own, none: true, args: func(e *estate, visitor uuid.UUID) []any {
				m := same(e)
				m.ConversationID = visitor
				return []any{rowsOf(m), store.ImportOptions{}}
			}},
		},
		"File": {
			{want: own, args: func(*estate, uuid.UUID) []any {
				m := inbound("filed")
				m.EmailMessageID, m.SenderEmail, m.GmailThreadID = "<filed@example.com>", "ann@example.com", "gthread"
				m.Headers = message.Headers{"In-Reply-To": {"<mail@example.com>"}, "References": {"<postmark@example.com>"}, "Subject": {"Re: subject"}}
				refs, threads := []message.Ref{{Provider: "x", Ref: "filed"}}, []message.Ref{{Provider: "x", Ref: "thread"}}
				template := &conversation.Conversation{LeadID: "lead", Labels: []*conversation.Label{{Label: "filed"}}}
				return []any{m, store.FileOptions{New: template, Refs: refs, Threads: threads, BySubject: true, SkipDeleted: true}}
			}},
			{want: own, args: func(e *estate, _ uuid.UUID) []any { return []any{same(e), store.FileOptions{}} }},
		},
		"AddRefs": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, message.Ref{Provider: "x", Ref: "y", Exclusive: true}}
		}}},
		"RemoveRefs": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, message.Ref{Provider: "x", Ref: "y"}}
		}}},
		"Update": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, store.MessageUpdate{Content: new("changed")}}
		}}},
		"MergeMetadata": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, message.JSON(`{"a":1}`)}
		}}},
		"Vote": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, message.Vote{Voter: "bob", Value: message.VoteUp}}
		}}},
		"Unvote":     {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.inbound.ID, "ann"} }}},
		"Delete":     {{want: notFound, args: inboundID}},
		"Restore":    {{want: notFound, args: hiddenID}},
		"RestoreAll": {{want: notFound, args: liveID}},
		"Stream": {{want: notFound, none: true, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.live.ID, inbound("new"), store.StreamOptions{}}
		}}},
		"ResumeStream": {{want: notFound, none: true, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.streaming.ID, store.StreamOptions{}}
		}}},
		"StopStream": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.streaming.ID} }}},
		"FollowStream": {{want: notFound, none: true, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.inbound.ID, int64(0), store.FollowOptions{}}
		}}},
		"Move": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				return []any{[]uuid.UUID{e.inbound.ID}, e.outbox.unsent.ConversationID, store.MoveOptions{}}
			}},
			{want: notFound, none: true, args: func(e *estate, visitor uuid.UUID) []any {
				return []any{[]uuid.UUID{e.inbound.ID}, visitor, store.MoveOptions{}}
			}},
		},
		"SetHead":       {{want: notFound, args: live(int64(1))}},
		"TruncateAfter": {{want: notFound, args: live(int64(1), store.TruncateOptions{FreeKeys: true})}},
		"Replace": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.live.ID, []*message.Message{inbound("new")}, store.ReplaceOptions{FreeKeys: true}}
		}}},
	}
	for name, calls := range writes {
		reads[name] = calls
	}
	return reads
}

func suggestionCalls() map[string][]call {
	draft := func(id uuid.UUID, replyTo *uuid.UUID) []any {
		return []any{&suggestion.Suggestion{ConversationID: id, InReplyToMessageID: replyTo, SuggestedContent: "new"}}
	}
	return map[string][]call{
		"Create": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return draft(e.live.ID, nil) }},
			{want: refused, none: true, args: func(e *estate, visitor uuid.UUID) []any {
				return draft(visitor, &e.inbound.ID)
			}},
		},
		"Get": {{want: notFound, args: pendingID}},
		"Pending": {
			{want: empty, args: with(page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.PageRequest{Limit: 1, After: e.pendingNext}}
			}},
		},
		"PendingNumbered":            {{want: empty, args: with(store.NumberRequest{})}},
		"ListByConversationNumbered": {{want: notFound, args: live(store.NumberRequest{})}},
		"ListByConversation": {
			{want: notFound, args: live(page)},
			{want: refused, args: func(e *estate, visitor uuid.UUID) []any {
				return []any{visitor, store.PageRequest{Limit: 1, After: e.drafts}}
			}},
		},
		"Approve": {{want: notFound, args: pendingReview}},
		"Edit": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.pending.ID, "changed", suggestion.Review{By: "b"}}
		}}},
		"Reject": {{want: notFound, args: pendingReview}},
		"Send": {
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				return []any{e.approved.ID, &message.Message{}, store.SendOptions{}}
			}},
			{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
				return []any{e.approved.ID, &message.Message{}, store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}}}
			}},
		},
		"Unsend": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.outbox.sent.ID} }}},
		"SaveDraft": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.pending.ID, "half", store.SaveOptions{By: "b"}}
		}}},
		"Reopen": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{e.approved.ID, store.ReopenOptions{Current: true}}
		}}},
		"Expire":  {{want: empty, args: with(store.ExpireOptions{CreatedBefore: future})}},
		"Delete":  {{want: notFound, args: pendingID}},
		"Restore": {{want: notFound, args: goneID}},
	}
}

func searchCalls() map[string][]call {
	words, part := store.TextOptions{}, store.TextOptions{Match: store.MatchSubstring}
	anyWord := store.TextOptions{Match: store.MatchAny}
	like, o := store.SimilarTo{Vector: axis(0)}, store.SimilarOptions{Model: "model"}
	exact := store.SimilarOptions{Model: "model", Mode: store.SearchExact}
	rough := store.SimilarOptions{Model: "model", Mode: store.SearchApproximate}
	return map[string][]call{
		"Messages": {
			{want: empty, args: with("in", words, page)},
			{want: empty, args: with("in", store.TextOptions{Order: store.Newest}, page)},
			{want: empty, args: with("n", part, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{"first another", anyWord, store.PageRequest{Limit: 1, After: e.texts}}
			}},
		},
		"Conversations": {
			{want: empty, args: with("title", words, page)},
			{want: empty, args: with("in", store.TextOptions{Order: store.Newest}, page)},
			{want: empty, args: with("ubject", part, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{"title another", anyWord, store.PageRequest{Limit: 1, After: e.threads}}
			}},
		},
		"SimilarMessages":      {{want: empty, args: with(like, o)}, {want: empty, args: with(like, exact)}, {want: empty, args: with(like, rough)}},
		"SimilarConversations": {{want: empty, args: with(like, o)}},
		"MoreLike":             {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.inbound.ID, o} }}},
		"Hybrid":               {{want: empty, args: with("in", store.HybridOptions{Vector: axis(0), SimilarOptions: o})}},
	}
}

func embeddingCalls() map[string][]call {
	return map[string][]call{
		"Set": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.inbound.ID, "model", axis(1)} }}},
		"SetMany": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{"model", []store.MessageVector{{MessageID: e.inbound.ID, Vector: axis(1)}}}
		}}},
		"Get":     {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.inbound.ID, "model"} }}},
		"Missing": {{want: empty, args: with("another model", store.EmbedFilter{})}},
		// Refused inside a transaction, in which the owner is asked.
		"EmbedMissing": {{want: empty, none: true, args: with(embedder(byLength), store.EmbedOptions{})}},
		"Models":       {{want: empty, args: with()}},
		"ListSetAside": {
			{want: empty, args: with("aside", page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any { return []any{"aside", store.PageRequest{Limit: 1, After: e.aside}} }},
		},
		"RetrySetAside": {
			{want: empty, args: with("aside", []uuid.UUID(nil))},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{"aside", []uuid.UUID{e.inbound.ID}} }},
		},
		"DropModel": {{want: empty, args: with("model")}},
		// About everybody's vectors.
		"Train":     {{want: refused, args: with("model", store.TrainOptions{}), none: true}},
		"Trainings": {{want: refused, args: with(), none: true}},
	}
}

func reportCalls() map[string][]call {
	all, first := store.Period{}, store.Top{}
	calls := map[string][]call{
		"Daily": {{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{e.live.CreatedAt} }}},
		"Unread": {
			{want: empty, args: with(time.Time{}, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{time.Time{}, store.PageRequest{Limit: 1, After: e.unread}}
			}},
		},
		"MessagesWithAttachments": {
			{want: empty, args: with(all, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{all, store.PageRequest{Limit: 1, After: e.attached}}
			}},
		},
		"ResponseRate":            {{want: empty, args: with("category", all)}},
		"SuggestionsByConfidence": {{want: empty, args: with(all)}, {want: empty, args: with(all, 0.5)}},
		"HighConfidenceApproved": {
			{want: empty, args: with(0.5, all, page)},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{0.5, all, store.PageRequest{Limit: 1, After: e.sure}}
			}},
		},
	}
	for _, name := range []string{"Summary", "ResponseTimes", "FirstResponseTimes", "SuggestionsByModel", "DecisionTimes", "EditDistances"} {
		calls[name] = []call{{want: empty, args: with(all)}}
	}
	for _, name := range []string{"DailySeries", "ResponseTimesByDay", "SuggestionsByDay", "CostsByDay", "UsageByDay"} {
		calls[name] = []call{{want: empty, args: with(store.Days{Period: all})}, {want: empty, args: around}}
	}
	for _, name := range []string{
		"MostActive", "AttachmentCounts", "ResponseTimesByConversation", "ResponseTimesByLead", "ResponseTimesByAssignee", "CostsByConversation", "CostsByLead", "CostsByModel", "UsageByConversation", "UsageByUser", "UsageByModel",
	} {
		calls[name] = []call{{want: empty, args: with(first)}}
	}
	// With a calendar these read rows and look names up, where else one statement does it all.
	if c, err := store.NewCalendar(store.BusinessHours{Week: store.Workdays(store.Span{To: 24 * time.Hour})}); err == nil {
		counted := store.Period{Calendar: c}
		for name, ask := range map[string]any{
			"ResponseTimes": counted, "DecisionTimes": counted, "ResponseTimesByConversation": store.Top{Period: counted}, "ResponseTimesByLead": store.Top{Period: counted},
			"FirstResponseTimes": counted, "ResponseTimesByAssignee": store.Top{Period: counted},
		} {
			calls[name] = append(calls[name], call{want: empty, args: with(ask)})
		}
	}
	return calls
}

// around is a period in which an estate came to be.
func around(e *estate, _ uuid.UUID) []any {
	at := e.live.CreatedAt
	return []any{store.Days{Period: store.Period{Since: at.Add(-time.Hour), Before: at.Add(time.Hour)}}}
}

func maintenanceCalls() map[string][]call {
	return map[string][]call{
		"ArchiveInactive": {{want: empty, args: with(future)}},
		"Purge":           {{want: empty, args: with(future)}},
		"EraseLead":       {{want: empty, args: with("lead")}},
		"EraseUser":       {{want: empty, args: with()}},
		"Orphans":         {{want: empty, args: with(), none: true}},
		"RemoveOrphans":   {{want: empty, args: with(), none: true}},
		"Counts":          {{want: empty, args: with()}},
		"SweepStreams":    {{want: empty, args: with(time.Duration(0))}},
		"DeadStreams":     {{want: empty, args: with(time.Duration(0))}},
		"Retain": {
			{want: empty, args: with(store.RetentionPolicy{ArchiveAfter: time.Nanosecond})},
			{want: empty, args: with(store.RetentionPolicy{DeleteAfter: time.Nanosecond})},
			{want: empty, args: with(store.RetentionPolicy{PurgeAfter: time.Nanosecond})},
			{want: empty, args: with(store.RetentionPolicy{
				ArchiveAfter: time.Nanosecond, DeleteAfter: time.Nanosecond, PurgeAfter: time.Nanosecond, DryRun: true,
			})},
		},
		// About whole tables, which are no single user's.
		"Analyze":    {{want: refused, args: with(), none: true}},
		"Vacuum":     {{want: refused, args: with(), none: true}},
		"VacuumFull": {{want: refused, args: with(), none: true}},
		"Reindex":    {{want: refused, args: with(), none: true}},
		// On everybody's index of words.
		"PackSearch":    {{want: refused, args: with(), none: true}},
		"ReindexSearch": {{want: refused, args: with((func(store.SearchProgress))(nil)), none: true}},
		"SearchState":   {{want: refused, args: with(), none: true}},
	}
}

// allCalls is the table, by role and method.
func allCalls() map[string][]call {
	all := map[string][]call{}
	for role, calls := range map[string]map[string][]call{
		"Conversations": conversationCalls(),
		"Messages":      messageCalls(),
		"Suggestions":   suggestionCalls(),
		"Summaries":     summaryCalls(),
		"States":        stateCalls(),
		"Deliveries":    deliveryCalls(),
		"Search":        searchCalls(),
		"Embeddings":    embeddingCalls(),
		"Reports":       reportCalls(),
		"Maintenance":   maintenanceCalls(),
	} {
		for method, c := range calls {
			all[role+"."+method] = c
		}
	}
	return all
}

// allMethods finds the methods of every role of a scope.
func allMethods() []string {
	var names []string
	scope := reflect.TypeFor[store.Scope]()
	for i := range scope.NumMethod() {
		role := scope.Method(i)
		for j := range role.Type.Out(0).NumMethod() {
			names = append(names, role.Name+"."+role.Type.Out(0).Method(j).Name)
		}
	}
	return names
}

func everyMethodHasACall(t *testing.T) {
	var called []string
	for name := range allCalls() {
		called = append(called, name)
	}
	assert.ElementsMatch(t, allMethods(), called)
}

var methodName = regexp.MustCompile(`^(\w+)\.(\w+)$`)

// invoke calls a method by its name and returns its results or, of an iterator, its
// items, and the error.
func invoke(ctx context.Context, s store.Scope, name string, args []any) (results []any, err error) {
	parts := methodName.FindStringSubmatch(name)
	role := reflect.ValueOf(s).MethodByName(parts[1]).Call(nil)[0]
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for _, a := range args {
		in = append(in, reflect.ValueOf(a))
	}
	for _, out := range role.MethodByName(parts[2]).Call(in) {
		switch v := out.Interface().(type) {
		case error:
			err = v
		case iter.Seq2[*conversation.Conversation, error]:
			results, err = items(v)
		case iter.Seq2[*message.Message, error]:
			results, err = items(v)
		case iter.Seq2[store.StreamPart, error]:
			results, err = items(v)
		case iter.Seq2[store.Change, error]:
			results, err = items(v)
		case iter.Seq2[store.ConversationChange, error]:
			results, err = items(v)
		case nil:
		default:
			results = append(results, v)
		}
	}
	return results, err
}

func items[T any](seq iter.Seq2[T, error]) ([]any, error) {
	all, err := collect(seq)
	var out []any
	for _, v := range all {
		out = append(out, v)
	}
	return out, err
}

// nothing says whether the results have no row: zero values, lists and pages without items
// (whatever the page number and size are), and rows of reports whose figures are all zero.
func nothing(results []any) bool {
	return !slices.ContainsFunc(results, func(r any) bool {
		v := reflect.Indirect(reflect.ValueOf(r))
		if v.IsValid() && saysNothing(v) {
			return false
		}
		if v.Kind() == reflect.Struct && v.FieldByName("Items").IsValid() {
			total := v.FieldByName("Total")
			return v.FieldByName("Items").Len() > 0 || (total.IsValid() && total.Int() != 0)
		}
		if v.Kind() == reflect.Struct && v.FieldByName("Hits").IsValid() {
			return v.FieldByName("Hits").Len() > 0
		}
		if states, ok := r.([]store.ConversationStates); ok { // one for each conversation asked for
			return slices.ContainsFunc(states, func(s store.ConversationStates) bool { return s.Conversation != nil })
		}
		if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
			return v.Len() > 0
		}
		return v.IsValid() && !v.IsZero()
	})
}

// saysNothing tells whether all figures of a report are zero. Days and buckets have a row
// for everybody, whose own fields are the question and not the answer.
func saysNothing(v reflect.Value) bool {
	question := []string{"Day", "AtLeast", "Below"}
	if cost, ok := v.Interface().(decimal.Decimal); ok {
		return cost.IsZero()
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if !saysNothing(v.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.IsExported() || (!slices.Contains(question, f.Name) && !saysNothing(v.Field(i))) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// strangersFindNothing is the main test: each call as a stranger, who must find nothing, and as
// the owner, in a transaction that is rolled back, to show that there was something to find.
func strangersFindNothing(t *testing.T, st store.Store) {
	e := newEstate(t, st)
	before := dump(t, st, e.user)
	for name, calls := range allCalls() {
		for i, c := range calls {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				stranger := uuid.New()
				mine := st.ForUser(stranger)
				var visitor uuid.UUID
				if c.want != empty {
					visitor = newThread(t, mine, 0).ID
				}
				args := c.args(e, visitor)
				results, err := invoke(t.Context(), mine, name, args)
				c.check(t, results, err)
				if c.want == own {
					assert.Greater(t, owns(t, mine).Total(), int64(1), "a row beside the visitor's conversation")
				}
				checkOwner(t, st, stranger, args)
				require.Equal(t, before, dump(t, st, e.user), "the rows of the other user")
				c.checkAsOwner(t, st, e, name)
			})
		}
	}
}

func (c call) check(t *testing.T, results []any, err error) {
	t.Helper()
	switch c.want {
	case notFound:
		require.ErrorIs(t, err, store.ErrNotFound)
		assert.True(t, nothing(results), "nothing comes with the error: %+v", results)
	case refused:
		require.ErrorIs(t, err, store.ErrInvalid)
		assert.True(t, nothing(results), "nothing comes with the error: %+v", results)
	case empty:
		require.NoError(t, err)
		assert.True(t, nothing(results), "nothing is there: %+v", results)
	case own:
		require.NoError(t, err)
	}
}

// checkOwner looks at the models that were handed in: what they say is the caller's.
func checkOwner(t *testing.T, st store.Store, caller uuid.UUID, args []any) {
	t.Helper()
	for _, a := range args {
		switch m := a.(type) {
		case *conversation.Conversation:
			assert.Equal(t, caller, m.UserID)
			assert.True(t, isThere(t, st.ForUser(caller), m.ID))
		case *message.Message:
			assert.Contains(t, []uuid.UUID{uuid.Nil, caller}, m.UserID)
		case *suggestion.Suggestion:
			assert.Contains(t, []uuid.UUID{uuid.Nil, caller}, m.UserID)
		}
	}
}

// checkAsOwner makes the same call as the owner, who must get what the stranger did not.
func (c call) checkAsOwner(t *testing.T, st store.Store, e *estate, name string) {
	t.Helper()
	if c.none {
		return
	}
	run := st.Transaction
	if refusedInside(name) { // and changes nothing that has to be undone
		run = func(_ context.Context, fn func(store.Store) error) error { return fn(st) }
	}
	err := run(t.Context(), func(tx store.Store) error {
		s := tx.ForUser(e.user)
		var visitor uuid.UUID
		if c.want == refused {
			visitor = e.live.ID // a cursor of the conversation that it came from
		}
		results, err := invoke(t.Context(), s, name, c.args(e, visitor))
		require.NoError(t, err, "the owner's call")
		if c.want == empty {
			assert.False(t, nothing(results), "the owner gets something: %+v", results)
		}
		return errUndo
	})
	require.ErrorIs(t, err, errUndo)
}

// sameIDsStayApart gives two users rows with the same ids, which are unique for one user only.
// The scope of all users cannot know which is meant: it refuses or takes one, and never mixes
// them.
func sameIDsStayApart(t *testing.T, st store.Store) {
	users := []uuid.UUID{uuid.New(), uuid.New()}
	id := uuid.New()
	for _, user := range users {
		c := &conversation.Conversation{ID: id, Messages: []*message.Message{inbound("1"), inbound("2")}}
		require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
		d := &suggestion.Suggestion{ID: id, ConversationID: id, SuggestedContent: "draft"}
		require.NoError(t, st.ForUser(user).Suggestions().Create(t.Context(), d))
	}
	for _, user := range users {
		assert.Len(t, CheckConversation(t, st.ForUser(user), id), 2)
	}
	all := st.AllUsers()
	ms, err := all.Messages().List(t.Context(), id, store.MessageFilter{}, store.PageRequest{})
	takesOneOrRefuses(t, len(ms.Items), 2, err)
	ms.Items, err = all.Messages().Last(t.Context(), id, 10)
	takesOneOrRefuses(t, len(ms.Items), 2, err)
	ss, err := all.Suggestions().ListByConversation(t.Context(), id, store.PageRequest{})
	takesOneOrRefuses(t, len(ss.Items), 1, err)
	_, err = all.Conversations().Delete(t.Context(), id)
	require.ErrorIs(t, err, store.ErrConflict, "a write does not guess")
	_, err = all.Suggestions().Reject(t.Context(), id, suggestion.Review{})
	require.ErrorIs(t, err, store.ErrConflict, "a write does not guess")
}

func takesOneOrRefuses(t *testing.T, got, want int, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrConflict) {
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// nobodyIsRefused calls everything without a user.
func nobodyIsRefused(t *testing.T, st store.Store) {
	e := newEstate(t, st)
	before := dump(t, st, e.user)
	for name, calls := range allCalls() {
		t.Run(name, func(t *testing.T) {
			for _, c := range calls {
				results, err := invoke(t.Context(), st.ForUser(uuid.Nil), name, c.args(e, e.live.ID))
				require.ErrorIs(t, err, store.ErrInvalid)
				assert.True(t, nothing(results), "nothing comes with the error: %+v", results)
			}
		})
	}
	assert.Equal(t, before, dump(t, st, e.user))
	assert.Zero(t, rowsOfNobody(t, st))
}

func rowsOfNobody(t *testing.T, st store.Store) (n int64) {
	t.Helper()
	err := st.DB(t.Context()).Unscoped().Model(&conversation.Conversation{}).
		Where("user_id = ?", uuid.Nil).Count(&n).Error
	require.NoError(t, err)
	return n
}

// statementsNameTheUser reads every statement that a scope of one user runs, outside and
// inside of a transaction.
func statementsNameTheUser(t *testing.T, st store.Store) {
	rec := &Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())), withLeads())
	require.NoError(t, err)
	newThread(t, recorded.ForUser(uuid.New()), 0) // the schema has been checked
	must[store.Page[*store.MessageHit]](t)(recorded.ForUser(uuid.New()).Search().Messages(t.Context(), "a", store.TextOptions{}, page))
	e := newEstate(t, st)
	for name, calls := range allCalls() {
		t.Run(name, func(t *testing.T) {
			for _, c := range calls {
				checkStatements(t, rec, e.user, func() error {
					var err error
					undone := recorded.Transaction(t.Context(), func(tx store.Store) error {
						_, err = invoke(t.Context(), tx.ForUser(e.user), name, c.args(e, e.live.ID))
						return errUndo
					})
					require.ErrorIs(t, undone, errUndo)
					return err
				})
				wrote := checkStatements(t, rec, e.user, func() error {
					_, err := invoke(t.Context(), recorded.ForUser(e.user), name, c.args(e, e.live.ID))
					return err
				})
				if wrote {
					e = newEstate(t, st)
				}
			}
		})
	}
}

var (
	// ofTypes are questions about the types of columns, which the catalogue answers.
	ofTypes = regexp.MustCompile(`^SELECT [^"]*\bFROM (pg_attribute|pragma_table_info)\b[^"]*$`)
	// ofLists are questions about the lists of everybody's vectors, which have rows of no user.
	ofLists = regexp.MustCompile(`^SELECT [a-z_, ]+ FROM "\w*message_embedding_(partitions|centroids)" WHERE [^"]*$`)
	// ofIndex are statements on everybody's segments of the index of words, in which a search finds
	// the user's part by its keys, and the count of what is noted.
	ofIndex = regexp.MustCompile(`^[^"]*("\w+"\.)?"\w*search_(notes|segments|blocks)"[^"]*((("\w+"\.)?"\w*search_(notes|segments|blocks)")[^"]*)*$`)
	// noRows are statements that touch none.
	noRows = regexp.MustCompile(`^(BEGIN|(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) \w+|SELECT set_config\([^()]*\)(, set_config\([^()]*\))*|SELECT pg_advisory_xact_lock\([^()]*\)|` +
		`SELECT pg_advisory_xact_lock_shared\([^()]*\), \(SELECT count\(pg_advisory_xact_lock\(k\)\) FROM unnest\(CAST\([^()]* AS bigint\[\]\)\) AS k\))$`)
	// byUser is a condition on the user, or an insert that sets it.
	byUser = regexp.MustCompile(`(?is)user_id\W{0,2}\s*(=|IN\b)|INSERT INTO [^(]*\([^)]*\buser_id\b`)
)

// checkStatements looks at what do runs, and tells whether it wrote.
func checkStatements(t *testing.T, rec *Recorder, user uuid.UUID, do func() error) (wrote bool) {
	t.Helper()
	rec.Reset()
	err := do()
	if err != nil && !expected(err) {
		require.NoError(t, err)
	}
	statements := slices.DeleteFunc(rec.Statements(), func(s Statement) bool {
		return noRows.MatchString(s.SQL) || ofTypes.MatchString(s.SQL) || ofLists.MatchString(s.SQL) || ofIndex.MatchString(s.SQL)
	})
	for _, s := range statements {
		assert.Regexp(t, byUser, s.SQL)
		assert.True(t, s.Carries(user), "an argument is the user's id: %s %v", s.SQL, s.Args)
		wrote = wrote || !strings.HasPrefix(s.SQL, "SELECT")
	}
	if err == nil {
		require.NotEmpty(t, statements)
	}
	return wrote
}

// expected are the refusals that a call may meet whose arguments are meant for others.
func expected(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrInvalid)
}
