/** Variants in which something outlives what it was true for, or is believed of somebody else. */
import type { Variant } from './variant.ts';

export const lifetimeVariants: readonly Variant[] = [
  {
    name: 'looked-up-places-kept',
    breaks: 'A provisional place belongs to one run, also while the disk is asked (V5).',
    edits: [{ file: 'transitions.ts', find: '  forgetLookedUpPlaces(s);\n', replace: '' }],
    within: 5_000,
  },
];
