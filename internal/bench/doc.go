// Package bench holds the library against SQL written by hand for the same schema, and
// its queries against a million messages.
//
// The figures in docs come from here:
//
//	make bench          # performance.md, scale.md and the samples in docs/bench
//	make bench-go       # the pairs …/hand-written and …/convostore as Go benchmarks
//	make bench-profile  # where the time and the allocations of a case go
//	make bench-plans    # indexes.md: the plan of every query at a million messages
//	make bench-search   # search.md: search in 200,000 messages with vectors
//	make bench-reports  # reports.md: reports of a million messages
//
// A shared machine makes absolute times noise, so both sides run in turns, in many short
// rounds, and the ratio is the median of the rounds' ratios. CONVOSTORE_BENCH_TENTH=1 takes
// a tenth of the rows and rounds, CONVOSTORE_BENCH_PART=50 a fiftieth, to see that all
// works. Without -update nothing is written.
package bench
