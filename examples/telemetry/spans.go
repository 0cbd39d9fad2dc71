package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// recorder keeps the spans that have ended, and counts them.
type recorder struct {
	durations *prometheus.HistogramVec
	mu        sync.Mutex
	ended     []sdktrace.ReadOnlySpan
}

var _ sdktrace.SpanProcessor = (*recorder)(nil)

// OnStart implements sdktrace.SpanProcessor.
func (*recorder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (r *recorder) OnEnd(s sdktrace.ReadOnlySpan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.durations.WithLabelValues(s.Name()).Observe(s.EndTime().Sub(s.StartTime()).Seconds())
	r.ended = append(r.ended, s)
}

// Shutdown implements sdktrace.SpanProcessor.
func (*recorder) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (*recorder) ForceFlush(context.Context) error { return nil }

// forget drops what there was so far.
func (t *telemetry) forget() {
	t.spans.mu.Lock()
	defer t.spans.mu.Unlock()
	t.spans.ended = nil
	t.spans.durations.Reset()
}

// list returns the spans in the order in which they began.
func (t *telemetry) list() []sdktrace.ReadOnlySpan {
	t.spans.mu.Lock()
	defer t.spans.mu.Unlock()
	spans := slices.Clone(t.spans.ended)
	slices.SortStableFunc(spans, func(a, b sdktrace.ReadOnlySpan) int {
		return cmp.Or(a.StartTime().Compare(b.StartTime()), cmp.Compare(depth(a), depth(b)))
	})
	return spans
}

// depth is 1 for a statement and 0 for a step.
func depth(s sdktrace.ReadOnlySpan) int {
	if s.SpanKind() == trace.SpanKindClient {
		return 1
	}
	return 0
}

// printSpans prints name, duration, error and statement of each.
func (t *telemetry) printSpans(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range t.list() {
		text := value(s, "db.query.text")
		if code := value(s, "error.type"); code != "" {
			text = "error " + code + ": " + text
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\n", strings.Repeat("  ", depth(s)), s.Name(),
			s.EndTime().Sub(s.StartTime()).Round(time.Microsecond), short(text, 100))
	}
	_ = w.Flush() // to a terminal or a buffer
}

func value(s sdktrace.ReadOnlySpan, key attribute.Key) string {
	for _, a := range s.Attributes() {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// short puts a statement onto one line of at most n letters.
func short(text string, n int) string {
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) > n {
		letters = append(letters[:n-1], '…')
	}
	return string(letters)
}

// printMetrics prints what promhttp.HandlerFor(t.registry, …) would serve.
func (t *telemetry) printMetrics(out io.Writer) error {
	families, err := t.registry.Gather()
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(out, f); err != nil {
			return err
		}
	}
	return nil
}
