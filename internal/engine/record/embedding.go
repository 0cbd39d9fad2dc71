package record

// EmbeddingColumns are the columns of embeddings that an INSERT sets.
const EmbeddingColumns = "message_id, user_id, model, conversation_id, embedding, created_at"
