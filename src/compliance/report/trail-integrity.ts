/** Integrity of the trail, verified when the report is written: chains, transparency log, witnesses and delivered digests. */
import { isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { deliveredRecord } from '#delivery/delivered-record.ts';
import { digestChains, FIRST_CHAIN } from '#delivery/tables/digest-chains.ts';
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
  intact: flag,
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
    optional(object({ digests: whole, logFiles: whole, problems: list(text), moreProblems: whole, notes: list(text) })),
    'Verification of the folder of --folder against its digests. Absent without --folder.',
  ),
});
export type TrailIntegrity = Of<typeof TRAIL>;

/** Maximum number of problems and of chains in the report. */
const LISTED_MAX = 100;

export interface IntegrityOptions {
  readonly witnesses: readonly WitnessAddress[];
  /** Epochs of logs that ended with a loss that the auditor accepts. */
  readonly acceptedEpochs: ReadonlySet<number>;
  /** Folder with a copy of delivered log files and digests. */
  readonly folder?: string | undefined;
}

/** Verifies the trail as `belfry trail verify` does. With a folder, also verifies it as `belfry trail verify-files` does. */
export async function trailSection(database: ReadOnlyDatabase, options: IntegrityOptions): Promise<TrailIntegrity> {
  const { sql } = database;
  const { witnesses, acceptedEpochs, folder } = options;
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
    intact: verified.problems.length === 0 && (files === undefined || files.problems.length === 0),
    problems: verified.problems.slice(0, LISTED_MAX),
    moreProblems: Math.max(0, verified.problems.length - LISTED_MAX),
    notes,
    records: verified.records,
    deleted: verified.deleted,
    pending: verified.pending,
    logs,
    askedWitnesses: keys.map(({ name }) => name),
    ...(await chainsSection(sql)),
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

async function chainsSection(sql: Sql): Promise<Pick<TrailIntegrity, 'digestChains' | 'moreDigestChains'>> {
  const chains = await digestChains(sql).all(FIRST_CHAIN, LISTED_MAX);
  const last = chains.at(-1);
  const more = last === undefined || chains.length < LISTED_MAX ? 0 : await remaining(sql);
  return {
    digestChains: chains.map(({ trailArn, accountId, region, active, coveredUntil, last: digest, failures }) => ({
      ...{ trailArn, accountId, region, active, failures },
      coveredUntil: isoSeconds(coveredUntil),
      ...omitUndefined({ bucket: digest?.bucket, lastDigest: digest?.key, lastDigestSha256: digest?.hash }),
    })),
    moreDigestChains: more,
  };
}

async function remaining(sql: Sql): Promise<number> {
  const row = await sql.row<{ readonly count: number }>('SELECT COUNT(*) AS count FROM digest_chain');
  return Number(row?.count ?? 0) - LISTED_MAX;
}

async function filesSection(sql: Sql, folder: string): Promise<NonNullable<TrailIntegrity['deliveredFiles']>> {
  const { digests, logs, problems, notes } = await verifyFiles(folder, await deliveredRecord(sql));
  const lines = problems.map(({ key, problem }) => `'${key}' ${problem}`);
  if (digests === 0 && lines.length === 0) lines.push('the folder has no digests; it must be a copy of a whole bucket');
  return {
    digests,
    logFiles: logs,
    problems: lines.slice(0, LISTED_MAX),
    moreProblems: Math.max(0, lines.length - LISTED_MAX),
    notes,
  };
}
