import type { AccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IdentityKind } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Entry } from '#store/identity/repository.ts';
import type { Tx } from '#store/store.ts';

/** Number of summaries in one read of the store. */
const BATCH = 500;

/**
 * Yields the summaries of the identity records of one kind in an account, in the order of their keys. If `prefix` is
 * set, yields only records whose keys start with it. A summary is a record without its details, such as policy
 * documents and tags.
 *
 * Use it only for kinds with a limited number of records in an account: 10,000 summaries take about 30 ms, during which
 * the server handles no other request.
 */
export async function* everySummary<Kind extends IdentityKind>(
  tx: Pick<Tx, 'identity'>,
  accountId: AccountId,
  kind: Kind,
  prefix?: string,
): AsyncGenerator<Entry<IdentitySummaries[Kind]>> {
  let after: string | undefined;
  for (;;) {
    const batch = await tx.identity.summaries(accountId, kind, { limit: BATCH, ...omitUndefined({ prefix, after }) });
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < BATCH) return;
    after = last.key;
  }
}
