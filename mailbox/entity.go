package mailbox

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	// maxDepth bounds how deep parts may stand in parts, and maxParts how many there may be.
	// What is deeper is one file, and what comes after the last part is left out.
	maxDepth = 50
	maxParts = 5_000
	// maxSearches bounds how often a boundary is searched for that the header does not name.
	maxSearches = 10
)

// entity is a mail or a part of one.
type entity struct {
	head header
	// kind is the type and subtype in lower case, typed whether the header had one.
	kind   string
	typed  bool
	params params
	// disposition is inline, attachment, another word or "".
	disposition       string
	dispositionParams params
	encoding          string
	// body is as it came, a part of the mail's own bytes.
	body     []byte
	children []*entity
	// shown says that the entity is one of several forms of the same text.
	shown bool
	// place names the part in problems: 1.2 is the second part of the first.
	place string
}

func (e *entity) multipart() bool { return len(e.children) > 0 }

// structure reads a mail and its parts in one pass: each line is compared with all boundaries
// that are open, so that a part whose last boundary is missing ends with the one around it.
type structure struct {
	raw []byte
	pos int
	// open has the place on the stack of the innermost multipart with a boundary.
	open  map[string]int
	depth int
	// shared by a search for a boundary, which reads a part of the mail again.
	count *counts
	notes *problems
}

type counts struct{ parts, searches int }

func readStructure(raw []byte, notes *problems) *entity {
	s := structure{raw: raw, open: map[string]int{}, count: &counts{}, notes: notes}
	e := s.entity("text/plain", "")
	return e
}

// none is the depth of a line that is no boundary.
const none = -1

// boundary returns the depth of the multipart that a line is a boundary of, and whether it is
// the last one.
func (s *structure) boundary(text []byte) (depth int, last bool) {
	if len(s.open) == 0 || len(text) < 3 || text[0] != '-' || text[1] != '-' {
		return none, false
	}
	name := bytes.TrimRight(text[2:], " \t")
	if d, ok := s.open[string(name)]; ok {
		return d, false
	}
	if name, ok := bytes.CutSuffix(name, []byte("--")); ok {
		if d, ok := s.open[string(bytes.TrimRight(name, " \t"))]; ok {
			return d, true
		}
	}
	return none, false
}

// entity reads one whose header begins at pos. It ends before a boundary or at the end.
func (s *structure) entity(defaultKind, place string) *entity {
	s.count.parts++
	e := &entity{place: place}
	e.head, s.pos = readHeader(s.raw, s.pos, func(text []byte) bool {
		d, _ := s.boundary(text)
		return d != none
	})
	e.describe(defaultKind)
	s.notes.header(place, &e.head)
	start := s.pos
	boundary := e.params.token("boundary")
	if !strings.HasPrefix(e.kind, "multipart/") || s.depth >= maxDepth || boundary == "" {
		s.skip()
	} else {
		s.parts(e, boundary)
	}
	e.body = s.bodyUntil(start)
	if len(e.children) == 0 {
		s.search(e)
	}
	if len(e.children) == 0 && strings.HasPrefix(e.kind, "multipart/") {
		e.flatten(s.notes)
	}
	return e
}

// flatten makes text of a multipart without parts, and a file of one that is too deep.
func (e *entity) flatten(notes *problems) {
	switch {
	case len(bytes.TrimSpace(e.body)) == 0:
	case e.params.token("boundary") != "" && bytes.Contains(e.body, []byte("--"+e.params.token("boundary"))):
		notes.add(e.place, "stands too deep in other parts; it is kept as a file")
		e.disposition = "attachment"
	default:
		notes.add(e.place, "has no parts although its type says so; it is kept as it is")
		e.kind = "text/plain"
	}
}

// describe reads the fields that say what the entity is.
func (e *entity) describe(defaultKind string) {
	for _, value := range e.head.values("Content-Type") {
		if e.kind, e.params = parseParams(value); fullKind(&e.kind) {
			e.typed = true
			break
		}
	}
	if !e.typed {
		e.kind = defaultKind
	}
	e.disposition, e.dispositionParams = parseParams(e.head.get("Content-Disposition"))
	e.encoding = transferEncoding(e.head.get("Content-Transfer-Encoding"))
}

// fullKind completes a type without a subtype, and refuses what is none.
func fullKind(kind *string) bool {
	major, minor, _ := strings.Cut(*kind, "/")
	if strings.ContainsAny(*kind, "\"<>@()[]?={}\x7f") {
		return false
	}
	switch {
	case major == "":
		return false
	case minor != "":
		return true
	}
	switch major {
	case "text", "plain":
		*kind = "text/plain"
	case "html":
		*kind = "text/html"
	case "multipart", "mixed":
		*kind = "multipart/mixed"
	case "alternative", "related":
		*kind = "multipart/" + major
	default:
		return false
	}
	return true
}

// skip moves to the next boundary.
func (s *structure) skip() {
	for s.pos < len(s.raw) {
		end, next := line(s.raw, s.pos)
		if d, _ := s.boundary(s.raw[s.pos:end]); d != none {
			return
		}
		s.pos = next
	}
}

// bodyUntil is what was read since start, without the end of line that belongs to the boundary.
func (s *structure) bodyUntil(start int) []byte {
	end := s.pos
	if end < len(s.raw) && end > start {
		if s.raw[end-1] == '\n' {
			end--
		}
		if end > start && s.raw[end-1] == '\r' {
			end--
		}
	}
	return s.raw[start:end:end]
}

// parts reads the parts of a multipart up to its last boundary, or to one of those around it.
func (s *structure) parts(e *entity, boundary string) {
	outer, shadows := s.open[boundary]
	s.depth++
	depth := s.depth
	s.open[boundary] = depth
	closed := s.eachPart(e, depth)
	s.depth--
	if delete(s.open, boundary); shadows {
		s.open[boundary] = outer
	}
	if len(e.children) > 0 && !closed {
		s.notes.add(e.place, "has no last boundary")
	}
	s.skip() // what comes after the last boundary
}

func (s *structure) eachPart(e *entity, depth int) (closed bool) {
	kind := "text/plain"
	if e.kind == "multipart/digest" {
		kind = "message/rfc822"
	}
	for {
		s.skip()
		end, next := line(s.raw, s.pos)
		d, last := s.boundary(s.raw[s.pos:end])
		if d != depth {
			return false
		}
		if s.pos = next; last {
			return true
		}
		if s.count.parts >= maxParts {
			s.notes.add("", "has more than "+strconv.Itoa(maxParts)+" parts; the rest is left out")
			s.pos = len(s.raw)
			return true
		}
		if s.pos == len(s.raw) {
			return false
		}
		e.children = append(e.children, s.entity(kind, placeOf(e.place, len(e.children)+1)))
	}
}

func placeOf(parent string, n int) string {
	if parent == "" {
		return strconv.Itoa(n)
	}
	return parent + "." + strconv.Itoa(n)
}

// search looks for parts where the header has no boundary or a wrong one: a line that begins with
// -- and has a Content- field behind it. Without a type it is only looked for on the first line.
func (s *structure) search(e *entity) {
	multipart := strings.HasPrefix(e.kind, "multipart/")
	if !multipart && (e.typed || e.place != "") || s.count.searches >= maxSearches || s.depth >= maxDepth {
		return
	}
	boundary := findBoundary(e.body, multipart)
	if boundary == "" || boundary == e.params.token("boundary") {
		return
	}
	s.count.searches++
	s.notes.add(e.place, "does not name the boundary of its parts")
	if !multipart {
		e.kind = "multipart/mixed"
	}
	inner := structure{raw: e.body, open: map[string]int{}, depth: s.depth, count: s.count, notes: s.notes}
	inner.parts(e, boundary)
}

func findBoundary(b []byte, anywhere bool) string {
	for i := 0; i < len(b); {
		end, next := line(b, i)
		text := b[i:end]
		if len(text) > 2 && text[0] == '-' && text[1] == '-' {
			nextEnd, _ := line(b, next)
			if name, _, ok := splitField(b[next:nextEnd]); ok && strings.HasPrefix(name, "Content-") {
				return string(bytes.TrimRight(text[2:], " \t"))
			}
		}
		if !anywhere && len(bytes.TrimSpace(text)) > 0 {
			return ""
		}
		i = next
	}
	return ""
}
