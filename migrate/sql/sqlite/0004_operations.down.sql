DROP INDEX {{name "messages_all_attachments_idx"}};
DROP INDEX {{name "ai_suggestions_approved_idx"}};
DROP INDEX {{name "ai_suggestions_all_created_idx"}};
ALTER TABLE {{table "conversations"}} DROP COLUMN held_at;
