package bar

import (
	"fmt"
	"math"
	"time"
)

// pace is how fast a stage goes.
type pace struct {
	name, noun string
	begun      time.Time
	now        func() time.Time
}

// text returns the speed and the time that is left, such as ", 120 mails/s, 12 s left". It is empty
// in the first second, when nobody knows, and while nothing is done. What was done when the stage
// began, from, took no time.
func (p pace) text(from, done, total int) string {
	took := p.now().Sub(p.begun)
	if took < time.Second || done <= from {
		return ""
	}
	perSecond := float64(done-from) / took.Seconds()
	text := ", " + speed(perSecond, p.noun)
	if left := total - done; left > 0 {
		text += ", " + roughly(time.Duration(float64(left)/perSecond*float64(time.Second))) + " left"
	}
	return text
}

// speed takes a unit in which there is at least one.
func speed(perSecond float64, noun string) string {
	switch {
	case perSecond >= 1:
		return fmt.Sprintf("%.0f %s/s", perSecond, noun)
	case perSecond*60 >= 1:
		return fmt.Sprintf("%.0f %s/min", perSecond*60, noun)
	}
	return fmt.Sprintf("%.0f %s/h", max(1, math.Round(perSecond*3600)), noun)
}

func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
