/**
 * The first layout. Frozen: data folders with it exist. The log only grows: triggers refuse every
 * UPDATE, and a DELETE of what is final.
 */
export const messagesMigration = `
CREATE TABLE log (
  seq          INTEGER PRIMARY KEY,
  epoch_number INTEGER NOT NULL,
  epoch_leader INTEGER NOT NULL,
  kind         INTEGER NOT NULL,
  id           BLOB    NOT NULL UNIQUE,
  author       INTEGER NOT NULL,
  after        BLOB,
  sent_at      INTEGER NOT NULL,
  body         BLOB    NOT NULL,
  hash         BLOB    NOT NULL
) STRICT;
CREATE INDEX log_members ON log (seq) WHERE kind = 1;

CREATE TABLE pending (
  ord     INTEGER PRIMARY KEY,
  id      BLOB    NOT NULL,
  author  INTEGER NOT NULL,
  after   BLOB,
  sent_at INTEGER NOT NULL,
  body    BLOB    NOT NULL
) STRICT;

CREATE TABLE state (
  only            INTEGER PRIMARY KEY CHECK (only = 1),
  mark            INTEGER NOT NULL,
  promised_number INTEGER NOT NULL,
  promised_leader INTEGER NOT NULL,
  last_own        BLOB,
  group_id        BLOB,
  group_key       BLOB,
  self_id         INTEGER,
  identity_seed   BLOB,
  name            TEXT,
  host            TEXT,
  port            INTEGER,
  created_at      INTEGER
) STRICT;
INSERT INTO state (only, mark, promised_number, promised_leader) VALUES (1, 0, 0, 0);

CREATE TABLE known (
  id              INTEGER PRIMARY KEY,
  key             BLOB    NOT NULL,
  name            TEXT    NOT NULL,
  address         TEXT    NOT NULL,
  bound           INTEGER NOT NULL,
  promised_number INTEGER NOT NULL,
  promised_leader INTEGER NOT NULL,
  nonce           INTEGER NOT NULL
) STRICT;

CREATE TRIGGER log_keeps_entries BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
CREATE TRIGGER log_keeps_final BEFORE DELETE ON log
WHEN OLD.seq <= (SELECT mark FROM state)
BEGIN SELECT RAISE(ABORT, 'a final entry never disappears'); END;
`;
