//go:build sqlite_fts5 || fts5

package migrate

// mattnFTS5 says whether mattn's driver was built with full text.
const mattnFTS5 = true
