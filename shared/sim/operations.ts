/**
 * What a run does to its peers, as plain data: a run is its options and this list. So a failing run can
 * be printed, stored, replayed and made smaller by leaving operations out; one that no longer makes
 * sense (starting a peer that is up) does nothing. Hosts are named by their index, because one peer id
 * can stand on two machines.
 */
import type { ProtocolMessage } from '../protocol/messages.ts';
import type { EntryKind } from '../protocol/types.ts';

/** What befalls somebody when a trap springs. */
export type TrapAct =
  | 'kill-sender'
  | 'kill-receiver'
  | 'pause-sender'
  | 'pause-receiver'
  /** From this message on, the direction on which it would travel carries nothing. */
  | 'block'
  /** The same with every direction of the sender. */
  | 'isolate-sender'
  | 'break-link'
  /** A person writes something at the sender at that moment. */
  | 'submit'
  /** Only what `also` says. */
  | 'none';

/** One thing done to the peers. */
export type Act =
  | { readonly kind: 'submit'; readonly host: number; readonly count: number }
  /** Ends a process; `survivors` is the part of its queued writes that still reaches the disk. */
  | {
      readonly kind: 'crash';
      readonly host: number;
      readonly power: boolean;
      readonly survivors: number;
    }
  | { readonly kind: 'start'; readonly host: number }
  | { readonly kind: 'pause'; readonly host: number }
  | { readonly kind: 'resume'; readonly host: number }
  /**
   * Nothing travels from any host of `from` to any of `to`; `now`: not even what is in flight; `breaks`:
   * connections time out.
   */
  | {
      readonly kind: 'block';
      readonly from: readonly number[];
      readonly to: readonly number[];
      readonly now: boolean;
      readonly breaks: boolean;
    }
  | { readonly kind: 'unblock'; readonly from: readonly number[]; readonly to: readonly number[] }
  | { readonly kind: 'break'; readonly a: number; readonly b: number }
  | { readonly kind: 'slow-disk'; readonly host: number; readonly factor: number }
  | { readonly kind: 'full-disk'; readonly host: number }
  | { readonly kind: 'wall-jump'; readonly host: number; readonly byMs: number }
  | { readonly kind: 'join'; readonly id: number; readonly seeds: readonly number[] }
  | { readonly kind: 'leave'; readonly host: number }
  | { readonly kind: 'rename'; readonly host: number }
  /** Keeps a copy of what is on disk now. */
  | { readonly kind: 'snapshot'; readonly host: number }
  /** Starts a peer that is down with the copy kept earlier, where others can tell. */
  | { readonly kind: 'restore'; readonly host: number }
  /** Starts a peer that is down with an empty disk and a new key. */
  | { readonly kind: 'wipe'; readonly host: number }
  /** The same under an id that nobody is bound to; its own folder lies in the cupboard meanwhile. */
  | { readonly kind: 'new-key'; readonly host: number }
  /** Falsifies the last final entry that a peer that is down has stored, and all behind it. */
  | { readonly kind: 'spoil'; readonly host: number }
  /** Starts a copy of the data folder of a peer that is up. */
  | { readonly kind: 'copy'; readonly host: number }
  /** Springs at the `nth` message of this kind from sender to receiver (-1: any host). */
  | {
      readonly kind: 'trap';
      readonly message: ProtocolMessage['kind'];
      readonly sender: number;
      readonly receiver: number;
      readonly nth: number;
      readonly act: TrapAct;
      /** Only ACCEPTs with an entry of this kind count. */
      readonly carries?: EntryKind;
      /** When it is undone, milliseconds later. */
      readonly forMs: number;
      /** What else happens at that moment, before the message is on its way. */
      readonly also?: readonly Act[];
    };

/** When, and what. */
export interface Operation {
  /** Simulated milliseconds since the start of the run. */
  readonly at: number;
  readonly act: Act;
}

/** One line for people. */
export function describeOperation({ at, act }: Operation): string {
  const { kind, ...rest } = act;
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${at.toFixed(3).padStart(10)} ${kind} ${fields.join(' ')}`;
}
