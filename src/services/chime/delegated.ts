/** Operations that another AWS account may call for an account whose delegate it is. Decision 0040. */
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import { notFoundMessage } from './stored-accounts.ts';
import { accounts } from './tables/accounts.ts';
import { delegates } from './tables/delegates.ts';

/**
 * Operations of delegates. Each finds its account by `AccountId` before it changes anything.
 *
 * Source: managed policy AmazonChimeUserManagement, "user management access to Amazon Chime Admin Console": its operations that name an account.
 * Assumed: (1) not those on phone numbers, which belong to the AWS account, on groups of shared devices, which may sign in as others, and
 * SubmitSupportRequest, whose mail names the AWS account of the caller. (2) Delegates manage users, and no account, domain, provider or delegate.
 */
export const DELEGATED = [
  'GetAccount',
  'GetAccountSettings',
  'UpdateAccountSettings',
  'ListUsers',
  'GetUser',
  'GetUserByEmail',
  'CreateUser',
  'UpdateUser',
  'BatchUpdateUser',
  'UpdateUserLicenses',
  'InviteUsers',
  'SuspendUsers',
  'ActivateUsers',
  'BatchSuspendUser',
  'BatchUnsuspendUser',
  'ResetPersonalPIN',
  'LogoutUser',
  'GetUserSettings',
  'UpdateUserSettings',
  'ListDomains',
  'GetDomain',
  'ListGroups',
  'ListDelegates',
  'ListAccountUsageReportData',
  'ListMeetingsReportData',
  'GetMeetingDetail',
  'ListMeetingEvents',
  'GetUserActivityReportData',
] as const satisfies readonly (keyof ChimeApi)[];

/**
 * Returns the operations, of which those in `DELEGATED` also admit delegates. For a delegate, the handler runs with the AWS account that owns
 * the account as `accountId`, so it finds the same things as for the owner. `principal` remains the delegate. The delegate's own policies have
 * allowed the operation before. All other operations do not find the account.
 *
 * The trail of the owner gets a copy of the record.
 */
export function admitDelegates<Operations extends { readonly [Name in (typeof DELEGATED)[number]]: object }>(
  operations: Operations,
): Operations {
  const admitted: Record<string, object> = { ...operations };
  for (const name of DELEGATED) admitted[name] = admitting(operations[name] as DeclaredOperation<{ readonly AccountId: string }, unknown>);
  return admitted as Operations;
}

function admitting<Input extends { readonly AccountId: string }, Output>(
  operation: DeclaredOperation<Input, Output>,
): DeclaredOperation<Input, Output> {
  return {
    ...operation,
    async handle(call, input) {
      try {
        return await operation.handle(call, input);
      } catch (thrown) {
        // Most callers own the account. So the delegation is read only if they do not.
        const isUnknown = thrown instanceof AwsError && thrown.message === notFoundMessage('Account', input.AccountId);
        const owner = isUnknown ? await ownerFor(call, input.AccountId) : undefined;
        if (owner === undefined) throw thrown;
        call.actsFor(owner);
        return await operation.handle({ ...call, accountId: owner }, input);
      }
    },
  };
}

/** Returns the AWS account that owns an account, if the caller's AWS account is a delegate of it. Each call reads it, so the end of a delegation takes effect at once. */
async function ownerFor({ tx, accountId }: Pick<Call, 'tx' | 'accountId'>, chimeAccountId: string): Promise<AccountId | undefined> {
  const delegation = await tx.of(delegates).acceptedBy(chimeAccountId, accountId);
  if (delegation === undefined) return undefined;
  const account = await tx.of(accounts).get(delegation.accountId, chimeAccountId);
  return account === undefined || account.disabledAt !== undefined ? undefined : account.accountId;
}
