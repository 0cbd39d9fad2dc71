-- conversations, messages and suggestions.
--
-- Every key carries user_id: a row cannot hang in another user's conversation, and a
-- sharded server can distribute all tables by it. No trigger, no SET NULL, no sequence
-- in a key: such servers refuse them.
{{- if .Schema}}

-- Not IF NOT EXISTS, which asks for the right to create even when the schema is there.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{{.Schema}}') THEN
        CREATE SCHEMA "{{.Schema}}";
    END IF;
END
$$;
{{- end}}

CREATE TABLE {{table "convostore_migrations"}} (
    version     bigint      NOT NULL,
    name        text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    -- The oldest version of the code that works with this one; null is the version itself.
    oldest_code bigint,
    CONSTRAINT {{name "convostore_migrations_pkey"}} PRIMARY KEY (version)
);

CREATE TABLE {{table "conversations"}} (
    id              uuid         NOT NULL,
    user_id         uuid         NOT NULL,
    lead_id         {{.LeadType}},
    external_key    text,
    title           varchar(255),
    subject         text,
    status          text         NOT NULL DEFAULT 'active',
    metadata        jsonb,
    last_seq        bigint       NOT NULL DEFAULT 0,
    last_message_at timestamptz  NOT NULL DEFAULT now(),
    created_at      timestamptz  NOT NULL DEFAULT now(),
    updated_at      timestamptz  NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    CONSTRAINT {{name "conversations_pkey"}} PRIMARY KEY (id, user_id),
{{- if .Users}}
    CONSTRAINT {{name "conversations_user_fkey"}} FOREIGN KEY (user_id)
        REFERENCES {{.Users.Table}} ({{.Users.Column}}) ON DELETE CASCADE,
{{- end}}
{{- if .Leads}}
    CONSTRAINT {{name "conversations_lead_fkey"}} FOREIGN KEY (lead_id)
        REFERENCES {{.Leads.Table}} ({{.Leads.Column}}) ON DELETE CASCADE,
{{- end}}
    CONSTRAINT {{name "conversations_status_check"}} CHECK (status IN ('active', 'needs_reply', 'waiting', 'archived')),
    CONSTRAINT {{name "conversations_last_seq_check"}} CHECK (last_seq >= 0)
);

-- One user's list by activity.
CREATE INDEX {{name "conversations_activity_idx"}}
    ON {{table "conversations"}} (user_id, last_message_at DESC, id DESC) WHERE deleted_at IS NULL;
-- One user's list by creation; whole, because erasing a user must find deleted rows too.
CREATE INDEX {{name "conversations_created_idx"}}
    ON {{table "conversations"}} (user_id, created_at DESC, id DESC);
-- Everybody's list by activity, and what has been quiet for long.
CREATE INDEX {{name "conversations_all_activity_idx"}}
    ON {{table "conversations"}} (last_message_at DESC, id DESC) WHERE deleted_at IS NULL;
-- Everybody's list by creation.
CREATE INDEX {{name "conversations_all_created_idx"}}
    ON {{table "conversations"}} (created_at DESC, id DESC);
-- The queues of what waits for an answer: small, since most conversations do not.
CREATE INDEX {{name "conversations_queue_idx"}}
    ON {{table "conversations"}} (user_id, last_message_at DESC, id DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL;
CREATE INDEX {{name "conversations_all_queue_idx"}}
    ON {{table "conversations"}} (last_message_at DESC, id DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL;
CREATE INDEX {{name "conversations_lead_idx"}}
    ON {{table "conversations"}} (lead_id, last_message_at DESC, id DESC) WHERE lead_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "conversations_external_key_key"}}
    ON {{table "conversations"}} (user_id, external_key) WHERE external_key IS NOT NULL;
CREATE INDEX {{name "conversations_deleted_idx"}}
    ON {{table "conversations"}} (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE {{table "messages"}} (
    id                  uuid        NOT NULL,
    user_id             uuid        NOT NULL,
    conversation_id     uuid        NOT NULL,
    seq                 bigint      NOT NULL,
    role                text        NOT NULL,
    direction           text,
    content             text        NOT NULL,
    sender_email        text,
    recipient_email     text,
    postmark_message_id text,
    gmail_message_id    text,
    gmail_thread_id     text,
    email_message_id    text,
    idempotency_key     text,
    headers             jsonb,
    attachments         jsonb,
    tool_calls          jsonb,
    tool_results        jsonb,
    metadata            jsonb,
    sent_at             timestamptz NOT NULL DEFAULT now(),
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    edited_at           timestamptz,
    deleted_at          timestamptz,
    CONSTRAINT {{name "messages_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "messages_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "messages_seq_key"}} UNIQUE (conversation_id, user_id, seq),
    CONSTRAINT {{name "messages_seq_check"}} CHECK (seq > 0),
    CONSTRAINT {{name "messages_role_check"}} CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    CONSTRAINT {{name "messages_direction_check"}} CHECK (direction IN ('inbound', 'outbound'))
);

-- One user's messages over all conversations; erasing a user.
CREATE INDEX {{name "messages_created_idx"}}
    ON {{table "messages"}} (user_id, created_at DESC, id DESC);
-- Everybody's messages, those with attachments among them.
CREATE INDEX {{name "messages_all_created_idx"}}
    ON {{table "messages"}} (created_at DESC, id DESC);
CREATE UNIQUE INDEX {{name "messages_postmark_key"}}
    ON {{table "messages"}} (user_id, postmark_message_id) WHERE postmark_message_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "messages_gmail_key"}}
    ON {{table "messages"}} (user_id, gmail_message_id) WHERE gmail_message_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "messages_idempotency_key"}}
    ON {{table "messages"}} (conversation_id, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- Which conversation does this mail belong to?
CREATE INDEX {{name "messages_gmail_thread_idx"}}
    ON {{table "messages"}} (user_id, gmail_thread_id) WHERE gmail_thread_id IS NOT NULL;
CREATE INDEX {{name "messages_email_id_idx"}}
    ON {{table "messages"}} (user_id, email_message_id) WHERE email_message_id IS NOT NULL;
CREATE INDEX {{name "messages_attachments_idx"}}
    ON {{table "messages"}} (user_id, created_at DESC, id DESC) WHERE attachments IS NOT NULL;
CREATE INDEX {{name "messages_deleted_idx"}}
    ON {{table "messages"}} (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE {{table "ai_suggestions"}} (
    id                     uuid        NOT NULL,
    user_id                uuid        NOT NULL,
    conversation_id        uuid        NOT NULL,
    in_reply_to_message_id uuid,
    suggested_content      text        NOT NULL,
    edited_content         text,
    confidence_score       double precision,
    sentiment_analysis     jsonb,
    context_used           jsonb,
    model_used             text,
    tokens_used            bigint      NOT NULL DEFAULT 0,
    generation_cost        numeric     NOT NULL DEFAULT 0,
    status                 text        NOT NULL DEFAULT 'pending',
    reviewed_by            text,
    reviewed_at            timestamptz,
    feedback               text,
    sent_message_id        uuid,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    deleted_at             timestamptz,
    CONSTRAINT {{name "ai_suggestions_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "ai_suggestions_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    -- A suggestion quotes what it answers and becomes what was sent: it goes with either.
    CONSTRAINT {{name "ai_suggestions_reply_fkey"}} FOREIGN KEY (in_reply_to_message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "ai_suggestions_sent_fkey"}} FOREIGN KEY (sent_message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "ai_suggestions_status_check"}} CHECK (status IN ('pending', 'approved', 'edited', 'rejected')),
    CONSTRAINT {{name "ai_suggestions_review_check"}} CHECK ((status = 'pending') = (reviewed_at IS NULL)),
    CONSTRAINT {{name "ai_suggestions_confidence_check"}} CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT {{name "ai_suggestions_tokens_check"}} CHECK (tokens_used >= 0),
    CONSTRAINT {{name "ai_suggestions_cost_check"}} CHECK (generation_cost >= 0)
);

CREATE INDEX {{name "ai_suggestions_conversation_idx"}}
    ON {{table "ai_suggestions"}} (conversation_id, user_id, created_at, id);
CREATE INDEX {{name "ai_suggestions_created_idx"}}
    ON {{table "ai_suggestions"}} (user_id, created_at DESC, id DESC);
CREATE INDEX {{name "ai_suggestions_pending_idx"}}
    ON {{table "ai_suggestions"}} (user_id, created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
CREATE INDEX {{name "ai_suggestions_all_pending_idx"}}
    ON {{table "ai_suggestions"}} (created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
-- The cascades from messages.
CREATE INDEX {{name "ai_suggestions_reply_idx"}}
    ON {{table "ai_suggestions"}} (in_reply_to_message_id, user_id) WHERE in_reply_to_message_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "ai_suggestions_sent_key"}}
    ON {{table "ai_suggestions"}} (sent_message_id, user_id) WHERE sent_message_id IS NOT NULL;
CREATE INDEX {{name "ai_suggestions_deleted_idx"}}
    ON {{table "ai_suggestions"}} (deleted_at) WHERE deleted_at IS NOT NULL;
