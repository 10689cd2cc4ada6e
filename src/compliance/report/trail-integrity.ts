/** Integrity of the trail, verified when the report is written: chains, transparency log, witnesses and delivered digests. */
import type { AccountId } from '#core/arn.ts';
import { isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { deliveredRecord } from '#delivery/delivered-record.ts';
import { type ChainName, type DigestChain, digestChains, FIRST_CHAIN } from '#delivery/tables/digest-chains.ts';
import { verifyFiles } from '#delivery/verify-files.ts';
import type { ReadOnlyDatabase } from '#store/engine/read-only-database.ts';
import type { Sql } from '#store/sql.ts';
import { type StoredCheckpoint, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { openCheckpoint } from '#tlog/checkpoint.ts';
import { type NoteKey, parseVkey } from '#tlog/note-key.ts';
import { createWitnessClient, type WitnessAddress } from '#tlog/witness/witness-client.ts';
import { type VerifyReport, verifyTrail } from '#trail/log/verify-trail.ts';
import { described, flag, list, type Of, object, oneOf, optional, text, time, whole } from '../shape.ts';

const CHECKPOINT = object({
  kind: oneOf('signed', 'cosigned', 'cosigned-by-all'),
  size: whole,
  at: time,
  note: described(text, 'The checkpoint with its signatures, as C2SP signed note.'),
  logSignature: described(oneOf('valid', 'invalid'), 'Whether the log signed the checkpoint.'),
  signers: list(text),
  verifiedWitnesses: described(list(object({ name: text, at: time })), 'Cosignatures that were verified with the keys of --witness.'),
});

const DIGEST_CHAIN = object({
  trailArn: text,
  accountId: text,
  region: text,
  active: flag,
  coveredUntil: time,
  bucket: optional(text),
  lastDigest: described(optional(text), 'Key of the last digest.'),
  lastDigestSha256: optional(text),
  failures: described(whole, 'Failed deliveries since the last success.'),
});

export const TRAIL = object({
  intact: described(flag, 'Whether the records in the database are unchanged. `deliveredFiles` has its own.'),
  problems: list(text),
  moreProblems: whole,
  notes: list(text),
  records: described(whole, 'Checked records, with deleted ones.'),
  deleted: described(whole, 'Records that retention deleted. Their hashes were checked.'),
  pending: described(whole, 'Records that are not in the transparency log yet.'),
  logs: list(
    object({
      epoch: whole,
      origin: text,
      vkey: described(text, 'Public key of the log.'),
      size: described(whole, 'Number of leaves of the tree.'),
      root: described(text, 'Root hash of the tree, in base64.'),
      checkpoints: list(CHECKPOINT),
      states: described(
        list(object({ subject: text, state: text, detail: text, since: time })),
        'State of each witness, as the server sees it.',
      ),
    }),
  ),
  askedWitnesses: described(list(text), 'Witnesses that were asked for their latest checkpoint.'),
  digestChains: list(DIGEST_CHAIN),
  moreDigestChains: whole,
  deliveredFiles: described(
    optional(object({ intact: flag, digests: whole, logFiles: whole, problems: list(text), moreProblems: whole, notes: list(text) })),
    'Verification of the folder of --folder against its digests. Absent without --folder.',
  ),
});
export type TrailIntegrity = Of<typeof TRAIL>;

/** Maximum number of problems and of chains in the report. */
const LISTED_MAX = 100;

export interface IntegrityOptions {
  /** Account whose chains of digests are listed. All accounts if undefined. */
  readonly accountId?: AccountId | undefined;
  readonly witnesses: readonly WitnessAddress[];
  /** Epochs of logs that ended with a loss that the auditor accepts. */
  readonly acceptedEpochs: ReadonlySet<number>;
  /** Folder with a copy of delivered log files and digests. */
  readonly folder?: string | undefined;
}

/** Verifies the trail as `belfry trail verify` does. With a folder, also verifies it as `belfry trail verify-files` does. */
export async function trailSection(database: ReadOnlyDatabase, options: IntegrityOptions): Promise<TrailIntegrity> {
  const { sql } = database;
  const { accountId, witnesses, acceptedEpochs, folder } = options;
  const client = createWitnessClient({ witnesses });
  const keys = witnesses.map(({ key }) => key);
  let verified: VerifyReport;
  try {
    verified = await verifyTrail(sql, {
      second: await database.second(),
      acceptedEpochs,
      witnesses: keys.map(({ name }) => name),
      latest: (logKey) => client.latest([logKey]),
    });
  } catch (error) {
    // An attacker can replace stored values with text that no reader accepts. The report must still be written.
    const problem = `the verification failed: ${(error as Error).message}`;
    verified = { problems: [problem], notes: [], records: 0, deleted: 0, pending: 0, logs: [] };
  }
  const files = folder === undefined ? undefined : await filesSection(sql, folder);
  const notes = [...verified.notes];
  if (witnesses.length === 0) notes.push('no witness was asked, so a rollback or a rewritten history can be invisible; use --witness');
  const logs: TrailIntegrity['logs'][number][] = [];
  for (const log of verified.logs) logs.push(await logSection(sql, log, keys));
  return {
    intact: verified.problems.length === 0,
    problems: verified.problems.slice(0, LISTED_MAX),
    moreProblems: Math.max(0, verified.problems.length - LISTED_MAX),
    notes,
    records: verified.records,
    deleted: verified.deleted,
    pending: verified.pending,
    logs,
    askedWitnesses: keys.map(({ name }) => name),
    ...(await chainsSection(sql, accountId)),
    ...omitUndefined({ deliveredFiles: files }),
  };
}

async function logSection(sql: Sql, log: TrailLogRow, keys: readonly NoteKey[]): Promise<TrailIntegrity['logs'][number]> {
  const { epoch, origin, vkey, size, root } = log;
  const checkpoints = await trailLog(sql).checkpoints(epoch);
  const states = await trailLog(sql).states(epoch);
  return {
    ...{ epoch, origin, vkey, size },
    root: Buffer.from(root).toString('base64'),
    checkpoints: checkpoints.map((checkpoint) => checkpointSection(checkpoint, vkey, keys)),
    states: states.map(({ subject, state, detail, at }) => ({ subject, state, detail, since: isoSeconds(at) })),
  };
}

function checkpointSection({ kind, size, at, signed }: StoredCheckpoint, vkey: string, keys: readonly NoteKey[]): Of<typeof CHECKPOINT> {
  const facts = { kind, size, at: isoSeconds(at), note: signed };
  try {
    const opened = openCheckpoint(signed, parseVkey(vkey), keys);
    if (opened !== undefined)
      return {
        ...facts,
        logSignature: 'valid',
        signers: opened.note.signatures.map(({ name }) => name),
        verifiedWitnesses: opened.cosignatures.map(({ key, timeSeconds = 0 }) => ({
          name: key.name,
          at: new Date(timeSeconds * 1_000).toISOString(),
        })),
      };
  } catch {
    // The text is not a checkpoint, which `verifyTrail` reports as a problem.
  }
  return { ...facts, logSignature: 'invalid', signers: [], verifiedWitnesses: [] };
}

/** Returns the chains of the records of an account, or of all accounts. */
async function chainsSection(sql: Sql, accountId?: AccountId): Promise<Pick<TrailIntegrity, 'digestChains' | 'moreDigestChains'>> {
  const found: DigestChain[] = [];
  let total = 0;
  for (let after: ChainName | undefined = FIRST_CHAIN; after !== undefined; ) {
    const page: readonly DigestChain[] = await digestChains(sql).all(after, LISTED_MAX);
    const own = page.filter((chain) => accountId === undefined || chain.accountId === accountId);
    found.push(...own.slice(0, LISTED_MAX - found.length));
    total += own.length;
    after = page.length === LISTED_MAX ? page.at(-1) : undefined;
  }
  return {
    digestChains: found.map(({ trailArn, accountId: ofRecords, region, active, coveredUntil, last, failures }) => ({
      ...{ trailArn, accountId: ofRecords, region, active, failures },
      coveredUntil: isoSeconds(coveredUntil),
      ...omitUndefined({ bucket: last?.bucket, lastDigest: last?.key, lastDigestSha256: last?.hash }),
    })),
    moreDigestChains: total - found.length,
  };
}

/** Verifies a copy of delivered files. A folder that cannot be verified is a problem, and does not end the report. */
async function filesSection(sql: Sql, folder: string): Promise<NonNullable<TrailIntegrity['deliveredFiles']>> {
  const record = await deliveredRecord(sql);
  const verified = await verifyFiles(folder, record).catch((error: unknown) => error as Error);
  if (verified instanceof Error)
    return {
      intact: false,
      digests: 0,
      logFiles: 0,
      problems: [`the verification failed: ${verified.message}`],
      moreProblems: 0,
      notes: [],
    };
  const { digests, logs, problems, notes } = verified;
  const lines = problems.map(({ key, problem }) => `'${key}' ${problem}`);
  if (digests === 0 && lines.length === 0)
    lines.push('the folder has no digests; it must be a copy of a whole bucket. The first digest follows an hour after StartLogging');
  return {
    intact: lines.length === 0,
    digests,
    logFiles: logs,
    problems: lines.slice(0, LISTED_MAX),
    moreProblems: Math.max(0, lines.length - LISTED_MAX),
    notes,
  };
}
