-- The vectors of messages, one for a message and a model: float32 in little-endian order,
-- then a code of one bit a dimension, set where the number is above zero.

-- A row_id is never given twice: a copy of the codes in memory can tell what is new.
CREATE TABLE {{table "message_embeddings"}} (
    row_id          integer PRIMARY KEY AUTOINCREMENT,
    message_id      text      NOT NULL,
    user_id         text      NOT NULL,
    model           text      NOT NULL,
    conversation_id text      NOT NULL,
    embedding       blob      NOT NULL,
    created_at      timestamp NOT NULL DEFAULT {{.Now}} CHECK ({{utc "created_at"}}),
    CONSTRAINT {{name "message_embeddings_key"}} UNIQUE (message_id, user_id, model),
    CONSTRAINT {{name "message_embeddings_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "message_embeddings_vector_check"}} CHECK (length(embedding) = {{.VectorBytes}} + {{.CodeBytes}})
);

-- The codes, to be scanned without the vectors.
CREATE INDEX {{name "message_embeddings_code_idx"}}
    ON {{table "message_embeddings"}} (model, user_id, substr(embedding, {{.VectorBytes}} + 1));
CREATE INDEX {{name "message_embeddings_user_idx"}}
    ON {{table "message_embeddings"}} (user_id);
CREATE INDEX {{name "message_embeddings_conversation_idx"}}
    ON {{table "message_embeddings"}} (conversation_id, user_id);

-- Who embeds what at the moment. A claim that ran out is anybody's. Both times are by the
-- clock of whoever claims; how long the claim lasts, their difference, is by nobody's.
CREATE TABLE {{table "message_embedding_claims"}} (
    message_id    text      NOT NULL,
    user_id       text      NOT NULL,
    model         text      NOT NULL,
    claimed_by    text      NOT NULL,
    claimed_at    timestamp NOT NULL CHECK ({{utc "claimed_at"}}),
    claimed_until timestamp NOT NULL CHECK ({{utc "claimed_until"}}),
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
    message_id   text      NOT NULL,
    user_id      text      NOT NULL,
    model        text      NOT NULL,
    attempts     integer   NOT NULL,
    error        text      NOT NULL,
    failed_at    timestamp NOT NULL CHECK ({{utc "failed_at"}}),
    set_aside_at timestamp CHECK ({{utc "set_aside_at"}}),
    CONSTRAINT {{name "message_embedding_failures_pkey"}} PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT {{name "message_embedding_failures_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "message_embedding_failures_attempts_check"}} CHECK (attempts > 0)
);
-- Erasing a user, and listing what is set aside.
CREATE INDEX {{name "message_embedding_failures_user_idx"}}
    ON {{table "message_embedding_failures"}} (user_id, model, set_aside_at);
