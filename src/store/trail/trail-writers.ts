import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { positionAt } from '../engine/position.ts';
import { META } from '../meta.ts';
import type { Sql } from '../sql.ts';
import { type ChainTip, extend, IMPORTED, startLink, TRAIL_WRITER, type TrailWriter } from './trail-chain.ts';
import { factsOf } from './trail-heads.ts';
import { endInsert, type Pack, type PackInsert, packInserts, TRAIL_PACK } from './trail-pack.ts';
import { TRAIL_REMOVED } from './trail-removed.ts';
import type { TrailRow } from './trail-row.ts';

/**
 * Starts and ends of the writers of the trail, and the numbers of records that are older than chains. Owns the SQL.
 */

/**
 * Order in which an engine reads the packs of a writer. Both orders are equal. On SQLite, the packs of a writer are
 * together in the order of positions. PostgreSQL has an index of the numbers.
 */
export type ChainOrder = 'position' | 'first_number';

const START = 'INSERT INTO trail_writer (id, server, started_at_ms, first_position) VALUES ($1, $2, $3, $4)';
const END = 'UPDATE trail_writer SET ended_number = $2, ended_link = $3, ended_at_ms = $4 WHERE id = $1';

/** Returns the statement that stores the start of a writer. */
function startInsert({ writer: { id, server, startedAt } }: ChainTip, firstPosition: number): PackInsert {
  return { text: START, values: [id, server, startedAt, firstPosition] };
}

/** Returns the statements that end a writer: the pack without records, and the end in the writer's row. */
export function endStatements(tip: ChainTip, position: number, endedAt: Instant): readonly PackInsert[] {
  const end = endInsert(position, tip);
  return [end, { text: END, values: [tip.writer.id, tip.number, end.tip.link, endedAt] }];
}

/** Returns the statements that write records, and the state of the writer after them. The first ones also start the writer. */
export function recordStatements(
  rows: readonly TrailRow[],
  nextPosition: () => number,
  tip: ChainTip,
): { readonly statements: readonly PackInsert[]; readonly tip: ChainTip } {
  const inserts = packInserts(rows, nextPosition, tip);
  const [first] = inserts;
  return {
    statements: tip.isStarted || first === undefined ? inserts : [startInsert(tip, first.position), ...inserts],
    tip: inserts.at(-1)?.tip ?? tip,
  };
}

/** Maximum number of writers that one call ends. */
const ENDED_AT_ONCE = 64;

const SELECT_OPEN = `
  SELECT ${TRAIL_WRITER.names} FROM trail_writer WHERE ended_at_ms IS NULL AND id <> $1 AND id > $2 ORDER BY id LIMIT $3`;
const SELECT_LAST_REMOVED = `SELECT ${TRAIL_REMOVED.names} FROM trail_removed WHERE writer = $1 ORDER BY position DESC LIMIT 1`;
const selectLast = (order: ChainOrder): string =>
  `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE writer = $1 ORDER BY ${order} DESC LIMIT 1`;
const LAST = { position: selectLast('position'), first_number: selectLast('first_number') } as const;

/** Returns the state of a writer after its last stored pack, and the position of that pack. */
async function lastOf(sql: Sql, writer: TrailWriter, order: ChainOrder): Promise<{ readonly tip: ChainTip; readonly position: number }> {
  const removed = await TRAIL_REMOVED.row(sql, SELECT_LAST_REMOVED, [writer.id]);
  const pack = await TRAIL_PACK.row(sql, LAST[order], [writer.id]);
  if (pack?.firstNumber !== undefined && pack.link !== undefined && pack.position >= (removed?.position ?? 0)) {
    const count = removed?.position === pack.position ? removed.count : factsOf(pack.heads).length;
    return { tip: { writer, isStarted: true, number: pack.firstNumber + count - 1, link: pack.link }, position: pack.position };
  }
  if (removed === undefined) return { tip: { writer, isStarted: true, number: 0, link: startLink(writer) }, position: 0 };
  return {
    tip: { writer, isStarted: true, number: removed.firstNumber + removed.count - 1, link: removed.link },
    position: removed.position,
  };
}

/** Options of `endWriters`. */
export interface EndOptions {
  readonly order: ChainOrder;
  readonly now: Instant;
  /** Ends only writers that started and wrote last before this time. `any`: ends all writers. */
  readonly idleSince: Instant | 'any';
}

/**
 * Ends writers that have no end yet. The end is a pack with the next number of the writer. If the writer still lives, its next
 * pack then has a number that exists, and PostgreSQL rejects it. Returns the number of ended writers.
 */
export async function endWriters(sql: Sql, { order, now, idleSince }: EndOptions): Promise<number> {
  let ended = 0;
  for (let after = ''; ; ) {
    const open = await TRAIL_WRITER.rows(sql, SELECT_OPEN, [IMPORTED, after, ENDED_AT_ONCE]);
    for (const writer of open) {
      const { tip, position } = await lastOf(sql, writer, order);
      if (idleSince !== 'any' && (writer.startedAt >= idleSince || position >= positionAt(idleSince))) continue;
      // The position follows all packs of the writer, even if the clock was set back.
      for (const { text, values } of endStatements(tip, Math.max(positionAt(now), await nextPosition(sql)), now))
        await sql.run(text, values);
      ended++;
    }
    const last = open.at(-1);
    if (last === undefined || open.length < ENDED_AT_ONCE) return ended;
    after = last.id;
  }
}

async function nextPosition(sql: Sql): Promise<number> {
  const end = await sql.row<{ readonly last: number | null }>('SELECT MAX(position) AS last FROM trail_pack');
  return (end?.last ?? 0) + 1;
}

/** State of the numbering of old packs, in the table `meta`. */
const NUMBERED = 'trail-numbered';

interface Numbered {
  readonly position: number;
  readonly eventId: string;
  readonly number: number;
  readonly link: string;
}

const SELECT_OLD = `
  SELECT ${TRAIL_PACK.names} FROM trail_pack
  WHERE position >= $1 AND NOT (position = $1 AND event_id <= $2) AND writer IS NULL ORDER BY position, event_id LIMIT $3`;
const NUMBER = 'UPDATE trail_pack SET writer = $3, first_number = $4, link = $5 WHERE position = $1 AND event_id = $2';

/**
 * Gives numbers and links to at most `limit` of the packs that are older than chains, the oldest first. Their writer is
 * `IMPORTED`. Returns 'done' if no such pack remains. Then the writer has an end, and later packs without a writer are not accepted.
 */
export async function numberOldPacks(sql: Sql, now: Instant, limit: number): Promise<'more' | 'done'> {
  const writer = await TRAIL_WRITER.get(sql, IMPORTED);
  if (writer === undefined || writer.endedNumber !== undefined) return 'done';
  const stored = (await META.get(sql, NUMBERED))?.value;
  const { position, eventId, number, link } = stored === undefined ? unnumbered(writer) : (JSON.parse(stored) as Numbered);
  const packs = await TRAIL_PACK.rows(sql, SELECT_OLD, [position, eventId, limit]);
  let tip: ChainTip = { writer, isStarted: true, number, link: Buffer.from(link, 'hex') };
  for (const pack of packs) tip = await numberPack(sql, pack, tip);
  const last = packs.at(-1);
  if (last !== undefined && packs.length === limit) {
    const state: Numbered = {
      position: last.position,
      eventId: last.eventId,
      number: tip.number,
      link: Buffer.from(tip.link).toString('hex'),
    };
    await META.put(sql, { name: NUMBERED, value: JSON.stringify(state) });
    return 'more';
  }
  await META.remove(sql, NUMBERED);
  await sql.run(END, [IMPORTED, tip.number, tip.link, now]);
  return 'done';
}

function unnumbered(writer: TrailWriter): Numbered {
  return { position: -1, eventId: '', number: 0, link: Buffer.from(startLink(writer)).toString('hex') };
}

async function numberPack(sql: Sql, pack: Pack, before: ChainTip): Promise<ChainTip> {
  const { columns, tip } = extend(before, factsOf(pack.heads).length, pack.position, pack);
  await sql.run(NUMBER, [pack.position, pack.eventId, columns.writer, columns.firstNumber, columns.link]);
  return tip;
}

/** Time without a pack after which a server uses a writer no longer. */
export const WRITER_IDLE_MS = 12 * HOUR_MS;
/** Time without a pack after which any server may end a writer of another server. */
export const WRITER_GONE_MS = DAY_MS;

/** Returns the time for `idleSince` of a start on PostgreSQL, where other servers can have living writers. */
export function goneSince(now: Instant): Instant {
  return instant(Math.max(0, now - WRITER_GONE_MS));
}
