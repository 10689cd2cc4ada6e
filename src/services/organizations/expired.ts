import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Entry } from '#store/identity/repository.ts';
import type { Call } from '../kit/operation.ts';

/** Number of records that one request reads to find expired records. */
const SAMPLE = 100;

/**
 * Returns the 100 records that follow a random key in the list. After the last record, continues with the first record.
 * Returns all records if there are fewer than 100.
 *
 * A request that adds a record deletes only the expired records in this sample, so that it reads a limited number of
 * records. On average, only about one in a hundred stored records is an expired record that was not yet deleted.
 */
export async function sampleOf<Kind extends 'handshake' | 'account-creation'>(
  { tx, accountId }: Call,
  kind: Kind,
  randomKey: string,
): Promise<readonly Entry<IdentitySummaries[Kind]>[]> {
  const sample = await tx.identity.summaries(accountId, kind, { after: randomKey, limit: SAMPLE });
  if (sample.length === SAMPLE) return sample;
  const first = await tx.identity.summaries(accountId, kind, { limit: SAMPLE - sample.length });
  const known = new Set(sample.map(({ key }) => key));
  return [...sample, ...first.filter(({ key }) => !known.has(key))];
}
