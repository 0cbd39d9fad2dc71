package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/usage"
	"github.com/convostore/convostore/store"
)

// measured is what came out for one side.
type measured struct {
	Name string `json:"name"`
	// Times are those of single searches, a round of the sides for each.
	Times  []time.Duration `json:"times"`
	Recall float64         `json:"recall"`
	// Heap and RSS are how many bytes the side added.
	Heap int64 `json:"heap"`
	RSS  int64 `json:"rss"`
	// Prepare is how long the first answer took to come.
	Prepare time.Duration `json:"prepare"`
}

// side is one way to search.
type side struct {
	name string
	// open returns the search and what closes it.
	open func(ctx context.Context, o options) (search, func() error, error)
}

// search returns the ids of the nearest.
type search func(ctx context.Context, v []float32) ([]string, error)

var sides = []side{
	{"convostore, codes scanned", openStore(store.SearchAuto)},
	{"convostore, codes in memory", openStore(store.SearchAuto, convostore.WithCodesInMemory())},
	{"chromem-go v0.7.0, vectors in memory", openChromem},
}

// compare opens side after side, to see what each adds, and then lets them search in
// turns.
func compare(ctx context.Context, o options, queries [][]float32) (all []measured, err error) {
	var (
		searches []search
		closers  []func() error
	)
	defer func() {
		for _, closer := range closers {
			err = errors.Join(err, closer())
		}
	}()
	for _, s := range sides {
		before, start := usage.Settled(), time.Now()
		find, closer, err := s.open(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		closers = append(closers, closer)
		if _, err := find(ctx, queries[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		took := time.Since(start)
		after := usage.Settled()
		searches = append(searches, find)
		all = append(all, measured{Name: s.name, Prepare: took, Heap: after.Heap - before.Heap, RSS: after.RSS - before.RSS})
	}
	if err := inTurns(ctx, o, queries, searches, all); err != nil {
		return nil, err
	}
	return all, recall(ctx, o, queries, searches, all)
}

func inTurns(ctx context.Context, o options, queries [][]float32, searches []search, all []measured) error {
	for r := range o.rounds {
		v := queries[r%len(queries)]
		for k := range searches {
			which := (r + k) % len(searches)
			start := time.Now()
			if _, err := searches[which](ctx, v); err != nil {
				return err
			}
			all[which].Times = append(all[which].Times, time.Since(start))
		}
	}
	return nil
}

// recall holds the answers against those of an exact search.
func recall(ctx context.Context, o options, queries [][]float32, searches []search, all []measured) (err error) {
	exact, closer, err := openStore(store.SearchExact)(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer()) }()
	some := queries[:min(20, len(queries))]
	for _, v := range some {
		truth, err := exact(ctx, v)
		if err != nil {
			return err
		}
		for k, find := range searches {
			found, err := find(ctx, v)
			if err != nil {
				return err
			}
			all[k].Recall += share(truth, found) / float64(len(some))
		}
	}
	return nil
}

func share(truth, found []string) float64 {
	right := 0
	for _, id := range truth {
		if slices.Contains(found, id) {
			right++
		}
	}
	return float64(right) / float64(len(truth))
}
