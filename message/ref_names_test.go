package message_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/convostore/convostore/message"
)

func TestNormalizeRef(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ provider, ref, want string }{
		{message.RefEmail, "<1@x>", "<1@x>"},
		{message.RefEmail, "1@x", "<1@x>"},
		{message.RefEmail, " <1@x>\r\n", "<1@x>"},
		{message.RefEmail, "no id", "no id"},
		{message.RefEmail, "", ""},
		{message.RefGmail, "19937a4d1e5f0a21", "19937a4d1e5f0a21"},
		{message.RefGmail, "19937A4D1E5F0A21", "19937a4d1e5f0a21"},
		{message.RefGmail, "0x19937a4d1e5f0a21", "19937a4d1e5f0a21"},
		{message.RefGmail, "1842843112218069537", "1993180bf8888a21"},
		{message.RefGmail, "msg-f:1842843112218069537", "1993180bf8888a21"},
		{message.RefGmail, "1234567890123456", "1234567890123456"},
		{message.RefGmail, "g-1", "g-1"},
		{message.RefGmail, "CAFE", "CAFE"},
		{message.RefGmailThread, "thread-f:1842843112218069537", "1993180bf8888a21"},
		{message.RefPostmark, "<0a1b-2c3d@mtasv.net>", "0a1b-2c3d"},
		{message.RefPostmark, "0a1b-2c3d", "0a1b-2c3d"},
		{"outlook", "AAMk=", "AAMk="},
	} {
		assert.Equal(t, tt.want, message.NormalizeRef(tt.provider, tt.ref), "%s %q", tt.provider, tt.ref)
		assert.Equal(t, tt.want, message.NormalizeRef(tt.provider, tt.want), "once is enough: %q", tt.ref)
	}
}
