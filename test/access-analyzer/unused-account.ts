/**
 * An account with an analyzer for unused access, in a running core whose clock the test sets. The calls use unmodified clients. StartResourceScan
 * analyzes a user or role before it returns. Each test file that imports this module has a core of its own.
 */
import * as aa from '@aws-sdk/client-accessanalyzer';
import { ChimeSDKMeetingsClient, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import * as iam from '@aws-sdk/client-iam';
import { DAY_MS } from '#core/duration.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { policy, trust } from '../kit/policy.ts';
import { startClockCore } from './clock-core.ts';

export const core = await startClockCore();
export const { accountId } = core;
export const PASSWORD = 'Correct-Horse-7';
export const analyzers = () => new aa.AccessAnalyzerClient(core.client());
export const admin = () => new iam.IAMClient(core.client());
export const ofUser = (name: string) => `arn:aws:iam::${accountId}:user/${name}`;
export const ofRole = (name: string) => `arn:aws:iam::${accountId}:role/${name}`;

export const { arn: analyzerArn = '' } = await analyzers().send(
  new aa.CreateAnalyzerCommand({
    ...{ analyzerName: 'unused', type: 'ACCOUNT_UNUSED_ACCESS' },
    configuration: { unusedAccess: { unusedAccessAge: 30, analysisRule: { exclusions: [{ resourceTags: [{ kept: '' }] }] } } },
  }),
);

/** Calls an operation of Chime. It fails, because there is no such meeting. Failed and denied calls are uses, too. */
export const useChime = (keys: Keys) =>
  outcomeOf(
    new ChimeSDKMeetingsClient(core.client(keys)).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' })),
  );

export async function newUser(UserName: string, PolicyDocument?: string): Promise<void> {
  await admin().send(new iam.CreateUserCommand({ UserName }));
  if (PolicyDocument !== undefined) await admin().send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }));
}

export const newKey = async (UserName: string) => keysOf((await admin().send(new iam.CreateAccessKeyCommand({ UserName }))).AccessKey);

export async function newRole(RoleName: string): Promise<void> {
  await admin().send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust(accountId)) }));
}

/** Finding as `[type, status, details]`. */
export type Row = readonly [type: string | undefined, status: string | undefined, details: readonly unknown[]];

/** Analyzes a user or role, and returns its findings by type. */
export async function scanned(resourceArn: string): Promise<readonly Row[]> {
  await analyzers().send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn }));
  return await found(resourceArn);
}

/** Analyzes a user, and returns the finding of unused permissions. The task can find the keys of the user before they are used. */
export async function scannedPermissions(resourceArn: string): Promise<readonly Row[]> {
  return (await scanned(resourceArn)).filter(([type]) => type === 'UnusedPermission');
}

export async function found(resource: string, arn = analyzerArn): Promise<readonly Row[]> {
  const { findings = [] } = await analyzers().send(
    new aa.ListFindingsV2Command({ analyzerArn: arn, filter: { resource: { eq: [resource] } } }),
  );
  const rows: Row[] = [];
  for (const { id, findingType, status } of findings) {
    const { findingDetails = [] } = await analyzers().send(new aa.GetFindingV2Command({ analyzerArn: arn, id }));
    rows.push([findingType, status, findingDetails.map(detailOf)]);
  }
  return rows.toSorted();
}

/** Returns the detail of a finding without its times, and whether it has one. */
function detailOf(details: aa.FindingDetails): unknown {
  const { unusedIamUserAccessKeyDetails: key, unusedPermissionDetails: permission } = details;
  if (key !== undefined) return key.accessKeyId;
  if (permission === undefined) return Object.keys(details)[0];
  return [permission.serviceNamespace, ...(permission.actions ?? []).map(({ action }) => action)].join(' ');
}

export const MONTH = 31 * DAY_MS;
