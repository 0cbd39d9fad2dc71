DROP TABLE {{table "message_embedding_lists"}};
DROP TABLE {{table "message_embedding_centroids"}};
DROP TABLE {{table "message_embedding_partitions"}};
DROP TABLE {{table "message_embedding_failures"}};
DROP TABLE {{table "message_embedding_claims"}};
DROP TABLE {{table "message_embeddings"}};
