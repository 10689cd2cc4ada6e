/** Sweep that deletes jobs of policy generation. */
import { instant } from '#core/instant.ts';
import type { Work } from '../../kit/events.ts';
import { KEPT_MS, policyGenerations } from '../tables/policy-generations.ts';

/** Number of jobs that one step deletes. */
const DELETED_AT_ONCE = 100;

/** Deletes jobs that are not kept any more, with their results. */
export const deleteGenerations =
  () =>
  async ({ tx, now }: Pick<Work, 'tx' | 'now'>): Promise<'more' | 'done'> => {
    const deleted = await tx.of(policyGenerations).removeBefore(instant(now - KEPT_MS), DELETED_AT_ONCE);
    return deleted === DELETED_AT_ONCE ? 'more' : 'done';
  };
