/**
 * Chains of digests: which ones exist. A chain belongs to a trail with log file validation, an account and a region. It starts with the
 * first run after StartLogging in the trail's home region, and with the first log file in another region or account. It ends when
 * the records up to StopLogging or DeleteTrail are delivered, or when log file validation is disabled. Requirement LOG-16.
 */
import type { LeaseClock } from '#access/lease-parts.ts';
import { SECOND_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { parseTrailArn, trailArn } from '#services/cloudtrail/trail-names.ts';
import type { Store, Tx } from '#store/store.ts';
import { organizationPlace } from './delivering-trail.ts';
import type { RunParts } from './delivery-run.ts';
import type { DigestPlace } from './digest.ts';
import { type Transact, transactionsOfTurn } from './holder.ts';
import { type DeliveredFile, deliveredFiles } from './tables/delivered-files.ts';
import { type ChainName, type DigestChain, digestChains, FIRST_CHAIN } from './tables/digest-chains.ts';

/** Trails or places that one transaction reads. */
const PAGE = 50;

/** Returns the whole second that contains a time. Digests have no fractions of a second. */
export function wholeSecond(at: number): Instant {
  return instant(Math.floor(at / SECOND_MS) * SECOND_MS);
}

/** Returns the place of the digests of an existing trail. */
export async function placeOfTrail(tx: Tx, { accountId, configuration }: TrailRecord): Promise<DigestPlace> {
  const organization = configuration.IsOrganizationTrail ? await organizationPlace(tx, accountId) : undefined;
  return {
    bucket: configuration.S3BucketName,
    prefix: configuration.S3KeyPrefix,
    organizationId: organization?.managementAccountId === accountId ? organization.organizationId : undefined,
  };
}

/** Returns the trail of a chain, or `undefined` if the chain is over: see the head of this file. */
export async function trailOfChain(tx: Tx, { trailId, periodStartedAt }: DigestChain): Promise<TrailRecord | undefined> {
  const trail = await tx.of(trails).byId(trailId);
  const isCurrent =
    trail?.configuration.LogFileValidationEnabled === true && trail.periods.some(({ startedAt }) => startedAt === periodStartedAt);
  return isCurrent ? trail : undefined;
}

/** Starts the chains of the home regions of all trails that log. Call it before the delivery of log files, which can end a trail. */
export async function beginChains({ store, clock }: { readonly store: Store; readonly clock: LeaseClock }, run: RunParts): Promise<void> {
  const transaction = transactionsOfTurn(store, run.turn, clock.wall);
  for (let after = ''; ; ) {
    const last = after;
    const page = await transaction(async (tx) => {
      const pending = await tx.of(trails).pending(last, PAGE);
      for (const trail of pending) {
        const period = trail.periods.at(-1);
        if (!trail.configuration.LogFileValidationEnabled || period === undefined) continue;
        const name = { trailArn: trailArn(trail), accountId: trail.accountId, region: trail.homeRegion };
        await begin(tx, name, { trailId: trail.trailId, place: await placeOfTrail(tx, trail), startedAt: period.startedAt }, run.startedAt);
      }
      return pending;
    });
    if (page.length < PAGE) return;
    after = page.at(-1)?.trailId as string;
  }
}

/** Starts the chains of log files that no chain covers: the first ones of a region or account. Call it after the delivery of log files. */
export async function beginChainsOfFiles(transaction: Transact, now: Instant): Promise<void> {
  for (let after: ChainName | undefined = FIRST_CHAIN; after !== undefined; ) {
    const last: ChainName = after;
    after = await transaction(async (tx) => {
      let at: ChainName | undefined = last;
      for (let i = 0; i < PAGE && at !== undefined; i++) {
        const file: DeliveredFile | undefined = await tx.of(deliveredFiles).nextPlace(at);
        if (file !== undefined) await beginOfFile(tx, file, now);
        at = file;
      }
      return at;
    });
  }
}

async function beginOfFile(tx: Tx, file: DeliveredFile, now: Instant): Promise<void> {
  const trail = await tx.of(trails).get(parseTrailArn(file.trailArn));
  // Without a trail or a period, the chain is over at once: it has one digest.
  const startedAt = trail?.periods.at(-1)?.startedAt ?? instant(0);
  const place = trail === undefined ? placeOfFile(file) : await placeOfTrail(tx, trail);
  await begin(tx, file, { trailId: trail?.trailId ?? '', place, startedAt }, now);
}

/** Returns the place of the digests of a deleted trail: that of its log files. */
function placeOfFile({ bucket, key }: DeliveredFile): DigestPlace {
  const [, prefix, organizationId] = /^(?:(.*)\/)?AWSLogs\/(?:(o-[a-z0-9]+)\/)?/.exec(key) ?? [];
  return { bucket, prefix, organizationId };
}

interface Beginning {
  readonly trailId: string;
  readonly place: DigestPlace;
  readonly startedAt: Instant;
}

/** Starts a chain, unless it is active. It starts where an earlier chain of the same name ended, or later. */
async function begin(
  tx: Tx,
  { trailArn: arn, accountId, region }: ChainName,
  { trailId, place, startedAt }: Beginning,
  now: Instant,
): Promise<void> {
  const name = { trailArn: arn, accountId, region };
  const existing = await tx.of(digestChains).get(name);
  if (existing?.active) return;
  await tx.of(digestChains).put({
    ...name,
    trailId,
    place,
    periodStartedAt: startedAt,
    active: true,
    coveredUntil: instant(Math.max(wholeSecond(now), existing?.coveredUntil ?? 0)),
    starting: true,
    ...(existing?.last !== undefined && { last: existing.last }),
    failures: 0,
  });
}
