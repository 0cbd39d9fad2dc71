package inbox

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// searchPage is the content of a search.
type searchPage struct {
	Text, Lead, Label, Order string
	Archived                 bool
	Hits                     []*hit
	Next                     template.URL
	Asked                    bool
}

// hit is a conversation that was found.
type hit struct {
	Link            string
	ID, User        string
	Heading, LeadID string
	Status          string
	Last            stamp
	Messages        int64
	Snippet         template.HTML
}

// search finds conversations by their words.
func (r *request) search() error {
	q := r.URL.Query()
	body := &searchPage{Text: q.Get("q"), Lead: q.Get("lead"), Label: q.Get("label"), Order: q.Get("sort"), Archived: q.Has("archived")}
	o := store.TextOptions{Filter: store.SearchFilter{LeadID: body.Lead}}
	switch body.Order {
	case "":
	case "newest":
		o.Order = store.Newest
	default:
		return rule.Invalid("sort", "is not newest")
	}
	if body.Label != "" {
		o.Filter.Labels = []string{body.Label}
	}
	if !body.Archived {
		o.Filter.Statuses = conversation.OpenStatuses()
	}
	if body.Asked = strings.TrimSpace(body.Text) != ""; body.Asked {
		const size = 30
		list, err := r.rows().Search().Conversations(r.Context(), body.Text, o, store.PageRequest{Limit: size, After: store.Cursor(q.Get("after"))})
		if err != nil {
			return err
		}
		for _, h := range list.Items {
			body.Hits = append(body.Hits, r.hit(h))
		}
		if list.Next != "" {
			body.Next = nextSearch(q, list.Next)
		}
	}
	f := r.frame("Search")
	f.Tab, f.Search, f.Body = "search", body.Text, body
	return r.render(http.StatusOK, "search", f)
}

func nextSearch(q url.Values, next store.Cursor) template.URL {
	to := url.Values{}
	for _, name := range []string{"q", "lead", "label", "sort", "archived"} {
		if q.Has(name) {
			to.Set(name, q.Get(name))
		}
	}
	to.Set("after", string(next))
	return template.URL(to.Encode())
}

func (r *request) hit(h *store.ConversationHit) *hit {
	c := h.Conversation
	v := &hit{
		Link: r.path(c.UserID, c.ID), ID: c.ID.String(), User: c.UserID.String(), Heading: headingOf(c), LeadID: oneLine(c.LeadID),
		Status: statusLabel(c.Status), Last: r.stamp(c.LastMessageAt), Messages: h.Messages,
		// The snippet escapes what it does not mark itself.
		Snippet: template.HTML(printable(h.Snippet.HTML())),
	}
	return v
}
