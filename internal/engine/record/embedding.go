package record

const EmbeddingColumns = "message_id, user_id, model, conversation_id, embedding, created_at"
