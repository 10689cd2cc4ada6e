import { isAccountId, parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Decision, StatementRef } from '../decision.ts';
import {
  type CompiledPolicy,
  decide,
  decideTrust,
  linkStack,
  type PolicyLayers,
  type SourcedPolicy,
  type TrustCaller,
  tryCompilePolicy,
} from '../engine.ts';
import { type Expected, type PolicyText, readTestFile, type TestFile, type TestPrincipal, type TestRequest } from './test-file.ts';

/** Functions that load policies from outside the test file. They return `undefined` if the policy does not exist. */
export interface PolicySources {
  /** Returns the document of a managed policy by its ARN. */
  readonly managed?: (arn: string) => string | undefined;
  /** Returns the text of a policy file by its path, as written in the test file. */
  readonly file?: (path: string) => string | undefined;
}

/** Result of a policy test file. */
export interface PolicyTestReport {
  readonly title: string;
  readonly passed: boolean;
  /** Problems of the file or its policies. If there are any, no request was evaluated. */
  readonly problems: readonly string[];
  readonly requests: readonly RequestReport[];
  /** Statements of all policies of the file, each with the number of requests that it decided. */
  readonly coverage: readonly StatementCoverage[];
}

/** Result of one request of a policy test. */
export interface RequestReport {
  readonly title: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** Number of requests that a statement decided. */
export interface StatementCoverage {
  readonly policy: string;
  /** Index of the statement in its policy, from 0. */
  readonly statement: number;
  readonly sid?: string;
  readonly decided: number;
}

/**
 * Runs a policy test. The server's policy engine decides each request with the policies of its principal.
 *
 * Reads nothing except through `sources`. Never throws: `problems` lists the errors in the text.
 */
export function runPolicyTest(fileText: string, sources: PolicySources = {}): PolicyTestReport {
  const read = readTestFile(fileText);
  if ('problems' in read) return { title: 'policy test', passed: false, problems: read.problems, requests: [], coverage: [] };
  const { file } = read;
  const { policies, problems } = compileAll(file, sources);
  if (problems.length > 0) return { title: file.title, passed: false, problems, requests: [], coverage: [] };

  const decided = new Map<string, number>();
  const requests = file.requests.map((request) => runRequest(request, file, policies, decided));
  const coverage = coverageOf(policies, decided);
  const covered = !file.everyStatementDecides || coverage.every((statement) => statement.decided > 0);
  return { title: file.title, passed: covered && requests.every(({ passed }) => passed), problems, requests, coverage };
}

function compileAll(
  { policies }: TestFile,
  sources: PolicySources,
): { readonly policies: ReadonlyMap<string, CompiledPolicy>; readonly problems: readonly string[] } {
  const compiled = new Map<string, CompiledPolicy>();
  const problems: string[] = [];
  for (const [name, written] of policies) {
    const text = textOf(written, sources);
    if (text === undefined) {
      problems.push(`policy '${name}' not found`);
      continue;
    }
    const result = tryCompilePolicy(text);
    if ('policy' in result) compiled.set(name, result.policy);
    else
      for (const { message, start } of result.problems)
        problems.push(`policy '${name}', line ${start.line}, column ${start.column}: ${message}`);
  }
  return { policies: compiled, problems };
}

function textOf(written: PolicyText, { managed, file }: PolicySources): string | undefined {
  switch (written.kind) {
    case 'document':
      return written.text;
    case 'managed':
      return managed?.(written.arn);
    case 'file':
      return file?.(written.path);
  }
}

function runRequest(
  request: TestRequest,
  { principals }: TestFile,
  policies: ReadonlyMap<string, CompiledPolicy>,
  decided: Map<string, number>,
): RequestReport {
  const principal = principals.get(request.principal) as TestPrincipal;
  const engineRequest = { action: request.action, resources: request.resources, context: contextOf(principal, request) };
  const decision =
    request.trust === undefined
      ? decide(linkStack(layersOf(principal, policies)), engineRequest)
      : trustDecision(request.trust, policies.get(request.trust) as CompiledPolicy, callerOf(principal), engineRequest);
  const by = decidedBy(decision);
  for (const ref of by) count(decided, keyOf(ref.policyId, ref.statement));
  const passed =
    effectMatches(request.expect, decision) &&
    statementMatches(request.by, by) &&
    (request.missing === undefined || missingOf(decision) === request.missing);
  return { title: request.title, passed, expected: describeExpected(request), actual: describe(decision) };
}

function count(decided: Map<string, number>, key: string): void {
  decided.set(key, (decided.get(key) ?? 0) + 1);
}

function keyOf(policy: string, statement: number): string {
  return `${policy}#${statement}`;
}

function layersOf(
  { arn, identity, boundary, session, serviceControl }: TestPrincipal,
  policies: ReadonlyMap<string, CompiledPolicy>,
): PolicyLayers {
  const sourced = (names: readonly string[]): readonly SourcedPolicy[] =>
    names.map((name) => ({ policyId: name, policy: policies.get(name) as CompiledPolicy }));
  return {
    identity: sourced(identity),
    boundary: sourced(boundary),
    ...(session === undefined ? {} : { session: sourced(session) }),
    ...(serviceControl === undefined ? {} : { serviceControl: serviceControl.map(sourced) }),
    ...(arn.endsWith(':root') ? { root: true } : {}),
  };
}

function trustDecision(
  name: string,
  policy: CompiledPolicy,
  caller: TrustCaller,
  request: { action: string; resources: readonly string[]; context: ConditionContext },
): Decision {
  const decision = decideTrust(policy, caller, request);
  const resource = request.resources[0] ?? '*';
  if (decision.effect === 'Allow') return { effect: 'Allow', by: [{ ...decision.by, policyId: name }] };
  if (decision.kind === 'implicit') return { effect: 'Deny', kind: 'implicit', missing: 'trust', resource };
  return { effect: 'Deny', kind: 'explicit', by: { ...decision.by, policyId: name }, policyType: 'trust', resource };
}

/**
 * Converts a principal's ARN to the caller for the evaluation of a trust policy. The ARN of a role session does not
 * contain the role's path, so the caller's `roleArn` has no path.
 */
function callerOf({ arn }: TestPrincipal): TrustCaller {
  if (arn.endsWith('.amazonaws.com')) return { service: arn };
  const parts = parseArn(arn);
  if (parts === undefined || !isAccountId(parts.accountId)) return { federated: arn };
  if (parts.resource.startsWith('saml-provider/') || parts.resource.startsWith('oidc-provider/')) return { federated: arn };
  const [kind, name] = parts.resource.split('/');
  const role = kind === 'assumed-role' ? { roleArn: `arn:${parts.partition}:iam::${parts.accountId}:role/${name}` } : {};
  return { accountId: parts.accountId, arn, ...role };
}

/**
 * Returns the condition context of a request. The context of the request overrides the context of the principal, which
 * overrides the keys that the principal's ARN implies.
 *
 * Source: IAM User Guide, global condition keys of the principal; requirement CTX-1.
 */
function contextOf({ arn, tags, context }: TestPrincipal, request: TestRequest): ConditionContext {
  const all = new Map<string, string | readonly string[]>();
  const parts = parseArn(arn);
  if (parts !== undefined && isAccountId(parts.accountId)) {
    const [kind = '', ...name] = parts.resource.split('/');
    all.set('aws:principalaccount', parts.accountId);
    all.set('aws:principalarn', callerOf({ arn } as TestPrincipal).roleArn ?? arn);
    all.set('aws:principaltype', PRINCIPAL_TYPES[kind] ?? 'User');
    if (kind === 'user') all.set('aws:username', name.at(-1) ?? '');
    if (kind === 'root') all.set('aws:userid', parts.accountId);
  }
  for (const [key, value] of tags) all.set(`aws:principaltag/${key}`, value);
  for (const [key, value] of [...context, ...request.context]) all.set(key, value);
  return all;
}

const PRINCIPAL_TYPES: Readonly<Record<string, string>> = {
  root: 'Account',
  user: 'User',
  role: 'AssumedRole',
  'assumed-role': 'AssumedRole',
  'federated-user': 'FederatedUser',
};

function decidedBy(decision: Decision): readonly StatementRef[] {
  if (decision.effect === 'Allow') return decision.by;
  return decision.kind === 'explicit' ? [decision.by] : [];
}

function missingOf(decision: Decision): string | undefined {
  return decision.effect === 'Deny' && decision.kind === 'implicit' ? decision.missing : undefined;
}

function effectMatches(expected: Expected, decision: Decision): boolean {
  switch (expected) {
    case 'Allow':
    case 'Deny':
      return decision.effect === expected;
    case 'ExplicitDeny':
      return decision.effect === 'Deny' && decision.kind === 'explicit';
    case 'ImplicitDeny':
      return decision.effect === 'Deny' && decision.kind === 'implicit';
  }
}

/** Reports whether `policy`, `policy#2` or `policy#Sid` names one of the deciding statements. */
function statementMatches(by: string | undefined, refs: readonly StatementRef[]): boolean {
  if (by === undefined) return true;
  const [policy, which] = by.split('#');
  return refs.some(
    (ref) => ref.policyId === policy && (which === undefined || which === String(ref.statement) || (which !== '' && which === ref.sid)),
  );
}

function describeExpected({ expect, by, missing }: TestRequest): string {
  return `${expect}${by === undefined ? '' : ` by ${by}`}${missing === undefined ? '' : `, because the ${missing} policies allow nothing`}`;
}

function describe(decision: Decision): string {
  if (decision.effect === 'Allow') return `Allow by ${decision.by.map(nameOf).join(', ') || 'no statement'}`;
  if (decision.kind === 'explicit') return `ExplicitDeny by ${nameOf(decision.by)} (${decision.policyType}) of ${decision.resource}`;
  return `ImplicitDeny, because the ${decision.missing} policies do not allow it on ${decision.resource}`;
}

function nameOf({ policyId, statement, sid }: StatementRef): string {
  return `${policyId}#${sid === undefined || sid === '' ? statement : sid}`;
}

function coverageOf(policies: ReadonlyMap<string, CompiledPolicy>, decided: ReadonlyMap<string, number>): readonly StatementCoverage[] {
  return [...policies].flatMap(([policy, { lowered }]) =>
    lowered.statements.map(({ sid }, statement) => ({
      policy,
      statement,
      ...(sid === undefined || sid === '' ? {} : { sid }),
      decided: decided.get(keyOf(policy, statement)) ?? 0,
    })),
  );
}
