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

/** Where policies that are not in the file come from; undefined where there is none. */
export interface PolicySources {
  /** A managed policy's document, by its ARN. */
  readonly managed?: (arn: string) => string | undefined;
  /** A file's text, by its path as written. */
  readonly file?: (path: string) => string | undefined;
}

export interface PolicyTestReport {
  readonly title: string;
  readonly passed: boolean;
  /** What is wrong with the file or its policies; no request was tried where there is anything. */
  readonly problems: readonly string[];
  readonly requests: readonly RequestReport[];
  /** Every statement of the policies in the file, with how often it decided. */
  readonly coverage: readonly StatementCoverage[];
}

export interface RequestReport {
  readonly title: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
}

export interface StatementCoverage {
  readonly policy: string;
  /** From 0. */
  readonly statement: number;
  readonly sid?: string;
  readonly decided: number;
}

/**
 * Runs a policy test: every request is decided by the engine that serves, under the policies of its principal.
 *
 * Pure: what it may read is given as `sources`. Never throws; what is wrong with the text is told in `problems`.
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
      problems.push(`The policy ${name} is not found.`);
      continue;
    }
    const result = tryCompilePolicy(text);
    if ('policy' in result) compiled.set(name, result.policy);
    else
      for (const { message, start } of result.problems)
        problems.push(`The policy ${name}, line ${start.line}, column ${start.column}: ${message}`);
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
  const asked = { action: request.action, resources: request.resources, context: contextOf(principal, request) };
  const decision =
    request.trust === undefined
      ? decide(linkStack(layersOf(principal, policies)), asked)
      : trustDecision(request.trust, policies.get(request.trust) as CompiledPolicy, callerOf(principal), asked);
  const by = decidedBy(decision);
  for (const ref of by) count(decided, keyOf(ref.policyId, ref.statement));
  const passed =
    meets(request.expect, decision) &&
    byMeets(request.by, by) &&
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
  asked: { action: string; resources: readonly string[]; context: ConditionContext },
): Decision {
  const answer = decideTrust(policy, caller, asked);
  const resource = asked.resources[0] ?? '*';
  if (answer.effect === 'Allow') return { effect: 'Allow', by: [{ ...answer.by, policyId: name }] };
  if (answer.kind === 'implicit') return { effect: 'Deny', kind: 'implicit', missing: 'trust', resource };
  return { effect: 'Deny', kind: 'explicit', by: { ...answer.by, policyId: name }, policyType: 'trust', resource };
}

/** What the ARN says of the caller. Of a role's session the role is known by its name, without a path. */
function callerOf({ arn }: TestPrincipal): TrustCaller {
  if (arn.endsWith('.amazonaws.com')) return { service: arn };
  const parts = parseArn(arn);
  if (parts === undefined || !isAccountId(parts.accountId)) return { federated: arn };
  if (parts.resource.startsWith('saml-provider/') || parts.resource.startsWith('oidc-provider/')) return { federated: arn };
  const [kind, name] = parts.resource.split('/');
  const role = kind === 'assumed-role' ? { roleArn: `arn:${parts.partition}:iam::${parts.accountId}:role/${name}` } : {};
  return { accountId: parts.accountId, arn, ...role };
}

/** Source: IAM User Guide, global condition keys of the principal; requirement CTX-1. */
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

function meets(expected: Expected, decision: Decision): boolean {
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

/** `policy`, `policy#2` or `policy#Sid`: one of the deciding statements must be meant. */
function byMeets(by: string | undefined, refs: readonly StatementRef[]): boolean {
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
  if (decision.effect === 'Allow') return `Allow by ${decision.by.map(nameOf).join(', ') || 'nobody in particular'}`;
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
