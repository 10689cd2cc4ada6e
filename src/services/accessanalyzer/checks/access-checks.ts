import type { AccessanalyzerApi, AccessCheckPolicyType, AccessCheckResourceType } from '#model/generated/accessanalyzer.ts';
import type { CheckAnswer } from '#policy/analyse/checks.ts';
import type { AskedAs } from '#policy/analyse/search.ts';
import type { Analysis, InvalidPolicy, NamedPolicy } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { SERVICE_OF } from '../external/external-access.ts';
import { AwsError, invalidField } from '../kit/errors.ts';

type Checks = ServiceOperations<AccessanalyzerApi>;

/**
 * Maximum length of an analyzed policy in characters: four times the largest managed policy. Longer policies are
 * rejected, because the work of an analysis grows with the square of the length.
 *
 * Assumed: the number, because AWS does not document the limit of the real service.
 */
const ANALYZED_MAX = 24_576;

/**
 * Maximum number of actions, and also maximum number of resources, in the `access` of a request.
 * Source: IAM Access Analyzer API, Access: 100 actions and 100 resources.
 */
const LISTED_MAX = 100;

/**
 * Checks whether an updated policy allows access that the existing policy does not allow.
 *
 * @throws InvalidParameterException     a document is not a valid policy, or is too long
 * @throws UnprocessableEntityException  the check needs more work than one request may take
 * Source: accessanalyzer 2019-11-01, CheckNoNewAccess.
 */
export const checkNoNewAccess: Checks['CheckNoNewAccess'] = {
  async handle(call, { existingPolicyDocument, newPolicyDocument, policyType }) {
    const existing = named(existingPolicyDocument, 'existingPolicyDocument');
    const updated = named(newPolicyDocument, 'newPolicyDocument');
    return checked(call, { kind: 'new-access', existing, updated, askedAs: askedAs(policyType) });
  },
};

/**
 * Checks whether a policy allows any of the listed access.
 *
 * @throws InvalidParameterException     the document is too long or is not a valid policy; `access` is empty, has too
 *   many actions or resources, or has an invalid action or ARN
 * @throws UnprocessableEntityException  the check needs more work than one request may take
 * Source: accessanalyzer 2019-11-01, CheckAccessNotGranted.
 */
export const checkAccessNotGranted: Checks['CheckAccessNotGranted'] = {
  async handle(call, { policyDocument, access: listed, policyType }) {
    const policy = named(policyDocument, 'policyDocument');
    const [access = {}] = listed;
    const { actions = [], resources = [] } = access;
    if (actions.length + resources.length === 0) throw invalid('Specify at least one action or resource in access.');
    if (actions.length > LISTED_MAX || resources.length > LISTED_MAX)
      throw invalid(`Each element of access can have at most ${LISTED_MAX} actions and ${LISTED_MAX} resources.`);
    for (const action of actions)
      if (action !== '*' && !action.includes(':')) throw invalid(`Invalid action '${action}'. It must be * or have the form service:name.`);
    for (const resource of resources)
      if (resource !== '*' && !resource.startsWith('arn:')) throw invalid(`Invalid resource '${resource}'. It must be * or an ARN.`);
    return checked(call, { kind: 'granted-access', policy, access: { actions, resources }, askedAs: askedAs(policyType) });
  },
};

/**
 * Types of resources for which the check cannot exclude public access.
 *
 * Source: Amazon S3 User Guide, "The meaning of public": a condition on access points does not prevent public access in the
 * policy of an access point. API Gateway Developer Guide, "API Gateway resource policies": resources that are not ARNs.
 */
const UNSUPPORTED: ReadonlySet<AccessCheckResourceType> = new Set([
  'AWS::ApiGateway::RestApi',
  'AWS::S3::AccessPoint',
  'AWS::S3Express::AccessPoint',
  'AWS::S3Outposts::AccessPoint',
]);

/**
 * Checks whether the policy of a resource can allow public access.
 *
 * The check is the same for all types of resources, except that it ignores actions that do not exist for roles and buckets. So
 * it can report access that a service excludes.
 *
 * @throws ValidationException           the check does not support the type
 * @throws InvalidParameterException     the document is too long or is not a valid policy
 * @throws UnprocessableEntityException  the check needs more work than one request may take
 * Source: accessanalyzer 2019-11-01, CheckNoPublicAccess. Assumed: the message of ValidationException.
 */
export const checkNoPublicAccess: Checks['CheckNoPublicAccess'] = {
  async handle(call, { policyDocument, resourceType }) {
    if (UNSUPPORTED.has(resourceType)) throw invalidField('resourceType', `This server cannot check policies of the type ${resourceType}.`);
    const policy = named(policyDocument, 'policyDocument');
    const service = serviceOf(resourceType);
    return checked(call, { kind: 'public-access', policy, resource: service === undefined ? {} : { service } });
  },
};

function serviceOf(resourceType: AccessCheckResourceType): string | undefined {
  if (resourceType === 'AWS::IAM::AssumeRolePolicyDocument') return SERVICE_OF['AWS::IAM::Role'];
  return resourceType === 'AWS::S3::Bucket' ? SERVICE_OF[resourceType] : undefined;
}

function askedAs(policyType: AccessCheckPolicyType): AskedAs {
  return policyType === 'IDENTITY_POLICY' ? 'identity' : 'resource';
}

/**
 * Combines a policy document with the name by which error messages refer to it.
 *
 * @throws AwsError InvalidParameter  the document is too long
 */
function named(text: string, policyId: string): NamedPolicy {
  if (text.length > ANALYZED_MAX) throw invalid(`${policyId} has more than ${ANALYZED_MAX} characters.`);
  return { policyId, text };
}

/**
 * Runs a check.
 *
 * @throws AwsError InvalidParameter  a document is not a valid policy
 * @throws AwsError UnprocessableEntity  the check needs more work than one request may take
 * Source: accessanalyzer 2019-11-01, UnprocessableEntityException: "The specified entity could not be processed."
 * Assumed: the wording of the error messages.
 */
function checked<Kind extends 'new-access' | 'granted-access' | 'public-access'>(
  call: Call,
  analysis: Extract<Analysis, { readonly kind: Kind }>,
): CheckAnswer {
  let outcome: { readonly answer: CheckAnswer } | InvalidPolicy;
  try {
    outcome = call.analyze<Kind>(analysis);
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    throw new AwsError('UnprocessableEntityException', 'The policies are too complex to be analyzed.');
  }
  if ('answer' in outcome) return outcome.answer;
  const { policyId, problem } = outcome.invalid;
  const where = problem === undefined ? '' : ` Line ${problem.start.line}, column ${problem.start.column}: ${problem.message}`;
  throw invalid(`${policyId} is not a valid policy.${where}`);
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}
