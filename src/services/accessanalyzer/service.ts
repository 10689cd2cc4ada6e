import { instant } from '#core/instant.ts';
import type { Work } from '../kit/events.ts';
import { service } from '../kit/service.ts';
import { AwsError } from './errors.ts';
import { KEPT_MS, policyGenerations } from './tables/policy-generations.ts';

/** Interval between two checks for jobs that generate policies. */
const GENERATIONS_EVERY_MS = 1_000;
/** Number of jobs that one step of the sweep deletes. */
const DELETED_AT_ONCE = 100;

/** Deletes jobs that are not kept any more, with their results. */
async function forgetGenerations({ tx, now }: Pick<Work, 'tx' | 'now'>): Promise<'more' | 'done'> {
  const deleted = await tx.of(policyGenerations).removeBefore(instant(now - KEPT_MS), DELETED_AT_ONCE);
  return deleted === DELETED_AT_ONCE ? 'more' : 'done';
}

/** IAM Access Analyzer, with the policy checks that need no stored resources. */
export const accessanalyzer = service<object>({
  name: 'accessanalyzer',
  operations: async () => (await import('./operations.ts')).accessanalyzerOperations(),
  sweeps: [() => forgetGenerations],
  tasks: [
    {
      name: 'generation of policies',
      everyMs: GENERATIONS_EVERY_MS,
      load: async ({ policyGeneration }) => (await import('./policy-generation-run.ts')).runPolicyGenerations(policyGeneration),
    },
  ],
  invalidPageToken(name) {
    const message = `Invalid ${name}.`;
    return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed', fieldList: [{ name, message }] });
  },
});
