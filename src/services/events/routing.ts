/**
 * Data that the router of the delivery reads: waiting events, the rules of buses, and due schedules. The operations write these tables, and the
 * router deletes the events that it has passed to targets.
 */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { storeEvent } from './accept.ts';
import { nextTime, parseSchedule } from './schedule.ts';
import { busEvents } from './tables/bus-events.ts';
import { type BusKey, eventBuses, type RuleRecord, type TargetRecord } from './tables/event-buses.ts';

export type { BusEventRecord } from './tables/bus-events.ts';
export type { BusKey, BusRecord, RuleKey, RuleRecord, TargetRecord } from './tables/event-buses.ts';

/** An enabled rule with its targets. */
export interface RoutedRule {
  readonly rule: RuleRecord;
  readonly targets: readonly TargetRecord[];
}

/** Number of rows of one read. */
const ROWS_AT_ONCE = 500;

/** Reports whether an account has rules on its bus `default`. Such rules can match records of the trail. */
export const hasDefaultRules = (tx: Tx) => tx.of(eventBuses).hasDefaultRules();

/** Stores an event for the rules of a bus. */
export const appendBusEvent = (tx: Tx, { accountId, region, busName }: BusKey, event: string, at: Instant) =>
  tx.of(busEvents).append({ accountId, region, busName, event, at });

/** Returns accounts with waiting events in the order of IDs: those after `after`, and then the others. */
export const accountsInTurn = (tx: Tx, after: string, limit: number) => inTurn((last) => tx.of(busEvents).nextAccount(last), after, limit);

/** Returns accounts with due schedules in the order of IDs: those after `after`, and then the others. */
export async function accountsWithDueSchedules(tx: Tx, now: number, after: string, limit: number): Promise<readonly AccountId[]> {
  if (!(await tx.of(eventBuses).isDue(now))) return [];
  return inTurn((last) => tx.of(eventBuses).nextDueAccount(last, now), after, limit);
}

/** Returns the results of `next`, which returns the account after another one, from `after` to the last and from the first on. */
async function inTurn(next: (last: string) => Promise<AccountId | undefined>, after: string, limit: number): Promise<readonly AccountId[]> {
  const accounts: AccountId[] = [];
  for (let last = after, isAgain = after === ''; accounts.length < limit; ) {
    const found = await next(last);
    if (found === undefined && !isAgain) {
      isAgain = true;
      last = '';
    } else if (found === undefined || found === accounts[0]) break;
    else {
      accounts.push(found);
      last = found;
    }
  }
  return accounts;
}

/** Returns the oldest waiting events of an account, in the order of their positions. */
export const nextBusEvents = (tx: Tx, accountId: AccountId, after: number, limit: number) => tx.of(busEvents).next(accountId, after, limit);

/** Deletes events that were passed to their targets. */
export const removeBusEvents = (tx: Tx, positions: readonly number[]) => tx.of(busEvents).remove(positions);

/** Returns what the events of a bus reach, with the version of its rules. Reads one small row. */
export const usesOf = (tx: Tx, key: BusKey) => tx.of(eventBuses).uses(key);

/** Stores an event that another bus passed to this one in the archives of this bus. */
export async function archiveForwarded(tx: Tx, key: BusKey, event: string, now: Instant): Promise<void> {
  const uses = await tx.of(eventBuses).uses(key);
  if (uses !== undefined) await storeEvent(tx, key, { ...uses, rules: 0 }, event, now);
}

/** Sets the next time of a rule with a schedule. */
export async function reschedule(tx: Tx, rule: RuleRecord, now: Instant): Promise<void> {
  const { scheduleAt: _, ...key } = rule;
  const { scheduleExpression } = rule;
  const scheduleAt = scheduleExpression === undefined ? undefined : nextTime(parseSchedule(scheduleExpression), now);
  await tx.of(eventBuses).schedule({ ...key, ...(scheduleAt !== undefined && { scheduleAt }) });
}

/** Returns a bus. The bus `default` has a record only after its first change. */
export const busOf = (tx: Tx, key: BusKey) => tx.of(eventBuses).bus(key);

/** Returns the enabled rules of a bus that have a pattern. */
export async function rulesOf(tx: Tx, key: BusKey): Promise<readonly RuleRecord[]> {
  const repository = tx.of(eventBuses);
  const rules: RuleRecord[] = [];
  for (let after = '', more = true; more; ) {
    const read = await repository.listRules(key, after, ROWS_AT_ONCE);
    rules.push(...read.filter(({ state, eventPattern }) => state !== 'DISABLED' && eventPattern !== undefined));
    after = read.at(-1)?.ruleName ?? '';
    more = read.length === ROWS_AT_ONCE;
  }
  return rules;
}

/** Returns the targets of a rule. */
export const targetsOf = (tx: Tx, rule: RuleRecord) => tx.of(eventBuses).targets(rule);

/** Returns rules of an account whose schedule is due at `now`, with their targets, the earliest first. */
export async function dueSchedules(tx: Tx, accountId: AccountId, now: number, limit: number): Promise<readonly RoutedRule[]> {
  const due = await tx.of(eventBuses).due(accountId, now, limit);
  const routed: RoutedRule[] = [];
  for (const rule of due) routed.push({ rule, targets: await targetsOf(tx, rule) });
  return routed;
}
