-- The indexes of search: all of it is made from the rows, and can be made again. On filled tables
-- the columns are added first, each by writing its table anew while nobody reads or writes it; the
-- indexes, which take longer, are then made while everybody does.
{{- if .FullText}}

-- A column and not an expression in the index, which would take common words apart again
-- for each ranking. The type holds a megabyte and refuses more; with a hyphen a word counts
-- whole and in parts, so a character can need 8 bytes. What comes after is left out.
ALTER TABLE {{table "messages"}} ADD COLUMN search tsvector
    GENERATED ALWAYS AS (to_tsvector('{{.TextConfig}}'::regconfig, left(content, 125000))) STORED;
-- convostore:concurrently
CREATE INDEX {{name "messages_search_idx"}}
    ON {{table "messages"}} USING gin (search) WHERE deleted_at IS NULL;

ALTER TABLE {{table "conversations"}} ADD COLUMN search tsvector
    GENERATED ALWAYS AS (to_tsvector('{{.TextConfig}}'::regconfig,
        left(coalesce(title, '') || ' ' || coalesce(subject, ''), 125000))) STORED;
-- convostore:concurrently
CREATE INDEX {{name "conversations_search_idx"}}
    ON {{table "conversations"}} USING gin (search) WHERE deleted_at IS NULL;
{{- end}}
{{- if .Trigrams}}
{{- if .Extensions}}

CREATE EXTENSION IF NOT EXISTS pg_trgm;
{{- end}}

-- convostore:concurrently
CREATE INDEX {{name "messages_trigram_idx"}}
    ON {{table "messages"}} USING gin (content gin_trgm_ops) WHERE deleted_at IS NULL;
-- convostore:concurrently
CREATE INDEX {{name "conversations_trigram_idx"}}
    ON {{table "conversations"}} USING gin (title gin_trgm_ops, subject gin_trgm_ops) WHERE deleted_at IS NULL;
{{- end}}
{{- if .VectorIndex}}

-- With the extension's own 64 for ef_construction there were clusters that no search got
-- into: of 200,000 vectors in 200 clusters 4 of 100 searches found nothing right, with
-- 128 one, and none at an ef_search of 400. Building it takes up to twice as long.
-- convostore:concurrently
CREATE INDEX {{name "message_embeddings_vector_idx"}}
    ON {{table "message_embeddings"}} USING hnsw (embedding {{.VectorOps}}) WITH (ef_construction = 128);
{{- end}}
