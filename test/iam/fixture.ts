/** Fixture of this folder. Runs IAM operations on a store in memory, without authorization. */

import { openVault } from '#access/vault.ts';
import { arn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { IamApi } from '#model/generated/iam.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from '#server/core/analysis-threads.ts';
import { type Gate, newContacts, newSmallAnalyses, withOffload } from '#server/core/offload.ts';
import { newSurveyGate } from '#server/core/survey-gate.ts';
import type { IamDeps } from '#services/iam/deps.ts';
import { iamOperations } from '#services/iam/operations.ts';
import { ACCOUNT, type As, accessOf, callerOf, OTHER_ACCOUNT, openOperations, roleSession, rootOf } from '#services/kit/fixture.ts';
import { allow, policy, trust } from '../kit/policy.ts';

export { ACCOUNT, type As, callOf, START } from '#services/kit/fixture.ts';

export const ROOT = rootOf(ACCOUNT);
/** Root user of another account. */
export const STRANGER = rootOf(OTHER_ACCOUNT);

/** Returns a user of `ACCOUNT` as the caller of an operation. The user does not exist in the store. */
export function iamUser(userName: string, path = '/'): Principal {
  return {
    type: 'IAMUser',
    accountId: ACCOUNT,
    arn: arn('iam', '', ACCOUNT, `user${path}${userName}`),
    principalId: 'AIDAEXAMPLE',
    userName,
  };
}

/** Session of a role that does not exist in the store. */
export const ROLE_SESSION = roleSession(ACCOUNT, { arn: arn('iam', '', ACCOUNT, 'role/admin'), roleName: 'admin', roleId: 'AROAEXAMPLE' });

export const ALLOW_CHIME = policy(allow('chime:*'));
export const TRUST_ROOT = policy(trust(`arn:aws:iam::${ACCOUNT}:root`));

/** Creates an empty account, and the IAM operations on it. */
export async function openIam(deps: Partial<IamDeps> = {}) {
  const vault = openVault([new Uint8Array(32).fill(7)]);
  const operations = iamOperations({ vault, ...deps });
  const opened = await openOperations<IamApi>(operations);
  let offloaded = 0;
  const gate: Gate = (work) => {
    offloaded++;
    return work();
  };
  const parts = {
    gate,
    contacts: newContacts({ most: 1, mostOfAccount: 1 }),
    surveyGate: newSurveyGate(),
    store: opened.store,
    threads: newAnalysisThreads(ANALYSIS_LIMITS, () => {}),
    smallAnalyses: newSmallAnalyses(),
  };
  return {
    ...opened,
    vault,
    operations,
    /**
     * Calls the `access` function of an operation, then runs the operation.
     * Slow work runs outside the transaction, as on a server.
     */
    run<Name extends keyof IamApi>(name: Name, input: IamApi[Name]['input'], as: As = {}): Promise<IamApi[Name]['output']> {
      return withOffload(parts, async ({ offload, surveyFor, analyzeFor }) => {
        accessOf(operations, name, input, as);
        return await opened.run(name, input, {
          ...as,
          offload,
          survey: surveyFor(callerOf(as).accountId),
          analyze: analyzeFor(callerOf(as).accountId),
        });
      });
    },
    /** Returns the number of computations that ran outside the transaction. */
    offloadCount: () => offloaded,
  };
}

/** IAM operations on one store. */
export type Iam = Awaited<ReturnType<typeof openIam>>;
