/** Permissions on buses and rules, and lookup of the bus or rule of a request. */
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { type TagContext, tagValues } from '../kit/tag-rules.ts';
import { busArn, busKey, DEFAULT_BUS, ruleArn } from './bus-names.ts';
import { noBus, noRule } from './errors.ts';
import { type BusKey, type BusRecord, eventBuses, type RuleKey, type RuleRecord } from './tables/event-buses.ts';

/** Names a bus in a request. */
export interface OnBus {
  readonly EventBusName?: string;
}

/**
 * Returns the permission on a bus, which the policy of the bus also decides.
 *
 * Source: Service Authorization Reference, "Amazon EventBridge", resource type event-bus.
 */
export function onBus(key: BusKey, context: TagContext = []): DeclaredAccess {
  return {
    resources: [busArn(key)],
    resourcePolicy: (tx) => policyOf(tx, key),
    resourceTags: async (tx) => {
      const bus = await tx.of(eventBuses).bus(key);
      return [tagValues(bus?.tags ?? [])];
    },
    ...(context.length > 0 && { context: new Map(context) }),
  };
}

/**
 * Returns the permission on a rule, which the policy of its bus also decides. The condition keys contain the account that created the rule:
 * the owner of the bus.
 *
 * Source: Service Authorization Reference, "Amazon EventBridge", `events:creatorAccount`.
 */
export function onRule(key: RuleKey, context: TagContext = []): DeclaredAccess {
  return {
    resources: [ruleArn(key)],
    resourcePolicy: (tx) => policyOf(tx, key),
    resourceTags: async (tx) => {
      const rule = await tx.of(eventBuses).rule(key);
      return [rule && tagValues(rule.tags)];
    },
    context: new Map([['events:creatoraccount', key.accountId], ...context]),
  };
}

async function policyOf(tx: Tx, key: BusKey): Promise<string | undefined> {
  return (await tx.of(eventBuses).bus(key))?.policy?.policy;
}

/** Returns the rule that a request names. */
export function ruleKey(ruleName: string, { EventBusName }: OnBus, caller: Pick<Caller, 'accountId' | 'region'>): RuleKey {
  return { ...busKey(EventBusName, caller), ruleName };
}

/**
 * Returns the bus that a request names. The default bus exists always, and has a row only after its first change.
 *
 * @throws NotYetImplementedException  the bus belongs to another account, whose policy allows the caller
 * @throws ResourceNotFoundException   the bus does not exist in the caller's region
 */
export async function busOrNotFound(call: Call, key: BusKey): Promise<BusRecord> {
  requireOwn(call, key);
  const found = key.region === call.region ? await call.tx.of(eventBuses).bus(key) : undefined;
  if (found === undefined && (key.busName !== DEFAULT_BUS || key.region !== call.region)) throw noBus(key.busName);
  return found ?? newBus(key, NEVER);
}

/** `createdAt` of a default bus without a row. */
export const NEVER = instant(0);

/** Returns a bus without settings. */
export function newBus(key: BusKey, now: Instant): BusRecord {
  return { ...key, tags: [], createdAt: now, modifiedAt: now, version: 0, rules: 0, archives: 0, patternsCost: 0 };
}

/** Returns the bus of a change. Adds the row of the default bus. @throws the errors of `busOrNotFound` */
export async function busToChange(call: Call, key: BusKey): Promise<BusRecord> {
  const bus = await busOrNotFound(call, key);
  if (bus.createdAt !== NEVER) return bus;
  const added = newBus(key, call.now);
  await call.tx.of(eventBuses).addBus(added);
  return added;
}

/**
 * Returns the rule that a request names.
 *
 * @throws the errors of `busOrNotFound`
 * @throws ResourceNotFoundException  the bus has no such rule
 */
export async function ruleOrNotFound(call: Call, key: RuleKey): Promise<RuleRecord> {
  await busOrNotFound(call, key);
  const rule = await call.tx.of(eventBuses).rule(key);
  if (rule === undefined) throw noRule(key.ruleName, key.busName);
  return rule;
}

function requireOwn({ accountId }: Call, key: BusKey): void {
  if (key.accountId !== accountId) throw notYetImplemented('An operation on rules and event buses of another account');
}
