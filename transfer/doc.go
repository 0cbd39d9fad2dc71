// Package transfer moves conversations between a store and the files that chat products write:
// the exports of ChatGPT, Claude and Open WebUI, and the library's own lines of JSON.
//
// Nothing of a file is lost. Every branch becomes a branch, with the one that was shown as the
// head of the conversation. Each message keeps the entry of the file as its payload, to the byte,
// and the conversation keeps the rest of its object as a state, so that Export can write the
// same format back, with all fields that this package does not know.
//
// The library's own format has everything of a user, or of all users, and moves it from one kind of
// database to the other.
//
// Import knows what it imported before, by the ids in the file: a second run stores nothing, and
// a newer export of the same account adds what is new. What a user has deleted since does not
// come back. One conversation at a time is held in memory, however large the file is.
package transfer
