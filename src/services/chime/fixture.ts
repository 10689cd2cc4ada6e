/** What the tests of Chime's services share: an allowed caller, and operations run on a real store in memory, with ids of their own. */
import { randomUUID } from 'node:crypto';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { ANALYSIS_STEPS_MAX, type Analysis, type Outcome, runAnalysis } from '#policy/analysis.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { nameKey, nameOfArn } from '../iam/names.ts';
import { authorizationReference } from '../kit/authorization-reference.ts';
import type { DomainEvent, Work } from '../kit/events.ts';
import type { Call, Caller } from '../kit/operation.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const OTHER_ACCOUNT = '444455556666' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));

export const CALLER: Caller = {
  principal: { type: 'Root', accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` as Arn, principalId: ACCOUNT },
  accountId: ACCOUNT,
  region: 'us-east-1',
  profile: 'sdk',
};

/** Replaces `Call.offload` for operations that offload nothing. */
export function noOffload(name: string): never {
  throw new Error(`unexpected offloaded work '${name}'`);
}

/** Replaces `Call.analyze`: runs every analysis at once. */
export function analyzeAtOnce<Kind extends Analysis['kind']>(analysis: Extract<Analysis, { readonly kind: Kind }>): Outcome<Kind> {
  return runAnalysis<Kind>(analysis, authorizationReference(), { stepsLeft: ANALYSIS_STEPS_MAX }, true);
}

/** Runs an operation in a transaction of its own, as an allowed call of `ACCOUNT` in us-east-1 at `START`. */
export type Run<Api extends Record<keyof Api, { readonly input: unknown; readonly output: unknown }>> = <Name extends keyof Api>(
  name: Name,
  input: Api[Name]['input'],
  as?: Partial<Caller & { now: Instant }>,
) => Promise<Api[Name]['output']>;

/** Context of work that adds its events to a list and has no subscribers. */
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

/** A store in memory, and what runs the operations of a table on it. */
export async function openOperations<Api extends Record<keyof Api, { readonly input: unknown; readonly output: unknown }>>(
  operations: { readonly [Name in keyof Api]: object },
  emitted: DomainEvent[] = [],
): Promise<{ readonly store: Store; readonly run: Run<Api> }> {
  const store = await openSqlite(':memory:');
  let ids = 0;
  const newId = () => `a6b1e9b0-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  return {
    store,
    run(name, input, as = {}) {
      // One operation of one name: TypeScript cannot see that its input and output belong together.
      const operation = operations[name] as { handle(call: Call, input: unknown): Promise<never> };
      return store.transaction((tx) =>
        operation.handle(
          {
            ...CALLER,
            ...workFor(tx, START, emitted),
            newId,
            random: (bytes) => new Uint8Array(bytes),
            requestId: 'r',
            offload: noOffload,
            survey: noOffload,
            analyze: analyzeAtOnce,
            ...as,
          },
          input,
        ),
      );
    },
  };
}

/** Puts a role into `ACCOUNT`; by its ARN, with who may assume it, and where it is service-linked, the service it belongs to. */
export async function addRole(
  store: Store,
  arn: string,
  more: { readonly trustPolicy?: object; readonly linkedService?: string; readonly tags?: readonly { key: string; value: string }[] } = {},
): Promise<void> {
  const { trustPolicy = {}, linkedService, tags = [] } = more;
  const roleName = nameOfArn(arn);
  await store.transaction((tx) =>
    tx.identity.put(ACCOUNT, 'role', nameKey(roleName), {
      accountId: ACCOUNT,
      arn: arn as Arn,
      path: arn.slice(arn.indexOf('/'), -roleName.length),
      createdAt: START,
      attachedPolicyArns: [],
      inlinePolicies: {},
      roleName,
      roleId: `AROA${roleName}`,
      trustPolicy: JSON.stringify(trustPolicy),
      maxSessionSeconds: 3600,
      tags,
      ...(linkedService !== undefined && { linkedService }),
    }),
  );
}
