/**
 * Event router: passes the events of buses to the targets of the rules that match. One transaction reads events, adds a message for each
 * target, and removes the events. So each event reaches the queue of outgoing messages exactly once (Decision 0033).
 */

import type { DecideRole } from '#access/service-role.ts';
import { counted } from '#core/counted.ts';
import { type Instant, instant } from '#core/instant.ts';
import { busArn, busOfArn, ruleArn } from '#services/events/bus-names.ts';
import { withId } from '#services/events/event-envelope.ts';
import {
  accountsWithDueSchedules,
  archiveForwarded,
  type BusEventRecord,
  type BusKey,
  dueSchedules,
  type RuleRecord,
  reschedule,
} from '#services/events/routing.ts';
import { INPUT_MAX, type RoutedEvent } from '#services/events/target-input.ts';
import { eventText } from '#services/kit/bus-event.ts';
import type { Source } from '../outgoing/sources.ts';
import { lanes } from '../outgoing/tables/lanes.ts';
import { accountTurns } from './account-turns.ts';
import { passProblem } from './passing.ts';
import { ruleMatcher } from './rule-matcher.ts';
import type { RuleMetrics } from './rule-metrics.ts';
import { add, EVENT, endEvent, forEvent, isOver, newRun, type Run, restart, STEP, take } from './run.ts';
import { deadLetterFor, type TargetEvent, targetMessage } from './target-message.ts';

export interface RouterParts {
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly decideRole: DecideRole;
  readonly metrics: Pick<RuleMetrics, 'count'>;
  /** Counts events that are lost. */
  readonly lost: (count: number) => void;
  readonly report: (line: string) => void;
}

/** Added messages that wait for their lanes, above which no events are routed. Otherwise messages of all accounts would wait for them. */
const ADDED_MAX = 1_000;

/** Creates the router. It remembers the rules of buses. */
export function eventRouter({ now: clock, newId, decideRole, metrics, lost, report }: RouterParts): Source {
  const matching = ruleMatcher();
  const routeEvents = accountTurns((run, row) =>
    route(run, row, { text: row.event, value: JSON.parse(row.event) as RoutedEvent['value'] }, row, false),
  );

  /** Adds the messages of one event. `isForwarded`: another bus passed it, so it is not passed on again. */
  async function route(
    run: Run,
    bus: BusKey,
    event: RoutedEvent,
    row: Pick<BusEventRecord, 'at' | 'replay'>,
    isForwarded: boolean,
  ): Promise<void> {
    const only = row.replay?.ruleArns;
    const isRead = isReadOfManagementEvents(event);
    const { rules, undecided } = await matching(run.tx, bus, event, run.ofEvent.steps);
    if (undecided > 0)
      run.lost.push(`an event of the bus '${busArn(bus)}' for ${counted(undecided, 'rule')}, because their patterns are too complex`);
    for (const { rule, targets } of rules) {
      if (only !== undefined && !only.includes(ruleArn(rule))) continue;
      if (isRead && rule.state !== 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS') continue;
      run.counts.push(['MatchedEvents', rule], ['TriggeredRules', rule]);
      for (const { target } of targets) {
        if (run.ofEvent.isFull) return;
        await deliver(run, { event, rule, target, acceptedAt: row.at }, isForwarded);
      }
    }
  }

  /** Adds the message of a target, or passes the event to the bus that is the target. */
  async function deliver(run: Run, to: TargetEvent, isForwarded: boolean): Promise<void> {
    const bus = busOfArn(to.target.Arn);
    if (bus === undefined) await addFor(run, to);
    else if (isForwarded) run.counts.push(['DeadLetterInvocations', to.rule]);
    else await forward(run, to, bus);
  }

  /**
   * Passes an event to another bus, whose policy decides if the bus belongs to another account. The event is not passed on from there.
   *
   * Source: EventBridge User Guide, "Sending and receiving events between buses": an event is not sent to a third bus. LocalStack, snapshots
   * of its tests on AWS: the ID stays in one region. See `passProblem`.
   */
  async function forward(run: Run, to: TargetEvent, bus: BusKey): Promise<void> {
    const { event, rule, target, acceptedAt } = to;
    if (run.ofEvent.passes >= EVENT.passes) {
      endEvent(run, `an event of the rule '${ruleArn(rule)}'`);
      return;
    }
    run.ofEvent.passes += 1;
    const failure = await passProblem(run, decideRole, to, bus);
    run.counts.push(['Invocations', rule]);
    if (failure !== undefined) {
      run.counts.push(['FailedInvocations', rule]);
      const letter = deadLetterFor(to, failure, run.now);
      if (letter !== undefined) await add(run, letter);
      else run.lost.push(`an event of the rule '${ruleArn(rule)}' for '${target.Arn}' (${failure.code}: ${failure.message})`);
      return;
    }
    const passed = bus.region === rule.region ? event : renamed(event, newId());
    await archiveForwarded(run.tx, bus, passed.text, run.now);
    await route(run, bus, passed, { at: acceptedAt }, true);
  }

  /** Last account whose schedules had a turn. */
  let lastScheduled = '';

  /**
   * Adds the messages of schedules that are due, in turns of accounts. A schedule that was missed several times causes one event. So the schedules
   * of one account do not wait for all of another, however many these are.
   */
  async function fireSchedules(run: Run): Promise<'more' | 'done'> {
    const accounts = await accountsWithDueSchedules(run.tx, run.now, lastScheduled, STEP.accounts);
    const share = Math.ceil(STEP.schedules / Math.max(accounts.length, 1));
    let result: 'more' | 'done' = accounts.length === STEP.accounts ? 'more' : 'done';
    for (const accountId of accounts) {
      if (isOver(run)) return 'more';
      lastScheduled = accountId;
      const due = await dueSchedules(run.tx, accountId, run.now, share);
      if (due.length === share) result = 'more';
      for (const { rule, targets } of due) {
        if (isOver(run)) return 'more';
        const event = scheduledEvent(rule, newId());
        run.counts.push(['TriggeredRules', rule]);
        await forEvent(run, async () => {
          for (const { target } of targets) await deliver(run, { event, rule, target, acceptedAt: run.now }, false);
        });
        await reschedule(run.tx, rule, run.now);
      }
    }
    return result;
  }

  return {
    name: 'event router',
    async step(transaction) {
      const { result, run } = await transaction(async (tx) => {
        const run = newRun(tx, clock());
        if ((await tx.of(lanes).countAdded(ADDED_MAX)) >= ADDED_MAX) return { result: 'done' as const, run };
        const results = [await fireSchedules(run)];
        restart(run);
        results.push(await routeEvents(run));
        return { result: results.includes('more') ? ('more' as const) : ('done' as const), run };
      });
      for (const counted of run.counts) metrics.count(...counted);
      run.notes.forEach(report);
      lost(run.lost.length);
      const [first, ...others] = run.lost;
      if (first !== undefined) report(`lost ${first}${others.length === 0 ? '' : `, and ${others.length} others`}`);
      return result;
    },
  };
}

/** Adds the message for a target, or its dead letter. */
async function addFor(run: Run, to: TargetEvent): Promise<void> {
  const { rule, target } = to;
  const message = targetMessage(to, run.now);
  if (message !== undefined) return await add(run, message);
  // The work was done, although there is no message.
  take(run, INPUT_MAX);
  run.lost.push(`an event of the rule '${ruleArn(rule)}' for '${target.Arn}', because the transformed input is too large`);
}

/** Names of operations that do not start with these words, or that change something although they do. Source: `isReadOfManagementEvents`. */
const READS = /^(?:List|Get|Describe)/;
const NOT_READS: ReadonlySet<string> = new Set(['GetFederationToken', 'GetSessionToken']);

/**
 * Reports whether an event is a call that only rules with all management events receive. Only this server puts events with sources that
 * start with `aws.`.
 *
 * Source: EventBridge User Guide, "Read-only management events from AWS services".
 */
function isReadOfManagementEvents({ value }: RoutedEvent): boolean {
  if (value['detail-type'] !== 'AWS API Call via CloudTrail' || !String(value['source']).startsWith('aws.')) return false;
  const { eventName = '' } = value['detail'] as { readonly eventName?: string };
  return READS.test(eventName) && !NOT_READS.has(eventName);
}

function renamed({ text, value }: RoutedEvent, id: string): RoutedEvent {
  return { text: withId(text, id), value: { ...value, id } };
}

/** Returns the event of a schedule. Source: LocalStack, snapshots of its tests on AWS. */
function scheduledEvent(rule: RuleRecord, id: string): RoutedEvent {
  const { accountId, region, scheduleAt } = rule;
  const members = { id, detailType: 'Scheduled Event', source: 'aws.events', account: accountId, region };
  const text = eventText({ ...members, time: instant(scheduleAt ?? 0), resources: [ruleArn(rule)], detail: '{}' });
  return { text, value: JSON.parse(text) as RoutedEvent['value'] };
}
