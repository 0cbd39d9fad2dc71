package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A question of Friday evening that is answered on Monday morning took ten minutes.
func ExampleNewCalendar() {
	calendar, err := store.NewCalendar(store.BusinessHours{
		Zone:     time.FixedZone("UTC+1", 60*60), // or of time.LoadLocation
		Week:     store.Workdays(store.Span{From: 9 * time.Hour, To: 18 * time.Hour}),
		Holidays: []store.Holiday{{Date: "2026-12-25"}},
	})
	must(err)
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	asked := time.Date(2026, time.November, 27, 16, 55, 0, 0, time.UTC)
	must(mine.Conversations().Create(ctx, &conversation.Conversation{CreatedAt: asked, Messages: []*message.Message{
		{Direction: message.DirectionInbound, Content: "Is it still free?", SentAt: asked},
		{Direction: message.DirectionOutbound, Content: "It is.", SentAt: asked.Add(63*time.Hour + 10*time.Minute)},
	}}))

	for _, c := range []*store.Calendar{nil, calendar} {
		times, err := mine.Reports().ResponseTimes(ctx, store.Period{Calendar: c})
		must(err)
		fmt.Println(times.Median)
	}
	// Output:
	// 63h10m0s
	// 10m0s
}

// What is due when, and what is late?
func ExampleCalendar_Add() {
	calendar, err := store.NewCalendar(store.BusinessHours{
		Week:     store.Workdays(store.Span{From: 9 * time.Hour, To: 18 * time.Hour}),
		Holidays: []store.Holiday{{Date: "2026-12-24", Open: []store.Span{{From: 9 * time.Hour, To: 12 * time.Hour}}}, {Date: "2026-12-25"}},
	})
	must(err)
	asked := time.Date(2026, time.December, 24, 11, 0, 0, 0, time.UTC)
	due, _ := calendar.Add(asked, 4*time.Hour)
	fmt.Println("due", due.Format(time.DateTime))

	now := time.Date(2026, time.December, 28, 11, 30, 0, 0, time.UTC)
	fmt.Println("left", calendar.Open(now, due))
	late, _ := calendar.Add(now, -4*time.Hour)
	fmt.Println("late if it came before", late.Format(time.DateTime))
	// Output:
	// due 2026-12-28 12:00:00
	// left 30m0s
	// late if it came before 2026-12-24 10:30:00
}
