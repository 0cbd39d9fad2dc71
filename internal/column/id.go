package column

import "github.com/google/uuid"

// GiveID sets *id to a new UUID of version 7 if it is the nil UUID.
func GiveID(id *uuid.UUID) (err error) {
	if *id == uuid.Nil {
		*id, err = uuid.NewV7()
	}
	return err
}
