/**
 * The limits of connections in one place: unit, why it has this value, and what happens when
 * it is reached. Nothing here depends on the protocol's timing, which is shared/protocol/config.ts.
 */

/**
 * Largest payload of one frame, bytes: a batch of 192 KiB, 128 KiB of ids or addresses, or one body of
 * 64 KiB, and room. A longer one closes the connection. No heartbeat waits for long behind one.
 */
export const FRAME_BYTES_MAX = 256 * 1024;

/**
 * Largest payload before the other side has proven who it is, bytes: a HELLO with the longest name and
 * address takes under 1 KiB. A longer one closes the connection.
 */
export const UNPROVEN_FRAME_BYTES_MAX = 2 * 1024;

/** Bytes read from a connection that is not up yet; HELLO, PROOF and WELCOME fit. More closes it. */
export const UNPROVEN_BYTES_MAX = 8 * 1024;

/**
 * Connections from others that are not up yet. A group of 50 that starts at once stays below; beyond
 * it, new ones are closed unread, and an honest peer dials again.
 */
export const UNPROVEN_CONNECTIONS_MAX = 128;

/**
 * From the first byte to an up link, milliseconds: three flights, two signatures and one probe take a
 * fraction of it on any network that can chat. Then the connection is closed.
 */
export const HANDSHAKE_MS = 3_000;

/** How long one attempt to connect may take, milliseconds; a LAN answers in one or refuses. */
export const DIAL_MS = 1_500;

/**
 * Frames waiting for one slow peer, bytes. Beyond it the link is closed: the peer catches up from the
 * log later, and this process keeps its memory.
 */
export const SEND_BUFFER_BYTES_MAX = 32 * 1024 * 1024;

/** Frames of one tick are copied into one write up to this many bytes; above, copying costs more. */
export const GATHER_BYTES_MAX = 128 * 1024;

/** How long an older link of the same peer may take to answer before a new one replaces it, ms. */
export const PROBE_MS = 500;

/** Silence on an up link after which it is pinged, milliseconds. */
export const QUIET_MS = 3_000;

/**
 * Silence after which a link is closed, milliseconds. After a cut, TCP alone tries again ever more
 * seldom, for up to two minutes; dialling anew finds the peer within seconds.
 */
export const SILENT_MS = 6_000;

/** First wait between two attempts to dial, milliseconds; doubles to {@link REDIAL_MAX_MS}. */
export const REDIAL_FIRST_MS = 50;

/** Longest wait between attempts, milliseconds: a peer that comes back is found within two seconds. */
export const REDIAL_MAX_MS = 2_000;

/** Wait after a refusal with a reason, milliseconds: only a person can change it. */
export const REDIAL_REFUSED_MS = 10_000;

/** A link that lived this long was a good one: the next wait is the first again, milliseconds. */
export const GOOD_LINK_MS = 1_000;

/**
 * How long the end of a link may stay unreported while one redial finds out whether anything listens
 * there, milliseconds. A process that died refuses within one; silence tells nothing.
 */
export const REDIAL_VERDICT_MS = 300;

/** How long a closing connection may take to send what is queued, milliseconds; then it is cut. */
export const CLOSE_MS = 500;
