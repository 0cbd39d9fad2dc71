package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// found returns the contents of the messages that a search finds, sorted.
func (w *world) found(t testing.TB, query string, o store.TextOptions) (contents []string) {
	t.Helper()
	page, err := w.mine.Search().Messages(t.Context(), query, o, store.PageRequest{})
	require.NoError(t, err)
	for _, hit := range page.Items {
		contents = append(contents, hit.Message.Content)
	}
	slices.Sort(contents)
	return contents
}

// testSearchIn looks for words in other places than the content, and only where it is asked to.
func testSearchIn(t *testing.T, w *world) {
	c := w.create(t, &conversation.Conversation{})
	w.append(t, c, &message.Message{
		Role: message.RoleUser, Content: "see the enclosed file", Attachments: message.Attachments{{Filename: "roof-report 2026.pdf"}, {Filename: "leak.jpg"}},
	})
	w.append(t, c, &message.Message{
		Role: message.RoleTool, Content: "done", ToolResults: message.JSON(`[{"id": "call", "content": "seven degrees in Bergen"}]`),
	})
	w.append(t, c, &message.Message{
		Role: message.RoleUser, Content: "no roof here", Metadata: message.JSON(`{"campaign": "spring roof", "n": 7, "deep": [{"town": "Bergen"}]}`),
	})
	everywhere := []store.TextField{store.InContent, store.InAttachments, store.InToolResults, store.InMetadata}
	for _, tt := range []struct {
		query string
		in    []store.TextField
		want  []string
	}{
		{"roof", nil, []string{"no roof here"}},
		{"roof", []store.TextField{store.InAttachments}, []string{"see the enclosed file"}},
		{"pdf leak", []store.TextField{store.InAttachments}, []string{"see the enclosed file"}},
		{`"pdf leak"`, []store.TextField{store.InAttachments}, nil}, // of two names
		{"bergen", nil, nil},
		{"bergen", []store.TextField{store.InToolResults}, []string{"done"}},
		{"bergen", []store.TextField{store.InMetadata}, []string{"no roof here"}},
		{"campaign", []store.TextField{store.InMetadata}, nil}, // a key
		{"bergen", everywhere, []string{"done", "no roof here"}},
		{"enclosed report", everywhere, []string{"see the enclosed file"}},
		{"roof -spring", everywhere, []string{"see the enclosed file"}},
		{"roof bergen", everywhere, []string{"no roof here"}},
	} {
		for _, order := range []store.TextOrder{store.ByRank, store.Newest} {
			require.Equal(t, tt.want, w.found(t, tt.query, store.TextOptions{In: tt.in, Order: order}), "%s in %v", tt.query, tt.in)
		}
	}
	for _, o := range []store.TextOptions{
		{In: []store.TextField{9}}, {In: []store.TextField{-1}}, {Match: store.MatchSubstring, In: []store.TextField{store.InMetadata}},
	} {
		_, err := w.mine.Search().Messages(t.Context(), "roof", o, store.PageRequest{})
		invalid(t, err, "in")
	}
}

// testSearchFilters: kinds, labels and texts of the metadata, in each way to search by text.
func testSearchFilters(t *testing.T, w *world) {
	ctx := t.Context()
	plain, urgent := w.create(t, &conversation.Conversation{Title: "otter"}), w.create(t, &conversation.Conversation{Title: "otter", App: "desk"})
	db := w.st.DB(ctx)
	for _, label := range []string{"urgent", "vip"} {
		require.NoError(t, db.Create(&conversation.Label{ConversationID: urgent.ID, UserID: urgent.UserID, Label: label}).Error)
	}
	w.append(t, plain, &message.Message{Role: message.RoleUser, Content: "otter plain", Metadata: message.JSON(`{"a": "1", "b": "x"}`)})
	w.append(t, plain, &message.Message{Role: message.RoleUser, Kind: message.KindNote, Content: "otter note", Metadata: message.JSON(`{"a": 1}`)})
	w.append(t, urgent, &message.Message{Role: message.RoleUser, Content: "otter urgent", Metadata: message.JSON(`["a", "1"]`)})
	w.append(t, urgent, &message.Message{Role: message.RoleUser, Content: "otter odd", Metadata: message.JSON(`{"a\"b'": "\"1\"", "0": "1"}`)})
	all := []string{"otter note", "otter odd", "otter plain", "otter urgent"}
	for name, tt := range map[string]struct {
		filter store.SearchFilter
		want   []string
	}{
		"none":            {store.SearchFilter{}, all},
		"notes":           {store.SearchFilter{Kinds: []message.Kind{message.KindNote}}, []string{"otter note"}},
		"kinds":           {store.SearchFilter{Kinds: []message.Kind{message.KindNote, message.KindMessage, message.KindNote}}, all},
		"label":           {store.SearchFilter{Labels: []string{"urgent"}}, []string{"otter odd", "otter urgent"}},
		"any label":       {store.SearchFilter{Labels: []string{"none", "vip", "urgent"}}, []string{"otter odd", "otter urgent"}},
		"app":             {store.SearchFilter{App: "desk"}, []string{"otter odd", "otter urgent"}},
		"no such app":     {store.SearchFilter{App: "Desk"}, nil},
		"no such label":   {store.SearchFilter{Labels: []string{"none"}}, nil},
		"metadata":        {store.SearchFilter{Metadata: []store.MetadataText{{Key: "a", Value: "1"}}}, []string{"otter plain"}},
		"two texts":       {store.SearchFilter{Metadata: []store.MetadataText{{Key: "a", Value: "1"}, {Key: "b", Value: "x"}}}, []string{"otter plain"}},
		"one of two":      {store.SearchFilter{Metadata: []store.MetadataText{{Key: "a", Value: "1"}, {Key: "b", Value: "X"}}}, nil},
		"signs":           {store.SearchFilter{Metadata: []store.MetadataText{{Key: `a"b'`, Value: `"1"`}}}, []string{"otter odd"}},
		"a key of digits": {store.SearchFilter{Metadata: []store.MetadataText{{Key: "0", Value: "1"}}}, []string{"otter odd"}},
	} {
		for _, o := range []store.TextOptions{{}, {Order: store.Newest}, {Match: store.MatchSubstring}} {
			o.Filter = tt.filter
			require.Equal(t, tt.want, w.found(t, "otter", o), name)
		}
	}
	for _, f := range []store.SearchFilter{{Labels: []string{"vip"}}, {App: "desk"}} {
		page, err := w.mine.Search().Conversations(ctx, "otter", store.TextOptions{Filter: f}, store.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, urgent.ID, page.Items[0].Conversation.ID)
		require.EqualValues(t, 2, page.Items[0].Messages)
	}
	for field, filter := range map[string]store.SearchFilter{
		"app":      {App: strings.Repeat("a", 1025)},
		"kinds":    {Kinds: []message.Kind{""}},
		"labels":   {Labels: []string{""}},
		"metadata": {Metadata: []store.MetadataText{{Value: "1"}}},
	} {
		_, err := w.mine.Search().Messages(ctx, "otter", store.TextOptions{Filter: filter}, store.PageRequest{})
		invalid(t, err, field)
	}
	_, err := w.mine.Search().Messages(ctx, "otter", store.TextOptions{Filter: store.SearchFilter{Labels: make([]string, 101)}}, store.PageRequest{})
	invalid(t, err, "labels")
	_, err = w.mine.Search().Messages(ctx, "otter", store.TextOptions{Filter: store.SearchFilter{Metadata: make([]store.MetadataText, 21)}}, store.PageRequest{})
	invalid(t, err, "metadata")
}
