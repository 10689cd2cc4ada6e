import { createHash } from 'node:crypto';
import type { AccessanalyzerApi, ValidatePolicyRequest } from '#model/generated/accessanalyzer.ts';
import type { Outcome, ValidationAnalysis } from '#policy/analysis.ts';
import type { PolicyType } from '#policy/decision.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { AwsError, invalidField } from '../kit/errors.ts';

/**
 * Maximum and default number of findings per page.
 *
 * Assumed: both numbers, because neither the model nor the documentation of the service has limits.
 */
const PAGE_MAX = 1000;
const PAGE_DEFAULT = 100;

/**
 * Returns errors, warnings and suggestions for a policy.
 *
 * @throws ValidationException  maxResults is less than one; the token was issued for another policy; the policy needs
 *   more work than one request may take
 * Source: accessanalyzer 2019-11-01, ValidatePolicy.
 * Assumed: the rules for resource policies also apply to resource control policies. Belfry has no rules for resource
 * control policies, because it does not enforce them.
 * Assumed: messages are in English for every locale.
 */
export const validatePolicy: ServiceOperations<AccessanalyzerApi>['ValidatePolicy'] = {
  async handle(call, input) {
    const { policyDocument, maxResults = PAGE_DEFAULT, nextToken } = input;
    if (maxResults < 1) throw invalidField('maxResults', `Invalid maxResults '${maxResults}'. It must be at least 1.`);
    const mark = markOf(input);
    const from = nextToken === undefined ? 0 : placeOf(nextToken, mark);
    const to = from + Math.min(maxResults, PAGE_MAX);
    const { findings, total } = validated(call, { kind: 'validation', text: policyDocument, policyType: policyTypeOf(input), from, to });
    return { findings, ...(to < total ? { nextToken: `${to}.${mark}` } : {}) };
  },
};

/**
 * Runs a validation.
 *
 * @throws AwsError ValidationException  the policy needs more work than one request may take. Assumed: the error and its message.
 */
function validated(call: Call, analysis: ValidationAnalysis): Outcome<'validation'> {
  try {
    return call.analyze<'validation'>(analysis);
  } catch (error) {
    if (error instanceof StepsExceeded)
      throw new AwsError('ValidationException', 'The policy is too complex to be validated.', { reason: 'other' });
    throw error;
  }
}

function policyTypeOf({ policyType, validatePolicyResourceType }: ValidatePolicyRequest): PolicyType {
  switch (policyType) {
    case 'IDENTITY_POLICY':
      return 'identity';
    case 'SERVICE_CONTROL_POLICY':
      return 'service-control';
    case 'RESOURCE_POLICY':
    case 'RESOURCE_CONTROL_POLICY':
      return validatePolicyResourceType === 'AWS::IAM::AssumeRolePolicyDocument' ? 'trust' : 'resource';
  }
}

/**
 * Returns the part of a pagination token that identifies the policy and its type, so that the token is valid only for
 * this policy. The value is a hash and not secret.
 */
function markOf({ policyDocument, policyType, validatePolicyResourceType }: ValidatePolicyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([policyDocument, policyType, validatePolicyResourceType]))
    .digest('base64url')
    .slice(0, 22);
}

function placeOf(token: string, mark: string): number {
  const [place = '', ofPolicy] = token.split('.');
  if (!/^[1-9][0-9]{0,4}$/.test(place) || ofPolicy !== mark) throw invalidField('nextToken', 'Invalid nextToken.');
  return Number(place);
}
