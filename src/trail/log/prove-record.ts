/** Proofs that a trail record is in the transparency log, which a third party verifies offline. */
import type { Sql } from '#store/sql.ts';
import { indexOf, type StoredCheckpoint, trailLog } from '#store/trail/log/trail-log.ts';
import { TRAIL_WRITER } from '#store/trail/trail-chain.ts';
import { type ChainedPack, chainedRecords, chainPage } from '#store/trail/trail-chain-reads.ts';
import { leafHash } from '#tlog/hash.ts';
import { proveInclusion } from '#tlog/merkle.ts';
import { parseVkey } from '#tlog/note-key.ts';
import { formatProof, parseProof, verifyProof } from '#tlog/proof.ts';
import { leavesOf } from './append-job.ts';
import { tileReader } from './verify-tree.ts';

/** Proof of one record. */
export interface RecordProof {
  /** Text in the format `c2sp.org/tlog-proof@v1`. */
  readonly proof: string;
  /** The 65 bytes of the leaf. The last 32 bytes are the SHA-256 of `record`. */
  readonly leaf: Uint8Array;
  /** JSON document of the record. Its UTF-8 bytes are hashed. */
  readonly record: string;
  readonly vkey: string;
  readonly index: number;
  readonly size: number;
  /** True if a witness cosigned the checkpoint. */
  readonly isCosigned: boolean;
}

/** Characters of an event ID. It has no character with a meaning in LIKE. */
const EVENT_ID = /^[0-9A-Za-z-]{1,64}$/;
const SELECT_PLACE = `SELECT position FROM trail_pack WHERE heads LIKE $1 ESCAPE '!' ORDER BY position LIMIT 1`;

/**
 * Proves that the record with an event ID is in the log. Searches all records, because the event ID alone is in no index. On SQLite,
 * this takes some seconds for a million records.
 *
 * If the server has witnesses, the proof has a checkpoint that a witness cosigned.
 *
 * @throws Error  the event ID is invalid or unknown, or no checkpoint contains the record yet
 */
export async function proveRecord(sql: Sql, eventId: string): Promise<RecordProof> {
  if (!EVENT_ID.test(eventId)) throw new Error(`'${eventId.slice(0, 64)}' is not an event ID`);
  const found = await recordWith(sql, eventId);
  if (found === undefined) throw new Error(`the trail has no record of the event '${eventId}', or its retention has ended`);
  const { pack, at } = found;
  const number = (pack.firstNumber ?? 0) + at;
  const writer = await TRAIL_WRITER.get(sql, pack.writer ?? '');
  const place = writer && (await indexOf(sql, writer.id, number));
  const log = place && (await trailLog(sql).logs()).find(({ epoch }) => epoch === place.epoch);
  const checkpoint = place && (await checkpointWith(sql, place));
  if (writer === undefined || place === undefined || log === undefined || checkpoint === undefined)
    throw new Error(`no checkpoint contains the event '${eventId}' yet; try again after the next checkpoint, or see 'belfry trail status'`);
  const hashes = await proveInclusion(tileReader(sql, place.epoch), place.index, checkpoint.size);
  const leaf = leavesOf(pack, writer)[at] as Uint8Array;
  const proof = formatProof({ index: place.index, hashes, checkpoint: checkpoint.signed });
  const verdict = verifyProof(parseProof(proof), leafHash(leaf), { logKey: parseVkey(log.vkey), witnessKeys: [], threshold: 0 });
  if (!verdict.valid) throw new Error(`the stored log does not prove the event '${eventId}': ${verdict.reason}; run 'belfry trail verify'`);
  const body = chainedRecords(pack)[at]?.body;
  const record = body !== undefined && 'document' in body ? body.document : '';
  return { proof, leaf, record, vkey: log.vkey, index: place.index, size: checkpoint.size, isCosigned: checkpoint.kind !== 'signed' };
}

async function recordWith(sql: Sql, eventId: string): Promise<{ readonly pack: ChainedPack; readonly at: number } | undefined> {
  const place = await sql.row<{ readonly position: number }>(SELECT_PLACE, [`%["${eventId}",%`]);
  if (place === undefined) return undefined;
  const { packs } = await chainPage(sql, place.position, 1);
  for (const pack of packs) {
    const at = chainedRecords(pack).findIndex((record) => record.eventId === eventId);
    if (at >= 0) return { pack, at };
  }
  return undefined;
}

/** Returns the latest checkpoint that contains an index, with most cosignatures. */
async function checkpointWith(
  sql: Sql,
  { epoch, index }: { readonly epoch: number; readonly index: number },
): Promise<StoredCheckpoint | undefined> {
  const logs = trailLog(sql);
  const checkpoints = await logs.checkpoints(epoch);
  const hasWitnesses =
    checkpoints.some(({ kind }) => kind !== 'signed') || (await logs.states(epoch)).some(({ subject }) => subject.startsWith('witness '));
  const kinds = hasWitnesses ? (['cosigned-by-all', 'cosigned'] as const) : (['signed'] as const);
  return kinds.map((each) => checkpoints.find(({ kind, size }) => kind === each && size > index)).find((each) => each !== undefined);
}
