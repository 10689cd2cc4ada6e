/**
 * Records of the trail as events on the bus `default` of their account: API calls, sign-ins to the console, and events of services. The
 * server reads the trail only while an account has rules on that bus. A record becomes an event only while a trail of its account, or of its
 * organization, logs it.
 *
 * Source: EventBridge User Guide, "AWS service events delivered via AWS CloudTrail". Assumed: data events that a trail selects become events
 * too.
 */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { DEFAULT_BUS } from '#services/events/bus-names.ts';
import { appendBusEvent, hasDefaultRules, usesOf } from '#services/events/routing.ts';
import { eventText } from '#services/kit/bus-event.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { type DeliveringPeriod, deliveringPeriod, organizationPlace, receives } from '../delivering-trail.ts';
import type { Source } from '../outgoing/sources.ts';

export interface TrailEventParts {
  readonly now: () => Instant;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  readonly newId: () => string;
}

/** Name in the table `meta` of the position up to which records became events. Without rules, there is no position. */
const POSITION = 'trail-events-position';
/** Interval between two reads of new records. */
const EVERY_MS = 1_000;
/**
 * Longest time after which the server notices the first rule. Records of this time before become events, so that none after the rule is
 * missing.
 */
const FIRST_RULE_MS = 10_000;
/** Packs (rows with several records) that one transaction reads. */
const PACKS = 8;
/** Largest event. Source: CloudTrail User Guide, "Quotas": a record has at most 256 KB. */
const EVENT_MAX_BYTES = 256 * 1024;

/** Types of events by the type of a record. Source: EventBridge User Guide, as above. */
const DETAIL_TYPES: ReadonlyMap<string, string> = new Map([
  ['AwsApiCall', 'AWS API Call via CloudTrail'],
  ['AwsConsoleSignIn', 'AWS Console Sign In via CloudTrail'],
  ['AwsServiceEvent', 'AWS Service Event via CloudTrail'],
]);

/** Creates the source of these events. */
export function trailEvents({ now, monotonic, newId }: TrailEventParts): Source {
  let nextAt = 0;

  async function step(tx: Tx): Promise<'more' | 'done'> {
    const stored = await tx.meta.get(POSITION);
    if (!(await hasDefaultRules(tx))) {
      if (stored !== undefined && stored !== '') await tx.meta.put(POSITION, '');
      return 'done';
    }
    if (stored === undefined || stored === '') {
      await tx.meta.put(POSITION, String(positionAt(now() - FIRST_RULE_MS)));
      return 'done';
    }
    const { rows, position } = await tx.trail.since(Number(stored), PACKS);
    if (position === Number(stored)) return 'done';
    const facts = factsOf(tx);
    for (const row of rows) {
      const text = (await facts.isWanted(row)) ? recordEvent(row, newId()) : undefined;
      if (text !== undefined) await appendBusEvent(tx, { ...row, busName: DEFAULT_BUS }, text, now());
    }
    await tx.meta.put(POSITION, String(position));
    return 'more';
  }

  return {
    name: 'events of the trail',
    async step(transaction) {
      if (monotonic() < nextAt) return 'done';
      const result = await transaction(step);
      if (result === 'done') nextAt = monotonic() + EVERY_MS;
      return result;
    },
  };
}

/** Facts about accounts that one transaction reads, each once. */
function factsOf(tx: Tx) {
  const buses = new Map<string, boolean>();
  const periods = new Map<AccountId, readonly DeliveringPeriod[]>();

  async function periodsOf(accountId: AccountId): Promise<readonly DeliveringPeriod[]> {
    const found: DeliveringPeriod[] = [];
    const place = await organizationPlace(tx, accountId);
    const manager = place?.managementAccountId;
    for (const trail of await tx.of(trails).pendingOf([...new Set([accountId, ...(manager === undefined ? [] : [manager])])])) {
      if (trail.accountId !== accountId && trail.configuration.IsOrganizationTrail !== true) continue;
      for (const period of trail.periods) {
        found.push(deliveringPeriod(trail, period, await tx.of(trails).selectorsOf(trail.trailId, period)));
      }
    }
    return found;
  }

  return {
    /** Reports whether a record becomes an event. The records of an account for which too many events wait do not. */
    async isWanted(row: TrailRow): Promise<boolean> {
      const { accountId, region } = row;
      const key = `${accountId} ${region}`;
      let isUsed = buses.get(key);
      if (isUsed === undefined) {
        const uses = await usesOf(tx, { accountId, region, busName: DEFAULT_BUS });
        buses.set(key, (isUsed = uses !== undefined && uses.rules > 0 && !uses.isFull));
      }
      if (!isUsed) return false;
      let all = periods.get(accountId);
      if (all === undefined) periods.set(accountId, (all = await periodsOf(accountId)));
      return all.some((period) => receives(period, row));
    },
  };
}

/** Returns the event of a record, or `undefined` if records of its type are no events. */
function recordEvent({ accountId, region, at, eventSource, document }: TrailRow, id: string): string | undefined {
  const { eventType = '' } = JSON.parse(document) as { readonly eventType?: string };
  const detailType = DETAIL_TYPES.get(eventType);
  if (detailType === undefined) return undefined;
  const source = `aws.${eventSource.replace(/\.amazonaws\.com$/, '')}`;
  const text = eventText({ id, detailType, source, account: accountId, time: at, region, resources: [], detail: document });
  return Buffer.byteLength(text) > EVENT_MAX_BYTES ? undefined : text;
}
