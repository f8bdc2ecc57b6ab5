/** Pending messages: order, places, what may leave. */
import { expect, test } from 'vitest';
import { Pending } from './pending.ts';
import { idOf, messageOf } from './testing/entries.ts';

const [m1, m2, m3, m4] = [messageOf(1, 1), messageOf(2, 1, 1), messageOf(3, 2), messageOf(4, 2, 3)];
const order = (pending: Pending): string[] => [...pending.ids()];

test('keeps the order of arrival, and each message once', () => {
  const pending = new Pending([m1]);
  pending.add(m2, true);
  pending.add(m1, true);
  expect(order(pending)).toEqual([m1.id, m2.id]);
  expect([pending.size, pending.get(m2.id), pending.has(m3.id)]).toEqual([2, m2, false]);
});

test('puts what a cut gave back before all others, in its own order', () => {
  const pending = new Pending([m3]);
  pending.addFront([m1, m2, m3]);
  expect(order(pending)).toEqual([m1.id, m2.id, m3.id]);
});

test('lets nothing leave that is not on disk', () => {
  const pending = new Pending([m1]);
  pending.add(m2, false);
  pending.add(m3, true);
  expect([...pending.sendable()]).toEqual([m1, m3]);
  expect(pending.isSendable(m2.id)).toBe(false);
  pending.markDurable(m2.id);
  expect([...pending.sendable()]).toEqual([m1, m2, m3]);
});

test('gives places within a run and forgets them, never a message', () => {
  const pending = new Pending([m1, m2]);
  pending.place(m2.id, 7);
  expect([pending.placeOf(m1.id), pending.placeOf(m2.id)]).toEqual([null, 7]);
  pending.forgetPlaces();
  expect([pending.placeOf(m2.id), pending.size]).toEqual([null, 2]);
});

test('says whether it held what is removed', () => {
  const pending = new Pending([m4]);
  expect([pending.remove(m4.id), pending.remove(m4.id), pending.size]).toEqual([true, false, 0]);
});

test('knows nothing of an unknown id', () => {
  const pending = new Pending([]);
  pending.place(idOf(9), 1);
  pending.markDurable(idOf(9));
  expect([pending.placeOf(idOf(9)), pending.isSendable(idOf(9)), pending.size]).toEqual([
    null,
    false,
    0,
  ]);
});
