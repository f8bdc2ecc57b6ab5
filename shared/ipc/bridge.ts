/**
 * The type of `window.lockstep`, derived from the contract: one named function per request, one
 * subscription per event. The preload builds it, the renderer's bridge.ts is the only file that uses it.
 */
import type { EventName, Events, RequestName, Requests } from './contract.ts';

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

type RequestFunctions = {
  readonly [Name in RequestName as Camel<Name>]: (
    args: Requests[Name]['args'],
  ) => Promise<Requests[Name]['result']>;
};

type EventSubscriptions = {
  /** Calls the listener for each event; the returned function ends the subscription. */
  readonly [Name in EventName as Camel<`on-${Name}`>]: (
    listener: (payload: Events[Name]) => void,
  ) => () => void;
};

/** What the preload exposes as `window.lockstep`. */
export type LockstepBridge = RequestFunctions & EventSubscriptions;
