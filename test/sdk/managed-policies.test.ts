import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CHIME_SERVICES } from '#model/services.ts';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { managed } from '../kit/policy.ts';
import { caller, inputFor, type Outcome, operationsOf } from './every-operation.ts';

/** Tests AWS managed policies for Chime with all operations of all Chime services. Unimplemented operations are also authorized. */

/**
 * Actions of AmazonChimeUserManagement that have an operation. The policy has 38 actions.
 * Source: the guide, "Managed policies"; the archive of managed policies `zoph-io/MAMIP`, v8.
 */
const USER_MANAGEMENT: ReadonlySet<string> = new Set([
  'AssociatePhoneNumberWithUser', 'AssociateSigninDelegateGroupsWithAccount', 'BatchSuspendUser', 'BatchUnsuspendUser', 'BatchUpdateUser', 'CreateUser',
  'DisassociatePhoneNumberFromUser', 'DisassociateSigninDelegateGroupsFromAccount', 'GetAccount', 'GetAccountSettings', 'GetPhoneNumber', 'GetUser',
  'GetUserSettings', 'InviteUsers', 'ListAccounts', 'ListPhoneNumbers', 'ListUsers', 'LogoutUser', 'ResetPersonalPIN', 'UpdateAccountSettings',
  'UpdateUser', 'UpdateUserSettings',
]); // biome-ignore format: a list

type Audience = readonly [requirement: string, userName: string, policyName: string | undefined, mayCall: (operation: string) => boolean];

// biome-ignore format: a table
const AUDIENCES: readonly Audience[] = [
  ['EX-2: without a policy there is no access',                    'none',  undefined,                   () => false],
  ['EX-2: AmazonChimeReadOnly allows only reading',         'reader',  'AmazonChimeReadOnly',       (name) => /^(List|Get|Describe)/.test(name) || name === 'SearchAvailablePhoneNumbers'],
  ['EX-5: AmazonChimeUserManagement allows only its actions',  'manager', 'AmazonChimeUserManagement', (name) => USER_MANAGEMENT.has(name)],
  ['IAM-1: AmazonChimeFullAccess allows everything',               'chief',   'AmazonChimeFullAccess',     () => true],
];

const { server, user } = await startAccount();
const keys = new Map<string, Keys>();

before(async () => {
  for (const [, userName, policyName] of AUDIENCES) keys.set(userName, await user(userName, ...(policyName ? [managed(policyName)] : [])));
});

/** Describes how the outcome of a call differs from the expected outcome. Returns `undefined` if it does not differ. */
function fault({ code, status, message }: Outcome, operation: string, may: boolean, classic: boolean): string | undefined {
  if (status === undefined || status >= 500) return `${code} ${status} ${message}`;
  const denied = /is not authorized to perform: chime:/.test(message);
  if (may) return denied ? `denied: ${message}` : undefined;
  if (!denied) return `allowed: ${code} ${message}`;
  const expected = classic ? 'ForbiddenException' : 'AccessDeniedException';
  if (code !== expected || status !== 403) return `${code} ${status}, not ${expected} 403`;
  const denial = `is not authorized to perform: chime:${operation} on resource: `;
  return message.includes(denial) && message.endsWith(` because no identity-based policy allows the chime:${operation} action`)
    ? undefined
    : message;
}

for (const [requirement, userName, , mayCall] of AUDIENCES) {
  for (const service of CHIME_SERVICES) {
    test(`${requirement} (${service})`, async () => {
      const call = caller(service, server.client(keys.get(userName)));
      const faults: string[] = [];
      let called = 0;
      for (const operation of operationsOf(service)) {
        const outcome = await call(operation.name, inputFor(service, operation, server.accountId));
        const found = fault(outcome, operation.name, mayCall(operation.name), service === 'chime');
        if (found !== undefined) faults.push(`${operation.name}: ${found}`);
        called++;
      }
      assert.deepEqual(faults, []);
      assert.ok(called >= 15, `${called} operations`);
    });
  }
}
