package health

// tableNames returns the library's tables without their prefix.
func tableNames() []string {
	return []string{
		"conversations", "messages", "message_embeddings", "message_embedding_claims",
		"ai_suggestions", "convostore_migrations",
	}
}
