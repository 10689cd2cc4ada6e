import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { externalAccess } from '#services/accessanalyzer/external/external-access.ts';
import {
  allowedRequests,
  BUCKET,
  conditionHolds,
  includes,
  isOfStranger,
  MEMBER,
  MEMBERS,
  OIDC,
  OIDC_HOST,
  OTHER_ORGANIZATION,
  OUTSIDE,
  OWN,
  OWN_ORGANIZATION,
  PARTNER,
  roleOf,
  SAML,
  sessionOf,
  userIdOf,
  userOf,
  VENDOR,
} from './external-access.ts';

/** Values from which policies are drawn. They are few, so that statements often overlap. */
const some = <Value>(...values: readonly Value[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const NAMES = [OWN, MEMBER, PARTNER, VENDOR].flatMap((id) => [
  id,
  `arn:aws:iam::${id}:root`,
  userOf(id),
  roleOf(id),
  sessionOf(id),
  userIdOf(id),
]);
const ACCOUNTS = [OWN, MEMBER, PARTNER, VENDOR].flatMap((id) => [id, `arn:aws:iam::${id}:root`]);
const federated = some(SAML, OIDC, OIDC_HOST).map((Federated) => ({ Federated }));
const maps = fc.oneof(
  { weight: 4, arbitrary: some(...NAMES).map((AWS) => ({ AWS })) },
  { weight: 2, arbitrary: some(...ACCOUNTS).map((AWS) => ({ AWS })) },
  { weight: 2, arbitrary: federated },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.oneof(fc.constant(['*']), some(...NAMES)), some(SAML, OIDC)).map(([AWS, Federated]) => ({ AWS, Federated })),
  },
  { weight: 1, arbitrary: fc.constant({ Service: ['cloudtrail.amazonaws.com'] }) },
);
const principals = fc.oneof(
  { weight: 3, arbitrary: maps.map((Principal) => ({ Principal })) },
  { weight: 3, arbitrary: fc.constantFrom({ Principal: '*' }, { Principal: { AWS: ['*'] } }) },
  {
    weight: 2,
    arbitrary: fc
      .uniqueArray(fc.constantFrom(...NAMES, ...ACCOUNTS), { minLength: 1, maxLength: 6 })
      .map((AWS) => ({ NotPrincipal: { AWS } })),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(
        federated,
        fc.tuple(some(...ACCOUNTS), federated).map(([AWS, more]) => ({ AWS, ...more })),
      )
      .map((NotPrincipal) => ({ NotPrincipal })),
  },
);

/** Conditions that some request of the world passes and another one does not. */
const ACCOUNT_VALUES = [OWN, MEMBER, PARTNER, VENDOR];
const ORGANIZATIONS = [OWN_ORGANIZATION, OTHER_ORGANIZATION];
const ARNS = [OWN, MEMBER, PARTNER].flatMap((id) => [userOf(id), roleOf(id), `arn:aws:iam::${id}:*`]);
const conditionBlock = (operators: readonly string[], key: string, values: readonly string[]) =>
  fc.tuple(fc.constantFrom(...operators), some(...values)).map(([operator, value]) => ({ [operator]: { [key]: value } }));
const TEXT = ['StringEquals', 'StringEquals', 'StringNotEquals', 'StringEqualsIfExists', 'StringNotEqualsIfExists', 'StringLike'];
const SETS = ['ForAnyValue:StringLike', 'ForAllValues:StringLike', 'ForAnyValue:StringNotLike'];
const hidden = fc.constantFrom({ Bool: { 'aws:SecureTransport': 'true' } }, { Bool: { 'aws:SecureTransport': 'false' } });
const conditions = fc.oneof(
  { weight: 2, arbitrary: conditionBlock(TEXT, 'aws:PrincipalAccount', ACCOUNT_VALUES) },
  { weight: 2, arbitrary: conditionBlock(TEXT, 'aws:PrincipalOrgID', ORGANIZATIONS) },
  { weight: 1, arbitrary: conditionBlock(['StringLike', 'StringNotLike'], 'aws:PrincipalOrgID', ['o-*', 'o-*wn', ...ORGANIZATIONS]) },
  {
    weight: 2,
    arbitrary: conditionBlock(
      SETS,
      'aws:PrincipalOrgPaths',
      ORGANIZATIONS.flatMap((id) => [`${id}/*`, `${id}/r-1/ou-1/`]),
    ),
  },
  {
    weight: 2,
    arbitrary: conditionBlock(['ArnLike', 'ArnNotLike', 'ArnEquals', 'StringLike', 'ArnLikeIfExists'], 'aws:PrincipalArn', [
      ...ARNS,
      'arn:aws:iam::*:role/*',
    ]),
  },
  { weight: 1, arbitrary: conditionBlock(TEXT, 'aws:userid', [userIdOf(PARTNER), userIdOf(OWN), OWN, PARTNER]) },
  {
    weight: 1,
    arbitrary: conditionBlock(['IpAddress', 'NotIpAddress', 'IpAddressIfExists'], 'aws:SourceIp', [
      '203.0.113.0/24',
      '0.0.0.0/0',
      '203.0.113.9',
    ]),
  },
  { weight: 1, arbitrary: conditionBlock(TEXT, 'aws:SourceVpc', ['vpc-1', 'vpc-*']) },
  { weight: 1, arbitrary: conditionBlock(TEXT, 'accounts.google.com:aud', ['aud-1', 'aud-3']) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('true', 'false')
      .chain((value) => conditionBlock(['Bool', 'BoolIfExists'], 'aws:PrincipalIsAWSService', [value])),
  },
  { weight: 1, arbitrary: fc.constantFrom('true', 'false').chain((value) => conditionBlock(['Null'], 'aws:PrincipalOrgID', [value])) },
  { weight: 1, arbitrary: hidden },
);
const condition = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: conditions.map((Condition) => ({ Condition })) },
  { weight: 2, arbitrary: fc.tuple(conditions, conditions).map(([a, b]) => ({ Condition: { ...a, ...b } })) },
);

const TYPES = {
  'AWS::S3::Bucket': {
    policyType: 'resource',
    arn: BUCKET,
    actions: ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:PutBucketTagging', 's3:GetBucketLocation', 's3:DeleteObject'],
    patterns: ['*', 's3:*', 's3:Get*', 's3:*Object', 'S3:GETOBJECT', 's3:GetObject', 's3:PutObject', 's3:ListBucket', 'ec2:*'],
    resources: [BUCKET, `${BUCKET}/a`, `${BUCKET}/b/c`],
    elements: fc.oneof(
      {
        weight: 3,
        arbitrary: some('*', BUCKET, `${BUCKET}/*`, `${BUCKET}*`, `${BUCKET}/b/*`, 'arn:aws:s3:::other/*').map((Resource) => ({
          Resource,
        })),
      },
      { weight: 1, arbitrary: some(BUCKET, `${BUCKET}/*`, `${BUCKET}/b/*`, 'arn:aws:s3:::other').map((NotResource) => ({ NotResource })) },
    ),
  },
  'AWS::IAM::Role': {
    policyType: 'trust',
    arn: `arn:aws:iam::${OWN}:role/analyzed`,
    actions: ['sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:TagSession', 'sts:SetSourceIdentity', 'sts:AssumeRoleWithWebIdentity'],
    patterns: ['*', 'sts:*', 'sts:Assume*', 'sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:TagSession', 'iam:*'],
    resources: [`arn:aws:iam::${OWN}:role/analyzed`],
    elements: fc.constant({}),
  },
} as const;
type ResourceType = keyof typeof TYPES;

const statementOf = (type: ResourceType, conditionOf: fc.Arbitrary<object>) => {
  const { patterns, elements } = TYPES[type];
  const action = fc.oneof(
    { weight: 4, arbitrary: some(...patterns).map((Action) => ({ Action })) },
    { weight: 1, arbitrary: some(...patterns).map((NotAction) => ({ NotAction })) },
  );
  return fc
    .tuple(fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny', 'Deny'), principals, action, elements as fc.Arbitrary<object>, conditionOf)
    .map(([Effect, ...more]): Readonly<Record<string, unknown>> => Object.assign({ Effect }, ...more));
};
const drawnWith = (conditionOf: fc.Arbitrary<object>) =>
  fc.constantFrom<ResourceType>('AWS::S3::Bucket', 'AWS::IAM::Role').chain((resourceType) =>
    fc.record({
      resourceType: fc.constant(resourceType),
      isOrganization: fc.boolean(),
      statements: fc.array(statementOf(resourceType, conditionOf), { minLength: 1, maxLength: 4 }),
    }),
  );
const drawn = drawnWith(condition);
type Drawn = typeof drawn extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns the findings of the analysis, and the requests of outside callers that the engine allows. */
function both({ resourceType, isOrganization, statements }: Drawn) {
  const { policyType, arn, actions, resources } = TYPES[resourceType];
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const trusted: readonly string[] = isOrganization ? [OWN, MEMBER] : [OWN];
  const zone = { accounts: (id: string) => trusted.includes(id), ...(isOrganization && { organizationId: OWN_ORGANIZATION }) };
  const callers = isOrganization ? OUTSIDE : [...OUTSIDE, ...MEMBERS];
  return {
    findings: externalAccess({ resourceType, arn, policy, zone }),
    allowed: allowedRequests(policy, policyType, callers, actions, resources),
  };
}

test('external access: each request that the engine allows has a finding with its principal, action and condition', () => {
  const counts = { found: 0, empty: 0, public: 0 };
  const property = fc.property(drawn, (each) => {
    const { findings, allowed } = both(each);
    for (const request of allowed) {
      const finding = findings.find((one) => includes(one, request) && conditionHolds(one, request));
      assert.ok(
        finding !== undefined,
        `${request.who.title} ${request.action} ${request.resource} ${JSON.stringify([...request.context])}`,
      );
    }
    counts[findings.length > 0 ? 'found' : 'empty'] += 1;
  });
  fc.assert(property, { numRuns: 400 });
  assert.ok(counts.found > 150 && counts.empty > 100, JSON.stringify(counts));
});

test('external access: a request that every principal can send has a public finding', () => {
  let publicPolicies = 0;
  const property = fc.property(drawn, (each) => {
    const { findings, allowed } = both(each);
    if (!allowed.some(isOfStranger)) return;
    publicPolicies += 1;
    assert.ok(findings.some(({ isPublic }) => isPublic));
  });
  fc.assert(property, { numRuns: 400 });
  assert.ok(publicPolicies > 20, `${publicPolicies} public policies`);
});

/** Conditions that findings list, or that some request passes for each principal. */
const listed = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc
      .oneof(
        conditionBlock(['StringEquals', 'StringNotEquals'], 'aws:PrincipalAccount', ACCOUNT_VALUES),
        conditionBlock(['StringEquals'], 'aws:PrincipalOrgID', ORGANIZATIONS),
        conditionBlock(['StringNotEquals'], 'aws:PrincipalOrgID', [OWN_ORGANIZATION]),
        conditionBlock(['ArnLike'], 'aws:PrincipalArn', [OWN, MEMBER, PARTNER].map(userOf)),
        conditionBlock(['StringEquals'], 'aws:SourceVpc', ['vpc-1']),
        conditionBlock(['Bool', 'BoolIfExists'], 'aws:PrincipalIsAWSService', ['true']),
        hidden,
      )
      .map((Condition) => ({ Condition })),
  },
);

/**
 * Policies for which the proofs find every exclusion: at most one Deny. If it has NotPrincipal, no Allow limits its principals with
 * NotPrincipal or a condition.
 */
const simple = drawnWith(listed).map((each): Drawn => {
  const [deny] = each.statements.filter(({ Effect }) => Effect === 'Deny');
  const allows = each.statements.filter(({ Effect }) => Effect === 'Allow');
  const isListed = (allow: object) => !('NotPrincipal' in allow || 'Condition' in allow);
  const others = deny !== undefined && 'NotPrincipal' in deny ? allows.filter(isListed) : allows;
  return { ...each, statements: deny === undefined ? allows : [...others, deny] };
});

/**
 * Reports whether the analysis can report more than a request shows: it does not know the account of a unique ID, and whether
 * the host in a NotPrincipal element is the host of a provider.
 */
function isOverReported({ AWS, Federated }: Readonly<Record<string, string>>, { statements }: Drawn): boolean {
  return AWS?.startsWith('AIDA') === true || (Federated !== undefined && statements.some((one) => 'NotPrincipal' in one));
}

test('external access: a finding without a condition has a request that the engine allows', () => {
  let shown = 0;
  const property = fc.property(simple, (each) => {
    const { findings, allowed } = both(each);
    for (const finding of findings) {
      if (isOverReported(finding.principal, each) || Object.keys(finding.condition).length > 0) continue;
      shown += 1;
      assert.ok(
        allowed.some((request) => includes(finding, request)),
        JSON.stringify(finding),
      );
    }
  });
  fc.assert(property, { numRuns: 400 });
  assert.ok(shown > 100, `${shown} findings`);
});
