import { randomBytes } from 'node:crypto';
import { sha256 } from '#core/sha256.ts';
import { writeUint64 } from '#core/uint64.ts';
import { bytes, instant, int, optional, type Row, table, text } from '../table.ts';

/**
 * Chains of trail records: each record has a number without gaps among the records of its writer, and each pack has a
 * link, which is a hash of the pack and of the link before it (Decision 0027).
 *
 * Owns the hashes and the state of a writer. `trail-chain-check.ts` checks stored chains. A chain orders and counts records, but
 * proves nothing against an attacker who recomputes it. The transparency log proves.
 */

/** Writers of the trail. The transaction of the first pack of a writer adds its row. */
export const TRAIL_WRITER = table('trail_writer', {
  columns: {
    /** 128 random bits as hexadecimal digits, or `IMPORTED`. */
    id: text,
    /** Display name of the server. */
    server: text,
    startedAt: instant,
    /** Number of the last record, and link of the end. Absent while the writer can still write. */
    endedNumber: optional(int),
    endedLink: optional(bytes),
    endedAt: optional(instant),
    /** Position of the first pack. Absent in rows of older versions. Only a hint where to start reading. */
    firstPosition: optional(int),
  },
  key: ['id'],
});
export type TrailWriter = Row<typeof TRAIL_WRITER>;

/** Writer of the records that are older than chains. Servers number them in steps after an upgrade. */
export const IMPORTED = '0'.repeat(32);

const LINK_BYTES = 32;
const VERSION = 1;
/** Version (1), previous link (32), writer (16), first number (8), number of records (4), position (8), digest (32). */
const LINK_INPUT_BYTES = 101;

/** Content of a pack that its digest includes. The keys are not included, because they are derived from the records. */
export interface DigestedContent {
  readonly heads: string;
  readonly documents: string;
  readonly contexts?: string | null | undefined;
}

/** Buffer for the content of one pack at a time. One hash of one buffer is faster than the parts of a stream. */
const SCRATCH = Buffer.allocUnsafeSlow(2 ** 18);
/** Maximum number of bytes in UTF-8 of one UTF-16 code unit. */
const UNIT_BYTES_MAX = 3;

/**
 * Returns the SHA-256 of the content of a pack. The lengths come first, so different contents never have one input.
 */
export function packDigest({ heads, documents, contexts }: DigestedContent): Uint8Array {
  const lengths = `${VERSION} ${heads.length} ${documents.length} ${contexts?.length ?? '-'}\n`;
  const units = lengths.length + heads.length + documents.length + (contexts?.length ?? 0);
  const input = units * UNIT_BYTES_MAX <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(units * UNIT_BYTES_MAX);
  let length = input.write(lengths, 0, 'latin1');
  length += input.write(heads, length);
  length += input.write(documents, length);
  if (contexts) length += input.write(contexts, length);
  return sha256(input.subarray(0, length));
}

/** Returns the link before the first pack of a writer: a hash of the facts of its start. */
export function startLink({ id, server, startedAt }: Pick<TrailWriter, 'id' | 'server' | 'startedAt'>): Uint8Array {
  return sha256(`${VERSION} ${id} ${startedAt} ${server}`);
}

/** Facts of a pack that its link includes. `count` is the number of records at the time of the commit. */
export interface LinkedPack {
  readonly writer: string;
  readonly firstNumber: number;
  readonly count: number;
  readonly position: number;
}

/** Input of one link at a time, and the writer whose ID it contains. */
const LINK_INPUT = Buffer.alloc(LINK_INPUT_BYTES);
let linkWriter = '';

/** Returns the link after a pack. A pack without records is the end of its writer. */
export function packLink(before: Uint8Array, { writer, firstNumber, count, position }: LinkedPack, digest: Uint8Array): Uint8Array {
  if (writer !== linkWriter) {
    LINK_INPUT.fill(0, 33, 49);
    LINK_INPUT.write(writer, 33, 16, 'hex');
    linkWriter = writer;
  }
  LINK_INPUT[0] = VERSION;
  LINK_INPUT.set(before, 1);
  writeUint64(LINK_INPUT, firstNumber, 49);
  LINK_INPUT.writeUInt32BE(count, 57);
  writeUint64(LINK_INPUT, position, 61);
  LINK_INPUT.set(digest, 69);
  return sha256(LINK_INPUT);
}

/**
 * State of a writer after its last committed pack. It never changes: a pack has a new state, which its commit confirms.
 * So a transaction that is rolled back continues with the old state.
 */
export interface ChainTip {
  readonly writer: Pick<TrailWriter, 'id' | 'server' | 'startedAt'>;
  /** Whether the row of the writer is stored. */
  readonly isStarted: boolean;
  /** Number of the last record. 0 if there is none. */
  readonly number: number;
  readonly link: Uint8Array;
}

/** Creates a writer that has written nothing. */
export function newTip(server = '', startedAt = Date.now()): ChainTip {
  const writer = { id: randomBytes(16).toString('hex'), server, startedAt: startedAt as TrailWriter['startedAt'] };
  return { writer, isStarted: false, number: 0, link: startLink(writer) };
}

/** Values of the columns of a pack that belong to its chain. */
export interface ChainColumns {
  readonly writer: string;
  readonly firstNumber: number;
  readonly link: Uint8Array;
}

/** Adds a pack to a chain. Returns the columns of the pack, and the state after it. */
export function extend(
  tip: ChainTip,
  count: number,
  position: number,
  content: DigestedContent,
): { readonly columns: ChainColumns; readonly tip: ChainTip } {
  const writer = tip.writer.id;
  const firstNumber = tip.number + 1;
  const link = packLink(tip.link, { writer, firstNumber, count, position }, packDigest(content));
  return { columns: { writer, firstNumber, link }, tip: { writer: tip.writer, isStarted: true, number: tip.number + count, link } };
}

/** Reports whether two links are equal. Links are not secret. */
export function isSameLink(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === LINK_BYTES && other.length === LINK_BYTES && Buffer.compare(one, other) === 0;
}
