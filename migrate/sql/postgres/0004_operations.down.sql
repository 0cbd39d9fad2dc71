DROP INDEX {{table "messages_all_attachments_idx"}};
DROP INDEX {{table "ai_suggestions_approved_idx"}};
DROP INDEX {{table "ai_suggestions_all_created_idx"}};
ALTER TABLE {{table "conversations"}} DROP COLUMN held_at;
