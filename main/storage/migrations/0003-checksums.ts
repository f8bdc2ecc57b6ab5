/**
 * A CRC over each row of `pending` and `known`, which no chain of hashes covers. NULL in rows that were
 * not written since.
 */
export const checksumsMigration = `
ALTER TABLE pending ADD COLUMN crc INTEGER;
ALTER TABLE known ADD COLUMN crc INTEGER;
`;
