/**
 * The only file that touches `window.lockstep`. Components get the bridge from the store's context, so that
 * tests and the gallery can hand them another one.
 */
import type { LockstepBridge } from '../shared/ipc/bridge.ts';

declare global {
  interface Window {
    readonly lockstep?: LockstepBridge;
  }
}

/** The bridge that the preload exposed; undefined when the page was opened in an ordinary browser. */
export function findBridge(): LockstepBridge | undefined {
  return window.lockstep;
}
