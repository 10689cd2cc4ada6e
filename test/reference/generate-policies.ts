// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import type { CasePolicies, CaseRequest, PolicyJson } from './policy-case.ts';

/**
 * Generates policies and requests from a small set of actions, resources, keys and values, so that policies often match
 * requests. Uses every operator, qualifier, policy type and language version. The same seed gives the same policies and
 * requests.
 */

/** Random number generator. Returns an integer from 0 to `limit` - 1. */
export type Dice = (limit: number) => number;

/** Returns a random number generator (xorshift32). The same seed always gives the same numbers. */
export function diceOf(seed: number): Dice {
  let state = Math.imul(seed, 0x9e3779b1) || 0x2545f491;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const ACTIONS = ['chime:CreateChannel', 'chime:ListChannels', 'iam:GetUser'];
const ACTION_PATTERNS = [
  ...[
    '*',
    'chime:*',
    'CHIME:createchannel',
    'chime:CreateChannel',
    'chime:List*',
    'chime:*Channel?',
    'iam:GetUser',
    'iam:Get?ser',
    'chime:',
    'c*:*',
  ],
  ...['chime:CreateChannel,ListChannels', 'chime:*e*e*l*', 'ch?me:ListChannels'],
];
const RESOURCES = [
  ...['*', 'arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/b', 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/bob'],
  ...[
    'arn:aws:iam::111122223333:user/path/bob',
    'arn:aws:chime:eu-west-1:444455556666:meeting/*',
    'arn:aws:sqs:us-east-1:111122223333:a:b',
    'no arn',
  ],
];
const RESOURCE_PATTERNS = [
  ...['*', '*', ...RESOURCES.filter((resource) => resource.startsWith('arn:'))],
  ...[
    'arn:aws:chime:*:111122223333:*',
    'arn:aws:chime:us-east-1:111122223333:app-instance/*',
    'arn:aws:chime:us-?ast-1:*:app-instance/*/channel/?',
  ],
  ...['arn:aws:iam::*:user/*/bob', 'arn:aws:chime', 'arn:aws:chime:*', 'arn:*', 'arn:aws:sqs:*:*:*:b', 'arn:aws:*:*:*:*b*'],
  ...[
    'arn:aws:iam::111122223333:user/path/${aws:username}',
    'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/${aws:PrincipalTag/Uid}',
  ],
  ...[
    "arn:aws:chime:*:*:app-instance/a/${aws:PrincipalTag/kind, 'user'}/*",
    'arn:aws:chime:eu-west-1:*:meeting/${*}',
    'arn:aws:sqs:*:*:${aws:userid}*',
  ],
  ...['arn:aws:iam::*:user/${aws:TagKeys}', 'arn:aws:chime:us-east-1:*:app-instance/a/${aws:username}*/b'],
];

const TEXTS = ['bob', 'Bob', 'b*', 'user', '', 'a:b', '*'];
const NUMBERS = ['5', '5.0', '-1', '10', 'five', '', '1e1', '+5', '5.'];
const DATES = [
  ...[
    '2024-01-01T00:00:00Z',
    '2024-01-01',
    '2024',
    '2024-01',
    '1704067200',
    '2024-01-01T01:00:00+01:00',
    '2024-01-01T00:00:00.500Z',
    '2024-02-30',
    'soon',
  ],
  ...[
    '2024-01-01T00:00Z',
    '2023-12-31T23:59:59Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:00',
    '12',
    '0000-01-01',
    '0099-12-31T23:59:59.9999Z',
  ],
];
/** Invalid dates that IAM accepts in policies, but that the engine cannot compare. */
const LENIENT_DATES = ['01T', '2016-12-13t2:00:00.593194+23', '-292275054'];
const REGIONS = ['us-east-1', 'eu-west-1', 'o-1', 'true', ''];
const BOOLS = ['true', 'false', 'TRUE', 'yes', ''];
const ADDRESSES = [
  '10.1.2.3',
  '10.1.2.4',
  '192.168.0.1',
  '2001:db8::1',
  '2001:db8:0:0:0:0:0:2',
  '::ffff:10.1.2.3',
  '::',
  'home',
  '010.1.2.3',
  '1.2.3',
  '1::2::3',
  '10.1.2.3.4',
];
const RANGES = [
  ...[
    '10.1.2.3',
    '10.1.2.9/24',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '::/0',
    '2001:db8::/32',
    '2001:db8::1',
    '2001:db8::/127',
    '10.1.2.3/33',
    '10.0.0.0/08',
  ],
  ...['::ffff:10.0.0.0/104', 'x/8', '10.1.2.3/', '10.1.2.3/24/8', '10.1.2.2/31'],
];
const BYTES = ['aGVsbG8=', 'aGVsbG9=', 'aGVsbG8', '', 'd29ybGQ=', '*'];
const ARNS = [
  'arn:aws:iam::111122223333:role/r',
  'arn:aws:iam::111122223333:role/path/r',
  'arn:aws:sns:us-east-1:1:t:s',
  'arn:aws:iam::*:role/r',
  'r',
  '',
];
const ARN_PATTERNS = [
  ...ARNS,
  ...[
    'arn:aws:iam::*:role/*',
    'arn:*',
    '*',
    'arn:aws:iam::111122223333:*/r',
    'arn:aws:*:*:*:?',
    'arn:aws:sns:*:t:s',
    'arn:aws:*',
    '*:*:*:*:*:*',
    '**',
  ],
];
const STRING_PATTERNS = [
  ...TEXTS,
  '?ob',
  '*b',
  'B*b',
  'b${*}',
  '${aws:username}',
  "${aws:PrincipalTag/kind, 'user'}",
  '${aws:PrincipalTag/none}',
  '*${aws:username}*',
  '${aws:TagKeys}',
];
const ARN_VARIABLES = ['${aws:PrincipalArn}', 'arn:aws:iam::${aws:PrincipalAccount}:role/*', "arn:aws:iam::*:role/${aws:username, 'r'}"];

interface Family {
  readonly operators: readonly string[];
  readonly keys: readonly string[];
  readonly policyValues: readonly string[];
}

const TEXT_KEYS = ['plain', 'aws:username', 'aws:PrincipalTag/kind', 'aws:TagKeys', 'aws:userid', 'aws:RequestTag/Uid'];

// biome-ignore format: a table
const FAMILIES: readonly Family[] = [
  { operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike'], keys: TEXT_KEYS, policyValues: STRING_PATTERNS },
  { operators: ['StringEquals', 'stringlike'],                                                                                           keys: TEXT_KEYS, policyValues: STRING_PATTERNS },
  { operators: ['StringEquals', 'StringNotEquals', 'StringLike', 'Null'],                                                                keys: ['aws:RequestedRegion', 'aws:PrincipalOrgID'], policyValues: REGIONS },
  { operators: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'], keys: ['aws:MultiFactorAuthAge', 'my:Number'], policyValues: NUMBERS },
  { operators: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],         keys: ['aws:CurrentTime', 'my:Date', 'date'], policyValues: [...DATES, ...LENIENT_DATES] },
  { operators: ['Bool', 'BOOL'],                                                                                                         keys: ['aws:SecureTransport', 'aws:MultiFactorAuthPresent', 'my:Flag'], policyValues: BOOLS },
  { operators: ['BinaryEquals'],                                                                                                         keys: ['my:Bytes'], policyValues: BYTES },
  { operators: ['IpAddress', 'NotIpAddress'],                                                                                            keys: ['aws:SourceIp', 'my:Addresses'], policyValues: RANGES },
  { operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],                                                                   keys: ['aws:PrincipalArn', 'my:Arns'], policyValues: [...ARN_PATTERNS, ...ARN_VARIABLES] },
  { operators: ['Null'],                                                                                                                 keys: ['aws:username', 'aws:TagKeys', 'aws:SecureTransport', 'aws:MultiFactorAuthPresent', 'my:Date'], policyValues: ['true', 'false', 'True', 'no'] },
];

const REQUEST_VALUES: Readonly<Record<string, readonly string[]>> = {
  'aws:username': TEXTS,
  'aws:principaltag/kind': ['user', 'channel', 'USER', 'bob'],
  'aws:principaltag/uid': ['bob', 'b*', '${aws:username}'],
  'aws:principalaccount': ['111122223333'],
  'aws:requesttag/uid': TEXTS,
  'aws:tagkeys': TEXTS,
  'aws:userid': TEXTS,
  'aws:multifactorauthage': NUMBERS,
  'my:number': NUMBERS,
  'aws:currenttime': DATES,
  'my:date': DATES,
  'aws:securetransport': BOOLS,
  'aws:multifactorauthpresent': BOOLS,
  'aws:requestedregion': REGIONS,
  'aws:principalorgid': REGIONS,
  'my:flag': BOOLS,
  'my:bytes': BYTES,
  'aws:sourceip': ADDRESSES,
  'my:addresses': ADDRESSES,
  'aws:principalarn': ARNS,
  'my:arns': ARNS,
};
const MULTIVALUED: ReadonlySet<string> = new Set(['aws:tagkeys', 'my:number', 'my:date', 'my:flag', 'my:addresses', 'my:arns']);

function pick<Item>(dice: Dice, items: readonly Item[]): Item {
  return items[dice(items.length)] as Item;
}

/** Returns a list of up to three items, or one item as a string. */
function some(dice: Dice, items: readonly string[]): string | string[] {
  const count = [1, 1, 1, 2, 2, 3, 0][dice(7)] as number;
  if (count === 1 && dice(2) === 0) return pick(dice, items);
  return Array.from({ length: count }, () => pick(dice, items));
}

function condition(dice: Dice, version: boolean): Record<string, unknown> {
  const blocks: Record<string, Record<string, unknown>> = {};
  for (let count = 1 + dice(2); count > 0; count--) {
    const { operators, keys, policyValues } = pick(dice, FAMILIES);
    const base = pick(dice, operators);
    const prefix = pick(dice, ['', '', '', 'ForAllValues:', 'ForAnyValue:', 'forallvalues:']);
    const suffix = base === 'Null' ? '' : pick(dice, ['', '', 'IfExists']);
    // Without Version 2012-10-17, `${aws:PrincipalTag/kind, 'user'}` is a literal string. So this code excludes values
    // with a default.
    const values = version ? policyValues : policyValues.filter((value) => !value.includes(', '));
    blocks[`${prefix}${base}${suffix}`] = Object.fromEntries([[pick(dice, keys), some(dice, values)]]);
  }
  return blocks;
}

function statement(dice: Dice, version: boolean): PolicyJson {
  return {
    Effect: dice(3) === 0 ? 'Deny' : 'Allow',
    [dice(6) === 0 ? 'NotAction' : 'Action']: some(dice, ACTION_PATTERNS),
    [dice(6) === 0 ? 'NotResource' : 'Resource']: some(dice, RESOURCE_PATTERNS),
    ...(dice(5) < 3 ? { Condition: condition(dice, version) } : {}),
  };
}

/** Generates a policy document. */
export function generateDocument(dice: Dice): PolicyJson {
  const version = pick(dice, ['2012-10-17', '2012-10-17', '2008-10-17', undefined]);
  const count = 1 + dice(3);
  const statements = Array.from({ length: count }, () => statement(dice, version === '2012-10-17'));
  return { ...(version === undefined ? {} : { Version: version }), Statement: count === 1 && dice(2) === 0 ? statements[0] : statements };
}

const ALL: PolicyJson = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };

function documents(dice: Dice, least: number): PolicyJson[] {
  return Array.from({ length: least + dice(3) }, () => (dice(3) === 0 ? ALL : generateDocument(dice)));
}

/** Generates the policies of a case. */
export function generatePolicies(dice: Dice): CasePolicies {
  return {
    identity: documents(dice, 1),
    ...(dice(3) === 0 ? { boundary: documents(dice, 0) } : {}),
    ...(dice(4) === 0 ? { session: documents(dice, 0) } : {}),
    ...(dice(4) === 0 ? { serviceControl: Array.from({ length: 1 + dice(2) }, () => documents(dice, dice(8) === 0 ? 0 : 1)) } : {}),
    ...(dice(12) === 0 ? { root: true } : {}),
  };
}

/** Generates a request. */
export function generateRequest(dice: Dice): CaseRequest {
  const context: Record<string, string | string[]> = {};
  for (const [key, values] of Object.entries(REQUEST_VALUES)) {
    if (dice(3) === 0) continue;
    // Single-valued keys also have a list in a few cases.
    const listed = MULTIVALUED.has(key) ? dice(3) > 0 : dice(16) === 0;
    if (!listed) context[key] = pick(dice, values);
    // A quarter of the lists have four to seven values, because the engine handles lists of five or more values in a
    // different way: it matches all values together.
    else context[key] = Array.from({ length: dice(4) === 0 ? 4 + dice(4) : dice(4) }, () => pick(dice, values));
  }
  const resources = Array.from({ length: dice(4) === 0 ? 2 : 1 }, () => pick(dice, RESOURCES));
  return { action: pick(dice, ACTIONS), resources, context };
}
