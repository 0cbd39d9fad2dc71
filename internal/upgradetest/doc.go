// Package upgradetest upgrades the databases of earlier releases to this code while programs of
// those releases go on writing. It has tests and their data alone; docs/migrations.md says what a
// release adds.
package upgradetest
