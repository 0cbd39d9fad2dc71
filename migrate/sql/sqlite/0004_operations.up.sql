-- What reports and retention need beyond the lists.

-- A conversation that is held is left alone by what archives, deletes and purges by age.
ALTER TABLE {{table "conversations"}} ADD COLUMN held_at timestamp;

-- Everybody's suggestions of a span of time.
CREATE INDEX {{name "ai_suggestions_all_created_idx"}}
    ON {{table "ai_suggestions"}} (created_at DESC, id DESC);
-- What was approved as it stood, the surest first.
CREATE INDEX {{name "ai_suggestions_approved_idx"}}
    ON {{table "ai_suggestions"}} (confidence_score DESC, id DESC, user_id DESC)
    WHERE status = 'approved' AND deleted_at IS NULL AND confidence_score IS NOT NULL;
-- Everybody's messages with attachments, by when they were sent.
CREATE INDEX {{name "messages_all_attachments_idx"}}
    ON {{table "messages"}} (sent_at DESC, id DESC, user_id DESC) WHERE attachments IS NOT NULL;
