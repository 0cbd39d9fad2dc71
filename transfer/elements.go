package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// element is a conversation of a file, or what stands in its place.
type element struct {
	doc json.RawMessage
	// line is the number of the line that the element is, from 1; 0 if it is none.
	line int
	// err is that of a line which is no JSON; the lines behind it can be read.
	err error
}

// elements yields the elements of an array, the lines of JSONL, or a single object. Its error is
// that of the reader, or of an array that breaks off: it ends there.
func elements(r io.Reader) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		b := bufio.NewReaderSize(r, 1<<16)
		first, err := firstByte(b)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(element{}, err)
		case first == '[':
			array(b, yield)
		default:
			eachLine(b, yield)
		}
	}
}

// firstByte skips white space and a byte order mark and says what comes then.
func firstByte(b *bufio.Reader) (byte, error) {
	if mark, err := b.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = b.Discard(3)
	}
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)) {
			return c, b.UnreadByte()
		}
	}
}

func array(r io.Reader, yield func(element, error) bool) {
	d := json.NewDecoder(r)
	_, _ = d.Token() // the bracket that firstByte saw
	n := 0
	for ; d.More(); n++ {
		var doc json.RawMessage
		if err := d.Decode(&doc); err != nil {
			yield(element{}, fmt.Errorf("element %d: %w", n, unexpected(err)))
			return
		}
		if !yield(element{doc: doc}, nil) {
			return
		}
	}
	if _, err := d.Token(); err != nil {
		yield(element{}, fmt.Errorf("after element %d: %w", n-1, unexpected(err)))
	}
}

// unexpected turns the end of the file into an error that says it came too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// eachLine yields the lines. If the first one is no whole value, the file is an object over
// several lines.
func eachLine(b *bufio.Reader, yield func(element, error) bool) {
	for n := 1; ; n++ {
		text, err := b.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			yield(element{}, err)
			return
		}
		end := err != nil
		e := element{doc: bytes.TrimSpace(text), line: n}
		if len(e.doc) > 0 && !json.Valid(e.doc) {
			if n == 1 && !end {
				objects(io.MultiReader(bytes.NewReader(text), b), yield)
				return
			}
			e.err = errors.New("the line is no JSON")
		}
		if len(e.doc) > 0 && !yield(e, nil) || end {
			return
		}
	}
}

func objects(r io.Reader, yield func(element, error) bool) {
	d := json.NewDecoder(r)
	for {
		var doc json.RawMessage
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(element{}, err)
			return
		}
		if !yield(element{doc: doc}, nil) {
			return
		}
	}
}
