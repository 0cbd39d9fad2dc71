-- Conversations, their messages and the suggested replies.
--
-- Every key carries user_id: a row cannot hang in another user's conversation, a sharded
-- server can distribute all tables by it, and policies of row-level security need no join.
-- No trigger, no SET NULL, no sequence in a key: sharded servers refuse them.
-- Columns of fixed width come first, which saves padding; long texts come last.
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
    -- What a migration made of several things that it can make, by the options it was given.
    options     text,
    CONSTRAINT {{name "convostore_migrations_pkey"}} PRIMARY KEY (version)
);

CREATE TABLE {{table "conversations"}} (
    id              uuid         NOT NULL,
    user_id         uuid         NOT NULL,
    last_seq        bigint       NOT NULL DEFAULT 0,
    last_change_seq bigint       NOT NULL DEFAULT 0,
    last_message_at timestamptz  NOT NULL DEFAULT now(),
    created_at      timestamptz  NOT NULL DEFAULT now(),
    updated_at      timestamptz  NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    held_at         timestamptz,
    pinned_at       timestamptz,
    snoozed_until   timestamptz,
    -- last_message_at in tens of minutes since 1970. The lists by activity have indexes by this
    -- and sort the rows of each: most appends of a chat then move no index entry, and PostgreSQL can update
    -- the row in place (HOT).
    activity_bucket integer      GENERATED ALWAYS AS
        (floor(extract(epoch FROM last_message_at AT TIME ZONE 'UTC') / 600)::integer) STORED,
    branched        boolean      NOT NULL DEFAULT false,
    head_seq        bigint,
    forked_from_seq bigint,
    -- Counts the suggestions that began to wait, null for none. An append that has waited for the
    -- row sees by it that one came meanwhile.
    draft_seq       bigint,
    forked_from_id  uuid,
    merged_into_id  uuid,
    status          text         NOT NULL DEFAULT 'active',
    app             text,
    assignee        text,
    language        text,
    lead_id         {{.LeadType}},
    external_key    text,
    title           varchar(255),
    subject         text,
    metadata        jsonb,
    CONSTRAINT {{name "conversations_pkey"}} PRIMARY KEY (id, user_id),
{{- if .Users}}
    CONSTRAINT {{name "conversations_user_fkey"}} FOREIGN KEY (user_id)
        REFERENCES {{.Users.Table}} ({{.Users.Column}}) ON DELETE CASCADE,
{{- end}}
{{- if .Leads}}
    CONSTRAINT {{name "conversations_lead_fkey"}} FOREIGN KEY (lead_id, user_id)
        REFERENCES {{.Leads.Table}} ({{.Leads.Column}}, {{.Leads.Owner}}) ON DELETE CASCADE,
{{- end}}
    CONSTRAINT {{name "conversations_status_check"}} CHECK (status IN ('active', 'needs_reply', 'waiting', 'archived')),
    CONSTRAINT {{name "conversations_last_seq_check"}} CHECK (last_seq >= 0 AND last_change_seq >= 0),
    CONSTRAINT {{name "conversations_head_check"}} CHECK (head_seq BETWEEN 0 AND last_seq AND (head_seq IS NULL OR branched)),
    CONSTRAINT {{name "conversations_fork_check"}} CHECK ((forked_from_id IS NULL) = (forked_from_seq IS NULL) AND forked_from_seq >= 0),
    CONSTRAINT {{name "conversations_language_check"}} CHECK (language ~ '^[a-z]{2,3}$'),
    CONSTRAINT {{name "conversations_merge_check"}} CHECK (merged_into_id <> id)
);

-- One user's list by activity.
CREATE INDEX {{name "conversations_activity_idx"}}
    ON {{table "conversations"}} (user_id, activity_bucket DESC) WHERE deleted_at IS NULL;
-- Everybody's list by activity, and what has been quiet for long.
CREATE INDEX {{name "conversations_all_activity_idx"}}
    ON {{table "conversations"}} (activity_bucket DESC) WHERE deleted_at IS NULL;
-- One user's list by creation; whole, because erasing a user must find deleted rows too.
CREATE INDEX {{name "conversations_created_idx"}}
    ON {{table "conversations"}} (user_id, created_at DESC, id DESC);
-- Everybody's list by creation, and reports of what began in a span of time.
CREATE INDEX {{name "conversations_all_created_idx"}}
    ON {{table "conversations"}} (created_at DESC, id DESC);
-- The queues of what waits for an answer: small, since most conversations do not. What nobody looks
-- after, what somebody does, and what was snoozed stand apart: each queue then reads its own rows
-- alone, and a conversation that has neither has one entry.
-- No other index has the order of activity_bucket + 0: PostgreSQL, which counts on an average user and on
-- newest rows like all others, would walk through one that has more.
CREATE INDEX {{name "conversations_queue_idx"}}
    ON {{table "conversations"}} (user_id, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NULL AND snoozed_until IS NULL;
CREATE INDEX {{name "conversations_queue_assigned_idx"}}
    ON {{table "conversations"}} (user_id, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NOT NULL AND snoozed_until IS NULL;
CREATE INDEX {{name "conversations_queue_assignee_idx"}}
    ON {{table "conversations"}} (user_id, assignee, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NOT NULL AND snoozed_until IS NULL;
CREATE INDEX {{name "conversations_queue_snoozed_idx"}}
    ON {{table "conversations"}} (user_id, snoozed_until)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND snoozed_until IS NOT NULL;
-- The condition on the id, which every one meets, keeps a list of one user from going through everybody's.
CREATE INDEX {{name "conversations_all_queue_idx"}}
    ON {{table "conversations"}} (activity_bucket DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND id >= '00000000-0000-0000-0000-000000000000';
CREATE INDEX {{name "conversations_lead_idx"}}
    ON {{table "conversations"}} (lead_id, activity_bucket DESC) WHERE lead_id IS NOT NULL;
CREATE INDEX {{name "conversations_app_idx"}}
    ON {{table "conversations"}} (user_id, app, activity_bucket DESC) WHERE app IS NOT NULL;
CREATE INDEX {{name "conversations_assignee_idx"}}
    ON {{table "conversations"}} (user_id, assignee, activity_bucket DESC) WHERE assignee IS NOT NULL;
CREATE INDEX {{name "conversations_snoozed_idx"}}
    ON {{table "conversations"}} (user_id, snoozed_until) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX {{name "conversations_snoozed_list_idx"}}
    ON {{table "conversations"}} (user_id, (activity_bucket + 0) DESC) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX {{name "conversations_all_snoozed_idx"}}
    ON {{table "conversations"}} (snoozed_until)
    WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL AND id >= '00000000-0000-0000-0000-000000000000';
CREATE INDEX {{name "conversations_pinned_idx"}}
    ON {{table "conversations"}} (user_id, activity_bucket DESC) WHERE pinned_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX {{name "conversations_merged_idx"}}
    ON {{table "conversations"}} (merged_into_id, user_id) WHERE merged_into_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "conversations_external_key_key"}}
    ON {{table "conversations"}} (user_id, external_key) WHERE external_key IS NOT NULL;
CREATE INDEX {{name "conversations_deleted_idx"}}
    ON {{table "conversations"}} (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE {{table "messages"}} (
    id                  uuid        NOT NULL,
    user_id             uuid        NOT NULL,
    conversation_id     uuid        NOT NULL,
    seq                 bigint      NOT NULL,
    sent_at             timestamptz NOT NULL DEFAULT now(),
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    edited_at           timestamptz,
    deleted_at          timestamptz,
    heartbeat_at        timestamptz,
    parent_seq          bigint,
    change_seq          bigint,
    fence               bigint,
    tokens_in           bigint,
    tokens_out          bigint,
    revision            integer     NOT NULL DEFAULT 0,
    role                text        NOT NULL,
    kind                text        NOT NULL DEFAULT 'message',
    state               text        NOT NULL DEFAULT 'complete',
    direction           text,
    delivery            text,
    author              text,
    model               text,
    finish_reason       text,
    cost                numeric,
    sender_email        text,
    recipient_email     text,
    postmark_message_id text,
    gmail_message_id    text,
    gmail_thread_id     text,
    email_message_id    text,
    idempotency_key     text,
    payload_format      text,
    delivery_error      text,
    headers             jsonb,
    attachments         jsonb,
    tool_calls          jsonb,
    tool_results        jsonb,
    metadata            jsonb,
    content             text        NOT NULL,
    payload             bytea,
    CONSTRAINT {{name "messages_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "messages_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "messages_seq_key"}} UNIQUE (conversation_id, user_id, seq),
    CONSTRAINT {{name "messages_seq_check"}} CHECK (seq > 0 AND revision >= 0 AND change_seq > 0),
    -- A parent has a lower seq than its child: there can be no cycle. 0 is the root.
    CONSTRAINT {{name "messages_parent_check"}} CHECK (parent_seq >= 0 AND parent_seq < seq),
    CONSTRAINT {{name "messages_role_check"}} CHECK (role IN ('user', 'assistant', 'system', 'developer', 'tool')),
    CONSTRAINT {{name "messages_direction_check"}} CHECK (direction IN ('inbound', 'outbound')),
    CONSTRAINT {{name "messages_kind_check"}} CHECK (kind IN ('message', 'note', 'auto_reply', 'bounce', 'event')),
    CONSTRAINT {{name "messages_state_check"}} CHECK (state IN ('complete', 'streaming', 'interrupted', 'failed')),
    CONSTRAINT {{name "messages_delivery_check"}} CHECK (delivery IN ('queued', 'sent', 'delivered', 'failed', 'bounced', 'cancelled')),
    CONSTRAINT {{name "messages_usage_check"}} CHECK (tokens_in >= 0 AND tokens_out >= 0 AND cost >= 0),
    CONSTRAINT {{name "messages_payload_check"}} CHECK ((payload IS NULL) = (payload_format IS NULL))
);

-- One user's messages over all conversations; erasing a user. Everybody's go by the primary key.
CREATE INDEX {{name "messages_created_idx"}}
    ON {{table "messages"}} (user_id, created_at DESC, id DESC);
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
-- Where a path leaves the order of seq, and after which message it goes on.
CREATE INDEX {{name "messages_parent_idx"}}
    ON {{table "messages"}} (conversation_id, user_id, seq, parent_seq) WHERE parent_seq IS NOT NULL;
-- What was changed after its append, in the order of the changes.
CREATE UNIQUE INDEX {{name "messages_change_key"}}
    ON {{table "messages"}} (conversation_id, user_id, change_seq) WHERE change_seq IS NOT NULL;
-- Streams whose writer may be gone.
CREATE INDEX {{name "messages_streaming_idx"}}
    ON {{table "messages"}} (heartbeat_at) WHERE state = 'streaming';
CREATE INDEX {{name "messages_attachments_idx"}}
    ON {{table "messages"}} (user_id, created_at DESC, id DESC) WHERE attachments IS NOT NULL;
-- Everybody's messages with attachments, by when they were sent.
CREATE INDEX {{name "messages_all_attachments_idx"}}
    ON {{table "messages"}} (sent_at DESC, id DESC) WHERE attachments IS NOT NULL;
CREATE INDEX {{name "messages_deleted_idx"}}
    ON {{table "messages"}} (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE {{table "ai_suggestions"}} (
    id                     uuid        NOT NULL,
    user_id                uuid        NOT NULL,
    conversation_id        uuid        NOT NULL,
    in_reply_to_message_id uuid,
    sent_message_id        uuid,
    answers_seq            bigint,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    deleted_at             timestamptz,
    reviewed_at            timestamptz,
    draft_at               timestamptz,
    confidence_score       double precision,
    tokens_used            bigint      NOT NULL DEFAULT 0,
    generation_cost        numeric     NOT NULL DEFAULT 0,
    status                 text        NOT NULL DEFAULT 'pending',
    model_used             text,
    reviewed_by            text,
    draft_by               text,
    feedback               text,
    sentiment_analysis     jsonb,
    context_used           jsonb,
    suggested_content      text        NOT NULL,
    edited_content         text,
    draft_content          text,
    CONSTRAINT {{name "ai_suggestions_pkey"}} PRIMARY KEY (id, user_id),
    CONSTRAINT {{name "ai_suggestions_conversation_fkey"}} FOREIGN KEY (conversation_id, user_id)
        REFERENCES {{table "conversations"}} (id, user_id) ON DELETE CASCADE,
    -- A suggestion quotes what it answers and becomes what was sent: it goes with either.
    CONSTRAINT {{name "ai_suggestions_reply_fkey"}} FOREIGN KEY (in_reply_to_message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "ai_suggestions_sent_fkey"}} FOREIGN KEY (sent_message_id, user_id)
        REFERENCES {{table "messages"}} (id, user_id) ON DELETE CASCADE,
    CONSTRAINT {{name "ai_suggestions_status_check"}} CHECK (status IN ('pending', 'approved', 'edited', 'rejected', 'superseded', 'expired')),
    CONSTRAINT {{name "ai_suggestions_review_check"}} CHECK ((status = 'pending') = (reviewed_at IS NULL)),
    CONSTRAINT {{name "ai_suggestions_draft_check"}} CHECK ((draft_content IS NULL) = (draft_at IS NULL)),
    CONSTRAINT {{name "ai_suggestions_answers_check"}} CHECK (answers_seq > 0),
    CONSTRAINT {{name "ai_suggestions_confidence_check"}} CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT {{name "ai_suggestions_tokens_check"}} CHECK (tokens_used >= 0),
    CONSTRAINT {{name "ai_suggestions_cost_check"}} CHECK (generation_cost >= 0)
);

CREATE INDEX {{name "ai_suggestions_conversation_idx"}}
    ON {{table "ai_suggestions"}} (conversation_id, user_id, created_at, id);
CREATE INDEX {{name "ai_suggestions_created_idx"}}
    ON {{table "ai_suggestions"}} (user_id, created_at DESC, id DESC);
-- Everybody's suggestions of a span of time.
CREATE INDEX {{name "ai_suggestions_all_created_idx"}}
    ON {{table "ai_suggestions"}} (created_at DESC, id DESC);
CREATE INDEX {{name "ai_suggestions_pending_idx"}}
    ON {{table "ai_suggestions"}} (user_id, created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
CREATE INDEX {{name "ai_suggestions_all_pending_idx"}}
    ON {{table "ai_suggestions"}} (created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
-- What a message that comes in supersedes, deleted ones too: they may be restored.
CREATE INDEX {{name "ai_suggestions_waiting_idx"}}
    ON {{table "ai_suggestions"}} (conversation_id, user_id) WHERE status = 'pending';
-- What was approved as it stood, the surest first.
CREATE INDEX {{name "ai_suggestions_approved_idx"}}
    ON {{table "ai_suggestions"}} (confidence_score DESC, id DESC)
    WHERE status = 'approved' AND deleted_at IS NULL AND confidence_score IS NOT NULL;
-- The cascades from messages.
CREATE INDEX {{name "ai_suggestions_reply_idx"}}
    ON {{table "ai_suggestions"}} (in_reply_to_message_id, user_id) WHERE in_reply_to_message_id IS NOT NULL;
CREATE UNIQUE INDEX {{name "ai_suggestions_sent_key"}}
    ON {{table "ai_suggestions"}} (sent_message_id, user_id) WHERE sent_message_id IS NOT NULL;
CREATE INDEX {{name "ai_suggestions_deleted_idx"}}
    ON {{table "ai_suggestions"}} (deleted_at) WHERE deleted_at IS NOT NULL;
