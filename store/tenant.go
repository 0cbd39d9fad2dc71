package store

import "github.com/google/uuid"

// tenants is the namespace of TenantID. It never changes.
var tenants = uuid.MustParse("8d7c0f52-3a64-4d7e-9a53-6f1b2f9c41e0")

// TenantID makes the user id of a host whose users have no UUIDs, but numbers or names:
// TenantID("42") for the user 42. The same name gives the same id, in every version of this
// package and in every process, so that nothing has to be stored. Different names give different
// ids.
//
// The name counts byte by byte: "Ann" and "ann" are two users, and so are "42" and "042". Give a
// name that lasts, such as a primary key, and not an address of e-mail, which changes hands.
// Nobody can compute the name from the id, but whoever guesses the name knows the id: an id is no
// secret. Where several kinds of things own conversations, say which: "team:42", "user:42".
//
// The name may have any length. TenantID("") is the nil UUID, which every method refuses, so that
// a user whose name got lost is nobody and not everybody without a name.
//
// The id is a UUID of version 5 (RFC 9562) in the namespace
// 8d7c0f52-3a64-4d7e-9a53-6f1b2f9c41e0, so that other languages can make it too: on PostgreSQL it
// is uuid_generate_v5('8d7c0f52-3a64-4d7e-9a53-6f1b2f9c41e0', '42') of the extension uuid-ossp.
func TenantID(name string) uuid.UUID {
	if name == "" {
		return uuid.Nil
	}
	return uuid.NewSHA1(tenants, []byte(name))
}
