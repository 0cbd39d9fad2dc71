package message_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/convostore/convostore/message"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	const (
		person = message.KindMessage
		auto   = message.KindAutoReply
		bounce = message.KindBounce
	)
	for _, c := range []struct {
		want    message.Kind
		headers message.Headers
	}{
		{person, nil},
		{person, message.Headers{"From": {"a@b.example"}, "Subject": {"Out of office"}}},
		{person, message.Headers{"Auto-Submitted": {"no"}}},
		{person, message.Headers{"Auto-Submitted": {" No (a comment)"}}},
		{person, message.Headers{"Auto-Submitted": {""}}},
		{auto, message.Headers{"Auto-Submitted": {"auto-replied"}}},
		{auto, message.Headers{"auto-submitted": {"Auto-Generated; owner-email=\"a@b\""}}},
		{auto, message.Headers{"Auto-Submitted": {"auto-notified"}}},
		{auto, message.Headers{"Auto-Submitted": {"x-unheard-of"}}},
		{auto, message.Headers{"Precedence": {"bulk"}}},
		{auto, message.Headers{"Precedence": {"Junk"}}},
		{auto, message.Headers{"Precedence": {"auto_reply"}}},
		{person, message.Headers{"Precedence": {"list"}}},
		{person, message.Headers{"Precedence": {"normal"}}},
		{person, message.Headers{"Precedence": {"bulk"}, "List-Id": {"<l.b.example>"}}},
		{auto, message.Headers{"Precedence": {"bulk"}, "List-Id": {"<l.b.example>"}, "Auto-Submitted": {"auto-generated"}}},
		{auto, message.Headers{"X-Auto-Response-Suppress": {"OOF, AutoReply"}}},
		{auto, message.Headers{"X-Auto-Response-Suppress": {"All"}}},
		{person, message.Headers{"X-Auto-Response-Suppress": {"None"}}},
		{auto, message.Headers{"X-Autoreply": {"yes"}}},
		{person, message.Headers{"X-Autoreply": {"no"}}},
		{auto, message.Headers{"X-Autorespond": {"Away"}}},
		{auto, message.Headers{"Return-Path": {"<>"}}},
		{auto, message.Headers{"Return-Path": {" < > "}, "From": {"Ann <ann@b.example>"}}},
		{person, message.Headers{"Return-Path": {"<ann@b.example>"}}},
		{person, message.Headers{"Return-Path": {""}}},
		{bounce, message.Headers{"Return-Path": {"<>"}, "From": {"Mail Delivery <MAILER-DAEMON@b.example>"}}},
		{bounce, message.Headers{"Return-Path": {"<>"}, "From": {"postmaster@b.example"}}},
		{bounce, message.Headers{"Return-Path": {"<>"}, "From": {"MAILER-DAEMON"}}},
		{auto, message.Headers{"Return-Path": {"<>"}, "From": {`"mailer-daemon@x" <ann@b.example>`}}},
		{person, message.Headers{"From": {"postmaster@b.example"}}},
		{bounce, message.Headers{"From": {"MAILER-DAEMON@b.example (Mail Delivery)"}}},
		{bounce, message.Headers{"From": {"Mail Delivery Subsystem <Mailer-Daemon>"}}},
		{person, message.Headers{"From": {`"mailer-daemon" <ann@b.example>`}}},
		{bounce, message.Headers{"X-Failed-Recipients": {"a@b.example"}, "Auto-Submitted": {"auto-replied"}}},
		{bounce, message.Headers{"Content-Type": {"multipart/report; report-type=delivery-status; boundary=x"}}},
		{bounce, message.Headers{"Content-Type": {"Multipart/Report; boundary=x;\n Report-Type=\"delivery-status\""}, "Auto-Submitted": {"auto-replied"}}},
		{bounce, message.Headers{"Content-Type": {"multipart/report; boundary=x"}}},
		{auto, message.Headers{"Content-Type": {"multipart/report; report-type=disposition-notification"}}},
		{auto, message.Headers{"Content-Type": {"multipart/report; report-type=feedback-report"}}},
		{person, message.Headers{"Content-Type": {"multipart/mixed; boundary=delivery-status"}}},
	} {
		assert.Equal(t, c.want, message.Classify(c.headers), "%v", c.headers)
	}
}
