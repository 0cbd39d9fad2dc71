DROP TABLE {{table "ai_suggestions"}};
DROP TABLE {{table "messages"}};
DROP TABLE {{table "conversations"}};
DROP TABLE {{table "convostore_migrations"}};
