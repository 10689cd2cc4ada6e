/**
 * The file of a policy test (`*.iamtest.json`): who asks, under which policies, what is asked and what is expected.
 * Owns the format; what the engine says to it is `run.ts`. The format is described in docs/policy-tests.md.
 */
import { type JsonMember, type JsonNode, type JsonObject, readJson } from '../json-text.ts';

export interface TestFile {
  readonly title: string;
  /** Documents by the names they have in this file; an ARN or a path stands for a document kept elsewhere. */
  readonly policies: ReadonlyMap<string, PolicyText>;
  readonly principals: ReadonlyMap<string, TestPrincipal>;
  readonly requests: readonly TestRequest[];
  /** Whether a statement that never decides fails the test. */
  readonly everyStatementDecides: boolean;
}

export type PolicyText =
  | { readonly kind: 'document'; readonly text: string }
  | { readonly kind: 'managed'; readonly arn: string }
  | { readonly kind: 'file'; readonly path: string };

/** Who asks: names of policies, by what they do. */
export interface TestPrincipal {
  readonly arn: string;
  readonly identity: readonly string[];
  readonly boundary: readonly string[];
  /** Absent: no session policy was passed. */
  readonly session?: readonly string[];
  /** One list for each level from the root down. */
  readonly serviceControl?: readonly (readonly string[])[];
  readonly tags: ReadonlyMap<string, string>;
  /** Added to what the ARN tells, and in its place where they name the same key. */
  readonly context: ReadonlyMap<string, string | readonly string[]>;
}

export type Expected = 'Allow' | 'Deny' | 'ExplicitDeny' | 'ImplicitDeny';

export interface TestRequest {
  readonly title: string;
  readonly principal: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  /** The role's trust policy (or the resource's), asked instead of the principal's own policies. */
  readonly trust?: string;
  readonly expect: Expected;
  /** The statement that must have decided: `policy`, `policy#2` (from 0) or `policy#Sid`. */
  readonly by?: string;
  /** The layer that must be missing its permission: `identity`, `boundary`, `session`, `service-control`. */
  readonly missing?: string;
}

/** Either the file, or everything that is wrong with it, each with its place. */
export type ReadTestFile = { readonly file: TestFile } | { readonly problems: readonly string[] };

/** Reads a test file. An unknown member is a problem: a mistyped `contxt` must not pass as a test without one. */
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

function complain({ text, problems }: Reading, node: { readonly start: number }, message: string): void {
  problems.push(`line ${lineOf(text, node.start)}: ${message}`);
}

type Members = ReadonlyMap<string, JsonNode>;

function membersOf(node: JsonNode, what: string, known: readonly string[] | undefined, reading: Reading): Members {
  if (node.kind !== 'object') {
    complain(reading, node, `${what} is an object.`);
    return new Map();
  }
  for (const { name } of node.members) {
    if (known !== undefined && !known.includes(name.value))
      complain(reading, name, `${what} has no ${name.value}; it has ${known.join(', ')}.`);
  }
  return new Map(node.members.map(({ name, value }: JsonMember) => [name.value, value]));
}

function readRoot(root: JsonNode, reading: Reading): TestFile {
  const members = membersOf(root, 'A policy test', ['title', 'policies', 'principals', 'requests', 'everyStatementDecides'], reading);
  const needed = (name: string): JsonNode => {
    const node = members.get(name);
    if (node === undefined) complain(reading, root, `A policy test needs ${name}.`);
    return node ?? EMPTY;
  };
  const policies = new Map(
    [...membersOf(needed('policies'), 'policies', undefined, reading)].map(([name, node]) => [name, readPolicyText(node, reading)]),
  );
  const principals = new Map(
    [...membersOf(needed('principals'), 'principals', undefined, reading)].map(([name, node]) => [name, readPrincipal(node, reading)]),
  );
  const requests = items(members.get('requests') ?? EMPTY_LIST, 'requests', reading).map((node, index) =>
    readRequest(node, index, reading),
  );
  if (requests.length === 0) complain(reading, root, 'A policy test needs requests.');
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
  const text = textOf(node, 'A policy', reading) ?? '';
  return text.startsWith('arn:') ? { kind: 'managed', arn: text } : { kind: 'file', path: text };
}

function readPrincipal(node: JsonNode, reading: Reading): TestPrincipal {
  const members = membersOf(node, 'A principal', ['arn', 'identity', 'boundary', 'session', 'serviceControl', 'tags', 'context'], reading);
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
            texts(level, 'A level of serviceControl', reading),
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
  const members = membersOf(node, 'A request', known, reading);
  const text = (name: string): string | undefined => textOf(members.get(name), name, reading);
  const needed = (name: string): string => {
    if (members.get(name) === undefined) complain(reading, node, `A request needs ${name}.`);
    return text(name) ?? '';
  };
  const expect = needed('expect');
  const [by, missing, trust] = [text('by'), text('missing'), text('trust')];
  if (expect !== '' && !EXPECTED.includes(expect)) complain(reading, node, `expect is ${EXPECTED.join(', ')}; not ${expect}.`);
  if (missing !== undefined && !LAYERS.includes(missing)) complain(reading, node, `missing is ${LAYERS.join(', ')}; not ${missing}.`);
  if (missing !== undefined && expect !== 'ImplicitDeny') complain(reading, node, 'Only an ImplicitDeny has a layer that is missing.');
  if (by !== undefined && expect === 'ImplicitDeny') complain(reading, node, 'No statement decides an ImplicitDeny.');
  const action = needed('action');
  const principal = needed('principal');
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

/** Keys are lower-cased; a list stands for a multivalued key; numbers and booleans are texts. */
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
  complain(reading, node, `${what} is a string, number or boolean, or a list of them.`);
  return '';
}

function textOf(node: JsonNode | undefined, what: string, reading: Reading): string | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'string') return node.value;
  complain(reading, node, `${what} is a string.`);
  return undefined;
}

function flag(node: JsonNode | undefined, reading: Reading): boolean {
  if (node === undefined) return false;
  if (node.kind === 'boolean') return node.value;
  complain(reading, node, 'everyStatementDecides is true or false.');
  return false;
}

/** A text alone, or a list of them. */
function texts(node: JsonNode | undefined, what: string, reading: Reading): readonly string[] {
  if (node === undefined) return [];
  return node.kind === 'array' ? node.items.map((item) => scalar(item, what, reading)) : [scalar(node, what, reading)];
}

function items(node: JsonNode, what: string, reading: Reading): readonly JsonNode[] {
  if (node.kind === 'array') return node.items;
  complain(reading, node, `${what} is a list.`);
  return [];
}

function checkNames({ policies, principals, requests }: TestFile, root: JsonNode, reading: Reading): void {
  const known = (name: string, where: string): void => {
    if (!policies.has(name)) complain(reading, root, `${where} names the policy ${name}, which is not in policies.`);
  };
  for (const [name, { identity, boundary, session = [], serviceControl = [] }] of principals) {
    for (const policy of [...identity, ...boundary, ...session, ...serviceControl.flat()]) known(policy, `The principal ${name}`);
  }
  for (const { title, principal, trust, by } of requests) {
    if (principal !== '' && !principals.has(principal)) complain(reading, root, `${title}: there is no principal ${principal}.`);
    if (trust !== undefined) known(trust, title);
    if (by !== undefined) known(by.split('#')[0] as string, title);
  }
}
