/**
 * Writes as many records of an account and of an organization as the quotas allow. Writes into the store directly, because calling the
 * operations that create the records would take minutes.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { QUOTAS } from '#services/iam/quotas.ts';
import { QUOTAS as ORGANIZATION_QUOTAS } from '#services/organizations/quotas.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Store } from '#store/store.ts';
import { filled } from './worst-analysis-requests.ts';

/** Sizes of the records. The quotas determine the number of records. */
export interface RecordSizes {
  readonly tags: number;
  /** Size of each policy document, as a fraction (0 to 1) of the largest size. */
  readonly documents: number;
  readonly metadata: number;
  /** Number of managed policies of each user, group and role, and number of groups of each user. */
  readonly attachments: number;
  readonly lastUses: number;
}

/** The largest records that the operations accept. */
export const LARGEST: RecordSizes = {
  tags: QUOTAS.TagsPerResource,
  documents: 1,
  metadata: 2_000_000,
  attachments: QUOTAS.PoliciesPerUser,
  lastUses: 5,
};

const AT = instant(Date.UTC(2026, 0, 1));
/** Number of records that one transaction writes. */
const BATCH = 200;

type Entry = { readonly [Kind in IdentityKind]: readonly [Kind, key: string, IdentityRecords[Kind]] }[IdentityKind];

/** Returns the name of an entity, such as `user-00042`. All names have the same length, so that they sort by number. */
export const nameOf = (kind: string, index: number): string => `${kind}-${String(index).padStart(5, '0')}`;

/** Returns the unique ID of a user (AIDA), role (AROA), policy (ANPA) or group (AGPA). */
const uniqueIdOf = (prefix: 'AIDA' | 'AROA' | 'ANPA' | 'AGPA', index: number): string => `${prefix}${String(index).padStart(17, '0')}`;

/**
 * Selects the policies or groups to which the user, group or role with the number `index` refers. Returns `count`
 * numbers below `size`. The first number is always 0. The other numbers continue after the numbers for `index - 1`, so
 * that each number from 1 is used equally often.
 */
function spread(index: number, count: number, size: number): readonly number[] {
  return [0, ...Array.from({ length: count - 1 }, (_, i) => 1 + ((index * (count - 1) + i) % (size - 1)))];
}

function tagsOf(count: number) {
  return Array.from({ length: count }, (_, i) => ({ key: `${i}`.padEnd(128, 'k'), value: 'v'.repeat(256) }));
}

function documentOf(characters: number): string {
  return filled(
    Math.max(characters, 100),
    '{"Version":"2012-10-17","Statement":[',
    ']}',
    () => '{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}',
  );
}

function* entriesOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  yield* policiesOf(accountId, sizes);
  yield* groupsOf(accountId, sizes);
  yield* usersOf(accountId, sizes);
  yield* rolesOf(accountId, sizes);
  yield* providersOf(accountId, sizes);
}

const policyArnOf = (accountId: AccountId, index: number): Arn => arn('iam', '', accountId, `policy/${nameOf('policy', index)}`);

function* attachmentsOf(accountId: AccountId, holder: string, policies: readonly number[], boundary?: number): Iterable<Entry> {
  for (const policy of policies) yield ['attachment', `${policyArnOf(accountId, policy)} ${holder}`, { accountId }];
  if (boundary !== undefined) yield ['attachment', `${policyArnOf(accountId, boundary)} ${holder} boundary`, { accountId }];
}

function* policiesOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const document = documentOf(sizes.documents * QUOTAS.PolicySize);
  for (let i = 0; i < QUOTAS.PoliciesPerAccount; i++) {
    const name = nameOf('policy', i);
    const versions = Array.from({ length: QUOTAS.VersionsPerPolicy }, (_, v) => ({ versionId: `v${v + 1}`, document, createdAt: AT }));
    yield [
      'policy',
      name,
      {
        accountId,
        arn: policyArnOf(accountId, i),
        path: '/',
        createdAt: AT,
        updatedAt: AT,
        policyName: name,
        policyId: uniqueIdOf('ANPA', i),
        defaultVersionId: 'v1',
        nextVersion: QUOTAS.VersionsPerPolicy + 1,
        versions,
        tags: tagsOf(sizes.tags),
      },
    ];
  }
}

function* groupsOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const inlinePolicies = { inline: documentOf(sizes.documents * QUOTAS.GroupPolicySize) };
  for (let i = 0; i < QUOTAS.GroupsPerAccount; i++) {
    const groupName = nameOf('group', i);
    const policies = spread(i, sizes.attachments, QUOTAS.PoliciesPerAccount);
    const attachedPolicyArns = policies.map((policy) => policyArnOf(accountId, policy));
    const common = { accountId, arn: arn('iam', '', accountId, `group/${groupName}`), path: '/', createdAt: AT };
    yield ['unique-id', uniqueIdOf('AGPA', i), { accountId, kind: 'group', key: groupName }];
    yield ['group', groupName, { ...common, groupName, groupId: uniqueIdOf('AGPA', i), attachedPolicyArns, inlinePolicies }];
    yield* attachmentsOf(accountId, `group/${groupName}`, policies);
  }
}

function* usersOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const inlinePolicies = { inline: documentOf(sizes.documents * QUOTAS.UserPolicySize) };
  const tags = tagsOf(sizes.tags);
  for (let i = 0; i < QUOTAS.UsersPerAccount; i++) {
    const userName = nameOf('user', i);
    const userId = uniqueIdOf('AIDA', i);
    const policies = spread(i, sizes.attachments, QUOTAS.PoliciesPerAccount);
    const groupIds = spread(i, sizes.attachments, QUOTAS.GroupsPerAccount).map((group) => uniqueIdOf('AGPA', group));
    const accessKeyIds = Array.from({ length: QUOTAS.AccessKeysPerUser }, (_, key) => `AKIA${String(i * 2 + key).padStart(16, '0')}`);
    const serialNumber = arn('iam', '', accountId, `mfa/${userName}`);
    yield [
      'user',
      userName,
      {
        accountId,
        arn: arn('iam', '', accountId, `user/${userName}`),
        path: '/',
        createdAt: AT,
        userName,
        userId,
        tags,
        groupIds,
        accessKeyIds,
        attachedPolicyArns: policies.map((policy) => policyArnOf(accountId, policy)),
        inlinePolicies,
        permissionsBoundaryArn: policyArnOf(accountId, 1),
        mfaSerialNumbers: [serialNumber],
        loginProfile: { passwordHash: 'h'.repeat(200), createdAt: AT, changedAt: AT, resetRequired: false },
      },
    ];
    yield ['unique-id', userId, { accountId, kind: 'user', key: userName }];
    for (const groupId of groupIds) yield ['membership', `${groupId} ${userName}`, { accountId }];
    for (const accessKeyId of accessKeyIds) {
      yield [
        'access-key',
        accessKeyId,
        { accountId, accessKeyId, userName, sealedSecret: 's'.repeat(120), status: 'Active', createdAt: AT },
      ];
    }
    const owner = { type: 'IAMUser', userName } as const;
    const device = { accountId, serialNumber, sealedSeed: 's'.repeat(160), createdAt: AT, enabledAt: AT, owner, tags };
    yield ['mfa-device', serialNumber.toLowerCase(), device];
    yield* attachmentsOf(accountId, `user/${userName}`, policies, 1);
  }
}

function* rolesOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const inlinePolicies = { inline: documentOf(sizes.documents * QUOTAS.RolePolicySize) };
  for (let i = 0; i < QUOTAS.RolesPerAccount; i++) {
    const roleName = nameOf('role', i);
    const roleId = uniqueIdOf('AROA', i);
    const policies = spread(i, sizes.attachments, QUOTAS.PoliciesPerAccount);
    // A trust policy of 2,048 characters has at most 50 ARNs of users. The stored policy has the unique IDs of the
    // users instead of the ARNs.
    const trusted = Array.from({ length: 50 }, (_, t) => uniqueIdOf('AIDA', (i * 50 + t) % QUOTAS.UsersPerAccount));
    const statement = { Effect: 'Allow', Principal: { AWS: trusted }, Action: 'sts:AssumeRole' };
    yield [
      'role',
      roleName,
      {
        accountId,
        arn: arn('iam', '', accountId, `role/${roleName}`),
        path: '/',
        createdAt: AT,
        roleName,
        roleId,
        trustPolicy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
        trustPrincipals: Object.fromEntries(trusted.map((id) => [id, accountId])),
        maxSessionSeconds: 3600,
        tags: tagsOf(sizes.tags),
        attachedPolicyArns: policies.map((policy) => policyArnOf(accountId, policy)),
        inlinePolicies,
        permissionsBoundaryArn: policyArnOf(accountId, 1),
      },
    ];
    yield ['unique-id', roleId, { accountId, kind: 'role', key: roleName }];
    yield* attachmentsOf(accountId, `role/${roleName}`, policies, 1);
  }
}

function* providersOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const tags = tagsOf(sizes.tags);
  for (let i = 0; i < QUOTAS.SAMLProvidersPerAccount; i++) {
    const name = nameOf('saml', i);
    const common = { accountId, arn: arn('iam', '', accountId, `saml-provider/${name}`), name, uuid: `SAMLP${i}` };
    const metadata = `<EntityDescriptor><X509Certificate/>${' '.repeat(sizes.metadata)}</EntityDescriptor>`;
    yield ['saml-provider', name, { ...common, metadata, createdAt: AT, validUntil: AT, tags }];
  }
  for (let i = 0; i < QUOTAS.OIDCProvidersPerAccount; i++) {
    const url = `${nameOf('oidc', i)}.example`;
    const clientIds = Array.from({ length: QUOTAS.ClientIDsPerProvider }, (_, client) => `${client}`.padEnd(255, 'c'));
    const common = { accountId, arn: arn('iam', '', accountId, `oidc-provider/${url}`), url };
    yield ['oidc-provider', url, { ...common, clientIds, thumbprints: ['a'.repeat(40)], createdAt: AT, tags }];
  }
}

/** Writes entries in several transactions. */
async function write(store: Store, accountId: AccountId, entries: Iterable<Entry>): Promise<void> {
  let batch: Entry[] = [];
  const flush = async (): Promise<void> => {
    const rows = batch;
    batch = [];
    await store.transaction(async ({ identity }) => {
      for (const [kind, key, record] of rows) await identity.put(record.accountId ?? accountId, kind, key, record as never);
    });
  };
  for (const entry of entries) if (batch.push(entry) === BATCH) await flush();
  await flush();
}

/** ID of a GenerateServiceLastAccessedDetails job about a policy that is attached to every user, group and role. */
export const JOB_ID = '00000000-0000-4000-8000-000000000000';

/** Fills an account up to the quotas of IAM. `principalId` is the ID of the principal that may read the job. */
export async function fillAccount(store: Store, accountId: AccountId, principalId: string, sizes: RecordSizes): Promise<void> {
  await write(store, accountId, entriesOf(accountId, sizes));
  const job = { arn: policyArnOf(accountId, 0), granularity: 'ACTION_LEVEL', createdAt: AT, askedBy: principalId };
  await store.transaction(({ idempotency }) =>
    idempotency.put(
      { accountId, region: '', operation: 'iam:GenerateServiceLastAccessedDetails', token: JOB_ID },
      { requestHash: '', answer: JSON.stringify(job), expiresAt: instant(Date.UTC(2100, 0, 1)) },
    ),
  );
  for (let from = 0; from < QUOTAS.UsersPerAccount; from += BATCH) {
    await store.transaction(async ({ lastUses }) => {
      for (let i = from; i < from + BATCH; i++) {
        for (let use = 0; use < sizes.lastUses; use++) {
          const note = { holder: uniqueIdOf('AIDA', i), service: 'chime', action: `Action${use}`, at: AT, region: 'us-east-1' };
          await lastUses.note(accountId, note);
        }
        for (const key of [i * 2, i * 2 + 1]) {
          const holder = `AKIA${String(key).padStart(16, '0')}`;
          await lastUses.note(accountId, { holder, service: 'chime', action: '', at: AT, region: 'us-east-1' });
        }
      }
    });
  }
}

const ROOT_ID = 'r-full';
const unitIdOf = (index: number): string => `ou-full-${String(index).padStart(8, '0')}`;
const scpIdOf = (index: number): string => `p-${String(index).padStart(8, '0')}`;
const memberOf = (index: number): AccountId => String(900_000_000_000 + index) as AccountId;

/** Creates an organization with the management account `accountId`, and fills it up to the quotas of Organizations. */
export async function fillOrganization(store: Store, accountId: AccountId, sizes: RecordSizes): Promise<void> {
  await write(store, accountId, organizationOf(accountId, sizes));
}

function* organizationOf(accountId: AccountId, sizes: RecordSizes): Iterable<Entry> {
  const tags = tagsOf(sizes.tags);
  const organization: OrganizationRecord = {
    accountId,
    organizationId: 'o-fullfullfu',
    featureSet: 'ALL',
    createdAt: AT,
    serviceControl: 'enabled',
    root: { rootId: ROOT_ID, attachedPolicyIds: ['p-FullAWSAccess'], tags },
  };
  yield ['organization', 'organization', organization];
  for (let i = 0; i < ORGANIZATION_QUOTAS.units; i++) {
    const unitId = unitIdOf(i);
    const common = { accountId, unitId, name: nameOf('unit', i), parentId: ROOT_ID, createdAt: AT };
    yield ['organizational-unit', unitId, { ...common, attachedPolicyIds: ['p-FullAWSAccess'], tags }];
  }
  for (let i = 0; i < ORGANIZATION_QUOTAS.policies; i++) {
    const policyId = scpIdOf(i);
    const content = documentOf(sizes.documents * 10_240);
    yield ['service-control-policy', policyId, { accountId, policyId, name: nameOf('scp', i), description: '', content, tags }];
  }
  for (let i = 0; i < ORGANIZATION_QUOTAS.accounts; i++) {
    const memberId = i === 0 ? accountId : memberOf(i);
    if (i > 0) yield ['account', memberId, { accountId: memberId, name: nameOf('account', i), createdAt: AT }];
    yield ['organization-member', 'organization', { accountId: memberId, managementAccountId: accountId }];
    const joined = { joinedAt: AT, joinedMethod: 'CREATED', status: 'ACTIVE' } as const;
    const attachedPolicyIds = ['p-FullAWSAccess', scpIdOf(i % 10)];
    yield ['organization-account', memberId, { accountId, memberId, parentId: ROOT_ID, ...joined, attachedPolicyIds, tags }];
  }
}
