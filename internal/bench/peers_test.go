package bench

import "testing"

func peerFigures(t *testing.T) { t.Skip("later") }
