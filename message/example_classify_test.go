package message_test

import (
	"fmt"

	"github.com/convostore/convostore/message"
)

// A mail that a machine sent does not make a conversation wait for a reply.
func ExampleClassify() {
	away := message.Headers{"Subject": {"Out of office"}, "Auto-Submitted": {"auto-replied"}}
	bounce := message.Headers{"Return-Path": {"<>"}, "Content-Type": {"multipart/report; report-type=delivery-status; boundary=x"}}
	fmt.Println(message.Classify(away), message.Classify(bounce), message.Classify(nil))
	// Output: auto_reply bounce message
}
