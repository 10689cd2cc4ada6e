import { tryCompilePolicy } from '../compile.ts';
import type { PolicyType } from '../decision.ts';
import type { PolicyDocument, StatementNode, TextNode } from '../document.ts';
import { type ReadProblem, readPolicy } from '../read.ts';
import { conditionIsKnown, datesAreDates } from './malformed-condition.ts';
import { trustProblem } from './malformed-trust.ts';
import { actionProblem, failsLegacyParsing, resourceProblem } from './malformed-values.ts';

const SYNTAX = 'Syntax errors in policy.';
const LEGACY_PARSING = 'The policy failed legacy parsing';
const SERVICE_CONTROL = 'The provided policy document does not meet the requirements of the specified policy type.';

/**
 * Returns IAM's message for `MalformedPolicyDocument` if a Create or Put operation rejects a policy text. Returns
 * `undefined` if the text is valid.
 *
 * Also rejects every policy that the engine cannot evaluate, even if IAM stores it.
 *
 * `storage` applies to identity policies and boundaries. A managed policy must have version 2012-10-17. An inline
 * policy may have an older version. The default is `managed`.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py, and versitygw, integration tests of PutUserPolicy and CreateRole.
 * The tests of both projects were recorded from IAM and agree. Requirement ERR-4.
 * Assumed: a session policy follows the rules of identity policies, except for the message about invalid JSON.
 * Assumed: an `Id` in an identity policy is valid, as these tests show, although the grammar forbids it (MATCH-5).
 */
export function malformedPolicyText(text: string, policyType: PolicyType, storage: 'managed' | 'inline' = 'managed'): string | undefined {
  const { document, problems } = readPolicy(text);
  switch (policyType) {
    case 'identity':
    case 'boundary':
      return identityProblem(document, problems, storage);
    case 'session':
      if (document === undefined) return 'The policy is not in the valid JSON format.';
      return identityProblem(document, problems, 'inline');
    case 'service-control':
      return identityProblem(document, problems, 'managed') === undefined ? undefined : SERVICE_CONTROL;
    case 'trust':
    case 'resource':
      return trustProblem(document, problems, policyType);
  }
}

/** Checks of an identity policy, in IAM's order. The result is the message of the first check that returns one. */
const CHECKS: readonly ((document: PolicyDocument, storage: 'managed' | 'inline') => string | undefined)[] = [
  (document) => (hasSyntaxErrors(document) ? SYNTAX : undefined),
  ({ version }, storage) =>
    storage === 'managed' && version?.value !== '2012-10-17' ? 'Policy document must be version 2012-10-17 or greater.' : undefined,
  ({ statements }) => (statements.some(failsLegacyParser) ? LEGACY_PARSING : undefined),
  ({ statements }) => (statements.some(namesPrincipal) ? 'Policy document should not specify a principal.' : undefined),
  sidProblem,
  ({ statements }) => (statements.every(hasActions) ? undefined : 'Policy statement must contain actions.'),
  ({ statements }) => first(statements.flatMap(resources), resourceProblem),
  ({ statements }) =>
    first(
      statements.flatMap(({ action }) => action?.values ?? []),
      actionProblem,
    ),
  ({ statements }) =>
    first(
      statements.flatMap(({ notAction }) => notAction?.values ?? []),
      actionProblem,
    ),
  ({ statements }) => (statements.every(hasResources) ? undefined : 'Policy statement must contain resources.'),
  // A policy that the engine cannot compile is never stored. If the engine ignored an invalid statement, it could
  // ignore a Deny.
  ({ text }) => ('policy' in tryCompilePolicy(text) ? undefined : LEGACY_PARSING),
];

function identityProblem(
  document: PolicyDocument | undefined,
  problems: readonly ReadProblem[],
  storage: 'managed' | 'inline',
): string | undefined {
  if (document === undefined || problems.length > 0) return SYNTAX;
  for (const check of CHECKS) {
    const message = check(document, storage);
    if (message !== undefined) return message;
  }
  return undefined;
}

function hasSyntaxErrors({ version, statements }: PolicyDocument): boolean {
  if (version !== undefined && version.value !== '2012-10-17' && version.value !== '2008-10-17') return true;
  return statements.length === 0 || statements.some(statementHasSyntaxErrors);
}

/**
 * Reports whether a statement has a syntax error. Accepts `Effect` in any capitalization, because IAM reports `denY` as
 * an error of the legacy parser. Source: the tests that `malformedPolicyText` lists.
 */
function statementHasSyntaxErrors(statement: StatementNode): boolean {
  const { effect, action, notAction, resource, notResource } = statement;
  const effectName = effect?.value.toLowerCase();
  if (effectName !== 'allow' && effectName !== 'deny') return true;
  if (action !== undefined && notAction !== undefined) return true;
  if (resource !== undefined && notResource !== undefined) return true;
  return !conditionIsKnown(statement);
}

function failsLegacyParser(statement: StatementNode): boolean {
  const effect = statement.effect?.value;
  if (effect !== 'Allow' && effect !== 'Deny') return true;
  if (!datesAreDates(statement)) return true;
  return resources(statement).some(({ value }) => failsLegacyParsing(value));
}

function sidProblem({ statements }: PolicyDocument): string | undefined {
  const seen = new Set<string>();
  let repeated = false;
  for (const { sid } of statements) {
    if (sid === undefined || sid.value === '') continue;
    if (!/^[0-9A-Za-z]*$/.test(sid.value)) {
      return 'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*';
    }
    repeated ||= seen.has(sid.value);
    seen.add(sid.value);
  }
  return repeated ? 'Statement IDs (SID) in a single policy must be unique.' : undefined;
}

function namesPrincipal({ principal, notPrincipal }: StatementNode): boolean {
  return principal !== undefined || notPrincipal !== undefined;
}

function hasActions({ action, notAction }: StatementNode): boolean {
  return ((action ?? notAction)?.values.length ?? 0) > 0;
}

function hasResources({ resource, notResource }: StatementNode): boolean {
  return ((resource ?? notResource)?.values.length ?? 0) > 0;
}

function resources({ resource, notResource }: StatementNode): readonly TextNode[] {
  return (resource ?? notResource)?.values ?? [];
}

function first(values: readonly TextNode[], problem: (value: string) => string | undefined): string | undefined {
  for (const { value } of values) {
    const found = problem(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
