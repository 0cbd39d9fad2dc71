DROP TABLE {{table "message_embeddings"}};
