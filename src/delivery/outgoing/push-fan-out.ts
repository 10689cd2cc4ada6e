/** Source of push notifications: reads the members of a channel in steps, and adds a notification for each device. */
import { type Instant, instant } from '#core/instant.ts';
import { lineLimit } from '#core/line-limit.ts';
import { fanOutEnd, fanOutPush, pushLane } from '#services/chime-sdk-messaging/push-notifications.ts';
import { type PushFanOut, pushFanOuts } from '#services/chime-sdk-messaging/tables/push-fan-outs.ts';
import type { Tx } from '#store/store.ts';
import type { Source } from './sources.ts';
import { endpoints } from './tables/endpoints.ts';
import { lanes } from './tables/lanes.ts';

export interface PushFanOutParts {
  readonly now: () => Instant;
  readonly newId: () => string;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  /** Counts channel messages whose notifications are lost. */
  readonly lost: (count: number) => void;
  readonly report: (line: string) => void;
}

/** Message whose notifications are lost, because it is too old, or because its account has no push endpoint. */
interface Lost {
  readonly row: PushFanOut;
  readonly isLate: boolean;
}

/** Messages that one transaction handles. Each adds at most the notifications of one page of members. */
const MESSAGES_AT_ONCE = 4;
/** Waiting notifications of an account and region above which no more are added, and the wait until the next look. */
const WAITING_MAX = 2_000;
const WAIT_MS = 1_000;
/** Added messages of all kinds that wait for their lanes, above which no notifications are added. */
const ADDED_MAX = 1_000;

/**
 * Creates the source. The messages of an account take turns. If the account has no push endpoint, or a message is too old, its notifications
 * are not added.
 */
export function pushFanOut({ now: clock, newId, monotonic, lost, report }: PushFanOutParts): Source {
  const named = new Set<string>();
  const lines = lineLimit(monotonic);

  function once(line: string): void {
    if (named.has(line) || named.size > 1_000) return;
    named.add(line);
    report(line);
  }

  /** Reports a message whose notifications are lost, after the commit. */
  function reportLost({ row: { accountId, region, notification }, isLate }: Lost): void {
    lost(1);
    if (!isLate) {
      once(`there is no endpoint for 'push' of account '${accountId}' in '${region}'; add one with 'belfry endpoint add'`);
      return;
    }
    const omitted = lines.admit(`${accountId} ${region}`);
    if (omitted === undefined) return;
    const before = omitted === 0 ? '' : `, after ${omitted} other messages of the account`;
    report(`push notifications of a message in '${notification.channelArn}' were not sent in time${before}`);
  }

  /** Runs the next step of a message. Returns false if it must wait. */
  async function advance(tx: Tx, row: PushFanOut, now: Instant, ended: Lost[]): Promise<boolean> {
    const { accountId, region, id } = row;
    const hasEndpoint = (await tx.of(endpoints).find('push', accountId, region)) !== undefined;
    if (!hasEndpoint || now >= fanOutEnd(row)) {
      ended.push({ row, isLate: hasEndpoint });
      await tx.of(pushFanOuts).remove(id);
    } else if (((await tx.of(lanes).get({ accountId, lane: pushLane(region) }))?.messages ?? 0) >= WAITING_MAX) {
      await tx.of(pushFanOuts).advance({ ...row, dueAt: instant(now + WAIT_MS) });
      return false;
    } else {
      await fanOutPush({ tx, now, newId }, row);
    }
    return true;
  }

  return {
    name: 'push notifications',
    async step(transaction) {
      const { advanced, ended } = await transaction(async (tx) => {
        const result = { advanced: false, ended: [] as Lost[] };
        if ((await tx.of(lanes).countAdded(ADDED_MAX)) >= ADDED_MAX) return result;
        const now = clock();
        for (const row of await tx.of(pushFanOuts).due(now, MESSAGES_AT_ONCE))
          if (await advance(tx, row, now, result.ended)) result.advanced = true;
        return result;
      });
      ended.forEach(reportLost);
      return advanced ? 'more' : 'done';
    },
  };
}
