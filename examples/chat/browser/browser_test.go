package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/convostore/convostore/internal/browsertest"
)

// program is the chat.
var program string

func TestMain(m *testing.M) {
	stop := browsertest.Start()
	if !browsertest.Running() {
		os.Exit(m.Run()) // each test says that it is missing
	}
	dir, err := os.MkdirTemp("", "convostore-chat")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "chat")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	stop()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
