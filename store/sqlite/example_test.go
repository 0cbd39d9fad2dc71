package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/convostore/convostore/store/sqlite"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "chat")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of an example
	st, err := sqlite.Open(context.Background(), filepath.Join(dir, "chat.db"),
		sqlite.WithSynchronous(sqlite.Normal), // faster, and a power cut may lose the last moments
		sqlite.WithMaxConns(8),
		sqlite.WithConnMaxIdleTime(time.Minute))
	if err != nil {
		panic(err)
	}
	defer st.Close() //nolint:errcheck // nothing was written
	for _, pool := range st.Health().PoolStats() {
		fmt.Println(pool.Name, pool.MaxOpenConnections)
	}
	// Output:
	// writer 1
	// reader 8
}
