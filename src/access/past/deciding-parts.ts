import { DECISION_STEPS } from '#policy/engine.ts';
import { type CallerOf, callersOf } from '../caller-facts.ts';
import { newDecisions } from '../decisions.ts';
import type { Denials } from '../denied.ts';
import type { RefusalOfRequired } from '../refusal.ts';
import { type ReadRequired, requiredReading } from '../required-reading.ts';
import { resourceDeciding, resourceSetting } from '../resource-deciding.ts';
import type { PastIdentity } from './past-identity.ts';

/** Functions of which `authorizing` consists, for code that looks at each permission and resource itself. */
export interface DecidingParts {
  readonly callerOf: CallerOf;
  readonly read: ReadRequired;
  readonly setResourceOf: ReturnType<typeof resourceSetting>;
  readonly refusalOf: RefusalOfRequired;
}

/** Creates the functions for one identity. */
export function decidingParts({ snapshot, stacks }: PastIdentity, denials: Denials): DecidingParts {
  return {
    callerOf: callersOf(snapshot, stacks),
    read: requiredReading(snapshot, stacks),
    setResourceOf: resourceSetting(snapshot),
    refusalOf: resourceDeciding(stacks, newDecisions(DECISION_STEPS), denials),
  };
}
