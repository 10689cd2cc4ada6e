import { AwsError } from '#core/aws-error.ts';
import type { AccessCheckPolicyType } from '#model/generated/accessanalyzer.ts';
import { checkAccessNotGranted as accessNotGranted, checkNoNewAccess as noNewAccess } from '#policy/analyse/checks.ts';
import type { AskedAs } from '#policy/analyse/search.ts';
import { type CompiledPolicy, tryCompilePolicy } from '#policy/engine.ts';
import type { OperationTable } from '../table.ts';
import { authorizationReference } from './reference.ts';

type Checks = OperationTable<'accessanalyzer'>;

/**
 * The most characters of a policy that is analysed: four times what IAM stores of one. The work grows with the square of it.
 *
 * Assumed: the service's own limit is not documented.
 */
const ANALYSED_MAX = 24_576;

/** The most actions or resources of one access. Source: IAM Access Analyzer API, Access: 100 each. */
const LISTED_MAX = 100;

/**
 * Says whether an updated policy allows what the existing one does not.
 *
 * @throws InvalidParameterException a document is no policy, or too long to be analysed
 * Source: accessanalyzer 2019-11-01, CheckNoNewAccess.
 */
export const checkNoNewAccess: Checks['CheckNoNewAccess'] = {
  access: () => ({ action: 'access-analyzer:CheckNoNewAccess', resources: ['*'] }),

  async handle(_call, { existingPolicyDocument, newPolicyDocument, policyType }) {
    const existing = policyOf(existingPolicyDocument, 'existingPolicyDocument');
    const updated = policyOf(newPolicyDocument, 'newPolicyDocument');
    return noNewAccess(existing, updated, askedAs(policyType), authorizationReference());
  },
};

/**
 * Says whether a policy allows any of the listed access.
 *
 * @throws InvalidParameterException the document is no policy, or too long to be analysed; the access lists nothing, too much, or what is no action or ARN
 * Source: accessanalyzer 2019-11-01, CheckAccessNotGranted.
 */
export const checkAccessNotGranted: Checks['CheckAccessNotGranted'] = {
  access: () => ({ action: 'access-analyzer:CheckAccessNotGranted', resources: ['*'] }),

  async handle(_call, { policyDocument, access: listed, policyType }) {
    const policy = policyOf(policyDocument, 'policyDocument');
    const [access = {}] = listed;
    const { actions = [], resources = [] } = access;
    if (actions.length + resources.length === 0) throw invalid('Specify at least one action or resource in access.');
    if (actions.length > LISTED_MAX || resources.length > LISTED_MAX)
      throw invalid(`An access lists at most ${LISTED_MAX} actions and ${LISTED_MAX} resources.`);
    for (const action of actions) if (action !== '*' && !action.includes(':')) throw invalid(`The action ${action} is not valid.`);
    for (const resource of resources)
      if (resource !== '*' && !resource.startsWith('arn:')) throw invalid(`The resource ${resource} is not valid.`);
    return accessNotGranted(policy, access, askedAs(policyType), authorizationReference());
  },
};

function askedAs(policyType: AccessCheckPolicyType): AskedAs {
  return policyType === 'IDENTITY_POLICY' ? 'identity' : 'resource';
}

/** Assumed: the texts. */
function policyOf(text: string, name: string): CompiledPolicy {
  if (text.length > ANALYSED_MAX) throw invalid(`The ${name} has more than ${ANALYSED_MAX} characters.`);
  const compiled = tryCompilePolicy(text);
  if ('policy' in compiled) return compiled.policy;
  const [first] = compiled.problems;
  const where = first === undefined ? '' : ` Line ${first.start.line}, column ${first.start.column}: ${first.message}`;
  throw invalid(`The ${name} is not a valid policy.${where}`);
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}
