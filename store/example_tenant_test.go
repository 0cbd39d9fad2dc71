package store_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// The users of this host have numbers: 42 is a bigint in its table of users.
func ExampleTenantID() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)

	forUser := func(id int64) store.Scope { return st.ForUser(store.TenantID(strconv.FormatInt(id, 10))) }
	c := &conversation.Conversation{Title: "Holiday plans"}
	must(forUser(42).Conversations().Create(ctx, c))
	fmt.Println(c.UserID)

	_, err = forUser(43).Conversations().Get(ctx, c.ID)
	fmt.Println(err)
	// Output:
	// 214ce0b0-ea90-5e4e-ac1c-0602fbf6b802
	// convostore: not found
}
