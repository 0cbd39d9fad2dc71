package health

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// oldestPostgres is the oldest version that the tests run on, as server_version_num has it.
const oldestPostgres = 150000

// current is SQL for a setting of PostgreSQL, NULL where the version does not have it.
func current(name string) string { return "current_setting('" + name + "', true)" }

func (postgresProbe) settings() settings {
	return append(postgresFixed[:len(postgresFixed):len(postgresFixed)], postgresPins...)
}

// postgresFixed are settings of the server, and those that package store/postgres always pins.
var postgresFixed = settings{
	{name: "server_version_num", value: current("server_version_num"), want: "150000 or more", works: func(v string) bool {
		n, err := strconv.Atoi(v)
		return err != nil || n >= oldestPostgres
	}, why: "the library is made for PostgreSQL 15 and newer"},
	{
		name: "server_encoding", value: current("server_encoding"), want: utf8, works: is(utf8),
		why: "a text in another script cannot be stored, or is counted and compared by bytes; make the database with ENCODING 'UTF8'",
	},
	{
		name: "client_encoding", value: current("client_encoding"), want: utf8, works: is(utf8),
		why: "drivers send and expect UTF-8, and the server takes it for something else",
	},
	{
		name: "DateStyle", value: current("DateStyle"), want: "ISO, MDY", works: func(v string) bool { return strings.HasPrefix(v, "ISO") },
		why: "the driver cannot read a time that the server sends as a text",
	},
	{
		name: "standard_conforming_strings", value: current("standard_conforming_strings"), want: "on", works: is("on"),
		why: "a backslash in a text of a statement changes the text",
	},
}

// utf8 is PostgreSQL's name for it.
const utf8 = "UTF8"

// postgresPins are settings that a client may set, and nearly nobody does.
var postgresPins = settings{
	{
		name: "array_nulls", value: current("array_nulls"), want: "on", works: is("on"),
		why: "a column without a value is stored as the text NULL, or not at all",
	},
	{
		name: "bytea_output", value: current("bytea_output"), want: "hex", works: is("hex"),
		why: "with the simple protocol the driver cannot read bytes",
	},
	{
		name: "extra_float_digits", value: current("extra_float_digits"), want: "1", works: func(v string) bool {
			n, err := strconv.Atoi(v)
			return err != nil || n > 0
		}, why: "with the simple protocol numbers such as a confidence lose digits",
	},
	{
		name: "quote_all_identifiers", value: current("quote_all_identifiers"), want: "off", works: is("off"),
		why: "the types of the schema are not recognized, so that searches count as not migrated",
	},
	{
		name: "gin_fuzzy_search_limit", value: current("gin_fuzzy_search_limit"), want: "0", works: is("0"),
		why: "a search leaves out hits by chance",
	},
	{
		name: "exit_on_error", value: current("exit_on_error"), want: "off", works: is("off"),
		why: "the server ends the connection over an error that the library handles, such as a key that is taken",
	},
	{
		name: "session_replication_role", value: current("session_replication_role"), want: "origin",
		works: func(v string) bool { return v != "replica" }, writing: true,
		why: "foreign keys and triggers do nothing",
	},
	{
		name: "default_transaction_isolation", value: current("default_transaction_isolation"), want: "read committed",
		works: func(v string) bool { return v == "read committed" || v == "read uncommitted" }, writing: true,
		why: "a write fails where it would wait for another one",
	},
}

// PostgresPins looks for settings of a new connection that have to be others, as engine.PostgresPins
// says.
func PostgresPins(ctx context.Context, pool *sql.DB) (pins map[string]string, fault, err error) {
	values, dest := destinations(len(postgresPins))
	if err := pool.QueryRowContext(ctx, postgresPins.text()).Scan(dest...); err != nil {
		return nil, nil, err
	}
	pins = map[string]string{}
	for i, one := range postgresPins {
		if v := values[i]; v.Valid && !one.works(v.String) {
			pins[one.name] = one.want
		}
	}
	return pins, postgresPins.faults(values, true), nil
}

func (postgresProbe) version() string { return "version()" }

// checkConns leaves it to the one statement: a connection to a server costs more than that.
func (postgresProbe) checkConns(context.Context, *sql.DB) (bool, error) { return false, nil }
