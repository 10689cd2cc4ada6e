import { CONNECTION_ABUSE } from './connection-abuse.ts';
import type { Workload } from './workload.ts';

/** Every hostile workload. `npm test` runs each for a second, `npm run hostile` for as long as its argument says. */
export const WORKLOADS: readonly Workload[] = [CONNECTION_ABUSE];
