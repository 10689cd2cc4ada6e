/**
 * Fixture of the services' unit tests: callers, the `Call` objects that handlers receive, and operations that run on an
 * in-memory store.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { ANALYSIS_STEPS_MAX, type Analysis, type Outcome } from '#policy/analysis.ts';
import { runAnalysis } from '#policy/run-analysis.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { authorizationReference } from './authorization-reference.ts';
import type { DomainEvent, Work } from './events.ts';
import type { Access, Call, Caller, Operation } from './operation.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const OTHER_ACCOUNT = '444455556666' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));

/** Returns the root user of an account. */
export const rootOf = (accountId: AccountId): Principal => ({
  type: 'Root',
  accountId,
  arn: arn('iam', '', accountId, 'root'),
  principalId: accountId,
});

/** Returns a session of a role, which began at `START` and lasts an hour. */
export const roleSession = (
  accountId: AccountId,
  { arn: roleArn, roleName, roleId }: { readonly arn: Arn; readonly roleName: string; readonly roleId: string },
  sessionName = 'me',
): Principal => ({
  type: 'AssumedRole',
  accountId,
  arn: arn('sts', '', accountId, `assumed-role/${roleName}/${sessionName}`),
  principalId: `${roleId}:${sessionName}`,
  roleArn,
  roleId,
  roleName,
  sessionName,
  session: {
    issuedAt: START,
    expiresAt: instant(START + HOUR_MS),
    mfaAuthenticated: false,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
  },
});

/** Properties of `Caller` and `Call` that a test can replace. */
export type As = Partial<
  Caller & Pick<Call, 'now' | 'localPlain' | 'offload' | 'contact' | 'survey' | 'analyze' | 'stored' | 'sendFile' | 'actsFor' | 'allows'>
>;

/**
 * Returns a caller. Defaults: the root user of the account, `ACCOUNT` as the account, us-east-1 as the region, and the
 * profile `sdk`.
 */
export function callerOf({
  principal,
  accountId = principal?.accountId ?? ACCOUNT,
  region = 'us-east-1',
  profile = 'sdk',
}: As = {}): Caller {
  return { principal: principal ?? rootOf(accountId), accountId, region, profile };
}

export const CALLER = callerOf();

/** Replaces `Call.offload`, `Call.contact` and `Call.survey` in tests of operations that use none of these functions. */
export function noOffload(name: string): never {
  throw new Error(`unexpected offloaded work '${name}'`);
}

/** Replaces `Call.analyze`: runs every analysis immediately, in the same thread. */
export function analyzeAtOnce<Kind extends Analysis['kind']>(analysis: Extract<Analysis, { readonly kind: Kind }>): Outcome<Kind> {
  return runAnalysis<Kind>(analysis, authorizationReference(), { stepsLeft: ANALYSIS_STEPS_MAX }, true);
}

/** Returns a `Work` context whose `emit` adds events to the list `emitted` and runs no subscribers. */
export function workFor(tx: Tx, now: Instant, emitted: DomainEvent[] = []): Work {
  return {
    tx,
    now,
    newId: randomUUID,
    async emit<Event extends DomainEvent>(event: NoInfer<Event>) {
      emitted.push(event);
    },
  };
}

/** Returns the `Call` that a handler receives. Default of `now`: `START`. */
export function callOf(tx: Tx, as: As = {}, emitted: DomainEvent[] = []): Call {
  return {
    ...callerOf(as),
    ...workFor(tx, as.now ?? START, emitted),
    random: (bytes) => randomBytes(bytes),
    requestId: 'r',
    localPlain: as.localPlain ?? false,
    offload: as.offload ?? noOffload,
    contact: as.contact ?? noOffload,
    survey: as.survey ?? noOffload,
    analyze: as.analyze ?? analyzeAtOnce,
    ...(as.stored !== undefined && { stored: as.stored }),
    sendFile: as.sendFile ?? (() => undefined),
    actsFor: as.actsFor ?? (() => undefined),
    allows: as.allows ?? (() => Promise.resolve(true)),
  };
}

type ApiTypes<Api> = Record<keyof Api, { readonly input: unknown; readonly output: unknown }>;

/** Operations of a service, by name. */
export type Operations<Api> = { readonly [Name in keyof Api]: object };

/** Runs the handler of an operation in a transaction of its own. Does not check the required permissions. */
export type Run<Api extends ApiTypes<Api>> = <Name extends keyof Api>(
  name: Name,
  input: Api[Name]['input'],
  as?: As,
) => Promise<Api[Name]['output']>;

/** Returns the permissions that an operation requires. */
export function accessOf(operations: object, name: string, input: unknown, as: As = {}): readonly Access[] {
  const operation = (operations as Readonly<Record<string, Operation<unknown, unknown>>>)[name] as Operation<unknown, unknown>;
  return [operation.access(input, callerOf(as))].flat() as readonly Access[];
}

/**
 * A required permission, in which the resources, the condition context and the tags are already read from the store.
 */
export interface ResolvedAccess {
  readonly action: string;
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, unknown>>;
  readonly tags: Awaited<ReturnType<NonNullable<Access['resourceTags']>>>;
}

/** Returns functions that run operations on a store, by default an empty one in memory. Events are added to `emitted`. */
export async function openOperations<Api extends ApiTypes<Api>>(
  operations: Operations<Api>,
  emitted: DomainEvent[] = [],
  opened?: Store,
): Promise<{
  readonly store: Store;
  readonly run: Run<Api>;
  requiredAccess<Name extends keyof Api>(name: Name, input: Api[Name]['input'], as?: As): Promise<readonly ResolvedAccess[]>;
  /** Returns all identity records of the store (users, roles, policies and others) as a string, for comparisons. */
  identityState(): Promise<string>;
}> {
  const store = opened ?? (await openSqlite(':memory:'));
  let ids = 0;
  const newId = () => `a6b1e9b0-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  return {
    store,
    run(name, input, as = {}) {
      // TypeScript cannot see that the types of `input` and of the result belong to the operation with this name.
      const operation = operations[name] as Operation<unknown, never>;
      return store.transaction((tx) => operation.handle({ ...callOf(tx, as, emitted), newId }, input));
    },
    requiredAccess: (name, input, as = {}) =>
      store.transaction((tx) => Promise.all(accessOf(operations, name as string, input, as).map((access) => resolved(access, tx, as)))),
    identityState: () => store.transaction(async (tx) => JSON.stringify(await tx.identity.changesSince(0))),
  };
}

async function resolved(access: Access, tx: Tx, { now = START }: As): Promise<ResolvedAccess> {
  const { action, resources, resolve, context = [], resolveContext, resourceTags } = access;
  return {
    action,
    resources: resolve === undefined ? resources : await resolve(tx),
    context: Object.fromEntries([...context, ...((await resolveContext?.(tx, now)) ?? [])]),
    tags: (await resourceTags?.(tx)) ?? [],
  };
}
