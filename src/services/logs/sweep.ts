/** Background deletion of expired log events, and of the events of deleted groups and streams. */
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Work } from '../kit/events.ts';
import type { Sweep } from '../kit/service.ts';
import { retainedFrom } from './event-reader.ts';
import { logDeletions } from './tables/deletions.ts';
import { type LogGroupRecord, logGroups } from './tables/groups.ts';
import { logPacks, type PackPlace } from './tables/packs.ts';
import { logStreams } from './tables/streams.ts';

/** Maximum number of packs or streams that one step deletes or measures. Other requests run between two steps. */
const ROWS_OF_STEP = 200;
/**
 * Interval between two runs over all groups. Source: logs 2014-03-28, PutRetentionPolicy: AWS deletes expired events within 72 hours.
 * Assumed: an hour.
 */
const RUN_EVERY_MS = HOUR_MS;

const FIRST: PackPlace = { at: -1, packId: 0 };

/** Position of a run: the group, and the packs of it that are measured. */
interface Position {
  readonly group: Pick<LogGroupRecord, 'accountId' | 'region' | 'name'>;
  readonly measured: PackPlace;
  readonly bytes: number;
}

const START: Position = { group: { accountId: '' as AccountId, region: '', name: '' }, measured: FIRST, bytes: 0 };

/** Creates the sweep. Deletions of groups and streams start at once, and those of expired events once an hour. */
export const logSweep: Sweep = () => {
  let nextRunAt: Instant = instant(0);
  let position: Position | undefined;

  return async (work) => {
    if (await deleteSome(work)) return 'more';
    if (position === undefined) {
      if (work.now < nextRunAt) return 'done';
      nextRunAt = instant(work.now + RUN_EVERY_MS);
    }
    // A transaction may run again, so the position changes only at the end.
    position = await step(work, position ?? START);
    return position === undefined ? 'done' : 'more';
  };
};

/** Deletes a part of the events of a deleted group or stream. Returns false if there is none. */
async function deleteSome({ tx }: Work): Promise<boolean> {
  const deletion = await tx.of(logDeletions).first();
  if (deletion === undefined) return false;
  const { kind, id } = deletion;
  const removed = await tx.of(logPacks).removeBefore(kind, id, instant(Number.MAX_SAFE_INTEGER), ROWS_OF_STEP);
  if (removed > 0) return true;
  if (kind === 'group' && (await tx.of(logStreams).removeOf(id, ROWS_OF_STEP)) > 0) return true;
  await tx.of(logDeletions).remove(deletion);
  return true;
}

/** Deletes expired packs of a group, then adds up the others, and goes on to the next group. Returns `undefined` after the last group. */
async function step({ tx, now }: Work, { group: name, measured, bytes }: Position): Promise<Position | undefined> {
  const group = name.name === '' ? undefined : await tx.of(logGroups).get(name);
  if (group !== undefined) {
    const before = retainedFrom(now, group.retentionInDays);
    const removed = await tx.of(logPacks).removeBefore('group', group.groupId, before, ROWS_OF_STEP);
    if (removed > 0) return { group: name, measured: FIRST, bytes: 0 };
    const part = await tx.of(logPacks).measure(group.groupId, measured, ROWS_OF_STEP);
    if (part.last !== undefined) return { group: name, measured: part.last, bytes: bytes + part.bytes };
    await tx.of(logGroups).setStoredBytes({ ...group, storedBytes: bytes + part.bytes });
  }
  const next = await tx.of(logGroups).next(name);
  return next && { group: next, measured: FIRST, bytes: 0 };
}
