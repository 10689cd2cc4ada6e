/**
 * Verifies the trail of a database: chains, transparency log, deletions and the checkpoints of witnesses. Streams the records once, works on
 * a copy without the server, and changes nothing.
 */
import { omitUndefined } from '#core/omit-undefined.ts';
import { encodeTrailLeaf } from '#core/trail-leaf.ts';
import type { Sql } from '#store/sql.ts';
import { rangesOf, TRAIL_LOG_TILE, type TrailLogRange, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import type { TrailWriter } from '#store/trail/trail-chain.ts';
import { type ChainFault, checkChains, type PackVisitor } from '#store/trail/trail-chain-check.ts';
import { type ChainedPack, chainedRecords, hashOf } from '#store/trail/trail-chain-reads.ts';
import { leafHash } from '#tlog/hash.ts';
import { hasHead, TILE_WIDTH } from '#tlog/merkle.ts';
import { type NoteKey, parseVkey } from '#tlog/note-key.ts';
import type { WitnessedOutcome } from '#tlog/witness/witness-client.ts';
import { deletions } from './verify-deletions.ts';
import { hashAt, isSame, numberProblems, successions, tileReader, treeProblems, unsignedEntries } from './verify-tree.ts';

export interface VerifyOptions {
  /** Epochs of logs that ended with a loss that the auditor accepts. */
  readonly acceptedEpochs: ReadonlySet<number>;
  /** Names of the witnesses, and their latest checkpoints of a log. */
  readonly witnesses: readonly string[];
  readonly latest: (logKey: NoteKey) => Promise<readonly WitnessedOutcome[]>;
  /** Receives the SHA-256 of each record, also of deleted ones. */
  readonly onRecord?: (sha256: Uint8Array) => void;
  /** Connection of the same moment, with which packs are read ahead. If it is absent, `sql` reads them, one page after the other. */
  readonly second?: Sql | undefined;
}

export interface VerifyReport {
  /** Problems, the first bad record first. The trail is intact if there are none. */
  readonly problems: readonly string[];
  /** Facts that the auditor should know. */
  readonly notes: readonly string[];
  /** Number of records with deleted ones, of deleted ones, and of those that no log has yet. */
  readonly records: number;
  readonly deleted: number;
  readonly pending: number;
  readonly logs: readonly TrailLogRow[];
  /** Time of the last accepted restore, in ISO 8601. */
  readonly lostUntil?: string;
}

/** Verifies the trail. `sql` reads one moment. Takes about 10 µs of CPU time for each record. */
export async function verifyTrail(sql: Sql, options: VerifyOptions): Promise<VerifyReport> {
  const logs = await trailLog(sql).logs();
  const problems: string[] = [];
  const notes: string[] = [];
  const leaves = leafCheck(sql, options.onRecord);
  const gone = deletions(sql);
  const visit: PackVisitor = async (pack, writer) => {
    gone.add(pack);
    return await leaves.add(pack, writer);
  };
  const { second = sql } = options;
  const chains = await checkChains((work) => work(second), visit, options.second !== undefined);
  problems.push(...chains.faults.map(faultLine));
  const missing = await leaves.missing(chains.faults);
  if (missing !== undefined) problems.push(missing);
  problems.push(...(await numberProblems(sql)));
  const removal = await gone.end();
  problems.push(...removal.problems);
  notes.push(...removal.notes);
  for (const log of logs) {
    problems.push(...(await treeProblems(sql, log)));
    const unsigned = await unsignedEntries(sql, log);
    const what = unsigned === 1 ? 'its only entry is' : `its ${unsigned} entries are`;
    if (unsigned > 0) notes.push(`epoch ${log.epoch}: the log is new, and ${what} not signed yet; verify again after the first checkpoint`);
  }
  const { ended, problems: wrong } = await successions(sql, logs);
  problems.push(...wrong);
  let lostUntil: string | undefined;
  for (const { epoch, opening, witnessSize, size } of ended) {
    const lost = witnessSize > size ? `${witnessSize - size} records are lost` : 'its records were replaced';
    const line = `epoch ${epoch} ended at ${witnessSize}, the database holds ${size}: ${lost} (${opening.at}: ${opening.reason})`;
    if (options.acceptedEpochs.has(epoch)) {
      notes.push(line);
      if (opening.at > (lostUntil ?? '')) lostUntil = opening.at;
    } else problems.push(`${line}; accept it with --accept-restore ${epoch}`);
  }
  for (const log of logs) {
    const named = ended.find(({ epoch }) => epoch === log.epoch)?.witnessSize;
    for (const [i, outcome] of (await options.latest(parseVkey(log.vkey))).entries()) {
      const line = await witnessProblem(sql, log, named, outcome);
      if (line !== undefined) problems.push(`epoch ${log.epoch}: the witness '${options.witnesses[i]}' ${line}`);
    }
  }
  if (logs.length === 0) problems.push('the database has no trail log');
  return {
    problems,
    notes,
    records: chains.records,
    deleted: gone.count(),
    pending: leaves.pending(),
    logs,
    ...omitUndefined({ lostUntil }),
  };
}

/** Compares a log with the latest checkpoint of a witness. `named` is the size at which the log ended with a loss. */
async function witnessProblem(
  sql: Sql,
  log: TrailLogRow,
  named: number | undefined,
  outcome: WitnessedOutcome,
): Promise<string | undefined> {
  if (outcome.outcome === 'failed') return `did not return a valid checkpoint of the log: ${outcome.reason}`;
  if (outcome.outcome === 'none') return log.size === 0 ? undefined : 'does not know the log, or has not cosigned it';
  if (named !== undefined)
    return outcome.size > named ? `cosigned ${outcome.size} records, but the next log names only ${named}` : undefined;
  if (outcome.size > log.size)
    return `cosigned ${outcome.size} records, but the database has only ${log.size}: it was rolled back, or it is an older copy`;
  return (await hasHead(tileReader(sql, log.epoch), outcome))
    ? undefined
    : `cosigned another tree of ${outcome.size} records: the history was changed`;
}

/** Returns a fault as one line: `altered record: number 4 of the writer …, event …`. */
function faultLine({ reason, writer, number, position, eventId }: ChainFault): string {
  const where = [
    number !== undefined && `number ${number}`,
    writer !== undefined && `writer ${writer}`,
    eventId !== undefined && `event ${eventId}`,
    eventId === undefined && position !== undefined && `position ${position}`,
  ].filter((each) => each !== false);
  return `${reason}: ${where.join(', ')}`;
}

/** Compares records with the leaves of the trees. Passes the SHA-256 of each record to `onRecord`. */
function leafCheck(sql: Sql, onRecord?: (sha256: Uint8Array) => void) {
  const ranges = new Map<string, { rest: TrailLogRange[]; isComplete: boolean }>();
  /** Last number of each writer that was visited. */
  const last = new Map<string, number>();
  const tiles = leafTiles(sql);
  let pending = 0;

  async function rangeWith(writer: string, number: number): Promise<TrailLogRange | undefined> {
    let known = ranges.get(writer);
    if (known === undefined) ranges.set(writer, (known = { rest: [], isComplete: false }));
    for (;;) {
      const range = known.rest[0];
      if (range !== undefined && number < range.firstNumber + range.count) return number >= range.firstNumber ? range : undefined;
      if (range !== undefined) known.rest.shift();
      if (known.rest.length > 0) continue;
      if (known.isComplete) return undefined;
      known.rest = [...(await rangesOf(sql, writer, range?.firstNumber ?? 0, RANGES_PAGE))];
      known.isComplete = known.rest.length < RANGES_PAGE;
    }
  }

  return {
    async add(pack: ChainedPack, writer: TrailWriter): Promise<ChainFault | undefined> {
      const { firstNumber = 0, position } = pack;
      let range: TrailLogRange | undefined;
      let tile = -1;
      let hashes: Uint8Array = new Uint8Array();
      let fault: ChainFault | undefined;
      for (const [i, record] of chainedRecords(pack).entries()) {
        const number = firstNumber + i;
        const sha256 = hashOf(record);
        onRecord?.(sha256);
        if (fault !== undefined) continue;
        // Awaits only at the borders of ranges and tiles, because a promise for each record would cost more than its hashes.
        if (range === undefined || number >= range.firstNumber + range.count) {
          range = await rangeWith(writer.id, number);
          tile = -1;
        }
        last.set(writer.id, number);
        if (range === undefined) {
          pending++;
          continue;
        }
        const { epoch, firstIndex } = range;
        const index = firstIndex + number - range.firstNumber;
        if (tile !== Math.floor(index / TILE_WIDTH)) {
          tile = Math.floor(index / TILE_WIDTH);
          hashes = await tiles(epoch, tile);
        }
        const leaf = leafHash(encodeTrailLeaf({ writer: writer.id, number, at: record.at, sha256 }));
        if (!isSame(leaf, hashAt(hashes, index % TILE_WIDTH))) {
          const { eventId } = record;
          fault = { reason: 'other leaf in the log', writer: writer.id, number, position, ...(eventId !== undefined && { eventId }) };
        }
      }
      return fault;
    },
    /** Returns a line about the first record that is in a log but not in the database. Writers with a fault are reported already. */
    async missing(faults: readonly ChainFault[]): Promise<string | undefined> {
      for (let after = ''; ; ) {
        const ends: readonly { readonly writer: string; readonly number: number }[] = await sql.rows(SELECT_ENDS, [after, RANGES_PAGE]);
        for (const { writer, number } of ends) {
          const found = last.get(writer) ?? 0;
          if (found < number && !faults.some((fault) => fault.writer === writer))
            return `missing record: number ${found + 1}, writer ${writer}: the log has ${number} records of the writer`;
        }
        if (ends.length < RANGES_PAGE) return undefined;
        after = ends.at(-1)?.writer ?? '';
      }
    },
    pending: () => pending,
  };
}

/** Number of tiles that one statement reads, and of groups of tiles in memory: 2 MiB. */
const TILES_PAGE = 32;
const TILE_PAGES = 8;

/**
 * Returns the reader of the tiles of level 0. It keeps some tiles, because the packs of several writers alternate, and their records are
 * at different places of the tree. A missing tile has no hashes.
 */
function leafTiles(sql: Sql): (epoch: number, index: number) => Promise<Uint8Array> {
  const pages = new Map<string, ReadonlyMap<number, Uint8Array>>();
  return async (epoch, index) => {
    const first = index - (index % TILES_PAGE);
    const key = `${epoch}/${first}`;
    let page = pages.get(key);
    if (page === undefined) {
      const rows = await TRAIL_LOG_TILE.page(sql, [epoch, 0], [first - 1], TILES_PAGE);
      page = new Map(rows.map(({ tile, hashes }) => [tile, hashes]));
    }
    // The page that was used last is the last one of the map.
    pages.delete(key);
    pages.set(key, page);
    if (pages.size > TILE_PAGES) pages.delete(pages.keys().next().value as string);
    return page.get(index) ?? new Uint8Array();
  };
}

const RANGES_PAGE = 256;
const SELECT_ENDS = `
  SELECT writer, MAX(first_number + count - 1) AS number FROM trail_log_range WHERE writer > $1 GROUP BY writer ORDER BY writer LIMIT $2`;
