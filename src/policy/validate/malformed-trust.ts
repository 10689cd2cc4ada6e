import { tryCompilePolicy } from '../compile.ts';
import type { PolicyDocument, PrincipalNode, StatementNode } from '../document.ts';
import type { ReadProblem } from '../read.ts';
import { conditionIsKnown, datesAreDates } from './malformed-condition.ts';
import {
  actionProblem,
  failsLegacyParsing,
  invalidPrincipalText,
  PRINCIPAL_TYPES,
  type PrincipalElementType,
  principalProblem,
  resourceProblem,
} from './malformed-values.ts';

const SYNTAX = 'Syntax error in policy.';

/** Actions that a role trust policy can contain. IAM rejects `sts:*` and `*`. Source: service authorization reference, `sts`. */
const TRUST_ACTIONS = /^sts:(AssumeRole[A-Za-z*?]*|TagSession|SetSourceIdentity|SetContext)$/i;

/**
 * Returns IAM's message if a role trust policy or resource policy is malformed, or `undefined` if it is valid.
 *
 * Source: versitygw, tests of CreateRole recorded from IAM. Messages about principals: public error reports.
 * Requirement ERR-4.
 * Assumed: IAM checks the elements of a statement in the order of this file, which agrees with those tests.
 */
export function trustProblem(
  document: PolicyDocument | undefined,
  problems: readonly ReadProblem[],
  policyType: 'trust' | 'resource',
): string | undefined {
  if (document === undefined) return 'This policy contains invalid Json';
  for (const { kind, element } of problems) {
    if (kind === 'repeated-name' || kind === 'character') return 'This policy contains invalid Json';
    if (kind === 'missing-statement') return 'Could not parse the policy: Statement is empty!';
    if (kind === 'wrong-type' && (element === 'Principal' || element === 'NotPrincipal')) return 'Principal must be a JSON object.';
  }
  if (problems.length > 0) return SYNTAX;
  const { version, statements } = document;
  if (version !== undefined && version.value !== '2012-10-17' && version.value !== '2008-10-17') {
    return 'The policy must contain a valid version string';
  }
  if (statements.length === 0) return 'Could not parse the policy: Statement is empty!';
  const sids = new Set<string>();
  for (const statement of statements) {
    const problem = statementProblem(statement, policyType);
    if (problem !== undefined) return problem;
    const sid = statement.sid?.value ?? '';
    if (sid !== '' && sids.has(sid)) return 'The Statement Ids in the policy are not unique';
    sids.add(sid);
  }
  return 'policy' in tryCompilePolicy(document.text) ? undefined : SYNTAX;
}

function statementProblem(statement: StatementNode, policyType: 'trust' | 'resource'): string | undefined {
  const { effect, action, notAction, resource, notResource, notPrincipal } = statement;
  if (effect === undefined) return 'Missing required field Effect';
  if (effect.value !== 'Allow' && effect.value !== 'Deny') return `Invalid effect: ${effect.value}`;
  if (notPrincipal !== undefined) {
    if (effect.value === 'Allow') return 'Allow with NotPrincipal is not allowed.';
    if (policyType === 'trust') return 'AssumeRole policy must not contain NotPrincipal field.';
    if (statement.principal !== undefined) return SYNTAX;
  }
  const principal = principalElementProblem(statement.principal ?? notPrincipal, policyType);
  if (principal !== undefined) return principal;
  if (!conditionIsKnown(statement) || !datesAreDates(statement)) return SYNTAX;
  if (action !== undefined && notAction !== undefined) return SYNTAX;
  const actions = (action ?? notAction)?.values ?? [];
  if (actions.length === 0) return 'Missing required field Action';
  if (policyType === 'trust') {
    const unscoped = unscopedProvider(statement);
    if (unscoped !== undefined) return unscopedMessage(unscoped);
    if (!actions.every(({ value }) => TRUST_ACTIONS.test(value))) return 'AssumeRole policy may only specify STS AssumeRole actions.';
    if (resource !== undefined) return 'Has prohibited field Resource';
    return notResource === undefined ? undefined : 'AssumeRole policy must not contain resources.';
  }
  for (const { value } of actions) {
    const problem = actionProblem(value);
    if (problem !== undefined) return problem;
  }
  if (resource !== undefined && notResource !== undefined) return SYNTAX;
  const resources = (resource ?? notResource)?.values ?? [];
  if (resources.length === 0) return 'Missing required field Resource';
  for (const { value } of resources) {
    const problem = failsLegacyParsing(value) ? SYNTAX : resourceProblem(value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function principalElementProblem(principal: PrincipalNode | undefined, policyType: 'trust' | 'resource'): string | undefined {
  if (principal === undefined) return 'Missing required field Principal';
  if (principal.anyone) {
    // Recorded: reports by the authors of the CDK. CreateRole rejects a bare `*`, although the IAM User Guide says that
    // it equals {"AWS": "*"}.
    return policyType === 'trust' ? 'AssumeRolepolicy contained an invalid principal: "STAR":"*".' : undefined;
  }
  if (principal.entries.every(({ values }) => values.length === 0)) return 'Missing required field Principal cannot be empty!';
  for (const { key, values } of principal.entries) {
    const type = key.value;
    if (!isPrincipalType(type)) return `Invalid principal in policy: "${type}"`;
    for (const { value } of values) {
      // `"AWS": "*"` is valid, because the caller's account must also allow the call. For services and providers, `*`
      // is invalid, because it would trust every service or provider.
      const problem = value === '*' && type !== 'AWS' ? invalidPrincipalText(type, value) : principalProblem(type, value);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function isPrincipalType(text: string): text is PrincipalElementType {
  return (PRINCIPAL_TYPES as readonly string[]).includes(text);
}

const GITHUB = 'token.actions.githubusercontent.com';
const SCOPING = ['StringEquals', 'StringLike', 'StringEqualsIgnoreCase'];

/**
 * Returns the ARN of GitHub's provider if a statement trusts it without a condition that names a repository.
 *
 * All GitHub users share this provider, so an unscoped statement trusts every repository.
 *
 * Source: public reports that CreateRole rejects `*` for GitHub, and accepts `repo:*`. Other shared providers: IAM User
 * Guide, "Identity-provider controls for shared OIDC providers".
 * Assumed: the check applies only to GitHub. The messages for other providers are unknown, and ValidatePolicy warns about them.
 */
function unscopedProvider({ effect, principal, condition }: StatementNode): string | undefined {
  if (effect?.value !== 'Allow') return undefined;
  const values = principal?.entries.filter(({ key }) => key.value === 'Federated').flatMap((entry) => entry.values) ?? [];
  const provider = values.find(({ value }) => value.endsWith(`:oidc-provider/${GITHUB}`))?.value;
  if (provider === undefined) return undefined;
  const scoped = condition?.blocks.some(({ operator, tests }) => {
    const base = SCOPING.find((name) => name.toLowerCase() === operator.value.toLowerCase().replace(/^for(all|any)values?:/, ''));
    const claims = tests.filter(({ key }) => CLAIMS.includes(key.value.toLowerCase()));
    return (
      base !== undefined && claims.some((claim) => claim.values.length > 0 && claim.values.every(({ value }) => !/^[*?]*$/.test(value)))
    );
  });
  return scoped === true ? undefined : provider;
}

const CLAIMS: readonly string[] = [`${GITHUB}:sub`, `${GITHUB}:job_workflow_ref`];

function unscopedMessage(provider: string): string {
  return `Trust policy with trusted principal ${provider} must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, ${CLAIMS.join(' or ')} which is not scoped to all.`;
}
