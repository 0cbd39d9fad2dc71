-- The vectors of messages, one for a message and a model.
{{- if and .Pgvector .Extensions}}

CREATE EXTENSION IF NOT EXISTS vector;
{{- end}}

CREATE TABLE {{table "message_embeddings"}} (
    message_id      uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    model           text        NOT NULL,
    conversation_id uuid        NOT NULL,
    embedding       {{.VectorType}} NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT {{name "message_embeddings_pkey"}} PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT {{name "message_embeddings_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE
);

-- With the message at the end: of a table that has grown since its last ANALYZE, which
-- one just being filled has, the planner takes this index for the key as well.
CREATE INDEX {{name "message_embeddings_user_idx"}}
    ON {{table "message_embeddings"}} (user_id, model, message_id);
CREATE INDEX {{name "message_embeddings_conversation_idx"}}
    ON {{table "message_embeddings"}} (conversation_id, user_id);
{{- if .PlainVectors}}

-- A vector beside its row and not in a table of its own: comparing all of a user's takes
-- a third of the time.
ALTER TABLE {{table "message_embeddings"}} ALTER COLUMN embedding SET STORAGE PLAIN;
{{- end}}

-- Who embeds what at the moment. A claim that ran out is anybody's. Both times are by the
-- clock of whoever claims; how long the claim lasts, their difference, is by nobody's.
CREATE TABLE {{table "message_embedding_claims"}} (
    message_id    uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    model         text        NOT NULL,
    claimed_by    uuid        NOT NULL,
    claimed_at    timestamptz NOT NULL,
    claimed_until timestamptz NOT NULL,
    CONSTRAINT {{name "message_embedding_claims_pkey"}} PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT {{name "message_embedding_claims_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE
);
-- Erasing a user.
CREATE INDEX {{name "message_embedding_claims_user_idx"}}
    ON {{table "message_embedding_claims"}} (user_id);

-- What an embedder refused though it took other texts. A message with set_aside_at is not
-- embedded any more.
CREATE TABLE {{table "message_embedding_failures"}} (
    message_id   uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    model        text        NOT NULL,
    attempts     integer     NOT NULL,
    error        text        NOT NULL,
    failed_at    timestamptz NOT NULL,
    set_aside_at timestamptz,
    CONSTRAINT {{name "message_embedding_failures_pkey"}} PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT {{name "message_embedding_failures_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "message_embedding_failures_attempts_check"}} CHECK (attempts > 0)
);
-- Erasing a user, and listing what is set aside.
CREATE INDEX {{name "message_embedding_failures_user_idx"}}
    ON {{table "message_embedding_failures"}} (user_id, model, set_aside_at);
