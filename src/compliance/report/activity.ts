/** Who did what: the requests of a window by principal, service and action, with errors and denials. Counts in bounded memory. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Sql } from '#store/sql.ts';
import { placeBefore } from '#store/trail/trail-decisions.ts';
import { parsedRecord } from '#store/trail/trail-documents.ts';
import type { DecidedRow } from '#store/trail/trail-pack.ts';
import { recordsInWindow } from '#store/trail/trail-window.ts';
import { described, excerpt, excerptOf, list, type Of, object, text, time, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';
import { topItems } from './top-items.ts';
import { actorOf } from './trail-actor.ts';

const COUNTS = {
  requests: whole,
  errors: described(whole, 'Requests that failed, with denied ones.'),
  denied: described(whole, 'Requests that a policy denied.'),
} as const;

/** Requests of one principal for one action. */
export const ACTIVITY_GROUP = object({
  accountId: described(text, 'Account whose event history has the records.'),
  principal: described(
    text,
    'ARN of a user, root user or role (for its sessions), name of a service or a kind of caller. Empty: principals beyond the limit.',
  ),
  type: described(text, 'Type of CloudTrail: IAMUser, AssumedRole, Root …'),
  service: described(text, 'Event source of CloudTrail.'),
  action: text,
  ...COUNTS,
  first: time,
  last: time,
});
export type ActivityGroup = Of<typeof ACTIVITY_GROUP>;

const PRINCIPAL_COUNTS = object({ accountId: text, principal: text, type: text, actions: whole, ...COUNTS, last: time });
const SERVICE_COUNTS = object({ service: text, ...COUNTS });

export const ACTIVITY = object({
  from: time,
  to: time,
  ...COUNTS,
  unreadable: described(whole, 'Records that are not in the format of the server. See the section about the trail.'),
  services: list(SERVICE_COUNTS),
  principals: described(
    excerpt(PRINCIPAL_COUNTS),
    'Principals with the most requests first. The file has a line for each principal and action.',
  ),
  denials: described(excerpt(ACTIVITY_GROUP), 'Principals and actions with the most denied requests first.'),
});
export type Activity = Of<typeof ACTIVITY>;

/** Limits of the report. The file has all groups. Requests of principals beyond `groups` are counted without their principal. */
export const ACTIVITY_LIMITS = { principals: 200, denials: 100, groups: 100_000 } as const;

/** Number of packs that one statement reads: up to 32 records each. */
const PACKS = 64;

interface Group {
  requests: number;
  errors: number;
  denied: number;
  first: Instant;
  last: Instant;
}

export interface ActivityWindow {
  /** Accounts whose records count. All if undefined. */
  readonly accountIds: ReadonlySet<AccountId> | undefined;
  readonly from: Instant;
  readonly to: Instant;
}

/** Codes of denied requests whose record has no decision context. */
const DENIED: ReadonlySet<unknown> = new Set(['AccessDenied', 'AccessDeniedException']);
type GroupName = readonly [accountId: string, type: string, principal: string, service: string, action: string];

/** Writes the file about activity, and returns the section of the report. */
export async function activitySection(sql: Sql, window: ActivityWindow, folder: ReportFolder): Promise<Activity> {
  const { groups, unreadable } = await countedGroups(sql, window);
  const file = folder.lines('activity.jsonl');
  const services = new Map<string, Counted>();
  const principals = new Map<string, Counted & { readonly first: ActivityGroup; actions: number; last: string }>();
  const all = newCounted();
  const denials = topItems<ActivityGroup>(ACTIVITY_LIMITS.denials, (a, b) => b.denied - a.denied);
  for (const [key, group] of groups) {
    const item = toGroup(key, group);
    file.add(item);
    addCounts(all, item);
    addCounts(entryOf(services, item.service, newCounted), item);
    const principal = entryOf(principals, JSON.stringify([item.accountId, item.type, item.principal]), () => {
      return { ...newCounted(), first: item, actions: 0, last: item.last };
    });
    addCounts(principal, item);
    principal.actions++;
    if (item.last > principal.last) principal.last = item.last;
    if (item.denied > 0) denials.add(item);
  }
  file.close();
  const busiest = topItems<Of<typeof PRINCIPAL_COUNTS>>(ACTIVITY_LIMITS.principals, (a, b) => b.requests - a.requests);
  for (const { first, ...counts } of principals.values())
    busiest.add({ accountId: first.accountId, principal: first.principal, type: first.type, ...counts });
  return {
    from: isoSeconds(window.from),
    to: isoSeconds(window.to),
    ...all,
    unreadable,
    services: [...services].map(([service, counts]) => ({ service, ...counts })).sort((a, b) => b.requests - a.requests),
    principals: excerptOf(busiest.items(), busiest.total(), file),
    denials: excerptOf(denials.items(), denials.total(), file),
  };
}

const keyOf = (name: GroupName): string => JSON.stringify(name);

type Counted = { requests: number; errors: number; denied: number };
const newCounted = (): Counted => ({ requests: 0, errors: 0, denied: 0 });

function addCounts(to: Counted, { requests, errors, denied }: Counted): void {
  to.requests += requests;
  to.errors += errors;
  to.denied += denied;
}

function entryOf<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = create()));
  return found;
}

function toGroup(key: string, { requests, errors, denied, first, last }: Group): ActivityGroup {
  const [accountId, type, principal, service, action] = JSON.parse(key) as GroupName;
  return { accountId, principal, type, service, action, requests, errors, denied, first: isoSeconds(first), last: isoSeconds(last) };
}

/** Counts the records of a window. Reads each record once. */
async function countedGroups(sql: Sql, { accountIds, from, to }: ActivityWindow) {
  const groups = new Map<string, Group>();
  let unreadable = 0;

  function count({ row, context }: DecidedRow): void {
    const { accountId, at, eventName, eventSource } = row;
    const isAltered = !Number.isInteger(at) || [accountId, eventName, eventSource].some((each) => typeof each !== 'string');
    if (!isAltered && (at < from || at >= to || (accountIds !== undefined && !accountIds.has(accountId)))) return;
    const record = isAltered ? undefined : parsedRecord(row.document);
    if (record === undefined) {
      unreadable++;
      return;
    }
    const { type, principal } = actorOf(record['userIdentity']);
    const code = record['errorCode'];
    const isDenied = context === undefined || 'omittedBytes' in context ? DENIED.has(code) : context.outcome.effect === 'Deny';
    const known = keyOf([accountId, type, principal, eventSource, eventName]);
    const key = groups.has(known) || groups.size < ACTIVITY_LIMITS.groups ? known : keyOf([accountId, '', '', eventSource, eventName]);
    const group = entryOf(groups, key, () => ({ ...newCounted(), first: at, last: at }));
    group.requests++;
    if (code !== undefined) group.errors++;
    if (isDenied) group.denied++;
    if (at < group.first) group.first = at;
    if (at > group.last) group.last = at;
  }

  for await (const records of recordsInWindow(sql, placeBefore(positionAt(from)), positionAt(to), PACKS)) {
    if (records === undefined) unreadable++;
    else for (const record of records) count(record);
  }
  return { groups, unreadable };
}
