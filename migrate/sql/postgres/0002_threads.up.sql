-- What is known about a conversation or a message beyond its own row. The tables are empty
-- until a service uses them.

-- Any number of names of one message: the ids that a provider gives after sending,
-- Message-IDs, the same mail in a second mailbox.
CREATE TABLE {{table "message_refs"}} (
    message_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The provider promises that the name is that of one message alone.
    exclusive  boolean     NOT NULL DEFAULT false,
    provider   text        NOT NULL,
    ref        text        NOT NULL,
    CONSTRAINT {{name "message_refs_pkey"}} PRIMARY KEY (user_id, provider, ref, message_id),
    CONSTRAINT {{name "message_refs_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX {{name "message_refs_exclusive_key"}}
    ON {{table "message_refs"}} (user_id, provider, ref) WHERE exclusive;
CREATE INDEX {{name "message_refs_message_idx"}}
    ON {{table "message_refs"}} (message_id, user_id);

CREATE TABLE {{table "message_votes"}} (
    message_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    value      smallint    NOT NULL,
    voter      text        NOT NULL,
    comment    text,
    CONSTRAINT {{name "message_votes_pkey"}} PRIMARY KEY (message_id, user_id, voter),
    CONSTRAINT {{name "message_votes_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "message_votes_value_check"}} CHECK (value IN (-1, 1))
);
CREATE INDEX {{name "message_votes_user_idx"}}
    ON {{table "message_votes"}} (user_id, created_at DESC);

-- The outbox: what is to be handed to a provider, and when.
CREATE TABLE {{table "deliveries"}} (
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    message_id    uuid        NOT NULL,
    due_at        timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    done_at       timestamptz,
    failed_at     timestamptz,
    cancelled_at  timestamptz,
    attempts      integer     NOT NULL DEFAULT 0,
    channel       text        NOT NULL,
    claimed_by    text,
    last_error    text,
    CONSTRAINT {{name "deliveries_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "deliveries_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "deliveries_attempts_check"}} CHECK (attempts >= 0),
    CONSTRAINT {{name "deliveries_claim_check"}} CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT {{name "deliveries_end_check"}} CHECK (num_nonnulls(done_at, failed_at, cancelled_at) <= 1)
);
-- What is due, everybody's: workers serve all users.
CREATE INDEX {{name "deliveries_due_idx"}}
    ON {{table "deliveries"}} (due_at, id) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
-- A message is on its way once on a channel.
CREATE UNIQUE INDEX {{name "deliveries_open_key"}}
    ON {{table "deliveries"}} (message_id, user_id, channel) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX {{name "deliveries_message_idx"}}
    ON {{table "deliveries"}} (message_id, user_id);
CREATE INDEX {{name "deliveries_user_idx"}}
    ON {{table "deliveries"}} (user_id, created_at DESC, id DESC);
-- A user's that are still to be sent, and those that failed, are few of what was ever sent.
CREATE INDEX {{name "deliveries_open_idx"}}
    ON {{table "deliveries"}} (user_id, created_at DESC, id DESC) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX {{name "deliveries_failed_idx"}}
    ON {{table "deliveries"}} (user_id, created_at DESC, id DESC) WHERE failed_at IS NOT NULL;
-- Everybody's that failed: how many, and the latest.
CREATE INDEX {{name "deliveries_all_failed_idx"}}
    ON {{table "deliveries"}} (id, user_id) WHERE failed_at IS NOT NULL;

CREATE TABLE {{table "conversation_labels"}} (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    label           text        NOT NULL,
    created_by      text,
    CONSTRAINT {{name "conversation_labels_pkey"}} PRIMARY KEY (conversation_id, user_id, label),
    CONSTRAINT {{name "conversation_labels_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE
);
CREATE INDEX {{name "conversation_labels_label_idx"}}
    ON {{table "conversation_labels"}} (user_id, label, conversation_id);

-- How far each reader has read.
CREATE TABLE {{table "conversation_reads"}} (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    seq             bigint      NOT NULL,
    read_at         timestamptz NOT NULL DEFAULT now(),
    reader          text        NOT NULL,
    CONSTRAINT {{name "conversation_reads_pkey"}} PRIMARY KEY (conversation_id, user_id, reader),
    CONSTRAINT {{name "conversation_reads_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "conversation_reads_seq_check"}} CHECK (seq >= 0)
);
CREATE INDEX {{name "conversation_reads_user_idx"}}
    ON {{table "conversation_reads"}} (user_id, reader);

-- State of agents: a key and its value, kept to the byte.
CREATE TABLE {{table "conversation_states"}} (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    key             text        NOT NULL,
    value           bytea       NOT NULL,
    CONSTRAINT {{name "conversation_states_pkey"}} PRIMARY KEY (conversation_id, user_id, key),
    CONSTRAINT {{name "conversation_states_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "conversation_states_version_check"}} CHECK (version > 0)
);
CREATE INDEX {{name "conversation_states_user_idx"}}
    ON {{table "conversation_states"}} (user_id);

CREATE TABLE {{table "conversation_user_states"}} (
    user_id    uuid        NOT NULL,
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    app        text        NOT NULL DEFAULT '',
    key        text        NOT NULL,
    value      bytea       NOT NULL,
    CONSTRAINT {{name "conversation_user_states_pkey"}} PRIMARY KEY (user_id, app, key),
{{- if .Users}}
    CONSTRAINT {{name "conversation_user_states_user_fkey"}} FOREIGN KEY (user_id)
        REFERENCES {{.Users.Table}} ({{.Users.Column}}) ON DELETE CASCADE,
{{- end}}
    CONSTRAINT {{name "conversation_user_states_version_check"}} CHECK (version > 0)
);

-- State that all users of an app share: the one table without an owner.
CREATE TABLE {{table "conversation_app_states"}} (
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    app        text        NOT NULL,
    key        text        NOT NULL,
    value      bytea       NOT NULL,
    CONSTRAINT {{name "conversation_app_states_pkey"}} PRIMARY KEY (app, key),
    CONSTRAINT {{name "conversation_app_states_version_check"}} CHECK (version > 0)
);

-- A text in the place of the messages of one path, from one seq to another.
CREATE TABLE {{table "conversation_summaries"}} (
    id              uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    from_seq        bigint      NOT NULL,
    to_seq          bigint      NOT NULL,
    tokens          bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- When something that it covers was edited or deleted: it must not be used any more.
    void_at         timestamptz,
    model           text,
    covered_hash    text,
    content         text        NOT NULL,
    CONSTRAINT {{name "conversation_summaries_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "conversation_summaries_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "conversation_summaries_seq_check"}} CHECK (from_seq > 0 AND to_seq >= from_seq AND tokens >= 0)
);
CREATE INDEX {{name "conversation_summaries_conversation_idx"}}
    ON {{table "conversation_summaries"}} (conversation_id, user_id, to_seq);
CREATE INDEX {{name "conversation_summaries_user_idx"}}
    ON {{table "conversation_summaries"}} (user_id);
