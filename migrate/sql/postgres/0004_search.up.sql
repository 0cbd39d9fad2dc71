-- The search: all of it is made from the rows, and can be made again. On filled tables the words
-- are noted in batches, and the indexes are then made, while everybody reads and writes.
{{- if .FullText}}

-- The index of words. Triggers note what is to be read and what is void; the library packs what
-- is noted into segments. Whoever writes, and in whatever way, is therefore found at once.

-- What is read from its row, because no segment has it yet: 0 a conversation's title and subject,
-- 1 a message. Rows come and go all day, and every search reads those of its scope.
CREATE TABLE {{table "search_notes"}} (
    user_id   uuid     NOT NULL,
    thread_id uuid     NOT NULL,
    id        uuid     NOT NULL,
    kind      smallint NOT NULL,
    CONSTRAINT {{name "search_notes_pkey"}} PRIMARY KEY (user_id, id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What is void in the segments. What was erased leaves them altogether.
CREATE TABLE {{table "search_gone"}} (
    user_id   uuid     NOT NULL,
    thread_id uuid     NOT NULL,
    id        uuid     NOT NULL,
    kind      smallint NOT NULL,
    erased    boolean  NOT NULL,
    CONSTRAINT {{name "search_gone_pkey"}} PRIMARY KEY (user_id, thread_id, kind, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE {{table "search_segments"}} (
    id        bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    length    bigint  NOT NULL,
    since_at  bigint  NOT NULL,
    until_at  bigint  NOT NULL,
    bytes     bigint  NOT NULL,
    documents integer NOT NULL,
    tokenizer integer NOT NULL,
    dead      bytea   NOT NULL,
    stems     text    NOT NULL DEFAULT '?',
    CONSTRAINT {{name "search_segments_pkey"}} PRIMARY KEY (id)
);

-- A block stays in its row up to the length of a page: moved out of it, it would be written and
-- read in pieces.
CREATE TABLE {{table "search_blocks"}} (
    segment_id bigint   NOT NULL,
    part       smallint NOT NULL,
    key        bytea    NOT NULL,
    data       bytea    NOT NULL,
    CONSTRAINT {{name "search_blocks_pkey"}} PRIMARY KEY (segment_id, part, key),
    CONSTRAINT {{name "search_blocks_segment_fkey"}} FOREIGN KEY (segment_id)
        REFERENCES {{table "search_segments"}} (id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);
-- It is compressed already.
ALTER TABLE {{table "search_blocks"}} ALTER COLUMN data SET STORAGE EXTERNAL;

-- The functions name their tables with the schema, whatever search_path a session has, and run
-- with the rights of their owner: whoever may write messages needs none on these tables. Nobody
-- else can make triggers of them. Each writes a note before what is void, so that no two wait for each other. DO UPDATE and not DO
-- NOTHING, since it locks a note that is there already: whoever packs the text, and takes the
-- note away, waits for an edit and reads what it leaves.
DO $$
DECLARE
    home text := {{.SchemaSQL}};
BEGIN
    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "messages_search_insert"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
    SELECT m.user_id, m.conversation_id, m.id, 1 FROM made m WHERE m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
-- The note of a message that is deleted stays, though no search reads it, until the next packing:
-- to take it away would fail on a snapshot from before that packing.
CREATE FUNCTION %1$I.{{name "messages_search_update"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF NEW.user_id <> OLD.user_id OR NEW.id <> OLD.id THEN
        DELETE FROM %1$I.{{name "search_notes"}} n WHERE n.user_id = OLD.user_id AND n.id = OLD.id AND n.kind = 1;
    END IF;
    IF NEW.deleted_at IS NULL AND NEW.state <> 'streaming' THEN
        INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
        VALUES (NEW.user_id, NEW.conversation_id, NEW.id, 1)
        ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    END IF;
    IF OLD.deleted_at IS NULL AND OLD.state <> 'streaming' THEN
        INSERT INTO %1$I.{{name "search_gone"}} AS g (user_id, thread_id, id, kind, erased)
        VALUES (OLD.user_id, OLD.conversation_id, OLD.id, 1, false)
        ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    END IF;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "messages_search_delete"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM %1$I.{{name "search_notes"}} n USING removed o WHERE n.user_id = o.user_id AND n.id = o.id AND n.kind = 1;
    INSERT INTO %1$I.{{name "search_gone"}} (user_id, thread_id, id, kind, erased)
    SELECT o.user_id, o.conversation_id, o.id, 1, true FROM removed o
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "conversations_search_insert"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
    VALUES (NEW.user_id, NEW.id, NEW.id, 0)
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "conversations_search_update"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF coalesce(NEW.title, '') = '' AND coalesce(NEW.subject, '') = '' OR NEW.user_id <> OLD.user_id OR NEW.id <> OLD.id THEN
        DELETE FROM %1$I.{{name "search_notes"}} n WHERE n.user_id = OLD.user_id AND n.id = OLD.id AND n.kind = 0;
    END IF;
    IF coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> '' THEN
        INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
        VALUES (NEW.user_id, NEW.id, NEW.id, 0)
        ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    END IF;
    IF coalesce(OLD.title, '') <> '' OR coalesce(OLD.subject, '') <> '' THEN
        INSERT INTO %1$I.{{name "search_gone"}} AS g (user_id, thread_id, id, kind, erased)
        VALUES (OLD.user_id, OLD.id, OLD.id, 0, false)
        ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    END IF;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
-- With another language all texts of the conversation have other stems.
CREATE FUNCTION %1$I.{{name "conversations_search_language"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
    SELECT NEW.user_id, NEW.id, NEW.id, 0 WHERE coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> ''
    UNION ALL
    SELECT m.user_id, m.conversation_id, m.id, 1 FROM %1$I.{{name "messages"}} m
    WHERE m.conversation_id = NEW.id AND m.user_id = NEW.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    INSERT INTO %1$I.{{name "search_gone"}} AS g (user_id, thread_id, id, kind, erased)
    SELECT NEW.user_id, NEW.id, NEW.id, 0, false WHERE coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> ''
    UNION ALL
    SELECT m.user_id, m.conversation_id, m.id, 1, false FROM %1$I.{{name "messages"}} m
    WHERE m.conversation_id = NEW.id AND m.user_id = NEW.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "conversations_search_delete"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM %1$I.{{name "search_notes"}} n USING removed o WHERE n.user_id = o.user_id AND n.id = o.id AND n.kind = 0;
    INSERT INTO %1$I.{{name "search_gone"}} (user_id, thread_id, id, kind, erased)
    SELECT o.user_id, o.id, o.id, 0, true FROM removed o
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I.{{name "messages_search_truncate"}}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    TRUNCATE %1$I.{{name "search_notes"}}, %1$I.{{name "search_gone"}}, %1$I.{{name "search_segments"}}, %1$I.{{name "search_blocks"}};
    INSERT INTO %1$I.{{name "search_notes"}} (user_id, thread_id, id, kind)
    SELECT c.user_id, c.id, c.id, 0 FROM %1$I.{{name "conversations"}} c
    WHERE coalesce(c.title, '') <> '' OR coalesce(c.subject, '') <> '';
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format('REVOKE EXECUTE ON FUNCTION ' || $names$
        %1$I.{{name "messages_search_insert"}}(),
        %1$I.{{name "messages_search_update"}}(),
        %1$I.{{name "messages_search_delete"}}(),
        %1$I.{{name "conversations_search_insert"}}(),
        %1$I.{{name "conversations_search_update"}}(),
        %1$I.{{name "conversations_search_language"}}(),
        %1$I.{{name "conversations_search_delete"}}(),
        %1$I.{{name "messages_search_truncate"}}()
        $names$ || ' FROM PUBLIC', home);
END
$$;

CREATE TRIGGER {{name "messages_search_insert"}} AFTER INSERT ON {{table "messages"}}
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION {{table "messages_search_insert"}}();

CREATE TRIGGER {{name "messages_search_update"}}
    AFTER UPDATE OF id, user_id, conversation_id, created_at, deleted_at, state, attachments, tool_results, metadata, content ON {{table "messages"}}
    FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL AND OLD.state <> 'streaming') <> (NEW.deleted_at IS NULL AND NEW.state <> 'streaming')
        OR NEW.deleted_at IS NULL AND NEW.state <> 'streaming' AND
            (OLD.id, OLD.user_id, OLD.conversation_id, OLD.created_at, OLD.attachments, OLD.tool_results, OLD.metadata, OLD.content)
            IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.conversation_id, NEW.created_at, NEW.attachments, NEW.tool_results, NEW.metadata, NEW.content))
    EXECUTE FUNCTION {{table "messages_search_update"}}();

CREATE TRIGGER {{name "messages_search_delete"}} AFTER DELETE ON {{table "messages"}}
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION {{table "messages_search_delete"}}();

-- Conversations are truncated together with their messages.
CREATE TRIGGER {{name "messages_search_truncate"}} AFTER TRUNCATE ON {{table "messages"}}
    FOR EACH STATEMENT EXECUTE FUNCTION {{table "messages_search_truncate"}}();

-- A deleted conversation's title stays: the search looks whether its conversation is live.
CREATE TRIGGER {{name "conversations_search_insert"}} AFTER INSERT ON {{table "conversations"}}
    FOR EACH ROW
    WHEN (coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> '')
    EXECUTE FUNCTION {{table "conversations_search_insert"}}();

CREATE TRIGGER {{name "conversations_search_update"}}
    AFTER UPDATE OF id, user_id, created_at, title, subject ON {{table "conversations"}}
    FOR EACH ROW
    WHEN ((OLD.id, OLD.user_id, OLD.created_at, OLD.title, OLD.subject)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.created_at, NEW.title, NEW.subject))
    EXECUTE FUNCTION {{table "conversations_search_update"}}();

CREATE TRIGGER {{name "conversations_search_language"}} AFTER UPDATE OF language ON {{table "conversations"}}
    FOR EACH ROW
    WHEN (OLD.language IS DISTINCT FROM NEW.language)
    EXECUTE FUNCTION {{table "conversations_search_language"}}();

CREATE TRIGGER {{name "conversations_search_delete"}} AFTER DELETE ON {{table "conversations"}}
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION {{table "conversations_search_delete"}}();

-- convostore:batch {{table "messages"}} (id, user_id) 10000
INSERT INTO {{table "search_notes"}} (user_id, thread_id, id, kind)
SELECT user_id, conversation_id, id, 1 FROM {{table "messages"}}
WHERE /* batch */ deleted_at IS NULL AND state <> 'streaming'
ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;

-- convostore:batch {{table "conversations"}} (id, user_id) 10000
INSERT INTO {{table "search_notes"}} (user_id, thread_id, id, kind)
SELECT user_id, id, id, 0 FROM {{table "conversations"}}
WHERE /* batch */ (coalesce(title, '') <> '' OR coalesce(subject, '') <> '')
ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
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
