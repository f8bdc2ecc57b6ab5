/** All broken cores. */
import { electionVariants } from './election.ts';
import { lifetimeVariants } from './lifetime.ts';
import { livenessVariants } from './liveness.ts';
import { membershipVariants } from './membership.ts';
import { orderVariants } from './order.ts';
import { safetyVariants } from './safety.ts';
import type { Variant } from './variant.ts';

export type { Edit, Variant } from './variant.ts';

export const variants: readonly Variant[] = [
  ...safetyVariants,
  ...orderVariants,
  ...livenessVariants,
  ...electionVariants,
  ...membershipVariants,
  ...lifetimeVariants,
];
