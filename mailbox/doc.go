// Package mailbox reads mail: a raw mail, as the webhooks of mail services and IMAP give it,
// becomes a message of the store, and the mails of files are read one at a time.
//
// [Parse] and [Read] read one mail. It may be broken in every way that mails are: what can be
// read is read, as far as any mail program reads it, and what cannot is named in
// [Mail.Problems]. Nothing in a mail is an error, however it is written; the time that a mail
// takes grows with its size, not with what is in it.
//
// [Files] and [Mbox] read mbox files in their four dialects, Maildirs, single mails and Gmail's
// exports, also compressed, with the folders and flags that these have.
//
// What a mail says of itself is its sender's word. The direction goes by the address in
// brackets, never by a name; the threads and labels of Gmail are read only where Options.Gmail
// says that they are Gmail's; and no name of a file is a path. Whether the sender is who he says
// he is, a server that checks SPF, DKIM and DMARC knows, and this package does not.
package mailbox
