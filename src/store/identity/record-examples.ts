/** Test kit: one example of each kind of identity record, with all members, and a function that creates changes. */
import type { AccountId, Arn } from '#core/arn.ts';
import { ALICE, BOB, NOON } from '../conformance-fixtures.ts';
import type { IdentityChange, IdentityKind, IdentityRecords } from './identity.ts';
import { textOf } from './record-parts.ts';

const arnOf = (resource: string): Arn => `arn:aws:iam::${ALICE}:${resource}` as Arn;
const common = (resource: string) => ({ accountId: ALICE, arn: arnOf(resource), path: '/', createdAt: NOON });
const holder = { attachedPolicyArns: [arnOf('policy/read')], inlinePolicies: { inline: '{"Version":"2012-10-17"}' } };
const tags = [{ key: 'team', value: 'blau "é" \\' }];
const target = { attachedPolicyIds: ['p-FullAWSAccess'], attachedIn: 2, tags };

export const EXAMPLES: { readonly [Kind in IdentityKind]: IdentityRecords[Kind] } = {
  account: { accountId: ALICE, name: 'main', email: 'a@b.example', alias: 'main', createdAt: NOON, mfaSerialNumbers: ['root'] },
  user: {
    ...common('user/ada'),
    ...holder,
    userName: 'ada',
    userId: 'AIDAADA',
    tags,
    groupIds: ['AGPAMAKERS'],
    accessKeyIds: ['AKIAEXAMPLE'],
    permissionsBoundaryArn: arnOf('policy/boundary'),
    mfaSerialNumbers: [arnOf('mfa/ada')],
    passwordLastUsedAt: NOON,
    loginProfile: { passwordHash: 'h', earlierHashes: ['g'], createdAt: NOON, changedAt: NOON, resetRequired: false },
  },
  group: { ...common('group/makers'), ...holder, groupName: 'makers', groupId: 'AGPAMAKERS' },
  role: {
    ...common('role/admin'),
    ...holder,
    roleName: 'admin',
    roleId: 'AROAADMIN',
    trustPolicy: '{"Version":"2012-10-17"}',
    trustPrincipals: { AIDAADA: ALICE },
    description: 'all',
    maxSessionSeconds: 3600,
    tags,
    permissionsBoundaryArn: arnOf('policy/boundary'),
    linkedService: 'voiceconnector.chime.amazonaws.com',
  },
  policy: {
    ...common('policy/read'),
    policyName: 'read',
    policyId: 'ANPAREAD',
    description: 'reads',
    defaultVersionId: 'v1',
    nextVersion: 2,
    versions: [{ versionId: 'v1', document: '{"Version":"2012-10-17"}', createdAt: NOON }],
    tags,
    updatedAt: NOON,
  },
  'access-key': {
    accountId: ALICE,
    accessKeyId: 'AKIAEXAMPLE',
    userName: 'ada',
    sealedSecret: 'sealed',
    status: 'Active',
    createdAt: NOON,
  },
  'root-access-key': { accountId: ALICE },
  attachment: { accountId: ALICE },
  'mfa-device': {
    accountId: ALICE,
    serialNumber: arnOf('mfa/ada'),
    sealedSeed: 'sealed',
    createdAt: NOON,
    owner: { type: 'IAMUser', userName: 'ada' },
    enabledAt: NOON,
    lastStep: 7,
    drift: 1,
    tags,
  },
  'saml-provider': {
    accountId: ALICE,
    arn: arnOf('saml-provider/okta'),
    name: 'okta',
    uuid: 'SAMLPOKTA',
    metadata: '<EntityDescriptor/>',
    createdAt: NOON,
    validUntil: NOON,
    tags,
  },
  'oidc-provider': {
    accountId: ALICE,
    arn: arnOf('oidc-provider/issuer.example'),
    url: 'issuer.example',
    clientIds: ['client'],
    thumbprints: ['a'.repeat(40)],
    createdAt: NOON,
    tags,
  },
  'person-sign-in': { accountId: ALICE, userId: 'u-1', createdAt: NOON },
  'deletion-task': {
    accountId: ALICE,
    taskId: 'task/1',
    roleName: 'admin',
    roleId: 'AROAADMIN',
    askedAt: NOON,
    status: 'FAILED',
    reason: 'in use',
    usage: [{ region: 'us-east-1', resources: ['a'] }],
  },
  'unique-id': { accountId: ALICE, kind: 'user', key: 'ada' },
  membership: { accountId: ALICE },
  organization: {
    accountId: ALICE,
    organizationId: 'o-example',
    featureSet: 'ALL',
    createdAt: NOON,
    serviceControl: 'enabled',
    attachmentPeriod: 2,
    root: { rootId: 'r-root', ...target },
    serviceAccess: { 'access-analyzer.amazonaws.com': NOON },
    trailAdministrators: { '222222222222': NOON },
  },
  'organization-member': { accountId: BOB, managementAccountId: ALICE },
  'organization-account': {
    accountId: ALICE,
    memberId: BOB,
    parentId: 'r-root',
    joinedAt: NOON,
    joinedMethod: 'CREATED',
    status: 'ACTIVE',
    ...target,
  },
  'organizational-unit': { accountId: ALICE, unitId: 'ou-1', name: 'unit', parentId: 'r-root', createdAt: NOON, ...target },
  'service-control-policy': { accountId: ALICE, policyId: 'p-1', name: 'deny', description: 'denies', content: '{}', tags },
  'account-creation': {
    accountId: ALICE,
    requestId: 'car-1',
    accountName: 'new',
    requestedAt: NOON,
    outcome: { state: 'SUCCEEDED', accountId: BOB as AccountId },
  },
  handshake: {
    accountId: ALICE,
    handshakeId: 'h-1',
    organizationId: 'o-example',
    invitedId: BOB,
    state: 'OPEN',
    requestedAt: NOON,
    expiresAt: NOON,
    notes: 'join',
    tags,
  },
  'open-handshake': { accountId: ALICE },
  invitation: { accountId: BOB, managementAccountId: ALICE },
};

/** Returns the change that adds or replaces `record`, in the form in which the store returns changes. */
export function changeTo<Kind extends IdentityKind>({
  record,
  ...change
}: Omit<IdentityChange<Kind>, 'text'> & { readonly record: IdentityRecords[Kind] }): IdentityChange<Kind> {
  return { ...change, text: textOf(change.kind, record) };
}
