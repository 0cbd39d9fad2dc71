-- Whatever options it was made with.
DROP TRIGGER IF EXISTS {{name "conversations_search_delete"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_language"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_update"}};
DROP TRIGGER IF EXISTS {{name "conversations_search_insert"}};
DROP TRIGGER IF EXISTS {{name "messages_search_delete"}};
DROP TRIGGER IF EXISTS {{name "messages_search_update"}};
DROP TRIGGER IF EXISTS {{name "messages_search_insert"}};
DROP TABLE IF EXISTS {{table "search_blocks"}};
DROP TABLE IF EXISTS {{table "search_segments"}};
DROP TABLE IF EXISTS {{table "search_gone"}};
DROP TABLE IF EXISTS {{table "search_notes"}};
