import { setImmediate } from 'node:timers/promises';
import type { Sql } from '../sql.ts';
import { IMPORTED, isSameLink, packDigest, packLink, startLink, TRAIL_WRITER, type TrailWriter } from './trail-chain.ts';
import { type ChainedPack, chainPage } from './trail-chain-reads.ts';
import { intactFactsOf } from './trail-heads.ts';
import { recordsOf } from './trail-pack.ts';

/** Checks stored chains of trail records: numbers without gaps, and links. Pure, except `checkChains`, which reads a database. */

/** First fault of a chain. */
export interface ChainFault {
  /**
   * - `missing record`: the next number of the writer is absent
   * - `repeated record`: a number occurs again, or after the end of the writer
   * - `altered record`: the link does not match the content, or a record of the pack is absent
   * - `missing end`: the writer has an end in its row, but not in its chain, or another end
   * - `unknown writer`: the writer has no row
   * - `record without number`: the pack belongs to no chain
   * - `other leaf in the log`: the transparency log has another leaf for the record
   */
  readonly reason:
    | 'missing record'
    | 'repeated record'
    | 'altered record'
    | 'missing end'
    | 'unknown writer'
    | 'record without number'
    | 'other leaf in the log';
  readonly writer?: string;
  /** Number of the first bad record. In an altered pack, it is the first of at most 32 records, of which at least one is bad. */
  readonly number?: number;
  /** Position of the pack in which the check found the fault. */
  readonly position?: number;
  /** Event ID of the first remaining record of that pack. */
  readonly eventId?: string;
}

/** State of the check of one writer. */
export interface ChainCheck {
  /** Checks the next pack of the writer. After a fault, do not call it again. */
  add(pack: ChainedPack): ChainFault | undefined;
  /** Checks the end of the writer after its last pack. A writer without an end can still write. */
  end(): ChainFault | undefined;
  /** State after the last pack without a fault, and whether the chain has an end. */
  state(): ChainState & { readonly isEnded: boolean };
}

function eventIdOf({ content }: ChainedPack): { readonly eventId?: string } {
  try {
    const eventId = content && recordsOf(content)[0]?.eventId;
    return eventId === undefined ? {} : { eventId };
  } catch {
    // The facts of an altered pack can be any text.
    return {};
  }
}

/**
 * Returns the digest that the link of a pack includes. Returns `undefined` if the remaining and the deleted records are not all of its records, or
 * if someone altered the remaining ones, so that they cannot be read.
 */
function digestOf({ content, removed, count }: ChainedPack): Uint8Array | undefined {
  if (removed === undefined) return content && packDigest(content);
  const remaining = content === undefined ? 0 : intactFactsOf(content.heads)?.length;
  if (remaining === undefined) return undefined;
  const indexes = new Set(removed.records.map(({ index }) => index));
  const isWhole =
    indexes.size === removed.records.length && remaining + indexes.size === count && [...indexes].every((each) => each < count);
  return isWhole ? removed.digest : undefined;
}

/** Number of the last record of a writer, and the link after it. */
export interface ChainState {
  readonly number: number;
  readonly link: Uint8Array;
}

/** Starts the check of the chain of a writer, at its start or after a state that was checked before. */
export function chainCheck(writer: TrailWriter, after: ChainState = { number: 0, link: startLink(writer) }): ChainCheck {
  let { number, link } = after;
  let isEnded = false;
  const fault = (reason: ChainFault['reason'], at: number, pack?: ChainedPack): ChainFault => ({
    reason,
    writer: writer.id,
    number: at,
    ...(pack && { position: pack.position, ...eventIdOf(pack) }),
  });
  return {
    add(pack) {
      const { firstNumber, count, position } = pack;
      if (firstNumber === undefined || pack.link === undefined) return fault('record without number', number + 1, pack);
      if (isEnded || firstNumber <= number) return fault('repeated record', firstNumber, pack);
      if (firstNumber > number + 1) return fault('missing record', number + 1, pack);
      const digest = digestOf(pack);
      const expected = digest && packLink(link, { writer: writer.id, firstNumber, count, position }, digest);
      const isIntact =
        expected !== undefined &&
        isSameLink(expected, pack.link) &&
        (pack.removed === undefined || isSameLink(pack.removed.link, pack.link));
      if (!isIntact) return fault('altered record', firstNumber, pack);
      link = pack.link;
      number += count;
      isEnded = count === 0;
      return undefined;
    },
    end() {
      if (writer.endedNumber === undefined) return isEnded ? fault('missing end', number) : undefined;
      if (number < writer.endedNumber) return fault('missing record', number + 1);
      // The writer of old records has no pack at its end, because it never was a connection.
      const hasEnd = isEnded || writer.id === IMPORTED;
      const isSame = hasEnd && number === writer.endedNumber && writer.endedLink !== undefined && isSameLink(link, writer.endedLink);
      return isSame ? undefined : fault('missing end', number);
    },
    state: () => ({ number, link, isEnded }),
  };
}

/**
 * Checks the chain of one writer. `packs` are all its packs in order. Returns the first fault, or `undefined`.
 */
export async function verifyChain(
  writer: TrailWriter,
  packs: AsyncIterable<ChainedPack> | Iterable<ChainedPack>,
): Promise<ChainFault | undefined> {
  const check = chainCheck(writer);
  for await (const pack of packs) {
    const fault = check.add(pack);
    if (fault !== undefined) return fault;
  }
  return check.end();
}

/** Checks more about a pack whose chain has no fault so far. Returns the first fault. */
export type PackVisitor = (pack: ChainedPack, writer: TrailWriter) => Promise<ChainFault | undefined>;

export interface ChainsReport {
  readonly writers: number;
  /** Number of records, deleted ones included. */
  readonly records: number;
  /** First fault of each chain that has one, at most `FAULTS_MAX`. */
  readonly faults: readonly ChainFault[];
}

/** Maximum number of reported faults. */
export const FAULTS_MAX = 100;

/** Number of writers that one transaction reads. */
const WRITERS_PAGE = 256;
/** Number of packs that one transaction reads. Two pages are in memory: one is checked while the next one is read. */
const PACKS_PAGE = 128;
/** Number of packs after which a check lets the connection read. It is small, because a socket holds only a few packs. */
const PACKS_AT_ONCE = 8;

/** Runs a read-only transaction. */
export type ReadWithin = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

/**
 * Checks the chains of all writers. Reads the packs once, in the order of positions, and holds two pages and one state for each writer
 * in memory. Run it on a copy of the database, or on SQLite while the server is stopped: on a running PostgreSQL database, packs that are
 * committed late can appear as missing records.
 *
 * `visit` also checks each pack, in the order of positions. If `isAhead`, `read` runs at the same time as `visit`, so both must use
 * connections of their own.
 */
export async function checkChains(read: ReadWithin, visit?: PackVisitor, isAhead = false): Promise<ChainsReport> {
  const checks = new Map<string, ChainCheck>();
  const writers = new Map<string, TrailWriter>();
  const faults: ChainFault[] = [];
  const faulty = new Set<string | undefined>();
  const note = (writer: string | undefined, fault: ChainFault | undefined): void => {
    if (fault === undefined || faulty.has(writer)) return;
    faulty.add(writer);
    if (faults.length < FAULTS_MAX) faults.push(fault);
  };
  let isNumbering = false;
  for (let after = '', more = true; more; ) {
    const page = await read((sql) => TRAIL_WRITER.page(sql, [], [after], WRITERS_PAGE));
    for (const writer of page) {
      checks.set(writer.id, chainCheck(writer));
      writers.set(writer.id, writer);
      if (writer.id === IMPORTED && writer.endedNumber === undefined) isNumbering = true;
    }
    more = page.length === WRITERS_PAGE;
    after = page.at(-1)?.id ?? '';
  }
  for await (const pack of allPacks(read, isAhead)) {
    const { writer, position } = pack;
    if (faulty.has(writer)) continue;
    const check = writer === undefined ? undefined : checks.get(writer);
    if (check !== undefined) note(writer, check.add(pack) ?? (await visit?.(pack, writers.get(writer as string) as TrailWriter)));
    else if (writer !== undefined) note(writer, { reason: 'unknown writer', writer, position, ...eventIdOf(pack) });
    else if (!isNumbering) note(writer, { reason: 'record without number', position, ...eventIdOf(pack) });
  }
  for (const [writer, check] of checks) note(writer, check.end());
  return { writers: checks.size, records: [...checks.values()].reduce((sum, check) => sum + check.state().number, 0), faults };
}

/** Returns all packs in the order of positions. If `isAhead`, reads the next page while the caller uses the packs of a page. */
async function* allPacks(read: ReadWithin, isAhead: boolean): AsyncGenerator<ChainedPack, void, undefined> {
  const pageFrom = (from: number) => read((sql) => chainPage(sql, from, PACKS_PAGE));
  for (let reading: ReturnType<typeof pageFrom> | undefined = pageFrom(0); reading !== undefined; ) {
    const { packs, next }: Awaited<ReturnType<typeof pageFrom>> = await reading;
    reading = isAhead && next !== undefined ? pageFrom(next) : undefined;
    // The caller can stop early, for example with an error. No statement may then remain on the connection.
    const isRead = Promise.allSettled([reading]);
    try {
      for (const [i, pack] of packs.entries()) {
        if (isAhead && i % PACKS_AT_ONCE === 0) await setImmediate();
        yield pack;
      }
    } finally {
      await isRead;
    }
    if (!isAhead && next !== undefined) reading = pageFrom(next);
  }
}
