/** Sweep that deletes the findings of deleted analyzers, and resolved findings after their retention. */
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Work } from '../../kit/events.ts';
import type { Sweep } from '../../kit/service.ts';
import { deleteFindings } from '../findings/findings.ts';
import { type AnalyzerKey, analyzers } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';

/** Findings that one transaction deletes. */
const DELETED_AT_ONCE = 100;

/**
 * Time after its last change at which a resolved finding is deleted.
 *
 * Source: IAM User Guide, "Reviewing findings": "Resolved findings are deleted 90 days after the last update to the finding."
 */
const RESOLVED_KEPT_MS = 90 * DAY_MS;

/** Deletes a page of findings. Emits: BusEvent with `isDeleted` for each. */
export const findingSweep: Sweep = () => async (work) => {
  const before = instant(work.now - RESOLVED_KEPT_MS);
  const expired = await work.tx.of(findings).resolvedBefore(before, DELETED_AT_ONCE);
  const owners = new Map<string, AnalyzerKey | undefined>();
  for (const { analyzerId } of expired) {
    if (!owners.has(analyzerId)) owners.set(analyzerId, await work.tx.of(analyzers).byId(analyzerId));
  }
  await deleteFindings(work, expired, ({ analyzerId }) => owners.get(analyzerId));
  if (expired.length === DELETED_AT_ONCE) return 'more';
  return await deleteOfDeleted(work);
};

async function deleteOfDeleted(work: Work): Promise<'more' | 'done'> {
  const repository = work.tx.of(analyzers);
  const analyzer = await repository.nextDeleted();
  if (analyzer === undefined) return 'done';
  const { analyzerId } = analyzer;
  const page = await work.tx.of(findings).list({ analyzerId, order: 'id', descending: false }, DELETED_AT_ONCE);
  await deleteFindings(work, page, () => analyzer);
  if (page.length < DELETED_AT_ONCE && (await work.tx.of(findings).forgetResources(analyzerId, DELETED_AT_ONCE)) === 'done')
    await repository.forgetDeleted(analyzerId);
  return 'more';
}
