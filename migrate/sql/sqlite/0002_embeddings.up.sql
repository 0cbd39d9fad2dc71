-- The vectors of messages, one for a message and a model: float32 in little-endian order.

CREATE TABLE {{table "message_embeddings"}} (
    message_id      text      NOT NULL,
    user_id         text      NOT NULL,
    model           text      NOT NULL,
    conversation_id text      NOT NULL,
    embedding       blob      NOT NULL,
    created_at      timestamp NOT NULL DEFAULT {{.Now}},
    CONSTRAINT {{name "message_embeddings_pkey"}} PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT {{name "message_embeddings_message_fkey"}} FOREIGN KEY (message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "message_embeddings_vector_check"}} CHECK (length(embedding) = 4 * {{.Dimensions}})
);

CREATE INDEX {{name "message_embeddings_user_idx"}}
    ON {{table "message_embeddings"}} (user_id, model);
CREATE INDEX {{name "message_embeddings_conversation_idx"}}
    ON {{table "message_embeddings"}} (conversation_id, user_id);
