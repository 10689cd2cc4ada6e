/**
 * The file of a policy test (`*.iamtest.json`): policies, principals, requests and their expected decisions. This
 * module parses the format, which docs/policy-tests.md describes. `run.ts` evaluates the requests.
 */
import type { JsonMember, JsonNode, JsonObject } from '../json-text.ts';
import { readJson } from '../read-json.ts';

/** Content of a policy test file. */
export interface TestFile {
  readonly title: string;
  /** Policies by their name in this file. */
  readonly policies: ReadonlyMap<string, PolicyText>;
  readonly principals: ReadonlyMap<string, TestPrincipal>;
  readonly requests: readonly TestRequest[];
  /** Whether the test fails if a statement decides no request. */
  readonly everyStatementDecides: boolean;
}

/** Policy of a test file: a document, the ARN of an AWS managed policy, or the path of a file. */
export type PolicyText =
  | { readonly kind: 'document'; readonly text: string }
  | { readonly kind: 'managed'; readonly arn: string }
  | { readonly kind: 'file'; readonly path: string };

/** Principal of a test file. The lists contain names of `policies`. */
export interface TestPrincipal {
  readonly arn: string;
  readonly identity: readonly string[];
  readonly boundary: readonly string[];
  /** Session policies. Absent if none was passed. */
  readonly session?: readonly string[];
  /** Service control policies: one list for each level, from the organization's root down. */
  readonly serviceControl?: readonly (readonly string[])[];
  readonly tags: ReadonlyMap<string, string>;
  /** Condition context of all requests. Overrides the keys that the ARN implies. */
  readonly context: ReadonlyMap<string, string | readonly string[]>;
}

/** Expected decision. `Deny` accepts both kinds of denial. */
export type Expected = 'Allow' | 'Deny' | 'ExplicitDeny' | 'ImplicitDeny';

/** Request of a test file, with its expected decision. */
export interface TestRequest {
  readonly title: string;
  readonly principal: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  /** Name of a trust or resource policy that decides instead of the principal's policies. */
  readonly trust?: string;
  readonly expect: Expected;
  /** Statement that must decide: `policy`, `policy#2` (from 0) or `policy#Sid`. */
  readonly by?: string;
  /** Policy type whose missing Allow must cause the denial: `identity`, `boundary`, `session`, `service-control`. */
  readonly missing?: string;
}

/** Parsed file, or all its problems, each with its line. */
export type ReadTestFile = { readonly file: TestFile } | { readonly problems: readonly string[] };

/** Reads a test file. An unknown member is a problem, so that a mistyped `contxt` is not ignored. */
export function readTestFile(text: string): ReadTestFile {
  const { root, problems } = readJson(text);
  const found = problems.map(({ message, at }) => `line ${lineOf(text, at)}: ${message}`);
  if (root === undefined || found.length > 0) return { problems: found };
  const reading: Reading = { text, problems: found };
  const file = readRoot(root, reading);
  return found.length > 0 ? { problems: found } : { file };
}

interface Reading {
  readonly text: string;
  readonly problems: string[];
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function addProblem({ text, problems }: Reading, node: { readonly start: number }, message: string): void {
  problems.push(`line ${lineOf(text, node.start)}: ${message}`);
}

type Members = ReadonlyMap<string, JsonNode>;

function membersOf(node: JsonNode, what: string, known: readonly string[] | undefined, reading: Reading): Members {
  if (node.kind !== 'object') {
    addProblem(reading, node, `${what} must be an object`);
    return new Map();
  }
  for (const { name } of node.members) {
    if (known !== undefined && !known.includes(name.value))
      addProblem(reading, name, `${what} has an unknown member '${name.value}' (members: ${known.join(', ')})`);
  }
  return new Map(node.members.map(({ name, value }: JsonMember) => [name.value, value]));
}

function readRoot(root: JsonNode, reading: Reading): TestFile {
  const members = membersOf(root, 'a policy test', ['title', 'policies', 'principals', 'requests', 'everyStatementDecides'], reading);
  const required = (name: string): JsonNode => {
    const node = members.get(name);
    if (node === undefined) addProblem(reading, root, `a policy test requires '${name}'`);
    return node ?? EMPTY;
  };
  const policies = new Map(
    [...membersOf(required('policies'), 'policies', undefined, reading)].map(([name, node]) => [name, readPolicyText(node, reading)]),
  );
  const principals = new Map(
    [...membersOf(required('principals'), 'principals', undefined, reading)].map(([name, node]) => [name, readPrincipal(node, reading)]),
  );
  const requests = items(members.get('requests') ?? EMPTY_LIST, 'requests', reading).map((node, index) =>
    readRequest(node, index, reading),
  );
  if (requests.length === 0) addProblem(reading, root, "a policy test requires at least one request in 'requests'");
  const file: TestFile = {
    title: textOf(members.get('title'), 'title', reading) ?? 'policy test',
    policies,
    principals,
    requests,
    everyStatementDecides: flag(members.get('everyStatementDecides'), reading),
  };
  checkNames(file, root, reading);
  return file;
}

const EMPTY: JsonObject = { kind: 'object', members: [], start: 0, end: 0 };
const EMPTY_LIST: JsonNode = { kind: 'array', items: [], start: 0, end: 0 };

function readPolicyText(node: JsonNode, reading: Reading): PolicyText {
  if (node.kind === 'object') return { kind: 'document', text: reading.text.slice(node.start, node.end) };
  const text = textOf(node, 'a policy', reading) ?? '';
  return text.startsWith('arn:') ? { kind: 'managed', arn: text } : { kind: 'file', path: text };
}

function readPrincipal(node: JsonNode, reading: Reading): TestPrincipal {
  const members = membersOf(node, 'a principal', ['arn', 'identity', 'boundary', 'session', 'serviceControl', 'tags', 'context'], reading);
  const session = members.get('session');
  const serviceControl = members.get('serviceControl');
  return {
    arn: textOf(members.get('arn'), 'arn', reading) ?? 'arn:aws:iam::111122223333:user/tester',
    identity: texts(members.get('identity'), 'identity', reading),
    boundary: texts(members.get('boundary'), 'boundary', reading),
    ...(session === undefined ? {} : { session: texts(session, 'session', reading) }),
    ...(serviceControl === undefined
      ? {}
      : {
          serviceControl: items(serviceControl, 'serviceControl', reading).map((level) =>
            texts(level, 'a level of serviceControl', reading),
          ),
        }),
    tags: new Map([...readContext(members.get('tags'), 'tags', reading)].map(([key, value]) => [key, String(value)])),
    context: readContext(members.get('context'), 'context', reading),
  };
}

const EXPECTED: readonly string[] = ['Allow', 'Deny', 'ExplicitDeny', 'ImplicitDeny'];
const LAYERS: readonly string[] = ['identity', 'boundary', 'session', 'service-control'];

function readRequest(node: JsonNode, index: number, reading: Reading): TestRequest {
  const known = ['title', 'principal', 'action', 'resource', 'context', 'trust', 'expect', 'by', 'missing'];
  const members = membersOf(node, 'a request', known, reading);
  const text = (name: string): string | undefined => textOf(members.get(name), name, reading);
  const required = (name: string): string => {
    if (members.get(name) === undefined) addProblem(reading, node, `a request requires '${name}'`);
    return text(name) ?? '';
  };
  const expect = required('expect');
  const [by, missing, trust] = [text('by'), text('missing'), text('trust')];
  if (expect !== '' && !EXPECTED.includes(expect))
    addProblem(reading, node, `invalid value '${expect}' of 'expect' (values: ${EXPECTED.join(', ')})`);
  if (missing !== undefined && !LAYERS.includes(missing))
    addProblem(reading, node, `invalid value '${missing}' of 'missing' (values: ${LAYERS.join(', ')})`);
  if (missing !== undefined && expect !== 'ImplicitDeny') addProblem(reading, node, "'missing' is valid only if 'expect' is ImplicitDeny");
  if (by !== undefined && expect === 'ImplicitDeny')
    addProblem(reading, node, "'by' is not valid if 'expect' is ImplicitDeny, because no statement decides");
  const action = required('action');
  const principal = required('principal');
  return {
    title: text('title') ?? `request ${index}: ${principal} ${action}`,
    principal,
    action,
    resources: members.get('resource') === undefined ? ['*'] : texts(members.get('resource'), 'resource', reading),
    context: readContext(members.get('context'), 'context', reading),
    ...(trust === undefined ? {} : { trust }),
    expect: expect as Expected,
    ...(by === undefined ? {} : { by }),
    ...(missing === undefined ? {} : { missing }),
  };
}

/**
 * Reads a condition context. Converts keys to lower case, and numbers and booleans to strings. A list becomes the value
 * of a multivalued key.
 */
function readContext(node: JsonNode | undefined, what: string, reading: Reading): ReadonlyMap<string, string | readonly string[]> {
  const context = new Map<string, string | readonly string[]>();
  if (node === undefined) return context;
  for (const [key, value] of membersOf(node, what, undefined, reading)) {
    if (value.kind === 'array') context.set(key.toLowerCase(), texts(value, key, reading));
    else context.set(key.toLowerCase(), scalar(value, key, reading));
  }
  return context;
}

function scalar(node: JsonNode, what: string, reading: Reading): string {
  if (node.kind === 'string') return node.value;
  if (node.kind === 'number') return node.text;
  if (node.kind === 'boolean') return String(node.value);
  addProblem(reading, node, `${what} must be a string, number or boolean, or a list of such values`);
  return '';
}

function textOf(node: JsonNode | undefined, what: string, reading: Reading): string | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'string') return node.value;
  addProblem(reading, node, `${what} must be a string`);
  return undefined;
}

function flag(node: JsonNode | undefined, reading: Reading): boolean {
  if (node === undefined) return false;
  if (node.kind === 'boolean') return node.value;
  addProblem(reading, node, "'everyStatementDecides' must be true or false");
  return false;
}

/** Reads one value or a list of values. */
function texts(node: JsonNode | undefined, what: string, reading: Reading): readonly string[] {
  if (node === undefined) return [];
  return node.kind === 'array' ? node.items.map((item) => scalar(item, what, reading)) : [scalar(node, what, reading)];
}

function items(node: JsonNode, what: string, reading: Reading): readonly JsonNode[] {
  if (node.kind === 'array') return node.items;
  addProblem(reading, node, `${what} must be a list`);
  return [];
}

function checkNames({ policies, principals, requests }: TestFile, root: JsonNode, reading: Reading): void {
  const checkPolicy = (name: string, place: string): void => {
    if (!policies.has(name)) addProblem(reading, root, `${place}: unknown policy '${name}' (not in 'policies')`);
  };
  for (const [name, { identity, boundary, session = [], serviceControl = [] }] of principals) {
    for (const policy of [...identity, ...boundary, ...session, ...serviceControl.flat()]) checkPolicy(policy, `principal '${name}'`);
  }
  for (const { title, principal, trust, by } of requests) {
    if (principal !== '' && !principals.has(principal)) addProblem(reading, root, `${title}: unknown principal '${principal}'`);
    if (trust !== undefined) checkPolicy(trust, title);
    if (by !== undefined) checkPolicy(by.split('#')[0] as string, title);
  }
}
