-- The index of words: all of it is made from the rows, and can be made again. On filled tables
-- the words are noted in batches.
{{- if .FullText}}

-- Triggers note what is to be read and what is void; the library packs what is noted into
-- segments. Whoever writes, and in whatever way, is therefore found at once.

-- What is read from its row, because no segment has it yet: the row_id of a message, or minus the
-- row_id of a conversation, for its title and subject.
CREATE TABLE {{table "search_notes"}} (
    ref integer PRIMARY KEY
);

-- What is void in the segments. What was erased leaves them altogether. kind is 0 for a
-- conversation and 1 for a message.
CREATE TABLE {{table "search_gone"}} (
    user_id   text    NOT NULL,
    thread_id text    NOT NULL,
    kind      integer NOT NULL,
    id        text    NOT NULL,
    erased    boolean NOT NULL,
    CONSTRAINT {{name "search_gone_pkey"}} PRIMARY KEY (user_id, thread_id, kind, id)
) WITHOUT ROWID;

-- An id is never given twice: a copy of a segment in memory stays the right one.
CREATE TABLE {{table "search_segments"}} (
    id        integer PRIMARY KEY AUTOINCREMENT,
    documents integer NOT NULL,
    length    integer NOT NULL,
    since_at  integer NOT NULL,
    until_at  integer NOT NULL,
    tokenizer integer NOT NULL,
    bytes     integer NOT NULL,
    dead      blob    NOT NULL,
    stems     text    NOT NULL DEFAULT '?'
);

-- Not WITHOUT ROWID: a search in such a table reads a whole block, which does not fit into its
-- page, for each key that it compares.
CREATE TABLE {{table "search_blocks"}} (
    segment_id integer NOT NULL,
    part       integer NOT NULL,
    key        blob    NOT NULL,
    data       blob    NOT NULL,
    CONSTRAINT {{name "search_blocks_pkey"}} PRIMARY KEY (segment_id, part, key),
    CONSTRAINT {{name "search_blocks_segment_fkey"}} FOREIGN KEY (segment_id)
        REFERENCES {{table "search_segments"}} (id) ON DELETE CASCADE
);

CREATE TRIGGER {{name "messages_search_insert"}} AFTER INSERT ON {{table "messages"}}
WHEN new.deleted_at IS NULL AND new.state <> 'streaming'
BEGIN
    INSERT INTO {{table "search_notes"}} (ref) VALUES (new.row_id) ON CONFLICT (ref) DO NOTHING;
END;

CREATE TRIGGER {{name "messages_search_update"}}
AFTER UPDATE OF row_id, id, user_id, conversation_id, created_at, deleted_at, state, attachments, tool_results, metadata, content ON {{table "messages"}}
WHEN (old.deleted_at IS NULL AND old.state <> 'streaming') <> (new.deleted_at IS NULL AND new.state <> 'streaming')
    OR new.deleted_at IS NULL AND new.state <> 'streaming' AND (old.row_id <> new.row_id OR old.id <> new.id
        OR old.user_id <> new.user_id OR old.conversation_id <> new.conversation_id OR old.created_at <> new.created_at
        OR old.attachments IS NOT new.attachments OR old.tool_results IS NOT new.tool_results
        OR old.metadata IS NOT new.metadata OR old.content <> new.content)
BEGIN
    DELETE FROM {{table "search_notes"}} WHERE ref = old.row_id
        AND (new.deleted_at IS NOT NULL OR new.state = 'streaming' OR new.row_id <> old.row_id);
    INSERT INTO {{table "search_notes"}} (ref)
    SELECT new.row_id WHERE new.deleted_at IS NULL AND new.state <> 'streaming' ON CONFLICT (ref) DO NOTHING;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    SELECT old.user_id, old.conversation_id, 1, old.id, false WHERE old.deleted_at IS NULL AND old.state <> 'streaming'
    ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING;
END;

CREATE TRIGGER {{name "messages_search_delete"}} AFTER DELETE ON {{table "messages"}}
BEGIN
    DELETE FROM {{table "search_notes"}} WHERE ref = old.row_id;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    VALUES (old.user_id, old.conversation_id, 1, old.id, true)
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
END;

-- A deleted conversation's title stays: the search looks whether its conversation is live.
CREATE TRIGGER {{name "conversations_search_insert"}} AFTER INSERT ON {{table "conversations"}}
WHEN coalesce(new.title, '') <> '' OR coalesce(new.subject, '') <> ''
BEGIN
    INSERT INTO {{table "search_notes"}} (ref) VALUES (-new.row_id) ON CONFLICT (ref) DO NOTHING;
END;

CREATE TRIGGER {{name "conversations_search_update"}} AFTER UPDATE OF row_id, id, user_id, created_at, title, subject ON {{table "conversations"}}
WHEN old.row_id <> new.row_id OR old.id <> new.id OR old.user_id <> new.user_id OR old.created_at <> new.created_at
    OR old.title IS NOT new.title OR old.subject IS NOT new.subject
BEGIN
    DELETE FROM {{table "search_notes"}} WHERE ref = -old.row_id
        AND (coalesce(new.title, '') = '' AND coalesce(new.subject, '') = '' OR new.row_id <> old.row_id);
    INSERT INTO {{table "search_notes"}} (ref)
    SELECT -new.row_id WHERE coalesce(new.title, '') <> '' OR coalesce(new.subject, '') <> '' ON CONFLICT (ref) DO NOTHING;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    SELECT old.user_id, old.id, 0, old.id, false WHERE coalesce(old.title, '') <> '' OR coalesce(old.subject, '') <> ''
    ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING;
END;

-- With another language all texts of the conversation have other stems.
CREATE TRIGGER {{name "conversations_search_language"}} AFTER UPDATE OF language ON {{table "conversations"}}
WHEN old.language IS NOT new.language
BEGIN
    INSERT INTO {{table "search_notes"}} (ref)
    SELECT -new.row_id WHERE coalesce(new.title, '') <> '' OR coalesce(new.subject, '') <> '' ON CONFLICT (ref) DO NOTHING;
    INSERT INTO {{table "search_notes"}} (ref)
    SELECT m.row_id FROM {{table "messages"}} m
    WHERE m.conversation_id = new.id AND m.user_id = new.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (ref) DO NOTHING;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    SELECT new.user_id, new.id, 0, new.id, false WHERE coalesce(new.title, '') <> '' OR coalesce(new.subject, '') <> ''
    ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    SELECT m.user_id, m.conversation_id, 1, m.id, false FROM {{table "messages"}} m
    WHERE m.conversation_id = new.id AND m.user_id = new.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, thread_id, kind, id) DO NOTHING;
END;

CREATE TRIGGER {{name "conversations_search_delete"}} AFTER DELETE ON {{table "conversations"}}
BEGIN
    DELETE FROM {{table "search_notes"}} WHERE ref = -old.row_id;
    INSERT INTO {{table "search_gone"}} (user_id, thread_id, kind, id, erased)
    VALUES (old.user_id, old.id, 0, old.id, true)
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
END;

-- convostore:batch {{table "messages"}} (row_id) 10000
INSERT INTO {{table "search_notes"}} (ref)
SELECT row_id FROM {{table "messages"}}
WHERE /* batch */ deleted_at IS NULL AND state <> 'streaming' ON CONFLICT (ref) DO NOTHING;

-- convostore:batch {{table "conversations"}} (row_id) 10000
INSERT INTO {{table "search_notes"}} (ref)
SELECT -row_id FROM {{table "conversations"}}
WHERE /* batch */ (coalesce(title, '') <> '' OR coalesce(subject, '') <> '') ON CONFLICT (ref) DO NOTHING;
{{- end}}
