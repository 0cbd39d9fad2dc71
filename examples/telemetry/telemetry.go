package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/XSAM/otelsql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// telemetry is a service's tracer and registry. This one keeps its spans in memory; a
// service hands them to an exporter.
type telemetry struct {
	spans    *recorder
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	registry *prometheus.Registry
}

func newTelemetry() *telemetry {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "chat_span_seconds", Help: "How long a step or a statement took.", Buckets: []float64{.001, .01, .1, 1},
	}, []string{"span"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(durations)
	spans := &recorder{durations: durations}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	return &telemetry{spans: spans, provider: provider, tracer: provider.Tracer("chat"), registry: registry}
}

const settings = "?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate&_time_format=sqlite"

// open opens a traced pool and GORM on top of it. Tracing below GORM sees every statement
// as the driver does: with placeholders, and with transactions.
func (t *telemetry) open(path string) (*gorm.DB, func() error, error) {
	pool, err := otelsql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: path}).String()+settings,
		otelsql.WithTracerProvider(t.provider),
		otelsql.WithAttributes(attribute.String("db.system.name", "sqlite")),
		otelsql.WithSpanNameFormatter(func(_ context.Context, method otelsql.Method, query string) string {
			return spanName(string(method), query)
		}),
		otelsql.WithSpanErrorAttributesGetter(errorType),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			// The text of an error can quote a value. errorType says what it was.
			RecordError: func(error) bool { return false },
			OmitRows:    true, OmitConnPrepare: true, OmitConnResetSession: true, OmitConnectorConnect: true,
		}),
	)
	if err != nil {
		return nil, nil, err
	}
	t.registry.MustRegister(collectors.NewDBStatsCollector(pool, "chat"))
	db, err := gorm.Open(sqlite.Dialector{Conn: pool}, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return db, pool.Close, nil
}

var (
	statement = regexp.MustCompile(`^\s*(\w+)`)
	table     = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE)\s+"?(\w+)`)
)

// spanName is "INSERT messages", of which there are few: names become labels of metrics.
func spanName(method, query string) string {
	words := statement.FindStringSubmatch(query)
	if words == nil {
		return method
	}
	if match := table.FindStringSubmatch(query); match != nil {
		return strings.ToUpper(words[1]) + " " + match[1]
	}
	return strings.ToUpper(words[1])
}

// errorType returns SQLite's code. On PostgreSQL it would be the SQLSTATE.
func errorType(err error) []attribute.KeyValue {
	if errors.Is(err, driver.ErrSkip) {
		return nil
	}
	var coder interface{ Code() int }
	if errors.As(err, &coder) {
		return []attribute.KeyValue{attribute.String("error.type", fmt.Sprint(coder.Code()))}
	}
	return []attribute.KeyValue{attribute.String("error.type", fmt.Sprintf("%T", err))}
}

// step runs a part of the service in a span of its own.
func (t *telemetry) step(ctx context.Context, name string, do func(ctx context.Context) error) error {
	ctx, span := t.tracer.Start(ctx, name)
	defer span.End()
	err := do(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "failed")
	}
	return err
}
