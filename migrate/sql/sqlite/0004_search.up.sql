-- The indexes of words: all of it is made from the rows, and can be made again.
{{- if .FullText}}

-- scope has the ids of user and conversation, each as one word: a search of one user
-- reads that user's entries alone. The texts themselves stay in their tables.
CREATE VIRTUAL TABLE {{table "messages_fts"}} USING fts5(
    content, scope, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

-- Small leaves of the index: with the default, 4050, an append writes two pages more.
INSERT INTO {{table "messages_fts"}} ({{table "messages_fts"}}, rank) VALUES ('pgsz', 1000);

INSERT INTO {{table "messages_fts"}} (rowid, content, scope)
SELECT row_id, content, 'u' || replace(user_id, '-', '') || ' c' || replace(conversation_id, '-', '')
FROM {{table "messages"}} WHERE deleted_at IS NULL;

CREATE TRIGGER {{name "messages_fts_insert"}} AFTER INSERT ON {{table "messages"}}
WHEN new.deleted_at IS NULL
BEGIN
    INSERT INTO {{table "messages_fts"}} (rowid, content, scope)
    VALUES (new.row_id, new.content, 'u' || replace(new.user_id, '-', '') || ' c' || replace(new.conversation_id, '-', ''));
END;

-- One trigger for both steps: two would run in the order of their making.
CREATE TRIGGER {{name "messages_fts_update"}} AFTER UPDATE OF content, user_id, conversation_id, deleted_at ON {{table "messages"}}
WHEN old.content IS NOT new.content OR old.user_id IS NOT new.user_id OR old.conversation_id IS NOT new.conversation_id
    OR (old.deleted_at IS NULL) <> (new.deleted_at IS NULL)
BEGIN
    DELETE FROM {{table "messages_fts"}} WHERE rowid = old.row_id;
    INSERT INTO {{table "messages_fts"}} (rowid, content, scope)
    SELECT new.row_id, new.content, 'u' || replace(new.user_id, '-', '') || ' c' || replace(new.conversation_id, '-', '')
    WHERE new.deleted_at IS NULL;
END;

CREATE TRIGGER {{name "messages_fts_delete"}} AFTER DELETE ON {{table "messages"}}
BEGIN
    DELETE FROM {{table "messages_fts"}} WHERE rowid = old.row_id;
END;

CREATE VIRTUAL TABLE {{table "conversations_fts"}} USING fts5(
    content, scope, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

INSERT INTO {{table "conversations_fts"}} (rowid, content, scope)
SELECT row_id, coalesce(title, '') || ' ' || coalesce(subject, ''), 'u' || replace(user_id, '-', '') || ' c' || replace(id, '-', '')
FROM {{table "conversations"}} WHERE deleted_at IS NULL;

CREATE TRIGGER {{name "conversations_fts_insert"}} AFTER INSERT ON {{table "conversations"}}
WHEN new.deleted_at IS NULL
BEGIN
    INSERT INTO {{table "conversations_fts"}} (rowid, content, scope)
    VALUES (new.row_id, coalesce(new.title, '') || ' ' || coalesce(new.subject, ''),
        'u' || replace(new.user_id, '-', '') || ' c' || replace(new.id, '-', ''));
END;

CREATE TRIGGER {{name "conversations_fts_update"}} AFTER UPDATE OF title, subject, user_id, deleted_at ON {{table "conversations"}}
WHEN old.title IS NOT new.title OR old.subject IS NOT new.subject OR old.user_id IS NOT new.user_id
    OR (old.deleted_at IS NULL) <> (new.deleted_at IS NULL)
BEGIN
    DELETE FROM {{table "conversations_fts"}} WHERE rowid = old.row_id;
    INSERT INTO {{table "conversations_fts"}} (rowid, content, scope)
    SELECT new.row_id, coalesce(new.title, '') || ' ' || coalesce(new.subject, ''),
        'u' || replace(new.user_id, '-', '') || ' c' || replace(new.id, '-', '')
    WHERE new.deleted_at IS NULL;
END;

CREATE TRIGGER {{name "conversations_fts_delete"}} AFTER DELETE ON {{table "conversations"}}
BEGIN
    DELETE FROM {{table "conversations_fts"}} WHERE rowid = old.row_id;
END;
{{- end}}
