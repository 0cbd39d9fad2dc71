package browser

import (
	"os"
	"testing"

	"github.com/convostore/convostore/internal/browsertest"
)

func TestMain(m *testing.M) {
	stop := browsertest.Start()
	code := m.Run()
	stop()
	os.Exit(code)
}
