/** Times and days as people read them. Pure: the clock and the time zone are the caller's. */

/** Start of the local day of a time, milliseconds: equal for times of the same day. */
export function dayOf(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** “Today”, “Yesterday”, or the whole date. */
export function formatDay(at: number, now: number, locale?: string): string {
  const day = dayOf(at);
  if (day === dayOf(now)) return 'Today';
  const before = new Date(dayOf(now));
  before.setDate(before.getDate() - 1);
  if (day === before.getTime()) return 'Yesterday';
  return new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }).format(at);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** Hours and minutes. */
export function formatTime(at: number): string {
  return clock.format(at);
}

/** Everything, for a tooltip. */
export function formatFull(at: number): string {
  return full.format(at);
}

/** The date and time for lists of groups. */
export function formatOpened(at: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

/** Milliseconds until the next local day begins. */
export function untilTomorrow(now: number): number {
  const next = new Date(dayOf(now));
  next.setDate(next.getDate() + 1);
  return next.getTime() - now;
}
