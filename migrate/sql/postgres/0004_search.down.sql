-- Whatever options it was made with. The extension stays: the host may use it elsewhere.
{{- if not .OnlyWords}}
DROP INDEX IF EXISTS {{table "message_embeddings_vector_idx"}};
DROP INDEX IF EXISTS {{table "conversations_trigram_idx"}};
DROP INDEX IF EXISTS {{table "messages_trigram_idx"}};
{{- end}}
DROP TRIGGER IF EXISTS {{name "conversations_search_delete"}} ON {{table "conversations"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_language"}} ON {{table "conversations"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_update"}} ON {{table "conversations"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_insert"}} ON {{table "conversations"}};
DROP TRIGGER IF EXISTS {{name "messages_search_truncate"}} ON {{table "messages"}};
DROP TRIGGER IF EXISTS {{name "messages_search_delete"}} ON {{table "messages"}};
DROP TRIGGER IF EXISTS {{name "messages_search_update"}} ON {{table "messages"}};
DROP TRIGGER IF EXISTS {{name "messages_search_insert"}} ON {{table "messages"}};
DROP FUNCTION IF EXISTS {{table "messages_search_truncate"}}();
DROP FUNCTION IF EXISTS {{table "conversations_search_delete"}}();
DROP FUNCTION IF EXISTS {{table "conversations_search_language"}}();
DROP FUNCTION IF EXISTS {{table "conversations_search_update"}}();
DROP FUNCTION IF EXISTS {{table "conversations_search_insert"}}();
DROP FUNCTION IF EXISTS {{table "messages_search_delete"}}();
DROP FUNCTION IF EXISTS {{table "messages_search_update"}}();
DROP FUNCTION IF EXISTS {{table "messages_search_insert"}}();
DROP TABLE IF EXISTS {{table "search_blocks"}};
DROP TABLE IF EXISTS {{table "search_segments"}};
DROP TABLE IF EXISTS {{table "search_gone"}};
DROP TABLE IF EXISTS {{table "search_notes"}};
