/** All broken cores. */
import { lifetimeVariants } from './lifetime.ts';
import { livenessVariants } from './liveness.ts';
import { orderVariants } from './order.ts';
import { safetyVariants } from './safety.ts';
import type { Variant } from './variant.ts';

export type { Edit, Variant } from './variant.ts';

export const variants: readonly Variant[] = [
  ...safetyVariants,
  ...orderVariants,
  ...livenessVariants,
  ...lifetimeVariants,
];
