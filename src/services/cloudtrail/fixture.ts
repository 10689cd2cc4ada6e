/** Fixture of the tests in this folder: the operations on a real store in memory, with the buckets that a test names. */
import type { AccountId } from '#core/arn.ts';
import type { CloudtrailApi, CreateTrailRequest } from '#model/generated/cloudtrail.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import { EXAMPLES } from '#store/identity/record-examples.ts';
import type { Store } from '#store/store.ts';
import { ACCOUNT, type As, OTHER_ACCOUNT, openOperations, START } from '../kit/fixture.ts';
import type { BucketRequest, LogBuckets } from './log-buckets.ts';
import type { LogGroups } from './log-groups.ts';
import { cloudtrailOperations } from './operations.ts';
import type { LogTopics } from './topics.ts';

export const BUCKET = 'logs';
/** A bucket whose policy denies everything. */
export const CLOSED_BUCKET = 'closed';

export const REQUEST: CreateTrailRequest = { Name: 'audit', S3BucketName: BUCKET };
export const ARN = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/audit`;

/** Caller in another region. */
export const ELSEWHERE: As = { region: 'eu-west-1' };

/** Log group to which the role `ROLE` may write. The roles `missing`, `distrusting` and `denied` may not. */
export const GROUP = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:trails:*`;
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/ok`;
/** Topic that has no endpoint. */
export const UNKNOWN_TOPIC = 'unknown';

const ROLE_PROBLEMS = { missing: 'no such role', distrusting: 'not trusted', denied: 'denied' } as const;

const LOG_GROUPS: LogGroups = {
  async check(_tx, { logGroupArn, roleArn }) {
    if (logGroupArn !== GROUP) return 'no such group';
    return roleArn === ROLE ? 'ok' : ROLE_PROBLEMS[roleArn.slice(roleArn.lastIndexOf('/') + 1) as keyof typeof ROLE_PROBLEMS];
  },
};

/** Opens the operations. `checked` receives each request to check a bucket. */
export async function openTrails() {
  const checked: BucketRequest[] = [];
  const logBuckets: LogBuckets = {
    async check(_tx, request) {
      checked.push(request);
      if (request.bucket === CLOSED_BUCKET) return 'denied';
      return request.bucket === BUCKET ? 'ok' : 'missing';
    },
  };
  const logTopics: LogTopics = { has: async (_tx, topicArn) => !topicArn.endsWith(`:${UNKNOWN_TOPIC}`) };
  const operations = cloudtrailOperations({ lookupEventsPerSecond: 0, eventHistoryDays: 90, logBuckets, logTopics, logGroups: LOG_GROUPS });
  return { ...(await openOperations<CloudtrailApi>(operations)), operations, checked };
}
export type OpenTrails = Awaited<ReturnType<typeof openTrails>>;

/** Trusted access of CloudTrail to an organization. */
export const TRUSTED = { 'cloudtrail.amazonaws.com': START } as const;

/** Member of the organization that `addOrganization` creates. */
export const MEMBER = OTHER_ACCOUNT;
/** ID of this organization. */
export const ORGANIZATION_ID = EXAMPLES.organization.organizationId;
/** Caller in the member account. */
export const AS_MEMBER: As = { accountId: MEMBER };

/** Creates an organization that `ACCOUNT` manages, with one member. `more` replaces properties of the organization. */
export async function addOrganization(
  store: Store,
  more: Partial<typeof EXAMPLES.organization> = { serviceAccess: TRUSTED },
  members: readonly AccountId[] = [MEMBER],
): Promise<void> {
  const { trailAdministrators: _, serviceAccess: __, ...organization } = EXAMPLES.organization;
  await store.transaction(async (tx) => {
    await tx.identity.put(ACCOUNT, 'organization', ORGANIZATION_KEY, { ...organization, accountId: ACCOUNT, featureSet: 'ALL', ...more });
    for (const memberId of [ACCOUNT, ...members]) {
      await tx.identity.put(memberId, 'organization-member', ORGANIZATION_KEY, { accountId: memberId, managementAccountId: ACCOUNT });
      await tx.identity.put(ACCOUNT, 'organization-account', memberId, {
        ...EXAMPLES['organization-account'],
        accountId: ACCOUNT,
        memberId,
      });
    }
  });
}
