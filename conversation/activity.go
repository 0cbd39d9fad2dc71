package conversation

import "time"

// Activity returns the time by which a message orders its conversation: when it was sent, but
// not later than now, the time of its append. A sender's clock that is ahead, or an e-mail dated
// 9999, would otherwise head every queue and never become old enough for retention. The column
// of the message keeps what was said.
func Activity(sentAt, now time.Time) time.Time {
	if sentAt.After(now) {
		return now
	}
	return sentAt
}
