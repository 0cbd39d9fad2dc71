package clean

import (
	"slices"

	"github.com/convostore/convostore/message"
)

// headers cleans names and values. Names that become one keep all their values: first those of
// the name that was clean already, so that no odd name takes the place of the real one, then
// those of the others in the order of their bytes.
func (o Options) headers(h message.Headers) message.Headers {
	if len(h) == 0 {
		return h
	}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	cleaned := make(message.Headers, len(h))
	for _, wasClean := range []bool{true, false} {
		for _, name := range names {
			if as := o.text(name); (as == name) == wasClean {
				cleaned[as] = append(cleaned[as], o.values(h[name])...)
			}
		}
	}
	return cleaned
}

func (o Options) values(values []string) []string {
	cleaned := make([]string, len(values))
	for i, v := range values {
		cleaned[i] = o.text(v)
	}
	return cleaned
}
