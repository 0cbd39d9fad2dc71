package inbox

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// mergePage offers the conversations that this one may go into.
type mergePage struct {
	Base    string
	Query   template.URL
	Heading string
	Text    string
	Choices []mergeChoice
}

// mergeChoice is one of them.
type mergeChoice struct {
	ID      uuid.UUID
	Heading string
	Last    stamp
	Status  string
}

// mergeForm asks which conversation this one goes into: one of the same lead, or one whose title or
// subject has a text.
func (r *request) mergeForm() error {
	p, err := readPlace(r.URL.Query())
	if err != nil {
		return err
	}
	c, err := r.mine().Conversations().Get(r.Context(), r.id)
	if err != nil {
		return err
	}
	text := r.URL.Query().Get("find")
	body := &mergePage{Base: r.path(r.user, r.id), Query: p.Query(), Heading: headingOf(c), Text: text}
	if text != "" || c.LeadID != "" {
		filter := store.ConversationFilter{Text: text}
		if text == "" {
			filter.LeadID = c.LeadID
		}
		const most = 30
		list, err := r.mine().Conversations().List(r.Context(), filter, store.PageRequest{Limit: most})
		if err != nil {
			return err
		}
		for _, one := range list.Items {
			if one.ID != c.ID {
				body.Choices = append(body.Choices, mergeChoice{one.ID, headingOf(one), r.stamp(one.LastMessageAt), statusLabel(one.Status)})
			}
		}
	}
	f := r.frame("Merge " + body.Heading)
	f.Tab, f.Body = "queue", body
	return r.render(http.StatusOK, "merge", f)
}

// merge makes one conversation of two, and goes on to what is left.
func (r *request) merge() error {
	into, err := mergeTarget(r.PostForm.Get("into"))
	if err != nil {
		return err
	}
	heir, err := r.mine().Conversations().Merge(r.Context(), r.id, into, store.MoveOptions{AcrossLeads: r.PostForm.Has("across")})
	if err != nil {
		return err
	}
	p, queued, err := r.formPlace()
	if err != nil {
		return err
	}
	q := url.Values{}
	if queued {
		q = p.values()
	}
	q.Set("done", "merged")
	return r.redirect(r.path(heir.UserID, heir.ID) + "?" + q.Encode())
}

// mergeTarget reads an id, or the address of a conversation's page, which ends with one.
func mergeTarget(text string) (uuid.UUID, error) {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "?")
	text = text[strings.LastIndex(text, "/")+1:]
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, rule.Invalid("into", "is neither the id nor the address of a conversation")
	}
	return id, nil
}
