-- Whatever options it was made with.
DROP TRIGGER IF EXISTS {{name "conversations_fts_delete"}};
DROP TRIGGER IF EXISTS {{name "conversations_fts_update"}};
DROP TRIGGER IF EXISTS {{name "conversations_fts_insert"}};
DROP TABLE IF EXISTS {{table "conversations_fts"}};
DROP TRIGGER IF EXISTS {{name "messages_fts_delete"}};
DROP TRIGGER IF EXISTS {{name "messages_fts_update"}};
DROP TRIGGER IF EXISTS {{name "messages_fts_insert"}};
DROP TABLE IF EXISTS {{table "messages_fts"}};
