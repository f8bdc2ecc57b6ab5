/** Own ids ascend, carry the time, and are readable by the protocol. */
import { expect, test } from 'vitest';
import { UUID_BYTES, writeUuid } from '../../shared/protocol/uuid.ts';
import { MessageIds } from './message-ids.ts';

test('ids ascend through a busy millisecond and a clock that goes back', () => {
  const ids = new MessageIds();
  const times = [...Array(5_000).fill(1_000_000), 2_000_000, 1_500_000, 2_000_001] as number[];
  const made = times.map((time) => ids.next(time));
  expect(made).toEqual([...made].sort());
  expect(new Set(made).size).toBe(made.length);
  const bytes = new Uint8Array(UUID_BYTES);
  expect(made.every((id) => writeUuid(id, bytes, 0))).toBe(true);
});

test('an id begins with its time', () => {
  const id = new MessageIds().next(0x0190_1234_5678);
  expect(id.slice(0, 13)).toBe('01901234-5678');
});
