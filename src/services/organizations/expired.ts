import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Entry } from '#store/identity/repository.ts';
import type { Call } from '../kit/operation.ts';

/** Number of records that one request reads to find expired records. */
const SAMPLE = 100;

/**
 * Returns 100 records that follow a random key. After the last record of the list, it continues with the first. Returns all records if
 * there are fewer.
 *
 * Requests that add a record delete the expired records in this sample, so that each request reads a limited number of records. Only about
 * one in a hundred records remains after its expiration.
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
