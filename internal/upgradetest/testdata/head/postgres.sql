SET timezone = 'UTC';
-- 0001_core.up.sql
-- Conversations, their messages and the suggested replies.
--
-- Every key carries user_id: a row cannot hang in another user's conversation, a sharded
-- server can distribute all tables by it, and policies of row-level security need no join.
-- No trigger, no SET NULL, no sequence in a key: sharded servers refuse them.
-- Columns of fixed width come first, which saves padding; long texts come last.

CREATE TABLE "convostore_migrations" (
    version     bigint      NOT NULL,
    name        text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    -- The oldest version of the code that works with this one; null is the version itself.
    oldest_code bigint,
    -- What a migration made of several things that it can make, by the options it was given.
    options     text,
    CONSTRAINT "convostore_migrations_pkey" PRIMARY KEY (version)
);

CREATE TABLE "conversations" (
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
    lead_id         text,
    external_key    text,
    title           varchar(255),
    subject         text,
    metadata        jsonb,
    CONSTRAINT "conversations_pkey" PRIMARY KEY (id, user_id),
    CONSTRAINT "conversations_status_check" CHECK (status IN ('active', 'needs_reply', 'waiting', 'archived')),
    CONSTRAINT "conversations_last_seq_check" CHECK (last_seq >= 0 AND last_change_seq >= 0),
    CONSTRAINT "conversations_head_check" CHECK (head_seq BETWEEN 0 AND last_seq AND (head_seq IS NULL OR branched)),
    CONSTRAINT "conversations_fork_check" CHECK ((forked_from_id IS NULL) = (forked_from_seq IS NULL) AND forked_from_seq >= 0),
    CONSTRAINT "conversations_language_check" CHECK (language ~ '^[a-z]{2,3}$'),
    CONSTRAINT "conversations_merge_check" CHECK (merged_into_id <> id)
);

-- One user's list by activity.
CREATE INDEX "conversations_activity_idx"
    ON "conversations" (user_id, activity_bucket DESC) WHERE deleted_at IS NULL;
-- Everybody's list by activity, and what has been quiet for long.
CREATE INDEX "conversations_all_activity_idx"
    ON "conversations" (activity_bucket DESC) WHERE deleted_at IS NULL;
-- One user's list by creation; whole, because erasing a user must find deleted rows too.
CREATE INDEX "conversations_created_idx"
    ON "conversations" (user_id, created_at DESC, id DESC);
-- Everybody's list by creation, and reports of what began in a span of time.
CREATE INDEX "conversations_all_created_idx"
    ON "conversations" (created_at DESC, id DESC);
-- The queues of what waits for an answer: small, since most conversations do not. What nobody looks
-- after, what somebody does, and what was snoozed stand apart: each queue then reads its own rows
-- alone, and a conversation that has neither has one entry.
-- No other index has the order of activity_bucket + 0: PostgreSQL, which counts on an average user and on
-- newest rows like all others, would walk through one that has more.
CREATE INDEX "conversations_queue_idx"
    ON "conversations" (user_id, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NULL AND snoozed_until IS NULL;
CREATE INDEX "conversations_queue_assigned_idx"
    ON "conversations" (user_id, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NOT NULL AND snoozed_until IS NULL;
CREATE INDEX "conversations_queue_assignee_idx"
    ON "conversations" (user_id, assignee, (activity_bucket + 0) DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND assignee IS NOT NULL AND snoozed_until IS NULL;
CREATE INDEX "conversations_queue_snoozed_idx"
    ON "conversations" (user_id, snoozed_until)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND snoozed_until IS NOT NULL;
-- The condition on the id, which every one meets, keeps a list of one user from going through everybody's.
CREATE INDEX "conversations_all_queue_idx"
    ON "conversations" (activity_bucket DESC)
    WHERE status = 'needs_reply' AND deleted_at IS NULL AND id >= '00000000-0000-0000-0000-000000000000';
CREATE INDEX "conversations_lead_idx"
    ON "conversations" (lead_id, activity_bucket DESC) WHERE lead_id IS NOT NULL;
CREATE INDEX "conversations_app_idx"
    ON "conversations" (user_id, app, activity_bucket DESC) WHERE app IS NOT NULL;
CREATE INDEX "conversations_assignee_idx"
    ON "conversations" (user_id, assignee, activity_bucket DESC) WHERE assignee IS NOT NULL;
CREATE INDEX "conversations_snoozed_idx"
    ON "conversations" (user_id, snoozed_until) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX "conversations_snoozed_list_idx"
    ON "conversations" (user_id, (activity_bucket + 0) DESC) WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX "conversations_all_snoozed_idx"
    ON "conversations" (snoozed_until)
    WHERE snoozed_until IS NOT NULL AND deleted_at IS NULL AND id >= '00000000-0000-0000-0000-000000000000';
CREATE INDEX "conversations_pinned_idx"
    ON "conversations" (user_id, activity_bucket DESC) WHERE pinned_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX "conversations_merged_idx"
    ON "conversations" (merged_into_id, user_id) WHERE merged_into_id IS NOT NULL;
CREATE UNIQUE INDEX "conversations_external_key_key"
    ON "conversations" (user_id, external_key) WHERE external_key IS NOT NULL;
CREATE INDEX "conversations_deleted_idx"
    ON "conversations" (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE "messages" (
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
    CONSTRAINT "messages_pkey" PRIMARY KEY (id, user_id),
    CONSTRAINT "messages_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "messages_seq_key" UNIQUE (conversation_id, user_id, seq),
    CONSTRAINT "messages_seq_check" CHECK (seq > 0 AND revision >= 0 AND change_seq > 0),
    -- A parent has a lower seq than its child: there can be no cycle. 0 is the root.
    CONSTRAINT "messages_parent_check" CHECK (parent_seq >= 0 AND parent_seq < seq),
    CONSTRAINT "messages_role_check" CHECK (role IN ('user', 'assistant', 'system', 'developer', 'tool')),
    CONSTRAINT "messages_direction_check" CHECK (direction IN ('inbound', 'outbound')),
    CONSTRAINT "messages_kind_check" CHECK (kind IN ('message', 'note', 'auto_reply', 'bounce', 'event')),
    CONSTRAINT "messages_state_check" CHECK (state IN ('complete', 'streaming', 'interrupted', 'failed')),
    CONSTRAINT "messages_delivery_check" CHECK (delivery IN ('queued', 'sent', 'delivered', 'failed', 'bounced', 'cancelled')),
    CONSTRAINT "messages_usage_check" CHECK (tokens_in >= 0 AND tokens_out >= 0 AND cost >= 0),
    CONSTRAINT "messages_payload_check" CHECK ((payload IS NULL) = (payload_format IS NULL))
);

-- One user's messages over all conversations; erasing a user. Everybody's go by the primary key.
CREATE INDEX "messages_created_idx"
    ON "messages" (user_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX "messages_postmark_key"
    ON "messages" (user_id, postmark_message_id) WHERE postmark_message_id IS NOT NULL;
CREATE UNIQUE INDEX "messages_gmail_key"
    ON "messages" (user_id, gmail_message_id) WHERE gmail_message_id IS NOT NULL;
CREATE UNIQUE INDEX "messages_idempotency_key"
    ON "messages" (conversation_id, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- Which conversation does this mail belong to?
CREATE INDEX "messages_gmail_thread_idx"
    ON "messages" (user_id, gmail_thread_id) WHERE gmail_thread_id IS NOT NULL;
CREATE INDEX "messages_email_id_idx"
    ON "messages" (user_id, email_message_id) WHERE email_message_id IS NOT NULL;
-- Where a path leaves the order of seq, and after which message it goes on.
CREATE INDEX "messages_parent_idx"
    ON "messages" (conversation_id, user_id, seq, parent_seq) WHERE parent_seq IS NOT NULL;
-- What was changed after its append, in the order of the changes.
CREATE UNIQUE INDEX "messages_change_key"
    ON "messages" (conversation_id, user_id, change_seq) WHERE change_seq IS NOT NULL;
-- Streams whose writer may be gone.
CREATE INDEX "messages_streaming_idx"
    ON "messages" (heartbeat_at) WHERE state = 'streaming';
CREATE INDEX "messages_attachments_idx"
    ON "messages" (user_id, created_at DESC, id DESC) WHERE attachments IS NOT NULL;
-- Everybody's messages with attachments, by when they were sent.
CREATE INDEX "messages_all_attachments_idx"
    ON "messages" (sent_at DESC, id DESC) WHERE attachments IS NOT NULL;
CREATE INDEX "messages_deleted_idx"
    ON "messages" (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE "ai_suggestions" (
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
    CONSTRAINT "ai_suggestions_pkey" PRIMARY KEY (id, user_id),
    CONSTRAINT "ai_suggestions_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE,
    -- A suggestion quotes what it answers and becomes what was sent: it goes with either.
    CONSTRAINT "ai_suggestions_reply_fkey" FOREIGN KEY (in_reply_to_message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "ai_suggestions_sent_fkey" FOREIGN KEY (sent_message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "ai_suggestions_status_check" CHECK (status IN ('pending', 'approved', 'edited', 'rejected', 'superseded', 'expired')),
    CONSTRAINT "ai_suggestions_review_check" CHECK ((status = 'pending') = (reviewed_at IS NULL)),
    CONSTRAINT "ai_suggestions_draft_check" CHECK ((draft_content IS NULL) = (draft_at IS NULL)),
    CONSTRAINT "ai_suggestions_answers_check" CHECK (answers_seq > 0),
    CONSTRAINT "ai_suggestions_confidence_check" CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT "ai_suggestions_tokens_check" CHECK (tokens_used >= 0),
    CONSTRAINT "ai_suggestions_cost_check" CHECK (generation_cost >= 0)
);

CREATE INDEX "ai_suggestions_conversation_idx"
    ON "ai_suggestions" (conversation_id, user_id, created_at, id);
CREATE INDEX "ai_suggestions_created_idx"
    ON "ai_suggestions" (user_id, created_at DESC, id DESC);
-- Everybody's suggestions of a span of time.
CREATE INDEX "ai_suggestions_all_created_idx"
    ON "ai_suggestions" (created_at DESC, id DESC);
CREATE INDEX "ai_suggestions_pending_idx"
    ON "ai_suggestions" (user_id, created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
CREATE INDEX "ai_suggestions_all_pending_idx"
    ON "ai_suggestions" (created_at DESC, id DESC)
    WHERE status = 'pending' AND deleted_at IS NULL;
-- What a message that comes in supersedes, deleted ones too: they may be restored.
CREATE INDEX "ai_suggestions_waiting_idx"
    ON "ai_suggestions" (conversation_id, user_id) WHERE status = 'pending';
-- What was approved as it stood, the surest first.
CREATE INDEX "ai_suggestions_approved_idx"
    ON "ai_suggestions" (confidence_score DESC, id DESC)
    WHERE status = 'approved' AND deleted_at IS NULL AND confidence_score IS NOT NULL;
-- The cascades from messages.
CREATE INDEX "ai_suggestions_reply_idx"
    ON "ai_suggestions" (in_reply_to_message_id, user_id) WHERE in_reply_to_message_id IS NOT NULL;
CREATE UNIQUE INDEX "ai_suggestions_sent_key"
    ON "ai_suggestions" (sent_message_id, user_id) WHERE sent_message_id IS NOT NULL;
CREATE INDEX "ai_suggestions_deleted_idx"
    ON "ai_suggestions" (deleted_at) WHERE deleted_at IS NOT NULL;

INSERT INTO "convostore_migrations" (version, name) VALUES (1, 'core');

-- 0002_threads.up.sql
-- What is known about a conversation or a message beyond its own row. The tables are empty
-- until a service uses them.

-- Any number of names of one message: the ids that a provider gives after sending,
-- Message-IDs, the same mail in a second mailbox.
CREATE TABLE "message_refs" (
    message_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The provider promises that the name is that of one message alone.
    exclusive  boolean     NOT NULL DEFAULT false,
    provider   text        NOT NULL,
    ref        text        NOT NULL,
    CONSTRAINT "message_refs_pkey" PRIMARY KEY (user_id, provider, ref, message_id),
    CONSTRAINT "message_refs_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX "message_refs_exclusive_key"
    ON "message_refs" (user_id, provider, ref) WHERE exclusive;
CREATE INDEX "message_refs_message_idx"
    ON "message_refs" (message_id, user_id);

CREATE TABLE "message_votes" (
    message_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    value      smallint    NOT NULL,
    voter      text        NOT NULL,
    comment    text,
    CONSTRAINT "message_votes_pkey" PRIMARY KEY (message_id, user_id, voter),
    CONSTRAINT "message_votes_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "message_votes_value_check" CHECK (value IN (-1, 1))
);
CREATE INDEX "message_votes_user_idx"
    ON "message_votes" (user_id, created_at DESC);

-- The outbox: what is to be handed to a provider, and when.
CREATE TABLE "deliveries" (
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    message_id    uuid        NOT NULL,
    due_at        timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    done_at       timestamptz,
    failed_at     timestamptz,
    cancelled_at  timestamptz,
    attempts      integer     NOT NULL DEFAULT 0,
    channel       text        NOT NULL,
    claimed_by    text,
    last_error    text,
    CONSTRAINT "deliveries_pkey" PRIMARY KEY (id, user_id),
    CONSTRAINT "deliveries_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "deliveries_attempts_check" CHECK (attempts >= 0),
    CONSTRAINT "deliveries_claim_check" CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT "deliveries_end_check" CHECK (num_nonnulls(done_at, failed_at, cancelled_at) <= 1)
);
-- What is due, everybody's: workers serve all users.
CREATE INDEX "deliveries_due_idx"
    ON "deliveries" (due_at, id) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
-- A message is on its way once on a channel.
CREATE UNIQUE INDEX "deliveries_open_key"
    ON "deliveries" (message_id, user_id, channel) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX "deliveries_message_idx"
    ON "deliveries" (message_id, user_id);
CREATE INDEX "deliveries_user_idx"
    ON "deliveries" (user_id, created_at DESC, id DESC);
-- A user's that are still to be sent, and those that failed, are few of what was ever sent.
CREATE INDEX "deliveries_open_idx"
    ON "deliveries" (user_id, created_at DESC, id DESC) WHERE done_at IS NULL AND failed_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX "deliveries_failed_idx"
    ON "deliveries" (user_id, created_at DESC, id DESC) WHERE failed_at IS NOT NULL;
-- Everybody's that failed: how many, and the latest.
CREATE INDEX "deliveries_all_failed_idx"
    ON "deliveries" (id, user_id) WHERE failed_at IS NOT NULL;

CREATE TABLE "conversation_labels" (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    label           text        NOT NULL,
    created_by      text,
    CONSTRAINT "conversation_labels_pkey" PRIMARY KEY (conversation_id, user_id, label),
    CONSTRAINT "conversation_labels_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE
);
CREATE INDEX "conversation_labels_label_idx"
    ON "conversation_labels" (user_id, label, conversation_id);

-- How far each reader has read.
CREATE TABLE "conversation_reads" (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    seq             bigint      NOT NULL,
    read_at         timestamptz NOT NULL DEFAULT now(),
    reader          text        NOT NULL,
    CONSTRAINT "conversation_reads_pkey" PRIMARY KEY (conversation_id, user_id, reader),
    CONSTRAINT "conversation_reads_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "conversation_reads_seq_check" CHECK (seq >= 0)
);
CREATE INDEX "conversation_reads_user_idx"
    ON "conversation_reads" (user_id, reader);

-- State of agents: a key and its value, kept to the byte.
CREATE TABLE "conversation_states" (
    conversation_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    key             text        NOT NULL,
    value           bytea       NOT NULL,
    CONSTRAINT "conversation_states_pkey" PRIMARY KEY (conversation_id, user_id, key),
    CONSTRAINT "conversation_states_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "conversation_states_version_check" CHECK (version > 0)
);
CREATE INDEX "conversation_states_user_idx"
    ON "conversation_states" (user_id);

CREATE TABLE "conversation_user_states" (
    user_id    uuid        NOT NULL,
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    app        text        NOT NULL DEFAULT '',
    key        text        NOT NULL,
    value      bytea       NOT NULL,
    CONSTRAINT "conversation_user_states_pkey" PRIMARY KEY (user_id, app, key),
    CONSTRAINT "conversation_user_states_version_check" CHECK (version > 0)
);

-- State that all users of an app share: the one table without an owner.
CREATE TABLE "conversation_app_states" (
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    app        text        NOT NULL,
    key        text        NOT NULL,
    value      bytea       NOT NULL,
    CONSTRAINT "conversation_app_states_pkey" PRIMARY KEY (app, key),
    CONSTRAINT "conversation_app_states_version_check" CHECK (version > 0)
);

-- A text in the place of the messages of one path, from one seq to another.
CREATE TABLE "conversation_summaries" (
    id              uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    from_seq        bigint      NOT NULL,
    to_seq          bigint      NOT NULL,
    tokens          bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- When something that it covers was edited or deleted: it must not be used any more.
    void_at         timestamptz,
    model           text,
    covered_hash    text,
    content         text        NOT NULL,
    CONSTRAINT "conversation_summaries_pkey" PRIMARY KEY (id, user_id),
    CONSTRAINT "conversation_summaries_conversation_fkey" FOREIGN KEY (conversation_id, user_id)
        REFERENCES "conversations" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "conversation_summaries_seq_check" CHECK (from_seq > 0 AND to_seq >= from_seq AND tokens >= 0)
);
CREATE INDEX "conversation_summaries_conversation_idx"
    ON "conversation_summaries" (conversation_id, user_id, to_seq);
CREATE INDEX "conversation_summaries_user_idx"
    ON "conversation_summaries" (user_id);

INSERT INTO "convostore_migrations" (version, name) VALUES (2, 'threads');

-- 0003_embeddings.up.sql
-- The vectors of messages, one for a message and a model.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE "message_embeddings" (
    message_id      uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    model           text        NOT NULL,
    conversation_id uuid        NOT NULL,
    embedding       vector(3) NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "message_embeddings_pkey" PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT "message_embeddings_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE
);

-- With the message at the end: of a table that has grown since its last ANALYZE, which
-- one just being filled has, the planner takes this index for the key as well.
CREATE INDEX "message_embeddings_user_idx"
    ON "message_embeddings" (user_id, model, message_id);
CREATE INDEX "message_embeddings_conversation_idx"
    ON "message_embeddings" (conversation_id, user_id);

-- A vector beside its row and not in a table of its own: comparing all of a user's takes
-- a third of the time.
ALTER TABLE "message_embeddings" ALTER COLUMN embedding SET STORAGE PLAIN;

-- Who embeds what at the moment. A claim that ran out is anybody's. Both times are by the
-- clock of whoever claims; how long the claim lasts, their difference, is by nobody's.
CREATE TABLE "message_embedding_claims" (
    message_id    uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    model         text        NOT NULL,
    claimed_by    uuid        NOT NULL,
    claimed_at    timestamptz NOT NULL,
    claimed_until timestamptz NOT NULL,
    CONSTRAINT "message_embedding_claims_pkey" PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT "message_embedding_claims_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE
);
-- Erasing a user.
CREATE INDEX "message_embedding_claims_user_idx"
    ON "message_embedding_claims" (user_id);

-- What an embedder refused though it took other texts. A message with set_aside_at is not
-- embedded any more.
CREATE TABLE "message_embedding_failures" (
    message_id   uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    model        text        NOT NULL,
    attempts     integer     NOT NULL,
    error        text        NOT NULL,
    failed_at    timestamptz NOT NULL,
    set_aside_at timestamptz,
    CONSTRAINT "message_embedding_failures_pkey" PRIMARY KEY (message_id, user_id, model),
    CONSTRAINT "message_embedding_failures_message_fkey" FOREIGN KEY (message_id, user_id)
        REFERENCES "messages" (id, user_id) ON DELETE CASCADE,
    CONSTRAINT "message_embedding_failures_attempts_check" CHECK (attempts > 0)
);
-- Erasing a user, and listing what is set aside.
CREATE INDEX "message_embedding_failures_user_idx"
    ON "message_embedding_failures" (user_id, model, set_aside_at);

INSERT INTO "convostore_migrations" (version, name) VALUES (3, 'embeddings');

-- 0004_search.up.sql
-- The search: all of it is made from the rows, and can be made again. On filled tables the words
-- are noted in batches, and the indexes are then made, while everybody reads and writes.

-- The index of words. Triggers note what is to be read and what is void; the library packs what
-- is noted into segments. Whoever writes, and in whatever way, is therefore found at once.

-- What is read from its row, because no segment has it yet: 0 a conversation's title and subject,
-- 1 a message. Rows come and go all day, and every search reads those of its scope.
CREATE TABLE "search_notes" (
    user_id   uuid     NOT NULL,
    thread_id uuid     NOT NULL,
    id        uuid     NOT NULL,
    kind      smallint NOT NULL,
    CONSTRAINT "search_notes_pkey" PRIMARY KEY (user_id, id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What is void in the segments. What was erased leaves them altogether.
CREATE TABLE "search_gone" (
    user_id   uuid     NOT NULL,
    thread_id uuid     NOT NULL,
    id        uuid     NOT NULL,
    kind      smallint NOT NULL,
    erased    boolean  NOT NULL,
    CONSTRAINT "search_gone_pkey" PRIMARY KEY (user_id, thread_id, kind, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE "search_segments" (
    id        bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,
    length    bigint  NOT NULL,
    since_at  bigint  NOT NULL,
    until_at  bigint  NOT NULL,
    bytes     bigint  NOT NULL,
    documents integer NOT NULL,
    tokenizer integer NOT NULL,
    dead      bytea   NOT NULL,
    stems     text    NOT NULL DEFAULT '?',
    CONSTRAINT "search_segments_pkey" PRIMARY KEY (id)
);

-- A block stays in its row up to the length of a page: moved out of it, it would be written and
-- read in pieces.
CREATE TABLE "search_blocks" (
    segment_id bigint   NOT NULL,
    part       smallint NOT NULL,
    key        bytea    NOT NULL,
    data       bytea    NOT NULL,
    CONSTRAINT "search_blocks_pkey" PRIMARY KEY (segment_id, part, key),
    CONSTRAINT "search_blocks_segment_fkey" FOREIGN KEY (segment_id)
        REFERENCES "search_segments" (id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);
-- It is compressed already.
ALTER TABLE "search_blocks" ALTER COLUMN data SET STORAGE EXTERNAL;

-- The functions name their tables with the schema, whatever search_path a session has, and run
-- with the rights of their owner: whoever may write messages needs none on these tables. Nobody
-- else can make triggers of them. Each writes a note before what is void, so that no two wait for each other. DO UPDATE and not DO
-- NOTHING, since it locks a note that is there already: whoever packs the text, and takes the
-- note away, waits for an edit and reads what it leaves.
DO $$
DECLARE
    home text := current_schema();
BEGIN
    EXECUTE format($sql$
CREATE FUNCTION %1$I."messages_search_insert"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
    SELECT m.user_id, m.conversation_id, m.id, 1 FROM made m WHERE m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
-- The note of a message that is deleted stays, though no search reads it, until the next packing:
-- to take it away would fail on a snapshot from before that packing.
CREATE FUNCTION %1$I."messages_search_update"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF NEW.user_id <> OLD.user_id OR NEW.id <> OLD.id THEN
        DELETE FROM %1$I."search_notes" n WHERE n.user_id = OLD.user_id AND n.id = OLD.id AND n.kind = 1;
    END IF;
    IF NEW.deleted_at IS NULL AND NEW.state <> 'streaming' THEN
        INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
        VALUES (NEW.user_id, NEW.conversation_id, NEW.id, 1)
        ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    END IF;
    IF OLD.deleted_at IS NULL AND OLD.state <> 'streaming' THEN
        INSERT INTO %1$I."search_gone" AS g (user_id, thread_id, id, kind, erased)
        VALUES (OLD.user_id, OLD.conversation_id, OLD.id, 1, false)
        ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    END IF;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I."messages_search_delete"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM %1$I."search_notes" n USING removed o WHERE n.user_id = o.user_id AND n.id = o.id AND n.kind = 1;
    INSERT INTO %1$I."search_gone" (user_id, thread_id, id, kind, erased)
    SELECT o.user_id, o.conversation_id, o.id, 1, true FROM removed o
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I."conversations_search_insert"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
    VALUES (NEW.user_id, NEW.id, NEW.id, 0)
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I."conversations_search_update"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF coalesce(NEW.title, '') = '' AND coalesce(NEW.subject, '') = '' OR NEW.user_id <> OLD.user_id OR NEW.id <> OLD.id THEN
        DELETE FROM %1$I."search_notes" n WHERE n.user_id = OLD.user_id AND n.id = OLD.id AND n.kind = 0;
    END IF;
    IF coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> '' THEN
        INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
        VALUES (NEW.user_id, NEW.id, NEW.id, 0)
        ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    END IF;
    IF coalesce(OLD.title, '') <> '' OR coalesce(OLD.subject, '') <> '' THEN
        INSERT INTO %1$I."search_gone" AS g (user_id, thread_id, id, kind, erased)
        VALUES (OLD.user_id, OLD.id, OLD.id, 0, false)
        ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    END IF;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
-- With another language all texts of the conversation have other stems.
CREATE FUNCTION %1$I."conversations_search_language"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
    SELECT NEW.user_id, NEW.id, NEW.id, 0 WHERE coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> ''
    UNION ALL
    SELECT m.user_id, m.conversation_id, m.id, 1 FROM %1$I."messages" m
    WHERE m.conversation_id = NEW.id AND m.user_id = NEW.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;
    INSERT INTO %1$I."search_gone" AS g (user_id, thread_id, id, kind, erased)
    SELECT NEW.user_id, NEW.id, NEW.id, 0, false WHERE coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> ''
    UNION ALL
    SELECT m.user_id, m.conversation_id, m.id, 1, false FROM %1$I."messages" m
    WHERE m.conversation_id = NEW.id AND m.user_id = NEW.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = g.erased;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I."conversations_search_delete"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM %1$I."search_notes" n USING removed o WHERE n.user_id = o.user_id AND n.id = o.id AND n.kind = 0;
    INSERT INTO %1$I."search_gone" (user_id, thread_id, id, kind, erased)
    SELECT o.user_id, o.id, o.id, 0, true FROM removed o
    ON CONFLICT (user_id, thread_id, kind, id) DO UPDATE SET erased = true;
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format($sql$
CREATE FUNCTION %1$I."messages_search_truncate"() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    TRUNCATE %1$I."search_notes", %1$I."search_gone", %1$I."search_segments", %1$I."search_blocks";
    INSERT INTO %1$I."search_notes" (user_id, thread_id, id, kind)
    SELECT c.user_id, c.id, c.id, 0 FROM %1$I."conversations" c
    WHERE coalesce(c.title, '') <> '' OR coalesce(c.subject, '') <> '';
    RETURN NULL;
END
$body$ $sql$, home);

    EXECUTE format('REVOKE EXECUTE ON FUNCTION ' || $names$
        %1$I."messages_search_insert"(),
        %1$I."messages_search_update"(),
        %1$I."messages_search_delete"(),
        %1$I."conversations_search_insert"(),
        %1$I."conversations_search_update"(),
        %1$I."conversations_search_language"(),
        %1$I."conversations_search_delete"(),
        %1$I."messages_search_truncate"()
        $names$ || ' FROM PUBLIC', home);
END
$$;

CREATE TRIGGER "messages_search_insert" AFTER INSERT ON "messages"
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION "messages_search_insert"();

CREATE TRIGGER "messages_search_update"
    AFTER UPDATE OF id, user_id, conversation_id, created_at, deleted_at, state, attachments, tool_results, metadata, content ON "messages"
    FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL AND OLD.state <> 'streaming') <> (NEW.deleted_at IS NULL AND NEW.state <> 'streaming')
        OR NEW.deleted_at IS NULL AND NEW.state <> 'streaming' AND
            (OLD.id, OLD.user_id, OLD.conversation_id, OLD.created_at, OLD.attachments, OLD.tool_results, OLD.metadata, OLD.content)
            IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.conversation_id, NEW.created_at, NEW.attachments, NEW.tool_results, NEW.metadata, NEW.content))
    EXECUTE FUNCTION "messages_search_update"();

CREATE TRIGGER "messages_search_delete" AFTER DELETE ON "messages"
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION "messages_search_delete"();

-- Conversations are truncated together with their messages.
CREATE TRIGGER "messages_search_truncate" AFTER TRUNCATE ON "messages"
    FOR EACH STATEMENT EXECUTE FUNCTION "messages_search_truncate"();

-- A deleted conversation's title stays: the search looks whether its conversation is live.
CREATE TRIGGER "conversations_search_insert" AFTER INSERT ON "conversations"
    FOR EACH ROW
    WHEN (coalesce(NEW.title, '') <> '' OR coalesce(NEW.subject, '') <> '')
    EXECUTE FUNCTION "conversations_search_insert"();

CREATE TRIGGER "conversations_search_update"
    AFTER UPDATE OF id, user_id, created_at, title, subject ON "conversations"
    FOR EACH ROW
    WHEN ((OLD.id, OLD.user_id, OLD.created_at, OLD.title, OLD.subject)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.created_at, NEW.title, NEW.subject))
    EXECUTE FUNCTION "conversations_search_update"();

CREATE TRIGGER "conversations_search_language" AFTER UPDATE OF language ON "conversations"
    FOR EACH ROW
    WHEN (OLD.language IS DISTINCT FROM NEW.language)
    EXECUTE FUNCTION "conversations_search_language"();

CREATE TRIGGER "conversations_search_delete" AFTER DELETE ON "conversations"
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION "conversations_search_delete"();

-- convostore:batch "messages" (id, user_id) 10000
INSERT INTO "search_notes" (user_id, thread_id, id, kind)
SELECT user_id, conversation_id, id, 1 FROM "messages"
WHERE /* batch */ deleted_at IS NULL AND state <> 'streaming'
ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;

-- convostore:batch "conversations" (id, user_id) 10000
INSERT INTO "search_notes" (user_id, thread_id, id, kind)
SELECT user_id, id, id, 0 FROM "conversations"
WHERE /* batch */ (coalesce(title, '') <> '' OR coalesce(subject, '') <> '')
ON CONFLICT (user_id, id, kind) DO UPDATE SET thread_id = excluded.thread_id;

-- With the extension's own 64 for ef_construction there were clusters that no search got
-- into: of 200,000 vectors in 200 clusters 4 of 100 searches found nothing right, with
-- 128 one, and none at an ef_search of 400. Building it takes up to twice as long.
-- convostore:concurrently
CREATE INDEX "message_embeddings_vector_idx"
    ON "message_embeddings" USING hnsw (embedding vector_cosine_ops) WITH (ef_construction = 128);

INSERT INTO "convostore_migrations" (version, name, options) VALUES (4, 'search', 'search full_text vector_index');

INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '26', '7', '2026-03-01 00:03:19.123456+00', '2026-02-28 23:59:59.123456+00', '2026-11-28 03:14:07.325352+00', NULL, '2026-03-01 00:01:01.123456+00', '2026-03-01 00:01:00.123456+00', NULL, 'true', NULL, '9223372036854775807', NULL, '0190f3a0-0000-7000-8000-000000000002', '0190f3a0-0000-7000-8000-000000000003', 'needs_reply', E'crm Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, 'lead-1', E'key Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé', E'Re: Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', '{"": "", "n": 12345678901234567890.123456789, "s": "Zoë 🙂", "deep": [{"a": [null, true, -0.5]}]}');
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-00000000001d', '0190f3a0-0000-7000-8000-00000000000a', '0', '0', '2026-02-28 23:59:59.123456+00', '2026-02-28 23:59:59.123456+00', '2026-02-28 23:59:59.123456+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-00000000001e', '0190f3a0-0000-7000-8000-00000000000a', '0', '0', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'needs_reply', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-00000000001f', '0190f3a0-0000-7000-8000-00000000000a', '0', '0', '2026-03-01 00:00:01.123456+00', '2026-03-01 00:00:01.123456+00', '2026-03-01 00:00:01.123456+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'waiting', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-000000000020', '0190f3a0-0000-7000-8000-00000000000a', '0', '0', '2026-03-01 00:00:02.123456+00', '2026-03-01 00:00:02.123456+00', '2026-03-01 00:00:02.123456+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'archived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-000000000021', '0190f3a0-0000-7000-8000-00000000000a', '1', '0', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:01.123456+00', '2026-03-01 00:00:01.123456+00', NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'archived', NULL, NULL, NULL, NULL, NULL, 'deleted', NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('0190f3a0-0000-7000-8000-000000000024', 'ffffffff-ffff-7fff-bfff-ffffffffffff', '0', '0', '0001-01-01 00:00:00.000001+00', '0001-01-01 00:00:00.000001+00', '0001-01-01 00:00:00.000001+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO conversations (id, user_id, last_seq, last_change_seq, last_message_at, created_at, updated_at, deleted_at, held_at, pinned_at, snoozed_until, branched, head_seq, forked_from_seq, draft_seq, forked_from_id, merged_into_id, status, app, assignee, language, lead_id, external_key, title, subject, metadata) VALUES ('ffffffff-ffff-7fff-bfff-ffffffffffff', 'ffffffff-ffff-7fff-bfff-ffffffffffff', '9223372036854775807', '9223372036854775807', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59.999999+00', NULL, NULL, NULL, NULL, 'false', NULL, NULL, NULL, NULL, NULL, 'active', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000004', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '1', '2026-02-28 23:59:59.123456+00', '2026-02-28 23:59:59.123456+00', '2026-02-28 23:59:59.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word1 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000005', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '2', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'assistant', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word2 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000006', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '3', '2026-03-01 00:00:01.123456+00', '2026-03-01 00:00:01.123456+00', '2026-03-01 00:00:01.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'system', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word3 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000007', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '4', '2026-03-01 00:00:02.123456+00', '2026-03-01 00:00:02.123456+00', '2026-03-01 00:00:02.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'developer', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word4 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000008', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '5', '2026-03-01 00:00:03.123456+00', '2026-03-01 00:00:03.123456+00', '2026-03-01 00:00:03.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'tool', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word5 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000009', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '6', '2026-03-01 00:00:04.123456+00', '2026-03-01 00:00:04.123456+00', '2026-03-01 00:00:04.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', 'inbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word6 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '7', '2026-03-01 00:00:05.123456+00', '2026-03-01 00:00:05.123456+00', '2026-03-01 00:00:05.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', 'outbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word7 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000b', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '8', '2026-03-01 00:00:06.123456+00', '2026-03-01 00:00:06.123456+00', '2026-03-01 00:00:06.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word8 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000c', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '9', '2026-03-01 00:00:07.123456+00', '2026-03-01 00:00:07.123456+00', '2026-03-01 00:00:07.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'note', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word9 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000d', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '10', '2026-03-01 00:00:08.123456+00', '2026-03-01 00:00:08.123456+00', '2026-03-01 00:00:08.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'auto_reply', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word10 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000e', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '11', '2026-03-01 00:00:09.123456+00', '2026-03-01 00:00:09.123456+00', '2026-03-01 00:00:09.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'bounce', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word11 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000000f', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '12', '2026-03-01 00:00:10.123456+00', '2026-03-01 00:00:10.123456+00', '2026-03-01 00:00:10.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'event', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word12 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000010', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '13', '2026-03-01 00:00:11.123456+00', '2026-03-01 00:00:11.123456+00', '2026-03-01 00:00:11.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word13 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000011', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '14', '2026-03-01 00:00:12.123456+00', '2026-03-01 00:00:12.123456+00', '2026-03-01 00:00:12.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'streaming', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word14 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000012', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '15', '2026-03-01 00:00:13.123456+00', '2026-03-01 00:00:13.123456+00', '2026-03-01 00:00:13.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'interrupted', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word15 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000013', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '16', '2026-03-01 00:00:14.123456+00', '2026-03-01 00:00:14.123456+00', '2026-03-01 00:00:14.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'failed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word16 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000014', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '17', '2026-03-01 00:00:15.123456+00', '2026-03-01 00:00:15.123456+00', '2026-03-01 00:00:15.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'queued', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word17 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000015', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '18', '2026-03-01 00:00:16.123456+00', '2026-03-01 00:00:16.123456+00', '2026-03-01 00:00:16.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'sent', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word18 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000016', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '19', '2026-03-01 00:00:17.123456+00', '2026-03-01 00:00:17.123456+00', '2026-03-01 00:00:17.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'delivered', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word19 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000017', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '20', '2026-03-01 00:00:18.123456+00', '2026-03-01 00:00:18.123456+00', '2026-03-01 00:00:18.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'failed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word20 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000018', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '21', '2026-03-01 00:00:19.123456+00', '2026-03-01 00:00:19.123456+00', '2026-03-01 00:00:19.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'bounced', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word21 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000019', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '22', '2026-03-01 00:00:20.123456+00', '2026-03-01 00:00:20.123456+00', '2026-03-01 00:00:20.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word22 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000001a', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '23', '2026-03-01 00:00:21.123456+00', '2026-03-01 00:00:21.123456+00', '2026-03-01 00:00:21.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000001b', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '24', '2026-03-01 00:00:22.123456+00', '2026-03-01 00:00:22.123456+00', '2026-03-01 00:00:22.123456+00', NULL, '2026-03-01 00:01:39.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, E'word24 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-00000000001c', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '25', '2026-03-01 00:00:49.123456+00', '2026-03-01 00:00:49.123456+00', '2026-03-01 00:00:49.123456+00', '2026-03-01 00:01:09.123456+00', NULL, '2026-03-01 00:00:50.123456+00', '0', '7', '9223372036854775807', '1000000000', '1000000000', '2147483647', 'assistant', 'message', 'interrupted', 'outbound', 'bounced', E'agent Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'model Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'stop Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', '99999999.9999999999', '"Zoë" <zoë@example.com>', 'john@example.com', 'pm-1', 'ffffffffffffffff', E'thread Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', '<abc@example.com>', 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', E'bytes Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'550 Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'{"X-Odd": ["Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''\\"`\\\\ \\\\n \\r\\n\\t {{.Now}} %s %_ $1 ? ; -- /*   ﻿", ""], "Received": ["by a", "by b"], "Message-ID": "<abc@example.com>"}', E'[{"size": 9223372036854775807, "filename": "Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''\\"`\\\\ \\\\n \\r\\n\\t {{.Now}} %s %_ $1 ? ; -- /*   ﻿", "content_type": "image/png"}, {"filename": "b"}]', E'[{"id": "call_1", "arguments": "{\\"a\\": 1}"}]', '"just a text"', '[]', E'full Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'\\x00fffe20726177200d0a');
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000022', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000021', '1', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:00.123456+00', NULL, '2026-03-01 00:00:01.123456+00', NULL, NULL, NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'in a deleted conversation', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000025', 'ffffffff-ffff-7fff-bfff-ffffffffffff', 'ffffffff-ffff-7fff-bfff-ffffffffffff', '9223372036854775807', '9999-12-31 23:59:59.999999+00', '0001-01-01 00:00:00.000001+00', '0001-01-01 00:00:00.000001+00', NULL, NULL, NULL, '9223372036854775806', '9223372036854775807', NULL, NULL, NULL, '0', 'user', 'message', 'complete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'the last', NULL);
INSERT INTO messages (id, user_id, conversation_id, seq, sent_at, created_at, updated_at, edited_at, deleted_at, heartbeat_at, parent_seq, change_seq, fence, tokens_in, tokens_out, revision, role, kind, state, direction, delivery, author, model, finish_reason, cost, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, payload_format, delivery_error, headers, attachments, tool_calls, tool_results, metadata, content, payload) VALUES ('0190f3a0-0000-7000-8000-000000000035', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '26', '2026-03-01 00:03:19.123456+00', '2026-03-01 00:03:19.123456+00', '2026-03-01 00:03:19.123456+00', NULL, NULL, NULL, '3', NULL, NULL, NULL, NULL, '0', 'user', 'message', 'complete', 'inbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'nulstripped', NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-000000000023', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000021', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', '2026-03-01 00:00:01.123456+00', NULL, NULL, NULL, '0', '0', 'pending', NULL, NULL, NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-000000000026', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-11-28 03:14:07.337407+00', NULL, '2026-11-28 03:14:07.337407+00', NULL, NULL, '0', '0', 'superseded', NULL, NULL, NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-000000000027', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', NULL, NULL, '0', '0', 'approved', NULL, E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-000000000028', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', NULL, NULL, '0', '0', 'edited', NULL, E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'Edited Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-000000000029', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', NULL, NULL, '0', '0', 'rejected', NULL, E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-00000000002a', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', NULL, NULL, '0', '0', 'superseded', NULL, E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-00000000002b', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', NULL, NULL, '0', '0', 'expired', NULL, E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-00000000002c', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-000000000004', '0190f3a0-0000-7000-8000-00000000001c', '9223372036854775807', '2026-03-01 00:01:19.123456+00', '2026-03-01 00:01:20.123456+00', NULL, '2026-03-01 00:01:21.123456+00', '2026-03-01 00:01:22.123456+00', '0.3', '1000000000', '0.0000000001', 'approved', E'model Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'bob', E'good Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', '{"tone": "Zoë"}', '[100, null]', E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, E'half Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, sent_message_id, answers_seq, created_at, updated_at, deleted_at, reviewed_at, draft_at, confidence_score, tokens_used, generation_cost, status, model_used, reviewed_by, draft_by, feedback, sentiment_analysis, context_used, suggested_content, edited_content, draft_content) VALUES ('0190f3a0-0000-7000-8000-00000000002d', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', NULL, NULL, NULL, '2026-03-01 00:01:19.123456+00', '2026-11-28 03:14:07.337407+00', NULL, '2026-11-28 03:14:07.337407+00', NULL, '1', '0', '0', 'superseded', NULL, NULL, NULL, NULL, NULL, NULL, E'Draft Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', NULL, NULL);
INSERT INTO message_embeddings (message_id, user_id, model, conversation_id, embedding, created_at) VALUES ('0190f3a0-0000-7000-8000-000000000004', '0190f3a0-0000-7000-8000-00000000000a', 'model-a', '0190f3a0-0000-7000-8000-000000000001', '[0,-1.5,3e-07]', '2026-02-28 23:59:59.123456+00');
INSERT INTO message_embeddings (message_id, user_id, model, conversation_id, embedding, created_at) VALUES ('0190f3a0-0000-7000-8000-000000000005', '0190f3a0-0000-7000-8000-00000000000a', 'model-a', '0190f3a0-0000-7000-8000-000000000001', '[1,-1.5,3e-07]', '2026-03-01 00:00:00.123456+00');
INSERT INTO message_embedding_claims (message_id, user_id, model, claimed_by, claimed_at, claimed_until) VALUES ('0190f3a0-0000-7000-8000-000000000035', '0190f3a0-0000-7000-8000-00000000000a', 'model-b', 'ffffffff-ffff-7fff-bfff-ffffffffffff', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59.999999+00');
INSERT INTO message_embedding_failures (message_id, user_id, model, attempts, error, failed_at, set_aside_at) VALUES ('0190f3a0-0000-7000-8000-000000000035', '0190f3a0-0000-7000-8000-00000000000a', 'model-b', '3', 'refused: ä', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59.999999+00');
INSERT INTO message_refs (message_id, user_id, created_at, exclusive, provider, ref) VALUES ('0190f3a0-0000-7000-8000-000000000004', '0190f3a0-0000-7000-8000-00000000000a', '2026-02-28 23:59:59.123456+00', 'true', 'gmail', E'ref 0Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO message_refs (message_id, user_id, created_at, exclusive, provider, ref) VALUES ('0190f3a0-0000-7000-8000-000000000005', '0190f3a0-0000-7000-8000-00000000000a', '2026-03-01 00:00:00.123456+00', 'false', 'gmail', E'ref 1Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO message_votes (message_id, user_id, created_at, updated_at, value, voter, comment) VALUES ('0190f3a0-0000-7000-8000-00000000001c', '0190f3a0-0000-7000-8000-00000000000a', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:01.123456+00', '-1', 'bob', NULL);
INSERT INTO message_votes (message_id, user_id, created_at, updated_at, value, voter, comment) VALUES ('0190f3a0-0000-7000-8000-00000000001c', '0190f3a0-0000-7000-8000-00000000000a', '2026-03-01 00:00:00.123456+00', '2026-03-01 00:00:01.123456+00', '1', E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'good Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO deliveries (id, user_id, message_id, due_at, created_at, updated_at, claimed_until, done_at, failed_at, cancelled_at, attempts, channel, claimed_by, last_error) VALUES ('0190f3a0-0000-7000-8000-00000000002e', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000001c', '2026-03-01 00:01:29.123456+00', '2026-03-01 00:01:28.123456+00', '2026-03-01 00:01:30.123456+00', NULL, NULL, NULL, NULL, '0', 'open', NULL, NULL);
INSERT INTO deliveries (id, user_id, message_id, due_at, created_at, updated_at, claimed_until, done_at, failed_at, cancelled_at, attempts, channel, claimed_by, last_error) VALUES ('0190f3a0-0000-7000-8000-00000000002f', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000001c', '2026-03-01 00:01:29.123456+00', '2026-03-01 00:01:28.123456+00', '2026-03-01 00:01:30.123456+00', '9999-12-31 23:59:59.999999+00', NULL, NULL, NULL, '2147483647', E'claimed Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'worker', E'timeout Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO deliveries (id, user_id, message_id, due_at, created_at, updated_at, claimed_until, done_at, failed_at, cancelled_at, attempts, channel, claimed_by, last_error) VALUES ('0190f3a0-0000-7000-8000-000000000030', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000001c', '2026-03-01 00:01:29.123456+00', '2026-03-01 00:01:28.123456+00', '2026-03-01 00:01:30.123456+00', NULL, '2026-03-01 00:01:31.123456+00', NULL, NULL, '0', 'done', NULL, NULL);
INSERT INTO deliveries (id, user_id, message_id, due_at, created_at, updated_at, claimed_until, done_at, failed_at, cancelled_at, attempts, channel, claimed_by, last_error) VALUES ('0190f3a0-0000-7000-8000-000000000031', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000001c', '2026-03-01 00:01:29.123456+00', '2026-03-01 00:01:28.123456+00', '2026-03-01 00:01:30.123456+00', NULL, NULL, '2026-03-01 00:01:32.123456+00', NULL, '0', 'failed', NULL, NULL);
INSERT INTO deliveries (id, user_id, message_id, due_at, created_at, updated_at, claimed_until, done_at, failed_at, cancelled_at, attempts, channel, claimed_by, last_error) VALUES ('0190f3a0-0000-7000-8000-000000000032', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-00000000001c', '2026-03-01 00:01:29.123456+00', '2026-03-01 00:01:28.123456+00', '2026-03-01 00:01:30.123456+00', NULL, NULL, NULL, '2026-03-01 00:01:33.123456+00', '0', 'cancelled', NULL, NULL);
INSERT INTO conversation_labels (conversation_id, user_id, created_at, label, created_by) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '2026-03-01 00:00:00.123456+00', 'plain', NULL);
INSERT INTO conversation_labels (conversation_id, user_id, created_at, label, created_by) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '2026-03-01 00:00:00.123456+00', E'urgent Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'ann');
INSERT INTO conversation_reads (conversation_id, user_id, seq, read_at, reader) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '0', '2026-03-01 00:00:01.123456+00', 'bob');
INSERT INTO conversation_reads (conversation_id, user_id, seq, read_at, reader) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '9223372036854775807', '2026-03-01 00:00:01.123456+00', E'ann Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO conversation_states (conversation_id, user_id, version, updated_at, key, value) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '1', '2026-03-01 00:00:02.123456+00', 'empty', E'\\x');
INSERT INTO conversation_states (conversation_id, user_id, version, updated_at, key, value) VALUES ('0190f3a0-0000-7000-8000-000000000001', '0190f3a0-0000-7000-8000-00000000000a', '9223372036854775807', '2026-03-01 00:00:02.123456+00', E'key Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'\\x00ff');
INSERT INTO conversation_user_states (user_id, version, updated_at, app, key, value) VALUES ('0190f3a0-0000-7000-8000-00000000000a', '1', '2026-03-01 00:00:03.123456+00', '', 'no app', E'\\x');
INSERT INTO conversation_user_states (user_id, version, updated_at, app, key, value) VALUES ('0190f3a0-0000-7000-8000-00000000000a', '2', '2026-03-01 00:00:03.123456+00', E'app Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'key', E'\\x5a6fc3ab205a6f65cc8820f09f9982f09f91a9e2808df09f91a9e2808df09f91a720d7a9d79cd795d79d20e99baa20efac81202722605c205c6e200d0a09207b7b2e4e6f777d7d20257320255f202431203f203b202d2d202f2a20e280a820efbbbf');
INSERT INTO conversation_summaries (id, user_id, conversation_id, from_seq, to_seq, tokens, created_at, void_at, model, covered_hash, content) VALUES ('0190f3a0-0000-7000-8000-000000000033', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '1', '9223372036854775807', '9223372036854775807', '2026-03-01 00:00:05.123456+00', '2026-03-01 00:00:06.123456+00', 'model', E'hash Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', E'summary Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿');
INSERT INTO conversation_summaries (id, user_id, conversation_id, from_seq, to_seq, tokens, created_at, void_at, model, covered_hash, content) VALUES ('0190f3a0-0000-7000-8000-000000000034', '0190f3a0-0000-7000-8000-00000000000a', '0190f3a0-0000-7000-8000-000000000001', '1', '1', NULL, '2026-03-01 00:00:05.123456+00', NULL, NULL, NULL, 'one');
INSERT INTO conversation_app_states (version, updated_at, app, key, value) VALUES ('3', '2026-03-01 00:00:04.123456+00', E'app Zoë Zoë 🙂👩‍👩‍👧 שלום 雪 ﬁ ''"`\\ \\n 
	 {{.Now}} %s %_ $1 ? ; -- /*   ﻿', 'key', E'\\x736861726564');
