package threads

import (
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
)

// filingLocker makes filings of mails that share a name wait for one another until the transaction
// ends. whole says that the transaction may file several mails: they would take their locks in any
// order, and so all filings of the user wait for it.
type filingLocker interface {
	lock(l lookup, whole bool) error
}

// lockFiling takes the locks of a filing.
func lockFiling(l lookup, whole bool) error {
	locker, err := dialect.Pick[filingLocker](l.sc.Dialect, postgresFilingLocker{}, sqliteFilingLocker{})
	if err != nil {
		return err
	}
	return locker.lock(l, whole)
}

// sqliteFilingLocker makes the transaction the one writer of the file, by a write that changes nothing.
type sqliteFilingLocker struct{}

func (sqliteFilingLocker) lock(l lookup, _ bool) error {
	_, err := query.New("UPDATE "+l.sc.Tables.Conversations+" SET last_seq = last_seq WHERE user_id = ? AND 1 = 0", l.sc.User).Exec(l.db)
	return err
}

// filingBuckets is among how many locks the names of a user are divided. A mail may answer a hundred
// others, and a server has room for some thousands of locks.
const filingBuckets = 64

// postgresFilingLocker takes advisory locks, which other databases of the server do not meet.
type postgresFilingLocker struct{}

func (postgresFilingLocker) lock(l lookup, whole bool) error {
	user := filingKey(l, "")
	if whole {
		_, err := query.New("SELECT pg_advisory_xact_lock(?)", user).Exec(l.db)
		return err
	}
	names := slices.Concat(l.ids, l.answers)
	for _, r := range slices.Concat(l.names, l.threads) {
		names = append(names, nameOf(r))
	}
	if l.subject != "" {
		names = append(names, "subject "+l.subject)
	}
	buckets := []int64{}
	for _, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		buckets = append(buckets, filingKey(l, strconv.FormatUint(h.Sum64()%filingBuckets, 10)))
	}
	slices.Sort(buckets)
	keys := dialect.NewArrays(1)
	for _, b := range slices.Compact(buckets) {
		_ = keys.Add([]any{b}) // a number never fails
	}
	_, err := query.New("SELECT pg_advisory_xact_lock_shared(?), (SELECT count(pg_advisory_xact_lock(k)) FROM unnest(CAST(? AS bigint[])) AS k)",
		user, keys.Args()[0]).Exec(l.db)
	return err
}

func filingKey(l lookup, bucket string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("convostore filing " + l.sc.Tables.Messages + " " + l.sc.User.String() + " " + bucket))
	return int64(h.Sum64())
}
