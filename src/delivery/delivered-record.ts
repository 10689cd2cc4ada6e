/** Facts that the database has about the files of one bucket: public keys, the last digests of chains, and files that no digest lists yet. */
import { digestKeys } from '#services/cloudtrail/tables/digest-keys.ts';
import type { Sql } from '#store/sql.ts';
import type { WrittenDigest } from './digest.ts';
import { deliveredFiles, FIRST_FILE } from './tables/delivered-files.ts';
import { type ChainName, digestChains, FIRST_CHAIN, FIRST_END } from './tables/digest-chains.ts';

/** Record of the files that were delivered. */
export interface DeliveredRecord {
  /** Public keys as DER in PKCS #1 form, by fingerprint. */
  readonly publicKeys: ReadonlyMap<string, Uint8Array>;
  /** Last digest of each chain, and last digests of earlier chains. Absent if only public keys are known. */
  readonly last?: readonly WrittenDigest[];
  /** Digests that are stored, and perhaps written. */
  readonly pending?: readonly WrittenDigest[];
  /** Log files that were delivered after the last digest. */
  readonly waiting?: readonly RecordedFile[];
}

export interface RecordedFile {
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the uncompressed file, in lower-case hexadecimal. */
  readonly hash: string;
}

const PAGE = 500;

/** Reads the record of all buckets. */
export async function deliveredRecord(sql: Sql): Promise<Required<DeliveredRecord>> {
  const [last, pending]: [WrittenDigest[], WrittenDigest[]] = [[], []];
  for (let after: ChainName = FIRST_CHAIN; ; ) {
    const page = await digestChains(sql).all(after, PAGE);
    for (const chain of page) {
      if (chain.last !== undefined) last.push(chain.last);
      if (chain.pending !== undefined) pending.push(chain.pending);
    }
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) break;
    after = end;
  }
  for (let after = FIRST_END; ; ) {
    const page = await digestChains(sql).ends(after, PAGE);
    last.push(...page.map(({ digest }) => digest));
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) break;
    after = end;
  }
  const waiting: RecordedFile[] = [];
  for (let after = FIRST_FILE; ; ) {
    const page = await deliveredFiles(sql).all(after, PAGE);
    waiting.push(...page.map(({ bucket, key, hash }) => ({ bucket, key, hash })));
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) break;
    after = end;
  }
  const keys = await digestKeys(sql).all();
  return { publicKeys: new Map(keys.map(({ fingerprint, publicKey }) => [fingerprint, publicKey])), last, pending, waiting };
}
