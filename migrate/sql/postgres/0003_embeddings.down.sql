-- The extension stays: the host may use it elsewhere.
DROP TABLE {{table "message_embedding_failures"}};
DROP TABLE {{table "message_embedding_claims"}};
DROP TABLE {{table "message_embeddings"}};
