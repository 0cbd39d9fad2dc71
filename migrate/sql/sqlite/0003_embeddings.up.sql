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
-- The vectors of a model divided among lists of near ones: an index that Embeddings().Train
-- makes, so that a search reads a few lists. While a partition is being filled, the one
-- before it serves; a retired one is being removed.
CREATE TABLE {{table "message_embedding_partitions"}} (
    id         integer PRIMARY KEY AUTOINCREMENT,
    model      text      NOT NULL,
    state      text      NOT NULL CHECK (state IN ('filling', 'serving', 'retired')),
    lists      integer   NOT NULL,
    -- The vectors at the beginning, the greatest row_id of them, and the greatest that was given
    -- a list.
    vectors    integer   NOT NULL,
    last_row   integer   NOT NULL,
    through    integer   NOT NULL DEFAULT 0,
    -- How many lists a search reads at least, how many vectors it compares, and how much of what
    -- a search through all codes finds a search through these lists found.
    probes     integer   NOT NULL DEFAULT 0,
    candidates integer   NOT NULL DEFAULT 0,
    recall     real      NOT NULL DEFAULT 0,
    trained_at timestamp NOT NULL CHECK ({{utc "trained_at"}})
);
CREATE UNIQUE INDEX {{name "message_embedding_partitions_state_key"}}
    ON {{table "message_embedding_partitions"}} (model, state) WHERE state <> 'retired';

CREATE TABLE {{table "message_embedding_centroids"}} (
    partition_id integer NOT NULL,
    list         integer NOT NULL,
    centroid     blob    NOT NULL,
    CONSTRAINT {{name "message_embedding_centroids_pkey"}} PRIMARY KEY (partition_id, list),
    CONSTRAINT {{name "message_embedding_centroids_partition_fkey"}} FOREIGN KEY (partition_id)
        REFERENCES {{table "message_embedding_partitions"}} (id) ON DELETE CASCADE
);

-- The codes, in the order in which a search reads them. List -1 has the vectors that have no
-- list yet: every search reads it.
CREATE TABLE {{table "message_embedding_lists"}} (
    partition_id integer NOT NULL,
    list         integer NOT NULL,
    user_id      text    NOT NULL,
    row_id       integer NOT NULL,
    code         blob    NOT NULL,
    CONSTRAINT {{name "message_embedding_lists_pkey"}} PRIMARY KEY (partition_id, list, user_id, row_id),
    CONSTRAINT {{name "message_embedding_lists_vector_fkey"}} FOREIGN KEY (row_id)
        REFERENCES {{table "message_embeddings"}} (row_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX {{name "message_embedding_lists_row_idx"}}
    ON {{table "message_embedding_lists"}} (row_id);

-- Whoever writes a vector, a search finds it.
CREATE TRIGGER {{name "message_embeddings_list_insert"}} AFTER INSERT ON {{table "message_embeddings"}}
BEGIN
    INSERT INTO {{table "message_embedding_lists"}} (partition_id, list, user_id, row_id, code)
    SELECT id, -1, new.user_id, new.row_id, substr(new.embedding, {{.VectorBytes}} + 1)
    FROM {{table "message_embedding_partitions"}} WHERE model = new.model AND state = 'serving';
END;

CREATE TRIGGER {{name "message_embeddings_list_update"}} AFTER UPDATE OF embedding, user_id, model ON {{table "message_embeddings"}}
BEGIN
    DELETE FROM {{table "message_embedding_lists"}} WHERE row_id = old.row_id;
    INSERT INTO {{table "message_embedding_lists"}} (partition_id, list, user_id, row_id, code)
    SELECT id, -1, new.user_id, new.row_id, substr(new.embedding, {{.VectorBytes}} + 1)
    FROM {{table "message_embedding_partitions"}} WHERE model = new.model AND state IN ('serving', 'filling')
        AND (state = 'serving' OR through >= new.row_id);
END;
