/**
 * A hash over the one row of `state`, which nothing else vouches for: the log has its chain. NULL in a
 * folder that was not written since.
 */
export const sealMigration = 'ALTER TABLE state ADD COLUMN seal BLOB;';
