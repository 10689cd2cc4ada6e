/**
 * Requests that need the most work for their size:
 *
 * - policies with slow patterns for the simulator and the analyzers
 * - documents whose validation compares all pairs of values
 * - bodies that are expensive to decode
 */

import { gzipSync } from 'node:zlib';
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { generator } from '../kit/random.ts';
import type { TestServer } from '../kit/server.ts';

/** Unsigned request of a hostile client. */
export interface HostileRequest {
  readonly name: string;
  readonly signingName: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Returns a string of at most `length` characters: `open`, as many comma-separated parts as fit, and `close`. */
export function filled(length: number, open: string, close: string, part: (index: number) => string): string {
  const parts: string[] = [];
  let size = open.length + close.length;
  for (let i = 0; ; i++) {
    const next = part(i);
    size += next.length + 1;
    if (size > length) return open + parts.join() + close;
    parts.push(next);
  }
}

const STATEMENT = '"Effect":"Allow","Action":"*","Resource":"*"';
const open = (rest: string): string => `{"Version":"2012-10-17","Statement":{${rest}`;

/** Kinds of patterns that are slow to match against a value of many `a`. The random numbers determine the lengths. */
const SLOW_PATTERNS: readonly ((random: () => number) => string)[] = [
  (random) => `*${'a'.repeat(400 + Math.floor(random() * 200))}b`,
  (random) => `*${'a'.repeat(400 + Math.floor(random() * 200))}b*`,
  (random) => `*${'a'.repeat(400 + Math.floor(random() * 200))}?b*`,
  (random) => `*${'a?'.repeat(150 + Math.floor(random() * 100))}b*`,
  (random) => `${'*a'.repeat(50 + Math.floor(random() * 200))}*b*`,
  () => '*a?a?b*',
];

/** Returns a policy of `length` characters with slow patterns of one kind. */
export function slowPolicy(length: number, random: () => number, kind = Math.floor(random() * SLOW_PATTERNS.length)): string {
  const pattern = SLOW_PATTERNS[kind] as (typeof SLOW_PATTERNS)[number];
  return filled(length, open(`${STATEMENT},"Condition":{"StringLike":{"aws:UserAgent":[`), ']}}}}', () => `"${pattern(random)}"`);
}

/** Policy documents that are slowest to validate. The name says what makes the validation slow. */
// biome-ignore format: a table
const SLOW_DOCUMENTS: readonly (readonly [name: string, make: (length: number) => string])[] = [
  ['misspelled actions',    (length) => filled(length, open('"Effect":"Allow","Resource":"*","Action":['), ']}}', (i) => `"iam:CreateServiceLinkedRoleForUserXXXXXX${i}"`)],
  ['misspelled services',   (length) => filled(length, open('"Effect":"Allow","Resource":"*","Action":['), ']}}', (i) => `"abcdefghijklmnopqrs${i}:x"`)],
  ['wildcards in pairs',    (length) => filled(length, open('"Effect":"Allow","Resource":"*","Action":['), ']}}', (i) => `"iam:*${'a'.repeat(100)}${i}*"`)],
  ['patterns of resources', (length) => filled(length, open('"Effect":"Allow","Action":"*","Resource":['), ']}}', (i) => `"arn:aws:iam::1:${'*a'.repeat(100)}${i}"`)],
  ['keys of every action',  (length) => filled(length, open(`"Effect":"Allow","Resource":"*","Condition":${EVERY_KEY},"Action":[`), ']}}', (i) => `"iam:*${i}*"`)],
  ['statements with keys',  (length) => filled(length, '{"Version":"2012-10-17","Statement":[', ']}', () => '{"Effect":"Allow","Action":["iam:*a*","iam:*b*","iam:GetUser"],"Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"a"}}}')],
  ['the same statement',    (length) => filled(length, '{"Version":"2012-10-17","Statement":[', ']}', () => `{${STATEMENT}}`)],
  ['nesting without end',   (length) => `{"Statement":${'['.repeat(length - 13)}`],
];

const KEYS = ['iam:PolicyARN', 'iam:PassedToService', 'iam:PermissionsBoundary', 'iam:AWSServiceName', 'iam:AssociatedResourceArn'];
const OPERATORS = [
  'StringEquals',
  'StringLike',
  'StringNotEquals',
  'StringNotLike',
  'ArnEquals',
  'ArnLike',
  'StringEqualsIfExists',
  'Null',
];
const EVERY_KEY = JSON.stringify(
  Object.fromEntries(OPERATORS.map((operator) => [operator, Object.fromEntries(KEYS.map((key) => [key, 'a']))])),
);

/** Returns the parameters of a list in the query protocol, such as `ActionNames.member.1=a`. */
function members(name: string, values: readonly string[]): [string, string][] {
  return values.map((value, i) => [`${name}.member.${i + 1}`, value]);
}

export function form(
  name: string,
  Action: string,
  parameters: readonly (readonly [string, string])[],
  signingName = 'iam',
): HostileRequest {
  const body = new URLSearchParams([
    ['Action', Action],
    ['Version', '2010-05-08'],
    ...parameters.map(([key, value]) => [key, value] as [string, string]),
  ]);
  return {
    name,
    signingName,
    path: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(body.toString()),
  };
}

function json(name: string, path: string, document: object, signingName = 'access-analyzer'): HostileRequest {
  return { name, signingName, path, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) };
}

const VALUE = 'a'.repeat(2_000);

/** Context of a simulation: the user agent that the slow policies compare. */
const CONTEXT: readonly (readonly [string, string])[] = [
  ['ContextEntries.member.1.ContextKeyName', 'aws:UserAgent'],
  ['ContextEntries.member.1.ContextKeyType', 'string'],
  ['ContextEntries.member.1.ContextKeyValues.member.1', VALUE],
];

/**
 * Returns a SimulateCustomPolicy request. Its policies have slow patterns of one kind, and `length` characters in
 * total. Each policy except the last has 120,000 characters.
 */
export function simulation(length: number, random: () => number, kind: number): HostileRequest {
  const policies: string[] = [];
  for (let left = length; left > 1_000; left -= 120_000) policies.push(slowPolicy(Math.min(left, 120_000), random, kind));
  return form(`SimulateCustomPolicy, ${Math.round(length / 1000)} KB of slow patterns, kind ${kind}`, 'SimulateCustomPolicy', [
    ...members('PolicyInputList', policies),
    ...members('ActionNames', ['chime:CreateMeeting']),
    ...CONTEXT,
  ]);
}

/** Returns the worst known requests of each kind. The seed determines random parts of the requests. */
export function hostileRequests(seed: number): HostileRequest[] {
  const random = generator(seed);
  return [...simulations(random), ...checks(random), ...largeBodies()];
}

function simulations(random: () => number): HostileRequest[] {
  const lists = (count: number): (readonly [string, string])[] => [
    ...members(
      'ActionNames',
      Array.from({ length: count }, (_, i) => `s3:Get${i}`),
    ),
    ...members(
      'ResourceArns',
      Array.from({ length: count }, (_, i) => `arn:aws:s3:::${i}/${'a'.repeat(400)}`),
    ),
  ];
  return [
    // The thread that handles requests runs the smallest simulations itself. Separate threads run larger simulations.
    ...[1_800, 20_000, 200_000].flatMap((length) => SLOW_PATTERNS.map((_, kind) => simulation(length, random, kind))),
    // With patterns of the kinds 0 and 2, policies of 1.9 million characters fit into a body of 2 MiB, because few of
    // their characters are percent-encoded.
    simulation(1_900_000, random, 0),
    simulation(1_900_000, random, 2),
    form('SimulateCustomPolicy, actions × resources', 'SimulateCustomPolicy', [
      ...members('PolicyInputList', [slowPolicy(20_000, random)]),
      ...lists(100),
      ...CONTEXT,
      ['MaxItems', '1000'],
    ]),
    form('SimulateCustomPolicy, matched statements', 'SimulateCustomPolicy', [
      ...members(
        'PolicyInputList',
        Array.from({ length: 8 }, () => filled(130_000, '{"Version":"2012-10-17","Statement":[', ']}', () => `{${STATEMENT}}`)),
      ),
      ...lists(32),
      ['MaxItems', '1000'],
    ]),
    form('SimulateCustomPolicy, context entries', 'SimulateCustomPolicy', [
      ...members('PolicyInputList', [
        filled(130_000, open(`${STATEMENT},"Condition":{"ForAllValues:StringLike":{"aws:TagKeys":[`), ']}}}}', (i) => `"*a?${i}"`),
      ]),
      ...members('ActionNames', ['s3:GetObject']),
      ['ContextEntries.member.1.ContextKeyName', 'aws:TagKeys'],
      ['ContextEntries.member.1.ContextKeyType', 'stringList'],
      ...members(
        'ContextEntries.member.1.ContextKeyValues',
        Array.from({ length: 4_000 }, (_, i) => `${'a'.repeat(100)}${i}`),
      ),
    ]),
    form('SimulateCustomPolicy, dates', 'SimulateCustomPolicy', [
      ...members('PolicyInputList', [
        filled(
          120_000,
          open(`${STATEMENT},"Condition":{"ForAllValues:DateLessThan":{"aws:TagKeys":[`),
          ']}}}}',
          () => '"2020-01-01T00:00:00Z"',
        ),
      ]),
      ...members('ActionNames', ['s3:GetObject']),
      ['ContextEntries.member.1.ContextKeyName', 'aws:TagKeys'],
      ['ContextEntries.member.1.ContextKeyType', 'stringList'],
      ...members(
        'ContextEntries.member.1.ContextKeyValues',
        Array.from({ length: 4_000 }, (_, i) => `2021-01-01T00:00:00.${i}Z`),
      ),
    ]),
    form(
      'GetContextKeysForCustomPolicy',
      'GetContextKeysForCustomPolicy',
      members(
        'PolicyInputList',
        Array.from({ length: 8 }, (_, list) =>
          filled(130_000, open(`${STATEMENT},"Condition":{"StringLike":{`), '}}}}', (i) => `"a:${list}.${i}":"a"`),
        ),
      ),
    ),
  ];
}

function checks(random: () => number): HostileRequest[] {
  const patterns = (letter: string): string =>
    filled(
      24_000,
      open('"Effect":"Allow","Action":"*","Resource":['),
      ']}}',
      (i) => `"arn:aws:s3:::${'*a'.repeat(20 + Math.floor(random() * 60))}${letter}${i}"`,
    );
  const manyStatements = filled(
    24_000,
    '{"Version":"2012-10-17","Statement":[',
    ']}',
    (i) => `{"Effect":"${i % 3 === 0 ? 'Deny' : 'Allow'}","Action":"a${i % 7}:*${i}*","Resource":"arn:aws:s3:::b${i}*"}`,
  );
  return [
    json('CheckNoNewAccess, two slow policies of 24 KB', '/policy/check-no-new-access', {
      existingPolicyDocument: patterns('x'),
      newPolicyDocument: patterns('y'),
      policyType: 'IDENTITY_POLICY',
    }),
    json('CheckNoNewAccess, slow conditions of 24 KB', '/policy/check-no-new-access', {
      existingPolicyDocument: slowPolicy(24_000, random),
      newPolicyDocument: slowPolicy(24_000, random),
      policyType: 'IDENTITY_POLICY',
    }),
    json('CheckNoNewAccess, many statements', '/policy/check-no-new-access', {
      existingPolicyDocument: manyStatements,
      newPolicyDocument: manyStatements.replaceAll('b', 'c'),
      policyType: 'IDENTITY_POLICY',
    }),
    json('CheckAccessNotGranted, 100 actions and resources', '/policy/check-access-not-granted', {
      policyDocument: patterns('z'),
      access: [
        {
          actions: Array.from({ length: 100 }, (_, i) => `s3:*a*a*${i}`),
          resources: Array.from({ length: 100 }, (_, i) => `arn:aws:s3:::${'a'.repeat(60)}${i}`),
        },
      ],
      policyType: 'IDENTITY_POLICY',
    }),
    ...SLOW_DOCUMENTS.flatMap(([name, make]) =>
      [3_800, 12_000, 130_000].map((length) =>
        json(`ValidatePolicy, ${length / 1000} KB of ${name}`, '/policy/validation', {
          policyDocument: make(length),
          policyType: 'IDENTITY_POLICY',
        }),
      ),
    ),
  ];
}

/** Returns a JSON document that contains `count` objects, each with a different property name. */
function manyObjects(count: number): object {
  const more = Array.from({ length: count }, (_, i) => ({ [`k${i}`]: i }));
  return { policyDocument: '{', policyType: 'IDENTITY_POLICY', more };
}

/** Returns requests with policies as long as a body allows, and requests with bodies that are expensive to decode. */
function largeBodies(): HostileRequest[] {
  return [
    form('CreatePolicy, 130 KB', 'CreatePolicy', [
      ['PolicyName', 'p'],
      [
        'PolicyDocument',
        filled(
          130_000,
          '{"Version":"2012-10-17","Statement":[',
          ']}',
          (i) => `{"Sid":"s${i}","Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:x/${i}"}`,
        ),
      ],
    ]),
    form('CreateRole, 130 KB', 'CreateRole', [
      ['RoleName', 'r'],
      [
        'AssumeRolePolicyDocument',
        filled(
          130_000,
          '{"Version":"2012-10-17","Statement":[',
          ']}',
          (i) => `{"Sid":"s${i}","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"123456789012"}}`,
        ),
      ],
    ]),
    form('a form of 90,000 members', 'TagUser', [
      ['UserName', 'u'],
      ...Array.from({ length: 40_000 }, (_, i): [string, string][] => [
        [`Tags.member.${i + 1}.Key`, `${i}`],
        [`Tags.member.${i + 1}.Value`, ''],
      ]).flat(),
    ]),
    // The next two bodies, a form and a JSON document, are the largest that the server decodes.
    form('a form of 19,900 members', 'TagUser', [
      ['UserName', 'u'],
      ...Array.from({ length: 9_950 }, (_, i): [string, string][] => [
        [`Tags.member.${i + 1}.Key`, `${i}`],
        [`Tags.member.${i + 1}.Value`, ''],
      ]).flat(),
    ]),
    json('JSON of 49,000 objects', '/policy/validation', manyObjects(49_000)),
    form(
      'a form of deep names',
      'TagUser',
      Array.from({ length: 30_000 }, (_, i) => [`a${i}.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t`, '1'] as const),
    ),
    form('a form of percent signs', 'GetUser', [['UserName', 'é'.repeat(340_000)]]),
    json('JSON of 120,000 objects', '/policy/validation', manyObjects(120_000)),
    {
      ...json('JSON of 690,000 lists', '/policy/validation', {}),
      body: Buffer.from(`{"policyDocument":"{","policyType":"IDENTITY_POLICY","more":[${'[],'.repeat(690_000)}[]]}`),
    },
    { ...json('JSON nested a million deep', '/policy/validation', {}), body: Buffer.from('['.repeat(1_000_000)) },
    {
      ...json('gzip that grows to 10 MB', '/policy/validation', {}),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(
        JSON.stringify({ policyDocument: '{', policyType: 'IDENTITY_POLICY', more: Array.from({ length: 900_000 }, () => ({ a: 1 })) }),
      ),
    },
    {
      ...json('gzip bomb', '/policy/validation', {}),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(100_000_000)),
    },
    {
      ...form('gzip form that grows to 10 MB', 'TagUser', []),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
      body: gzipSync(`Action=TagUser&Version=2010-05-08&${Array.from({ length: 350_000 }, (_, i) => `Tags.member.${i}.Key=a`).join('&')}`),
    },
    {
      name: 'CBOR of two million items',
      signingName: 'monitoring',
      path: '/service/GraniteServiceVersion20100801/operation/PutMetricAlarm',
      headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
      body: Buffer.concat([Buffer.from([0xa1, 0x61, 0x78, 0x9a, 0x00, 0x1e, 0x84, 0x80]), Buffer.alloc(2_000_000, 0x80)]),
    },
    {
      name: 'CBOR nested without end',
      signingName: 'monitoring',
      path: '/service/GraniteServiceVersion20100801/operation/PutMetricAlarm',
      headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
      body: Buffer.alloc(2_000_000, 0x81),
    },
  ];
}

/** Signs and sends a request. Resolves to the status and the body. */
export async function sendHostile(
  server: Pick<TestServer, 'endpoint'>,
  credentials: Credentials,
  request: HostileRequest,
): Promise<{ readonly status: number; readonly body: string }> {
  const { path, body, signingName } = request;
  const headers = sign(
    { method: 'POST', target: path, headers: { host: new URL(server.endpoint).host, ...request.headers }, body },
    { credentials, region: 'us-east-1', signingName, now: instant(Date.now()) },
  );
  const answer = await fetch(server.endpoint + path, { method: 'POST', headers, body });
  return { status: answer.status, body: await answer.text() };
}
