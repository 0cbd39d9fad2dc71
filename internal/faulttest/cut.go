package faulttest

import (
	"maps"
	"math/rand/v2"
)

// luck is how much of what was not synced a power cut leaves.
type luck struct {
	// whole and gone are how likely a write is there whole, and not at all; of the others each
	// sector is there or not.
	whole, gone float64
	sector      int64
	// torn and noise are how likely such a sector ends in the middle, or is noise.
	torn, noise float64
	// entry is how likely a creation or a deletion is there.
	entry float64
}

func anyLuck(r *rand.Rand) luck {
	l := luck{sector: []int64{512, 4096}[r.IntN(2)], entry: []float64{0, 0.5, 1}[r.IntN(3)]}
	switch r.IntN(5) {
	case 0: // nothing
		l.gone = 1
	case 1: // everything, but for a write here and there
		l.whole = 0.9
	case 2: // whole writes, in any order
		l.whole, l.gone = 0.5, 0.5
	case 3: // single sectors
		l.torn, l.noise = 0.05, 0.05
	default:
		l.whole, l.gone, l.torn, l.noise = r.Float64()/2, r.Float64()/2, 0.2, 0.2
	}
	return l
}

// Cut returns the files that are there after a power cut that came when there were the given
// number of events. What of the unsynced is left is up to r.
func (d *Disk) Cut(events int, r *rand.Rand) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	past := d.events[:events]
	l := anyLuck(r)
	durable := map[*Node]int{} // how many events the last sync covers; of the directory under nil
	for _, e := range past {
		if e.kind == synced || e.kind == dirSynced {
			durable[e.node] = max(durable[e.node], e.upto)
		}
	}
	contents := map[*Node][]byte{}
	names := maps.Clone(d.start)
	for _, n := range d.start {
		contents[n] = append([]byte(nil), n.base...)
	}
	for i, e := range past {
		switch e.kind {
		case linked, unlinked:
			if i < durable[nil] || r.Float64() < l.entry {
				e.enter(names)
			}
		case written:
			contents[e.node] = l.write(r, contents[e.node], e, i < durable[e.node])
		case truncated:
			if i < durable[e.node] || r.Float64() >= l.gone && r.IntN(2) == 0 {
				contents[e.node] = resize(contents[e.node], e.at)
			}
		case synced, dirSynced:
		}
	}
	files := map[string][]byte{}
	for name, n := range names {
		files[name] = contents[n]
	}
	return files
}

func (e event) enter(names map[string]*Node) {
	if e.kind == unlinked {
		delete(names, e.name)
		return
	}
	names[e.name] = e.node
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

// write does to a file what is left of a write.
func (l luck) write(r *rand.Rand, content []byte, e event, durable bool) []byte {
	end := e.at + int64(len(e.data))
	chance := r.Float64()
	switch {
	case durable || chance < l.whole:
		content = resize(content, max(end, int64(len(content))))
		copy(content[e.at:], e.data)
		return content
	case chance < l.whole+l.gone:
		if r.IntN(8) == 0 { // the size comes before the data
			content = resize(content, max(end, int64(len(content))))
		}
		return content
	}
	for from := e.at; from < end; {
		to := min(end, from/l.sector*l.sector+l.sector)
		if r.IntN(2) == 0 {
			content = resize(content, max(to, int64(len(content))))
			l.part(r, content[from:to], e.data[from-e.at:to-e.at])
		}
		from = to
	}
	return content
}

// part writes a sector, or what of it was under way.
func (l luck) part(r *rand.Rand, to, from []byte) {
	switch chance := r.Float64(); {
	case chance < l.torn:
		copy(to, from[:r.IntN(len(from)+1)])
	case chance < l.torn+l.noise:
		for i := range to {
			to[i] = byte(r.Uint32())
		}
	default:
		copy(to, from)
	}
}
