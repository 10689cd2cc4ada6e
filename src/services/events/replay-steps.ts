import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ReplayState } from '#model/generated/events.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Work } from '../kit/events.ts';
import { ACTIVE_REPLAY, REPLAY, type ReplayDocument } from './archive-records.ts';
import { busOfArn } from './bus-names.ts';
import { withReplayName } from './event-envelope.ts';
import { archivedEvents } from './tables/archived-events.ts';
import { busEvents } from './tables/bus-events.ts';
import { eventBuses } from './tables/event-buses.ts';

/** Time for which a finished replay is listed. Source: EventBridge API reference, StartReplay: 90 days. */
const KEPT_MS = 90 * DAY_MS;
/** Number of events that one transaction passes to a bus. */
const EVENTS_AT_ONCE = 100;
/** Number of events that may wait for the buses of an account before its replays pause, and the pause. */
const WAITING_MAX = 5_000;
const PAUSE_MS = 500;

/**
 * Returns the function that advances active replays of all accounts in turn, and deletes old ones. Each step changes one replay. `expiresAt`
 * of an active replay is the time of its next turn.
 */
export function replaySteps() {
  return async ({ tx, now }: Pick<Work, 'tx' | 'now'>): Promise<'more' | 'done'> => {
    const [replay] = await tx.resources.listExpired(REPLAY, now, 1);
    if (replay === undefined) return 'done';
    const { State } = replay.document;
    if (!ACTIVE_REPLAY.has(State)) {
      await tx.resources.remove(REPLAY, replay);
      return 'more';
    }
    if (State === 'CANCELLING') return await end(replay, 'CANCELLED');
    if ((await tx.of(busEvents).waiting(replay.accountId, WAITING_MAX)).events >= WAITING_MAX) {
      await tx.resources.put(REPLAY, { ...replay, expiresAt: instant(now + PAUSE_MS) });
      return 'more';
    }
    return await advance(replay);

    async function advance(active: ResourceRecord<ReplayDocument>): Promise<'more'> {
      const {
        archiveId,
        EventStartTime,
        EventEndTime,
        last = { at: instant(EventStartTime - 1), position: Number.MAX_SAFE_INTEGER },
      } = active.document;
      const events = await tx.of(archivedEvents).between(archiveId, last, EventEndTime, EVENTS_AT_ONCE);
      const bus = busOfArn(active.document.Destination.Arn);
      const uses = bus && (await tx.of(eventBuses).uses(bus));
      if (bus !== undefined && uses !== undefined && uses.rules > 0) {
        const { FilterArns: ruleArns } = active.document.Destination;
        const replayOf = omitUndefined({ replayName: active.id, ruleArns });
        for (const { event } of events) {
          await tx.of(busEvents).append({ ...bus, event: withReplayName(event, active.id), at: now, replay: replayOf });
        }
      }
      const newest = events.at(-1);
      const reached = newest === undefined ? {} : { last: { at: newest.at, position: newest.position } };
      const document: ReplayDocument = { ...active.document, State: 'RUNNING', ...reached };
      if (events.length < EVENTS_AT_ONCE) return await end({ ...active, document }, 'COMPLETED');
      await tx.resources.put(REPLAY, { ...active, updatedAt: now, expiresAt: now, document });
      return 'more';
    }

    async function end(ended: ResourceRecord<ReplayDocument>, state: ReplayState): Promise<'more'> {
      const expiresAt: Instant = instant(now + KEPT_MS);
      const document: ReplayDocument = { ...ended.document, State: state, ReplayEndTime: now };
      await tx.resources.put(REPLAY, { ...ended, updatedAt: now, expiresAt, document });
      return 'more';
    }
  };
}
