package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// series is a report by day, in every order and with and without empty days.
func series[T any](
	get func(store.Reports, context.Context, store.Days) ([]T, error), want func(*oracle, store.Period) []T,
) reportComparison {
	return reportComparison{byDay: true, run: func(t *testing.T, c comparison) {
		choices := []store.Days{{}, {NewestFirst: true, OmitEmpty: true}}
		if c.period.Period == (store.Period{}) {
			choices = append(choices, store.Days{NewestFirst: true}, store.Days{OmitEmpty: true})
		}
		for _, ask := range choices {
			ask.Period = c.period.Period
			rows := want(c.oracle, ask.Period)
			if ask.OmitEmpty {
				rows = slices.DeleteFunc(rows, func(row T) bool { return isEmptyDay(t, row) })
			}
			if ask.NewestFirst {
				slices.Reverse(rows)
			}
			got, err := get(c.reports, t.Context(), ask)
			sameRows(t, fmt.Sprintf("%s, newest first %t, without empty days %t", c.name, ask.NewestFirst, ask.OmitEmpty), rows, got, err)
		}
	}}
}

// isEmptyDay tells whether a row of a series has nothing but its day.
func isEmptyDay(t testing.TB, row any) bool {
	t.Helper()
	doc, err := json.Marshal(row)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(doc, &fields))
	require.Contains(t, fields, "date")
	delete(fields, "date")
	delete(fields, "start")
	return isNothing(fields)
}

// isNothing tells whether a JSON value is 0, or has nothing but zeros.
func isNothing(v any) bool {
	if fields, ok := v.(map[string]any); ok {
		for _, field := range fields {
			if !isNothing(field) {
				return false
			}
		}
		return true
	}
	return v == nil || fmt.Sprint(v) == "0"
}

// testReportsDaysChosen: a series is turned around and thinned out on request, and is empty and not
// nil if all of its days are.
func testReportsDaysChosen(t *testing.T, w *world) {
	ctx := t.Context()
	four := store.Period{Since: worldBegin, Before: worldBegin.AddDate(0, 0, 4)}
	c := w.conversation(t)
	for _, at := range []int{0, 2} {
		require.NoError(t, w.mine.Suggestions().Create(ctx, &suggestion.Suggestion{
			ConversationID: c.ID, SuggestedContent: "draft", CreatedAt: worldBegin.AddDate(0, 0, at),
		}))
	}
	r := w.mine.Reports()
	dates := func(days []store.DaySuggestions, err error) (dates []string) {
		require.NoError(t, err)
		for _, d := range days {
			dates = append(dates, d.Date)
		}
		return dates
	}
	all := dates(r.SuggestionsByDay(ctx, store.Days{Period: four}))
	require.Len(t, all, 4)
	require.Equal(t, []string{all[3], all[2], all[1], all[0]}, dates(r.SuggestionsByDay(ctx, store.Days{Period: four, NewestFirst: true})))
	require.Equal(t, []string{all[0], all[2]}, dates(r.SuggestionsByDay(ctx, store.Days{Period: four, OmitEmpty: true})))
	require.Equal(t, []string{all[2], all[0]}, dates(r.SuggestionsByDay(ctx, store.Days{Period: four, NewestFirst: true, OmitEmpty: true})))
	none, err := w.other().Reports().SuggestionsByDay(ctx, store.Days{Period: four, OmitEmpty: true})
	require.NoError(t, err)
	require.NotNil(t, none)
	require.Empty(t, none)
}
