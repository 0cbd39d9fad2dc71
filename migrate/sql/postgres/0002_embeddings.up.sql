-- The vectors of messages, one for a message and a model.
{{- if .Pgvector}}

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

CREATE INDEX {{name "message_embeddings_user_idx"}}
    ON {{table "message_embeddings"}} (user_id, model);
CREATE INDEX {{name "message_embeddings_conversation_idx"}}
    ON {{table "message_embeddings"}} (conversation_id, user_id);
