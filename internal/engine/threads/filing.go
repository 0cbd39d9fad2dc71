package threads

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) File(ctx context.Context, m *message.Message, o store.FileOptions) (store.Filed, error) {
	if m == nil {
		return store.Filed{}, scope.ErrNil("message")
	}
	f, err := s.newFiler(ctx, m, o)
	if err != nil {
		return store.Filed{}, err
	}
	var filed store.Filed
	for try := 1; ; try++ {
		err = f.sc.Shared(ctx, func(tx *scope.Store) (err error) {
			filed, err = f.file(ctx, f.sc.In(tx))
			return err
		})
		// Somebody else appends the same mail without filing it, or erases its conversation.
		again := dialect.KindOf(err) == dialect.Unique || errors.Is(err, errTaken) || errors.Is(err, errMoved) || errors.Is(err, errNotWritten)
		if !again || s.sc.InTx || try == scope.MaxTries {
			break
		}
	}
	if err != nil {
		return store.Filed{}, query.Wrap("file", err)
	}
	if filed.Message != nil {
		*m = *filed.Message
		filed.Message = m
	}
	if filed.Created {
		f.sc.Noted(ctx, 1+len(filed.Merged), textBytes(m))
	}
	return filed, nil
}

// errMoved says that the conversations of a mail were merged or deleted while it was filed.
var errMoved = errors.New("convostore: the conversations of the mail changed while it was filed")

// filer files one mail. It may be tried more than once, and changes nothing of the caller's.
type filer struct {
	messages
	draft    Draft
	letter   *letter
	options  store.FileOptions
	template conversation.Conversation
	labels   []string
	by       string
	// whole says that the transaction is the caller's and may file more than this mail.
	whole bool
}

// newFiler checks a mail and its options.
func (s messages) newFiler(ctx context.Context, given *message.Message, o store.FileOptions) (*filer, error) {
	m := *given
	owner, err := s.sc.NewOwner(m.UserID)
	if err != nil {
		return nil, err
	}
	if m.ParentSeq != nil {
		return nil, rule.Invalid("parent_seq", "is given to a mail whose conversation is not known yet")
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	f := &filer{messages: messages{sc: s.sc.As(owner), sql: s.sql, hub: s.hub}, options: o, whole: s.sc.InTx}
	if f.options.Refs, err = CheckRefs(s.sc, "refs", o.Refs); err != nil {
		return nil, err
	}
	if f.options.Threads, err = CheckRefs(s.sc, "threads", o.Threads); err != nil {
		return nil, err
	}
	if err := f.prepareTemplate(ctx, o.New); err != nil {
		return nil, err
	}
	m.Kind = cmp.Or(m.Kind, message.Classify(m.Headers))
	m.GmailMessageID = message.NormalizeRef(message.RefGmail, m.GmailMessageID)
	m.GmailThreadID = message.NormalizeRef(message.RefGmailThread, m.GmailThreadID)
	// The conversation is not known yet, and any id is as good for the checks.
	if f.draft, err = NewDraft(ctx, f.sc, uuid.Max, &m); err != nil {
		return nil, err
	}
	if m.IdempotencyKey == m.EmailMessageID {
		m.IdempotencyKey = ""
		f.draft.keys = slices.DeleteFunc(f.draft.keys, func(k messageKey) bool { return k.column == keyIdempotency })
	}
	f.letter = newLetter(&m, f.options)
	return f, nil
}

// prepareTemplate checks what a new conversation is like.
func (f *filer) prepareTemplate(ctx context.Context, given *conversation.Conversation) error {
	if given == nil {
		return nil
	}
	c := *given
	for _, label := range c.Labels {
		if label == nil {
			return scope.ErrNil("label")
		}
		if label.ConversationID != uuid.Nil || label.UserID != uuid.Nil || !label.CreatedAt.IsZero() {
			return rule.Invalid("labels", "have more than a label and who gave it")
		}
		f.labels, f.by = append(f.labels, label.Label), cmp.Or(f.by, label.CreatedBy)
	}
	var err error
	if f.labels, err = checkLabels(f.sc, f.labels); err != nil {
		return err
	}
	c.Labels = nil
	if len(c.Messages) > 0 {
		return rule.Invalid("messages", "are not stored with the conversation of a mail")
	}
	if err := checkOnlyMessages(&c); err != nil {
		return err
	}
	f.template = c
	_, err = newConversation(ctx, f.sc, &c)
	f.template.LeadID, f.template.App = c.LeadID, c.App // cleaned
	return err
}

// file is one attempt, in a transaction.
func (f *filer) file(ctx context.Context, sc scope.Scope) (store.Filed, error) {
	l := lookup{sc: sc, db: query.On(ctx, sc.Writer), letter: f.letter}
	if err := lockFiling(l, f.whole); err != nil {
		return store.Filed{}, err
	}
	if known, err := f.known(l); err != nil || known != nil {
		if err != nil {
			return store.Filed{}, err
		}
		return f.again(l, known)
	}
	c, err := f.choose(l)
	if err != nil {
		return store.Filed{}, err
	}
	if len(c.chosen) == 0 && f.options.SkipDeleted {
		t, err := c.deletedThread()
		if err != nil {
			return store.Filed{}, err
		}
		if t != nil {
			conv, err := getConversation(sc, l.db, t.ID, store.IncludeDeleted)
			return store.Filed{Conversation: conv}, err
		}
	}
	return f.store(ctx, sc, c)
}

// choose finds the conversations of a mail that is new, and locks them.
func (f *filer) choose(l lookup) (*chooser, error) {
	hits, err := l.find()
	if err != nil {
		return nil, err
	}
	candidates, err := l.candidates(hits, true)
	if err != nil {
		return nil, err
	}
	for _, t := range candidates {
		if t.merged {
			return nil, errMoved
		}
	}
	c := newChooser(l, hits, candidates, f.template.LeadID, f.template.App)
	err = c.choose()
	return c, err
}

// store appends the mail.
func (f *filer) store(ctx context.Context, sc scope.Scope, c *chooser) (filed store.Filed, err error) {
	var id uuid.UUID
	switch len(c.chosen) {
	case 0:
		filed.Begun = true
		id, err = f.begin(ctx, sc)
	default:
		id, filed.Merged, err = f.join(ctx, c)
	}
	if err != nil {
		return filed, err
	}
	d := f.draft.Into(id)
	if filed.Created, err = f.sql.AppendOne(ctx, sc, d); err != nil {
		return filed, err
	}
	filed.Message = d.Message
	if filed.Created {
		if err := f.note(c, d.ID); err != nil {
			return filed, err
		}
	}
	filed.Conversation, err = getConversation(sc, c.db, d.ConversationID, store.IncludeDeleted)
	return filed, err
}

// note stores the names of a new message.
func (f *filer) note(c *chooser, id uuid.UUID) error {
	refs := slices.Clone(f.options.Refs)
	refs = append(refs, f.options.Threads...)
	refs = slices.DeleteFunc(refs, func(r message.Ref) bool {
		return slices.ContainsFunc(columnRefs(f.letter.Message), func(o message.Ref) bool { return o.Provider == r.Provider && o.Ref == r.Ref })
	})
	if err := AddRefs(c.sc, c.db, id, refs); err != nil {
		return err
	}
	var rows [][]any
	for of, names := range c.notes() {
		if of == uuid.Nil {
			of = id
		}
		for _, r := range names {
			rows = append(rows, []any{of, c.sc.User, c.sc.Instant(), false, r.Provider, r.Ref})
		}
	}
	for part := range slices.Chunk(rows, 50) {
		q := query.New("INSERT INTO " + c.sc.Tables.Refs + " (" + refColumns + ") VALUES ")
		for i, row := range part {
			if i > 0 {
				q.Add(", ")
			}
			q.Add("("+query.Marks(len(row))+")", row...)
		}
		if _, err := q.Add(" ON CONFLICT DO NOTHING").Exec(c.db); err != nil {
			return err
		}
	}
	return nil
}

// begin makes the conversation of a mail that has none.
func (f *filer) begin(ctx context.Context, sc scope.Scope) (uuid.UUID, error) {
	c := f.template
	if c.Subject == "" {
		c.Subject, _ = baseSubject(f.letter.Headers.Get("Subject"))
	}
	if _, err := prepareConversation(sc, &c); err != nil {
		return uuid.Nil, err
	}
	if err := insertConversation(ctx, sc, &c, ""); err != nil {
		return uuid.Nil, err
	}
	if len(f.labels) == 0 {
		return c.ID, nil
	}
	_, err := conversations{sc: sc, hub: f.hub}.AddLabels(ctx, c.ID, f.by, f.labels)
	return c.ID, err
}

// join makes the conversations of a mail one, and gives it the lead that one of them or the mail has.
func (f *filer) join(ctx context.Context, c *chooser) (uuid.UUID, []uuid.UUID, error) {
	heir, err := c.oldest()
	if err != nil {
		return uuid.Nil, nil, err
	}
	var merged []uuid.UUID
	for _, t := range c.chosen {
		if t == heir {
			continue
		}
		done, err := mergeFiled(ctx, c.sc, t.ID, heir.ID)
		if err != nil {
			return uuid.Nil, nil, err
		}
		if done {
			merged = append(merged, t.ID)
		}
	}
	if heir.lead == "" && c.lead != "" {
		_, err = query.New("UPDATE "+c.sc.Tables.Conversations+" SET lead_id = ?, updated_at = ? WHERE id = ? AND user_id = ?",
			c.lead, c.sc.Instant(), heir.ID, heir.User).Exec(c.db)
	}
	return heir.ID, merged, err
}

// oldest returns the chosen conversation with the oldest message.
func (c *chooser) oldest() (*candidate, error) {
	if len(c.chosen) == 1 {
		return c.chosen[0], nil
	}
	ids := make([]uuid.UUID, len(c.chosen))
	for i, t := range c.chosen {
		ids[i] = t.ID
	}
	type first struct {
		id uuid.UUID
		at record.Instant
	}
	var rows []first
	for _, id := range ids {
		f := first{id: id}
		q := query.New("SELECT sent_at FROM "+c.sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? ORDER BY seq", id, c.sc.User)
		all, err := query.All(c.db, q, func(at *record.Instant) []any { return []any{at} })
		if err != nil {
			return nil, err
		}
		for i, at := range all {
			if i == 0 || time.Time(*at).Before(time.Time(f.at)) {
				f.at = *at
			}
		}
		rows = append(rows, f)
	}
	oldest := slices.MinFunc(rows, func(a, b first) int {
		return cmp.Or(time.Time(a.at).Compare(time.Time(b.at)), slices.Compare(a.id[:], b.id[:]))
	})
	return c.chosen[slices.Index(ids, oldest.id)], nil
}
