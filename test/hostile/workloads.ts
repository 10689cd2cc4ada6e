import { arnAndTagVariants } from './arn-and-tag-variants.ts';
import { failedSignIns } from './failed-sign-ins.ts';
import { trailFloods } from './trail-floods.ts';
import type { Workload } from './workload.ts';

/** Every hostile workload. `npm test` runs each for a second, `npm run hostile` for as long as its argument says. */
export const WORKLOADS: readonly Workload[] = [arnAndTagVariants, failedSignIns, trailFloods];
