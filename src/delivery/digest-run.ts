/**
 * Digests of one run of the delivery: writes the digest of each hour of each chain, in order.
 *
 * Invariant (stored before written): the bytes and the signature of a digest are stored before its target gets them. So after a crash, the
 * same bytes are written again, and the next digest refers to the bytes that the target has.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { parseTrailArn } from '#services/cloudtrail/trail-names.ts';
import type { Tx } from '#store/store.ts';
import type { DeliveryParts, RunParts } from './delivery-run.ts';
import {
  type DigestFacts,
  type DigestPlace,
  digestKey,
  digestText,
  SIGNATURE_ALGORITHM,
  SIGNATURE_METADATA,
  sha256Hex,
  stringToSign,
} from './digest.ts';
import { beginChainsOfFiles, placeOfTrail, trailOfChain, wholeSecond } from './digest-chains.ts';
import { signature, signingKeys } from './digest-keys.ts';
import { type Transact, transactionsOfTurn } from './holder.ts';
import { LOG_FILE_HEADERS } from './log-file.ts';
import { type DeliveredFile, deliveredFiles } from './tables/delivered-files.ts';
import { type ChainName, type DigestChain, digestChains, FIRST_CHAIN, type PendingDigest } from './tables/digest-chains.ts';
import { TargetError } from './targets/log-target.ts';
import { inTime, retryTime } from './trail-files.ts';

/** Time that a digest covers. Source: CloudTrail User Guide, "Validating CloudTrail log file integrity": each hour. */
const COVERED_MS = HOUR_MS;
/** Chains that one transaction reads. */
const PAGE = 100;
/** Log files that a digest lists. Further files are in the next digest. */
const FILES_MAX = 1_000;
/** Digests of one chain that one run writes. Further ones follow in the next run. */
const DIGESTS_MAX = 100;
/** Buckets to which digests are written at the same time. */
const BUCKETS_MAX = 64;
/** Time after which the last digest of a deleted trail is given up, if its target fails for that long. */
const ABANDON_MS = 7 * DAY_MS;

const compress = promisify(gzip);

/** Parts that the digests need in addition to those of the log files. */
export interface DigestParts extends DeliveryParts {
  readonly vault: Pick<Vault, 'open' | 'seal'>;
  /** Time for which a key signs. Default: 30 days. */
  readonly keyValidMs?: number;
}

/**
 * Writes all digests that are due. A failing or slow target delays only its chains, whose later digests follow in order.
 *
 * @throws Error  the store failed, or the server has lost its turn
 */
export async function deliverDigests(parts: DigestParts, run: RunParts): Promise<void> {
  const transaction = transactionsOfTurn(parts.store, run.turn, parts.clock.wall);
  await beginChainsOfFiles(transaction, run.startedAt);
  const work: DigestWork = { ...parts, transaction, run, keyFor: signingKeys({ ...parts, transaction }) };
  const waiting = [...Map.groupBy(await dueChains(work), ({ place }) => place.bucket).values()];
  const worker = async (): Promise<void> => {
    for (let chains = waiting.shift(); chains !== undefined; chains = waiting.shift()) await deliverBucket(work, chains);
  };
  await Promise.race([run.stopped, Promise.all(Array.from({ length: Math.min(BUCKETS_MAX, waiting.length) }, worker))]);
}

interface DigestWork extends DigestParts {
  readonly transaction: Transact;
  readonly run: RunParts;
  readonly keyFor: ReturnType<typeof signingKeys>;
}

/** Returns the active chains with work to do. Their bucket is that of the next write. */
async function dueChains({ transaction, run: { startedAt } }: DigestWork): Promise<readonly DigestChain[]> {
  const due: DigestChain[] = [];
  for (let after: ChainName = FIRST_CHAIN; ; ) {
    const last = after;
    const page = await transaction(async (tx) => {
      const found: (readonly [DigestChain, boolean])[] = [];
      for (const chain of await tx.of(digestChains).active(last, PAGE)) {
        const trail = await trailOfChain(tx, chain);
        const place = trail === undefined ? chain.place : await placeOfTrail(tx, trail);
        const isDue = chain.pending !== undefined || trail === undefined || chain.coveredUntil + COVERED_MS <= startedAt;
        found.push([{ ...chain, place }, isDue && (chain.retryAt ?? 0) <= startedAt]);
      }
      return found;
    });
    due.push(...page.flatMap(([chain, isDue]) => (isDue ? [chain] : [])));
    if (page.length < PAGE) return due;
    [after] = page.at(-1) as readonly [DigestChain, boolean];
  }
}

/** Writes the digests of chains with one bucket. After a timeout, the other chains of the bucket wait for the next run. */
async function deliverBucket(work: DigestWork, chains: readonly DigestChain[]): Promise<void> {
  for (const chain of chains) {
    try {
      for (let i = 0; i < DIGESTS_MAX && !work.run.isStopped() && (await deliverNext(work, chain)); i++);
    } catch (error) {
      if (work.run.isStopped()) return;
      const { trailArn, region, place } = chain;
      work.report(`could not deliver a digest of trail '${trailArn}' in ${region} to '${place.bucket}': ${(error as Error).message}`);
      if (!(error instanceof TargetError)) continue;
      const [byte = 0] = work.random(1);
      const abandoned = await work.transaction((tx) => storeFailure(tx, chain, error.code, work.clock.wall(), byte / 256));
      if (abandoned) work.report(`gave up the last digest of the deleted trail '${trailArn}' in ${region}`);
      if (error.code === undefined) return;
    }
  }
}

/** Writes the next digest of a chain. Returns false if none is due. */
async function deliverNext(work: DigestWork, name: ChainName): Promise<boolean> {
  const { transaction, target, clock } = work;
  const chain = await pendingChain(work, name);
  if (chain === undefined) return false;
  const { pending, pendingBody: body, trailArn } = chain;
  const { bucket, key } = pending;
  const metadata = { [SIGNATURE_METADATA.signature]: pending.signature, [SIGNATURE_METADATA.algorithm]: SIGNATURE_ALGORITHM };
  const trailAccountId = parseTrailArn(trailArn).accountId;
  await inTime(clock, target.put({ bucket, key, body, ...LOG_FILE_HEADERS, metadata, trailArn, trailAccountId }));
  if (work.run.isStopped()) return false;
  await transaction((tx) => storeWritten(tx, chain, clock.wall()));
  return !pending.isLast;
}

type PendingChain = DigestChain & Required<Pick<DigestChain, 'pending' | 'pendingBody'>>;

/**
 * Returns a chain with its pending digest, or `undefined` if no digest is due. Creates and stores the digest, unless it is stored for the
 * present place. After a change of the bucket or prefix, the digest is created again for the new place.
 */
async function pendingChain({ transaction, run, keyFor }: DigestWork, name: ChainName): Promise<PendingChain | undefined> {
  const next = await transaction((tx) => nextDigest(tx, name, run.startedAt));
  if (next === undefined) return undefined;
  const { chain, range } = next;
  if (isPending(chain) && isSamePlace(chain.pending.place, next.place)) return chain;
  const { fingerprint, privateKey } = await keyFor({ region: chain.region, ...range });
  const { trailArn, accountId, region } = chain;
  const facts: DigestFacts = {
    ...range,
    trail: parseTrailArn(trailArn),
    accountId,
    region,
    place: next.place,
    fingerprint,
    previous: chain.starting ? undefined : chain.last,
    files: next.files,
  };
  const text = digestText(facts);
  const hash = sha256Hex(text);
  const key = digestKey(facts);
  const signed = stringToSign(
    {
      digestEndTime: isoSeconds(range.end),
      digestS3Bucket: next.place.bucket,
      digestS3Object: key,
      previousDigestSignature: facts.previous?.signature ?? null,
    },
    hash,
  );
  const pending: PendingDigest = {
    bucket: next.place.bucket,
    key,
    hash,
    signature: await signature(signed, privateKey),
    end: range.end,
    isLast: next.isLast,
    place: next.place,
    files: next.files.map((file) => file.key),
  };
  const stored = { ...chain, place: next.place, pending, pendingBody: await compress(text) };
  await transaction((tx) => tx.of(digestChains).put(stored));
  return stored;
}

function isPending(chain: DigestChain): chain is PendingChain {
  return chain.pending !== undefined;
}

function isSamePlace(a: DigestPlace, b: DigestPlace): boolean {
  return a.bucket === b.bucket && a.prefix === b.prefix && a.organizationId === b.organizationId;
}

interface NextDigest {
  readonly chain: DigestChain;
  readonly place: DigestPlace;
  readonly range: { readonly start: Instant; readonly end: Instant };
  readonly isLast: boolean;
  readonly files: readonly DeliveredFile[];
}

/** Returns what the next digest of a chain contains: an hour, or the time until now if the chain is over. */
async function nextDigest(tx: Tx, name: ChainName, now: Instant): Promise<NextDigest | undefined> {
  const chain = await tx.of(digestChains).get(name);
  if (chain === undefined || !chain.active) return undefined;
  const trail = await trailOfChain(tx, chain);
  const place = trail === undefined ? chain.place : await placeOfTrail(tx, trail);
  const start = chain.coveredUntil;
  const hourEnd = instant(start + COVERED_MS);
  const isHour = hourEnd <= now;
  if (chain.pending === undefined && !isHour && trail !== undefined) return undefined;
  const pendingEnd = chain.pending === undefined ? undefined : instant(chain.pending.end);
  const end = pendingEnd ?? (isHour ? hourEnd : instant(Math.max(wholeSecond(now), start + 1_000)));
  const found = await tx.of(deliveredFiles).until(chain, isHour ? end : now, FILES_MAX + 1);
  const files = found.slice(0, FILES_MAX);
  // An hourly digest of a chain that is over can have later files after it. The last digest has all files.
  const isLast = chain.pending?.isLast ?? (trail === undefined && !isHour && found.length <= FILES_MAX);
  return { chain, place, range: { start, end }, isLast, files };
}

/** Stores that the pending digest is written. Writes: the chain and its ends, the files that it lists, the status of the trail. */
async function storeWritten(tx: Tx, written: PendingChain, now: Instant): Promise<void> {
  const { trailArn, accountId, region, trailId, pending } = written;
  const { pending: _, pendingBody: __, failingSince: ___, retryAt: ____, ...chain } = written;
  const { bucket, key, hash, signature: signed } = pending;
  const digest = { bucket, key, hash, signature: signed };
  if (pending.isLast) await tx.of(digestChains).addEnd(written, digest);
  // A chain that continues in another bucket ends in this one.
  if (!chain.starting && chain.last !== undefined && chain.last.bucket !== bucket) await tx.of(digestChains).addEnd(written, chain.last);
  await tx.of(digestChains).put({
    ...chain,
    active: !pending.isLast,
    starting: false,
    coveredUntil: instant(pending.end),
    last: digest,
    failures: 0,
  });
  for (const file of pending.files) await tx.of(deliveredFiles).remove({ trailArn, accountId, region, key: file });
  await putStatus(tx, trailId, region, { digestAt: now });
}

/** Stores a failed write. Returns true if the chain is given up. */
async function storeFailure(tx: Tx, name: ChainName, code: string | undefined, now: Instant, fraction: number): Promise<boolean> {
  const chain = await tx.of(digestChains).get(name);
  if (chain === undefined) return false;
  const failures = chain.failures + 1;
  const failingSince = chain.failingSince ?? now;
  const isDeleted = (await tx.of(trails).byId(chain.trailId)) === undefined;
  const isAbandoned = isDeleted && now - failingSince >= ABANDON_MS;
  if (isAbandoned) await removeFiles(tx, chain);
  const { pending, pendingBody, ...kept } = chain;
  await tx.of(digestChains).put({
    ...(isAbandoned ? { ...kept, active: false } : chain),
    failures,
    failingSince,
    retryAt: retryTime(failures, now, fraction),
  });
  await putStatus(tx, chain.trailId, chain.region, code === undefined ? {} : { digestError: code });
  return isAbandoned;
}

async function removeFiles(tx: Tx, chain: DigestChain): Promise<void> {
  for (const file of await tx.of(deliveredFiles).until(chain, instant(Number.MAX_SAFE_INTEGER), FILES_MAX)) {
    await tx.of(deliveredFiles).remove(file);
  }
}

/** Changes the status of the digests of a trail in a region. A deleted trail has no status. */
async function putStatus(
  tx: Tx,
  trailId: string,
  region: string,
  change: { readonly digestAt?: Instant; readonly digestError?: string },
): Promise<void> {
  if ((await tx.of(trails).byId(trailId)) === undefined) return;
  const { digestError: _, ...status } = (await tx.of(trails).delivery(trailId, region)) ?? { trailId, region };
  await tx.of(trails).putDelivery({ ...status, ...change });
}
