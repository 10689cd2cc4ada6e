import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { PathElement } from '#policy/validate/finding.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { REFERENCE } from './reference.ts';

interface RecordedPolicy {
  readonly policyName: string;
  readonly document: unknown;
  readonly findings: readonly { readonly findingType: string; readonly issueCode: string; readonly paths: readonly Path[] }[];
}
type Path = readonly (string | number)[];

/** Findings of AWS that Belfry does not report, each with the reason. */
const EXPLAINED: Readonly<Record<string, { readonly missing: string; readonly why: string }>> = {
  AWSCodeStarFullAccess: {
    missing: 'ERROR INVALID_ACTION [["Statement",0,"Action",5]]',
    why: 'cloud9:ValidateEnvironmentName is unknown to AWS. Belfry knows the actions of the services that it includes, and only the prefixes of others',
  },
};

const RECORDED = JSON.parse(
  readFileSync(new URL('../cases/recorded/access-analyzer.json', import.meta.url), 'utf8'),
) as readonly RecordedPolicy[];

function plainPath(path: readonly PathElement[]): Path {
  return path.map((element) => {
    if ('value' in element) return element.value;
    if ('key' in element) return element.key;
    if ('index' in element) return element.index;
    throw new Error('the recording has no path to a part of a string');
  });
}

/** Returns Belfry's findings as strings, in the form in which the test formats the recorded findings. */
function found(document: unknown): readonly string[] {
  return validatePolicy(JSON.stringify(document), 'identity', REFERENCE).map(
    ({ findingType, issueCode, locations }) =>
      `${findingType} ${issueCode} ${JSON.stringify(locations.map(({ path }) => plainPath(path)))}`,
  );
}

for (const { policyName, document, findings } of RECORDED) {
  test(`ValidatePolicy: ${policyName} has the findings that AWS reported`, () => {
    const recorded = findings.map(({ findingType, issueCode, paths }) => `${findingType} ${issueCode} ${JSON.stringify(paths)}`);
    const explained = EXPLAINED[policyName]?.missing;
    assert.deepEqual([...found(document)].sort(), recorded.filter((finding) => finding !== explained).sort());
  });
}

/**
 * Recorded: the messages of some of these findings, and the last element of the path to the first location.
 * Source: github.com/zoph-io/MAMIP, the files of these policies in `findings`, read in 2026.
 */
// biome-ignore format: a table
const DETAILS: readonly (readonly [policyName: string, issueCode: string, end: PathElement, details: readonly string[]])[] = [
  ['AIOpsAssistantPolicy',         'TYPE_MISMATCH', { key: 'aws:ViaAWSService' }, ['Use the operator type Boolean instead of operator string for the condition key aws:ViaAWSService.']],
  ['AIOpsAssistantPolicy',         'REDUNDANT_RESOURCE', { index: 1 }, [
    'The 7 resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*), or remove the resource arn:aws:apigateway:*::/restapis/*/resources/*/methods/*/integrations/* to remove the redundancy.',
    'The 7 resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*), or remove the resource arn:aws:apigateway:*::/apis/*/integrations/* to remove the redundancy.',
  ]],
  ['AmazonRedshiftAllCommandsFullAccess', 'REDUNDANT_RESOURCE', { index: 0 }, [
    'The 4 resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*), or remove the resource arn:aws:s3:::redshift-downloads/* to remove the redundancy.',
    'The 2 resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*), or remove the resource arn:aws:dynamodb:*:*:table/*redshift*/index/* to remove the redundancy.',
  ]],
  ['AmazonSageMakerServiceCatalogProductsCodeBuildServiceRolePolicy', 'REDUNDANT_ACTION', { index: 4 }, ['The 2 action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: ecr:DescribeImageReplicationStatus.']],
  ['AWSBatchFullAccess',           'REDUNDANT_ACTION', { index: 9 }, ['The 2 action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: ecs:DescribeClusters.']],
  ['AWSCloud9Administrator',       'EQUIVALENT_TO_NULL_FALSE', { value: 'ssm:resourceTag/aws:cloud9:environment' }, ['We recommend replacing the key ssm:resourceTag/aws:cloud9:environment in the condition block of StringLike with {ssm:resourceTag/aws:cloud9:environment: false} to ensure better enforcement of the condition.']],
  ['AmazonDynamoDBFullAccesswithDataPipeline', 'PASS_ROLE_WITH_STAR_IN_RESOURCE', { index: 1 }, ['Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows iam:PassRole permissions on multiple resources. We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement.']],
  ['S3UnlockBucketPolicy',         'STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS', { key: 'aws:PrincipalArn' }, ['Use the operator type ARN, String instead of operator string for the condition key aws:PrincipalArn.']],
];

for (const [policyName, issueCode, end, details] of DETAILS) {
  test(`ValidatePolicy: ${policyName} has the messages of ${issueCode} that AWS reported`, () => {
    const { document } = RECORDED.find((one) => one.policyName === policyName) as RecordedPolicy;
    const findings = validatePolicy(JSON.stringify(document), 'identity', REFERENCE).filter((finding) => finding.issueCode === issueCode);
    assert.deepEqual(
      findings.map(({ findingDetails }) => findingDetails),
      details,
    );
    assert.deepEqual(findings[0]?.locations[0]?.path.at(-1), end);
  });
}

/**
 * Recorded: AWS CLI, examples of `accessanalyzer validate-policy`: the response to this policy with `--policy-type RESOURCE_POLICY`.
 */
const TRUST_TEXT = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "",
            "Effect": "Allow",
            "Principal": {
                "Federated": "cognito-identity.amazonaws.com"
            },
            "Action": [
                "sts:AssumeRole",
                "sts:TagSession"
            ],
            "Condition": {
                "StringEquals": {
                    "cognito-identity.amazonaws.com:aud": "us-west-2_EXAMPLE"
                }
            }
        }
    ]
}`;

test('ValidatePolicy: a trust policy without a resource type has the findings of the AWS CLI example', () => {
  const findings = validatePolicy(TRUST_TEXT, 'resource', REFERENCE);
  assert.deepEqual(
    findings.map(({ findingType, issueCode, findingDetails, locations }) => [
      findingType,
      issueCode,
      findingDetails,
      locations.map(({ path, span }) => [plainPath(path).join(' '), span.start.line, span.start.column, span.end.column]),
    ]),
    [
      ['SUGGESTION', 'EMPTY_SID_VALUE', 'Add a value to the empty string in the Sid element.', [['Statement 0 Sid', 5, 19, 21]]],
      [
        'ERROR',
        'MISMATCHED_ACTION_FOR_PRINCIPAL',
        'The sts:AssumeRole action is invalid with the following principal(s): cognito-identity.amazonaws.com. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options.',
        [
          ['Statement 0 Action 0', 11, 16, 32],
          ['Statement 0 Principal Federated', 8, 29, 61],
        ],
      ],
      [
        'ERROR',
        'UNSUPPORTED_ACTION_FOR_CONDITION_KEY',
        'The following actions: sts:TagSession are not supported by the condition key cognito-identity.amazonaws.com:aud. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key.',
        [
          ['Statement 0 Action 1', 12, 16, 32],
          ['Statement 0 Condition StringEquals cognito-identity.amazonaws.com:aud', 16, 58, 77],
        ],
      ],
    ],
  );
});

test('ValidatePolicy: EXPLAINED lists at most 3 findings, and each of these findings is in the recording', () => {
  const missing = Object.values(EXPLAINED).map((explained) => explained.missing);
  const all = RECORDED.flatMap(({ findings }) =>
    findings.map((finding) => `${finding.findingType} ${finding.issueCode} ${JSON.stringify(finding.paths)}`),
  );
  assert.ok(missing.length <= 3);
  assert.deepEqual(
    missing.filter((finding) => !all.includes(finding)),
    [],
  );
});
