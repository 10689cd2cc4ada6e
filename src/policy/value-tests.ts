import type { RequestRecord } from './request.ts';
import { takeSteps } from './steps.ts';

/** Reports whether one request value matches any of the policy's values. */
export type Meets = (record: RequestRecord, value: string) => boolean;

/**
 * With `met`, reports whether any of the request values matches one of the policy's values. Without `met`, reports
 * whether any of the request values matches none of the policy's values.
 */
export type Exists = (record: RequestRecord, values: readonly string[], met: boolean) => boolean;

/** Returns a test of a list of request values. The test applies `meets` to each value. */
export function oneByOne(meets: Meets): Exists {
  return (record, values, met) => {
    for (let i = 0; i < values.length; i++) if (meets(record, values[i] as string) === met) return true;
    return false;
  };
}

/** Returns a test that holds if any of the tests holds. */
export function anyOf(tests: readonly Meets[]): Meets {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, tests.length);
    for (let i = 0; i < tests.length; i++) if ((tests[i] as Meets)(record, value)) return true;
    return false;
  };
}
