-- Whatever options it was made with. The extension stays: the host may use it elsewhere.
DROP INDEX IF EXISTS {{table "message_embeddings_vector_idx"}};
DROP INDEX IF EXISTS {{table "conversations_trigram_idx"}};
DROP INDEX IF EXISTS {{table "messages_trigram_idx"}};
ALTER TABLE {{table "conversations"}} DROP COLUMN IF EXISTS search;
ALTER TABLE {{table "messages"}} DROP COLUMN IF EXISTS search;
