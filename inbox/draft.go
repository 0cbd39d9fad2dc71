package inbox

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// draftView is a draft as a page shows it.
type draftView struct {
	*frame
	Base   string
	Query  template.URL
	ID     uuid.UUID
	Status string
	// Open says that it waits for a decision, Overtaken that a newer mail has come since it was made.
	Open, Overtaken, Expired bool
	// Text is what is in the field: the edit that was saved, or else what was suggested.
	Text, Suggested string
	// Original is what was suggested, as people read it.
	Original          string
	Confidence, Level string
	Sentiment         []pair
	SentimentMore     string
	Context           string
	Model, Tokens     string
	Cost              string
	AnswersSeq        int64
	AnswersID         uuid.UUID
	SavedBy           string
	SavedByMe         bool
	Saved             stamp
	// Expected is the draft that a save expects to find.
	Expected string
	Diff     []diffPart
	Created  stamp
	// By, Reviewed and Feedback are those of the decision, and Final is what it sends.
	By, Feedback, Final string
	Reviewed            stamp
	Sent                bool
	CanReopen           bool
	CanSendNow          bool
	CanDecide, CanSend  bool
	LastSeq             int64
}

// pair is a name and what is said of it.
type pair struct{ Name, Value string }

// fillDrafts picks the draft that the page is about: the latest that waits, or else the latest of
// all if nobody has decided on it. The others are the former ones, the latest first.
func (r *request) fillDrafts(page *threadPage, all []*suggestion.Suggestion) {
	current := -1
	for i, s := range all {
		if s.Status == suggestion.StatusPending {
			current = i
		}
	}
	if last := len(all) - 1; current < 0 && last >= 0 && undecided(all[last]) {
		current = last
	}
	for i := len(all) - 1; i >= 0; i-- {
		v := r.draftView(page, all[i])
		if i == current {
			page.Draft = v
			continue
		}
		page.Former = append(page.Former, v)
	}
	page.CanReply = page.CanSend && page.Draft == nil
}

// undecided tells a draft that was overtaken or expired: it can still be approved.
func undecided(s *suggestion.Suggestion) bool {
	return s.Status == suggestion.StatusSuperseded || s.Status == suggestion.StatusExpired
}

func (r *request) draftView(page *threadPage, s *suggestion.Suggestion) *draftView {
	v := &draftView{
		frame: page.frame, Base: page.Base, Query: page.Query, ID: s.ID, Status: suggestionLabel(s.Status),
		Open: s.Status == suggestion.StatusPending, Overtaken: s.Status == suggestion.StatusSuperseded, Expired: s.Status == suggestion.StatusExpired,
		Suggested: newlines(s.SuggestedContent), Original: printable(s.SuggestedContent), Model: oneLine(s.ModelUsed), AnswersSeq: s.AnswersSeq,
		Context: document(s.ContextUsed), SavedBy: oneLine(s.DraftBy), SavedByMe: s.DraftBy == r.op.ID, Saved: r.at(s.DraftAt), Expected: expectedOf(s),
		Created: r.stamp(s.CreatedAt), By: oneLine(s.ReviewedBy), Feedback: printable(s.Feedback), Final: printable(s.FinalContent()),
		Reviewed: r.at(s.ReviewedAt), Sent: s.Sent(), CanDecide: page.CanDecide, CanSend: page.CanSend, LastSeq: page.LastSeq,
		CanSendNow: s.Status.Sendable() && !s.Sent() && page.CanSend,
		CanReopen:  s.Status == suggestion.StatusRejected && !s.Sent() && page.CanDecide,
	}
	if s.InReplyToMessageID != nil {
		v.AnswersID = *s.InReplyToMessageID
	}
	v.Confidence, v.Level = confidence(s.ConfidenceScore)
	v.Sentiment, v.SentimentMore = sentiment(s.SentimentAnalysis)
	if s.TokensUsed > 0 {
		v.Tokens = strconv.FormatInt(s.TokensUsed, 10)
	}
	if !s.GenerationCost.IsZero() {
		v.Cost = s.GenerationCost.String()
	}
	v.setText(textOf(s))
	return v
}

// setText sets the text of the field, and the diff to what was suggested.
func (v *draftView) setText(text string) {
	v.Text = text
	v.Diff = wordDiff(v.Suggested, text)
}

// textOf is the text that would go out now: the edit that was saved, or else what was suggested.
func textOf(s *suggestion.Suggestion) string {
	for _, text := range []string{s.DraftContent, s.EditedContent} {
		if text != "" {
			return newlines(text)
		}
	}
	return newlines(s.SuggestedContent)
}

// expectedOf names the saved draft of a suggestion, to the microsecond.
func expectedOf(s *suggestion.Suggestion) string {
	if s.DraftAt == nil {
		return ""
	}
	return s.DraftAt.UTC().Format(time.RFC3339Nano)
}

func suggestionLabel(s suggestion.Status) string {
	switch s {
	case suggestion.StatusPending:
		return "Waits for you"
	case suggestion.StatusApproved:
		return "Approved"
	case suggestion.StatusEdited:
		return "Approved with changes"
	case suggestion.StatusRejected:
		return "Rejected"
	case suggestion.StatusSuperseded:
		return "Newer mail came"
	case suggestion.StatusExpired:
		return "Expired"
	}
	return oneLine(s.String())
}

// sentiment reads the pairs of an analysis, the simple ones as they are. What is nested is shown as a
// document.
func sentiment(doc suggestion.JSON) (pairs []pair, more string) {
	const most = 12
	if doc.IsEmpty() {
		return nil, ""
	}
	decoder := json.NewDecoder(strings.NewReader(doc.String()))
	decoder.UseNumber()
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, document(doc)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, document(doc)
		}
		value, err := decoder.Token()
		if _, nested := value.(json.Delim); err != nil || nested || len(pairs) == most {
			return nil, document(doc)
		}
		text, _ := name.(string)
		pairs = append(pairs, pair{oneLine(text), oneLine(scalar(value))})
	}
	return pairs, ""
}

func scalar(value json.Token) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "yes"
		}
		return "no"
	}
	return "–"
}

// saved is the answer to a draft that the page saved by itself.
type saved struct {
	// Expected is for the next save, and At is when this one was, for people.
	Expected string `json:"expected"`
	At       string `json:"at"`
	// Diff is HTML: what was changed of the suggestion.
	Diff template.HTML `json:"diff"`
	// By and Text are those of somebody else's draft, which stands in the way.
	By    string `json:"by,omitempty"`
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// saveDraft keeps an edit that is not finished.
func (r *request) saveDraft() error {
	d, err := r.readDecision()
	if err != nil {
		return err
	}
	s, err := r.suggestionOf(r.mine(), d.suggestion)
	if err == nil {
		s, err = r.keep(r.mine(), s, d)
	}
	if err != nil {
		return r.conflict(d, err)
	}
	if wantsJSON(r.Request) {
		diff, err := r.in.diffHTML(wordDiff(newlines(s.SuggestedContent), textOf(s)))
		if err != nil {
			return err
		}
		r.answerJSON(http.StatusOK, saved{Expected: expectedOf(s), At: r.stamp(r.now).Full, Diff: diff})
		return nil
	}
	return r.redirect(r.path(r.user, r.id) + "?" + string(d.place.Query()) + "#draft")
}

// keep saves the text of a decision as the draft of a suggestion, if it is the one that the form had. A
// text that is what was suggested is no draft.
func (r *request) keep(mine store.Scope, s *suggestion.Suggestion, d *decision) (*suggestion.Suggestion, error) {
	text := d.text
	if text == newlines(s.SuggestedContent) {
		text = ""
	}
	if text == "" && s.DraftAt == nil && d.expected.IsZero() {
		return s, nil
	}
	return mine.Suggestions().SaveDraft(r.Context(), s.ID, text, store.SaveOptions{By: r.op.ID, Expected: &d.expected})
}

// suggestionOf reads a suggestion of the conversation in the path.
func (r *request) suggestionOf(mine store.Scope, id uuid.UUID) (*suggestion.Suggestion, error) {
	s, err := mine.Suggestions().Get(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if s.ConversationID != r.id {
		return nil, store.ErrNotFound
	}
	return s, nil
}

func (in *Inbox) diffHTML(parts []diffPart) (template.HTML, error) {
	var b strings.Builder
	err := in.pages["thread"].ExecuteTemplate(&b, "diff", parts)
	return template.HTML(b.String()), err // a template made it
}

// wantsJSON tells a request of the page's script from one of a form.
func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

func (r *request) answerJSON(code int, body any) {
	r.w.Header().Set("Content-Type", "application/json")
	r.w.WriteHeader(code)
	_ = json.NewEncoder(r.w).Encode(body) // who has gone needs no answer
}

// draftConflict returns the suggestion whose draft somebody else has saved, if that is the error.
func draftConflict(err error) *suggestion.Suggestion {
	if taken := new(store.DraftConflictError); errors.As(err, &taken) {
		return taken.Suggestion
	}
	return nil
}
