/** Source of push notifications: reads the members of a channel in steps, and adds a notification for each device. */
import { type Instant, instant } from '#core/instant.ts';
import { fanOutEnd, fanOutPush, pushLane } from '#services/chime-sdk-messaging/push-notifications.ts';
import { type PushFanOut, pushFanOuts } from '#services/chime-sdk-messaging/tables/push-fan-outs.ts';
import type { Tx } from '#store/store.ts';
import type { Source } from './sources.ts';
import { endpoints } from './tables/endpoints.ts';
import { lanes } from './tables/lanes.ts';

export interface PushFanOutParts {
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly report: (line: string) => void;
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
export function pushFanOut({ now: clock, newId, report }: PushFanOutParts): Source {
  const named = new Set<string>();

  function once(line: string): void {
    if (named.has(line) || named.size > 1_000) return;
    named.add(line);
    report(line);
  }

  /** Runs the next step of a message. Returns false if it must wait. */
  async function advance(tx: Tx, row: PushFanOut, now: Instant): Promise<boolean> {
    const { accountId, region, id } = row;
    if ((await tx.of(endpoints).find('push', accountId, region)) === undefined) {
      once(`there is no endpoint for 'push' of account '${accountId}' in '${region}'; add one with 'belfry endpoint add'`);
      await tx.of(pushFanOuts).remove(id);
    } else if (now >= fanOutEnd(row)) {
      report(`push notifications of a message in '${row.notification.channelArn}' were not sent in time`);
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
    step: (transaction) =>
      transaction(async (tx) => {
        if ((await tx.of(lanes).countAdded(ADDED_MAX)) >= ADDED_MAX) return 'done';
        const now = clock();
        let advanced = false;
        for (const row of await tx.of(pushFanOuts).due(now, MESSAGES_AT_ONCE)) if (await advance(tx, row, now)) advanced = true;
        return advanced ? 'more' : 'done';
      }),
  };
}
