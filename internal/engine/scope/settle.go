package scope

import (
	"fmt"

	"github.com/convostore/convostore/store"
)

// Settle runs fn until it is done or fails, at most MaxTries times, then it returns
// ErrConflict. It is for calls that ask a second statement why the first one found nothing: if
// the reason is gone by then, no moment had both answers, and the call begins again.
func Settle(fn func() (done bool, err error)) error {
	for range MaxTries {
		if done, err := fn(); err != nil || done {
			return err
		}
	}
	return fmt.Errorf("%w: the row was changed back and forth at each of %d attempts", store.ErrConflict, MaxTries)
}
