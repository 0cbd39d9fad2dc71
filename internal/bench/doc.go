// Package bench holds the library against SQL written by hand for the same schema, and
// its queries against a million messages.
//
// The figures in docs/performance.md, docs/indexes.md and docs/search.md come from here:
//
//	make bench          # the pairs …/handwritten and …/convostore as Go benchmarks
//	make bench-plans    # the plan of every query at a million messages
//	make bench-search   # search in 200,000 messages with vectors
//
// A shared machine makes absolute times noise, so TestRatios runs both sides in turns
// and reports the ratio. It needs CONVOSTORE_BENCH_RATIOS=1; with -update the tables are
// written into the documents.
package bench
