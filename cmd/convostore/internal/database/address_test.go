package database

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, path := range map[string]string{
		"chat.db": "chat.db", "sqlite:chat.db": "chat.db", "sqlite:///var/chat.db": "/var/chat.db",
		"sqlite3:a.db": "a.db", "file:chat.db": "chat.db", "a#b?.db": "a#b?.db",
	} {
		a, err := Parse(text)
		require.NoError(t, err)
		assert.False(t, a.Postgres())
		assert.Equal(t, path, a.Path())
	}
	for _, text := range []string{"", "sqlite:", ":memory:", "mysql://root:secret@h/x", "http://h"} {
		_, err := Parse(text)
		require.ErrorIs(t, err, ErrAddress, text)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestPasswordsAreHidden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, password, shown string }{
		{"postgres://app:s3cret@h/crm", "s3cret", "postgres://app:xxxxx@h/crm"},
		{"postgresql://h/crm?password=s3cret&user=me", "s3cret", "postgresql://h/crm?password=xxxxx&user=me"},
		{"host=h password=s3cret user=me", "s3cret", "host=h password=xxxxx user=me"},
		{"host=h password='s3cret it is' user=me", "s3cret it is", "host=h password=xxxxx user=me"},
		{"postgres://app:s3cret%zz@h/crm", "s3cret%zz", "postgres://xxxxx"},
	} {
		a, err := Parse(c.text)
		require.NoError(t, err)
		assert.Equal(t, c.shown, a.String())
		for _, message := range []string{c.text, "cannot parse `" + c.text + "`", "password " + c.password + " is wrong"} {
			assert.NotContains(t, a.Hide(message), "s3cret", c.text)
		}
	}
	a, err := Parse("postgres://app:p%40ss@h/crm")
	require.NoError(t, err)
	assert.NotContains(t, a.Hide("tried p@ss and p%40ss"), "p@ss")
}
