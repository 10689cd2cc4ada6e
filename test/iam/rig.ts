/**
 * Test rig: IAM operations with an in-memory store, called without authorization.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IamApi } from '#model/generated/iam.ts';
import { openVault } from '../../src/access/vault.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from '../../src/server/core/analysis-threads.ts';
import { type Gate, newGate, withOffload } from '../../src/server/core/offload.ts';
import { analyzeAtOnce, noOffload, workFor } from '../../src/services/chime/fixture.ts';
import type { IamDeps } from '../../src/services/iam/deps.ts';
import { iamOperations } from '../../src/services/iam/operations.ts';
import { authorizationReference } from '../../src/services/kit/authorization-reference.ts';
import type { Access, Call, Caller } from '../../src/services/kit/operation.ts';
import { openSqlite } from '../../src/store/engine/sqlite.ts';
import type { Store, Tx } from '../../src/store/store.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));

export const ROOT: Principal = { type: 'Root', accountId: ACCOUNT, arn: arn('iam', '', ACCOUNT, 'root'), principalId: ACCOUNT };

const OTHER = '444455556666' as AccountId;
/** Root user of another account. */
export const STRANGER: Principal = { type: 'Root', accountId: OTHER, arn: arn('iam', '', OTHER, 'root'), principalId: OTHER };

export function iamUser(userName: string, path = '/'): Principal {
  return {
    type: 'IAMUser',
    accountId: ACCOUNT,
    arn: arn('iam', '', ACCOUNT, `user${path}${userName}`),
    principalId: 'AIDAEXAMPLE',
    userName,
  };
}

export const ROLE_SESSION: Principal = {
  type: 'AssumedRole',
  accountId: ACCOUNT,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/admin/me` as Arn,
  principalId: 'AROAEXAMPLE:me',
  roleArn: arn('iam', '', ACCOUNT, 'role/admin'),
  roleId: 'AROAEXAMPLE',
  roleName: 'admin',
  sessionName: 'me',
  session: {
    issuedAt: START,
    expiresAt: instant(START + 3_600_000),
    mfaAuthenticated: false,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
  },
};

export const ALLOW_CHIME = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'chime:*', Resource: '*' }] });
export const TRUST_ROOT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' }],
});

/** Principal and time of a call. The defaults are the root user and `START`. */
export interface As {
  readonly principal?: Principal;
  readonly now?: Instant;
}

/** Creates a rig with an empty account. */
export async function iamRig(deps: Partial<IamDeps> = {}, opened?: Store) {
  const store = opened ?? (await openSqlite(':memory:'));
  const vault = openVault([new Uint8Array(32).fill(7)]);
  const operations = iamOperations({ vault, ...deps });

  let offloaded = 0;
  const gate: Gate = (work) => {
    offloaded++;
    return work();
  };

  const callerOf = ({ principal = ROOT }: As): Caller => ({
    principal,
    accountId: principal.accountId,
    region: 'us-east-1',
    profile: 'sdk',
  });
  const parts = {
    gate,
    surveyGate: newGate(1),
    store,
    threads: newAnalysisThreads(ANALYSIS_LIMITS, () => {}),
    reference: authorizationReference,
  };
  const callOf = (
    tx: Tx,
    as: As,
    { offload, survey, analyze }: Pick<Call, 'offload' | 'survey' | 'analyze'> = {
      offload: noOffload,
      survey: noOffload,
      analyze: analyzeAtOnce,
    },
  ): Call => ({
    ...callerOf(as),
    ...workFor(tx, as.now ?? START),
    random: (bytes) => randomBytes(bytes),
    requestId: randomUUID(),
    offload,
    survey,
    analyze,
  });

  return {
    store,
    vault,
    operations,
    callOf,
    /** Runs one operation in its transaction, after its `access`. Every access is allowed. */
    run<Name extends keyof IamApi>(name: Name, input: IamApi[Name]['input'], as: As = {}): Promise<IamApi[Name]['output']> {
      return withOffload(parts, ({ offload, survey, analyzeFor }) =>
        store.transaction(async (tx) => {
          operations[name].access(input as never, callerOf(as));
          return (await operations[name].handle(
            callOf(tx, as, { offload, survey, analyze: analyzeFor(callerOf(as).accountId) }),
            input as never,
          )) as IamApi[Name]['output'];
        }),
      );
    },
    /** Number of computations that ran off the transaction. */
    offloadCount: () => offloaded,
    /** Returns the access that an operation requires, with the values resolved from the store. */
    requiredAccess<Name extends keyof IamApi>(name: Name, input: IamApi[Name]['input'], as: As = {}) {
      return store.transaction(async (tx) => {
        const access = operations[name].access(input as never, callerOf(as)) as Access | readonly Access[];
        const list = Array.isArray(access) ? (access as readonly Access[]) : [access as Access];
        const accesses = [];
        for (const one of list) {
          accesses.push({
            action: one.action,
            resources: one.resolve === undefined ? one.resources : await one.resolve(tx),
            context: Object.fromEntries([...(one.context ?? []), ...((await one.resolveContext?.(tx, as.now ?? START)) ?? [])]),
            tags: one.resourceTags === undefined ? [] : await one.resourceTags(tx),
          });
        }
        return accesses;
      });
    },
    /** Returns the whole identity state as a string, for comparisons. */
    state(): Promise<string> {
      return store.transaction(async (tx) => JSON.stringify(await tx.identity.changesSince(0)));
    },
  };
}
export type IamRig = Awaited<ReturnType<typeof iamRig>>;
