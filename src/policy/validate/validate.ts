import { compileSteps } from '../compile.ts';
import type { PolicyType } from '../decision.ts';
import type { PolicyDocument, Position } from '../document.ts';
import { type ReadPolicy, type ReadProblem, readPolicy } from '../read.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { type Finding, fillIn, type Issue, type Location, learnMoreLink } from './finding.ts';
import { ISSUES, type IssueCode } from './issues.ts';
import type { AuthorizationReference } from './reference.ts';
import type { Hit, Rule } from './rule.ts';
import { ACTION_RULES } from './rules-action.ts';
import { CONDITION_RULES } from './rules-condition.ts';
import { DOCUMENT_RULES } from './rules-document.ts';
import { FEDERATION_RULES } from './rules-federation.ts';
import { PERMISSION_RULES } from './rules-permission.ts';
import { PRINCIPAL_RULES } from './rules-principal.ts';
import { RESOURCE_RULES } from './rules-resource.ts';
import { VALUE_RULES } from './rules-value.ts';
import { VARIABLE_RULES } from './rules-variable.ts';
import { locationOf, type Place, pathTo, viewOf } from './view.ts';

/** All rules, in the order of their findings. */
export const RULES: readonly Rule[] = [
  ...DOCUMENT_RULES,
  ...PRINCIPAL_RULES,
  ...FEDERATION_RULES,
  ...ACTION_RULES,
  ...RESOURCE_RULES,
  ...CONDITION_RULES,
  ...VALUE_RULES,
  ...VARIABLE_RULES,
  ...PERMISSION_RULES,
];

/**
 * Validates a policy text and returns its findings, ordered by rule and then by place.
 * An invalid text is a finding and not an error.
 *
 * For invalid JSON, the only finding is the syntax error.
 * Limits: stops after 1,000 findings, and reports at most 50 places per finding.
 *
 * @throws StepsExceeded  the rules need more steps than the budget has
 * Source: IAM Access Analyzer API, ValidatePolicy.
 */
export function validatePolicy(
  text: string,
  policyType: PolicyType,
  reference: AuthorizationReference,
  budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): readonly Finding[] {
  takeSteps(budget, compileSteps(text));
  const read = readPolicy(text);
  const findings = read.problems.flatMap((problem) => problemFinding(problem, read));
  const { document } = read;
  if (document === undefined) return findings;
  const validatedAs = policyType === 'resource' && isTrustPolicy(document) ? 'trust' : policyType;
  const view = viewOf(document, validatedAs, reference, budget);
  for (const { code, policyTypes, find } of RULES) {
    if (!policyTypes.includes(validatedAs)) continue;
    takeSteps(budget, 1 + (text.length >> 3));
    for (const hit of find(view)) {
      if (findings.length >= FINDINGS_MAX) return findings;
      takeSteps(budget, stepsOf(hit));
      findings.push(hitFinding(code, hit, document.lineStarts));
    }
  }
  return findings;
}

/**
 * Reports whether a resource policy can only be the trust policy of a role. In such a policy, every action belongs to
 * STS, and no statement has a resource.
 *
 * Recorded: in the examples of validate-policy in the AWS CLI, a trust policy without a resource type has no
 * MISSING_RESOURCE finding.
 */
function isTrustPolicy({ statements }: PolicyDocument): boolean {
  return (
    statements.length > 0 &&
    statements.every(
      ({ action, resource, notResource }) =>
        resource === undefined &&
        notResource === undefined &&
        action !== undefined &&
        action.values.length > 0 &&
        action.values.every(({ value }) => value.toLowerCase().startsWith('sts:')),
    )
  );
}

/** Cost in steps of one character of a finding. Includes the cost of sending the character. */
const STEPS_OF_CHARACTER = 64;

/** Returns the cost of creating and sending a finding, in steps. */
function stepsOf({ at, parts = [] }: Hit): number {
  const places = Array.isArray(at) ? (at as readonly Place[]).slice(0, LOCATIONS_MAX) : [at as Place];
  let characters = 0;
  for (const part of parts) characters += part.length;
  // The path of a place has the names of its elements, which can be as long as the policy.
  for (const { path } of places) {
    for (const element of path) characters += 'value' in element ? element.value.length : 'key' in element ? element.key.length : 0;
  }
  return 100 + places.length * 400 + characters * STEPS_OF_CHARACTER;
}

const FINDINGS_MAX = 1000;

/** Maximum number of places in one finding. Bounds the size of a finding about many repeated statements. */
const LOCATIONS_MAX = 50;

function hitFinding(code: IssueCode, { at, parts = [] }: Hit, lineStarts: readonly number[]): Finding {
  const places = Array.isArray(at) ? (at as readonly Place[]) : [at as Place];
  return finding(
    code,
    parts,
    places.slice(0, LOCATIONS_MAX).map((place) => locationOf(place, lineStarts)),
  );
}

function finding(code: IssueCode, parts: readonly string[], locations: readonly Location[]): Finding {
  const { type, details, listedAs }: Issue = ISSUES[code];
  return {
    findingType: type,
    issueCode: code,
    findingDetails: fillIn(details, parts),
    learnMoreLink: learnMoreLink(code, listedAs ?? type),
    locations,
  };
}

/** Converts a problem of the parser to findings. Returns an empty list if a rule reports the problem with more detail. */
function problemFinding(problem: ReadProblem, { document }: ReadPolicy): Finding[] {
  const { start, end } = problem;
  const path = document === undefined ? [] : pathTo(document.root, { start: start.offset, end: end.offset });
  const at = [{ path, span: { start, end } }];
  switch (problem.kind) {
    case 'syntax':
    case 'size':
    case 'depth':
    case 'character':
    case 'repeated-name':
      return [finding('JSON_SYNTAX_ERROR', positionParts(problem.start), at)];
    case 'unknown-element':
      return [finding('INVALID_POLICY_ELEMENT', [problem.element ?? ''], at)];
    case 'wrong-type':
      // INVALID_PRINCIPAL_FORMAT reports a principal that is a string.
      if (problem.element === 'Principal' || problem.element === 'NotPrincipal') return [];
      return [finding('DATA_TYPE_MISMATCH', [expectedType(problem.element)], at)];
    case 'missing-statement':
      return document === undefined ? [finding('MISSING_STATEMENT', [], at)] : [];
  }
}

function positionParts({ offset, line, column }: Position): readonly string[] {
  return [String(offset), String(line), String(column)];
}

function expectedType(element: string | undefined): string {
  return element === undefined || element === 'Statement' || element === 'Condition' ? 'Object' : 'String';
}
