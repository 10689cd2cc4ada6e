/**
 * Conditions that limit the access of principals outside of a zone of trust: conditions that exclude all of these principals,
 * conditions that a finding lists, and conditions that prevent public access.
 */
import { isAccountId, isRoleArn } from '#core/arn.ts';
import type { ConditionTest } from '../lowered.ts';
import { conditionTest } from '../match-condition.ts';
import { type Piece, plainText } from '../pattern.ts';
import { beginDecision, newRequestRecord, setContext } from '../request.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { toRange } from '../values.ts';

import { isAnyone, type OutsidePrincipal, type ZoneOfTrust } from './outside-principals.ts';

/** Meaning of the values of a condition key. */
type KeyKind = 'account' | 'arn' | 'organization' | 'path' | 'user' | 'address' | 'other';

interface OutsideKey {
  /** Name in findings, as the filter keys of IAM Access Analyzer have it. */
  readonly name: string;
  readonly kind: KeyKind;
  /** `principal`: a fact about the caller, which is absent if the caller has only a token. */
  readonly about: 'principal' | 'source' | 'network';
}

/**
 * Condition keys that findings list, and that can prevent public access. Other keys are ignored, because a caller can choose
 * their values (`aws:UserAgent`, `s3:prefix`, `sts:ExternalId`).
 *
 * Source: IAM User Guide, "Understand how IAM Access Analyzer findings work": only keys "that external users can't directly
 * influence or that are otherwise impactful to authorization", with "IAM Access Analyzer filter keys" as examples. The list is
 * that page, "Filtering findings" (source accounts and ARNs, VPC endpoints, KMS keys) and Amazon S3 User Guide, "The meaning of
 * public".
 * Assumed: the keys about the account or organization of a VPC endpoint and of a source, and `aws:PrincipalAccount`, which no
 * page lists. `sts:ExternalId` is not listed, because no page names it and the caller sends it. A finding of AWS about a role
 * with such a condition would show it.
 */
// biome-ignore format: a table
const KEYS: ReadonlyMap<string, OutsideKey> = new Map(([
  { name: 'aws:PrincipalAccount',                            kind: 'account',      about: 'principal' },
  { name: 'aws:PrincipalArn',                                kind: 'arn',          about: 'principal' },
  { name: 'aws:PrincipalOrgID',                              kind: 'organization', about: 'principal' },
  { name: 'aws:PrincipalOrgPaths',                           kind: 'path',         about: 'principal' },
  { name: 'aws:UserId',                                      kind: 'user',         about: 'principal' },
  { name: 'kms:CallerAccount',                               kind: 'account',      about: 'principal' },
  { name: 'aws:SourceAccount',                               kind: 'account',      about: 'source'    },
  { name: 'aws:SourceOwner',                                 kind: 'account',      about: 'source'    },
  { name: 'aws:SourceArn',                                   kind: 'arn',          about: 'source'    },
  { name: 'aws:SourceOrgID',                                 kind: 'organization', about: 'source'    },
  { name: 'aws:SourceOrgPaths',                              kind: 'path',         about: 'source'    },
  { name: 's3:DataAccessPointAccount',                       kind: 'account',      about: 'source'    },
  { name: 's3:DataAccessPointArn',                           kind: 'arn',          about: 'source'    },
  { name: 'aws:SourceIp',                                    kind: 'address',      about: 'network'   },
  { name: 'aws:SourceVpc',                                   kind: 'other',        about: 'network'   },
  { name: 'aws:SourceVpce',                                  kind: 'other',        about: 'network'   },
  { name: 'aws:VpceAccount',                                 kind: 'other',        about: 'network'   },
  { name: 'aws:VpceOrgID',                                   kind: 'other',        about: 'network'   },
  { name: 's3:x-amz-server-side-encryption-aws-kms-key-id',  kind: 'other',        about: 'network'   },
] satisfies readonly OutsideKey[]).map((key) => [key.name.toLowerCase(), key]));

/** Access that remains for a principal after conditions. */
export interface Narrowed {
  /** Listed condition keys with their values. Several values are separated by commas. */
  readonly condition: Readonly<Record<string, string>>;
  readonly isPublic: boolean;
}

/**
 * Returns the access that conditions leave for a principal, or `undefined` if they leave none.
 *
 * Only conditions that require the key and one of the listed values count: no negated operators, no `IfExists`, no
 * `ForAllValues`. All others may hold for every caller.
 */
export function narrowedBy(
  tests: readonly ConditionTest[],
  principal: OutsidePrincipal,
  zone: ZoneOfTrust,
  budget: StepBudget,
): Narrowed | undefined {
  const condition: Record<string, string> = {};
  let isPublic = isAnyone(principal) || isSharedProvider(principal);
  for (const test of tests) {
    takeSteps(budget, 8 + test.values.length * 8);
    if (knownResult(test, principal, budget) === false) return undefined;
    const key = keyOf(test, principal);
    if (key === undefined || !requiresValue(test)) continue;
    const outside = test.values.filter((value) => !isTrusted(value, key, zone));
    if (outside.length === 0 || namesOtherAccounts(outside, key, principal)) return undefined;
    condition[key.name] ??= outside.map(textOf).join(',');
    if (isPublic && outside.every((value) => isFixed(value, key))) isPublic = false;
  }
  return { condition, isPublic };
}

/** Reports whether a test holds only for requests that have the key with one of the values. */
function requiresValue({ operator, quantifier, ifExists }: ConditionTest): boolean {
  return !operator.negated && !ifExists && quantifier !== 'ForAllValues' && LISTED_FAMILIES.has(operator.family);
}

const LISTED_FAMILIES: ReadonlySet<string> = new Set(['text', 'text-ignore-case', 'like', 'arn', 'address']);

/** Returns the key of a test if findings list it. Keys of an identity provider count for its own principal. */
function keyOf({ key }: ConditionTest, { type, value }: OutsidePrincipal): OutsideKey | undefined {
  const known = KEYS.get(key);
  if (known !== undefined || type !== 'Federated') return known;
  if (key.startsWith('saml:')) return { name: `SAML:${key.slice('saml:'.length)}`, kind: 'other', about: 'network' };
  return key.startsWith(`${hostOf(value)}:`) ? { name: key, kind: 'other', about: 'network' } : undefined;
}

function hostOf(provider: string): string {
  const at = provider.indexOf(':oidc-provider/');
  return (at < 0 ? provider : provider.slice(at + ':oidc-provider/'.length)).toLowerCase();
}

/** Identity providers with which every customer can register an application. A role that names only the provider trusts all of them. */
const SHARED_PROVIDERS: ReadonlySet<string> = new Set([
  'accounts.google.com',
  'cognito-identity.amazonaws.com',
  'graph.facebook.com',
  'www.amazon.com',
]);

/** Source: Amazon S3 User Guide, "The meaning of public": a principal `graph.facebook.com` without a condition is public. */
function isSharedProvider({ type, value }: OutsidePrincipal): boolean {
  return type === 'Federated' && SHARED_PROVIDERS.has(value.toLowerCase());
}

/** Proves that no principal outside of the zone has a value of the key that matches a pattern. */
function isTrusted(value: readonly Piece[], { kind }: OutsideKey, zone: ZoneOfTrust): boolean {
  const plain = plainText(value);
  switch (kind) {
    case 'account':
    case 'user':
      return plain !== undefined && zone.accounts(plain);
    case 'arn': {
      const accountId = accountOfPattern(value);
      return accountId !== undefined && zone.accounts(accountId);
    }
    case 'organization':
      return plain !== undefined && plain === zone.organizationId;
    case 'path':
      return zone.organizationId !== undefined && leadingText(value).startsWith(`${zone.organizationId}/`);
    case 'address':
    case 'other':
      return false;
  }
}

/** Proves that patterns match no principal of the account of `principal`. */
function namesOtherAccounts(values: readonly (readonly Piece[])[], { kind, about }: OutsideKey, { accountId }: OutsidePrincipal): boolean {
  if (about !== 'principal' || accountId === undefined || (kind !== 'account' && kind !== 'arn')) return false;
  return values.every((value) => {
    const other = kind === 'account' ? plainText(value) : accountOfPattern(value);
    return other !== undefined && other !== accountId;
  });
}

/**
 * Reports whether a value has no wildcard and no variable where it identifies an account, an organization or a network.
 *
 * Source: Amazon S3 User Guide, "The meaning of public": fixed values; ranges broader than /8 (IPv4) and /32 (IPv6) are
 * public.
 * Assumed: a wildcard after the account of an ARN, or after the organization of a path, leaves the value fixed.
 */
function isFixed(value: readonly Piece[], { kind }: OutsideKey): boolean {
  const plain = plainText(value);
  if (kind === 'arn') return plain !== undefined || accountOfPattern(value) !== undefined;
  if (kind === 'path') return plain !== undefined || leadingText(value).includes('/');
  if (kind !== 'address') return plain !== undefined;
  const range = plain === undefined ? undefined : toRange(plain);
  return range !== undefined && range.bits >= (range.family === 4 ? 8 : 32);
}

/**
 * Returns the account of an ARN pattern, if every matching ARN has it: the pattern has no wildcard before the end of its
 * account.
 */
function accountOfPattern(value: readonly Piece[]): string | undefined {
  const [scheme, , , , accountId = '', ...rest] = leadingText(value).split(':');
  return scheme === 'arn' && rest.length > 0 && isAccountId(accountId) ? accountId : undefined;
}

/** Returns the part of a pattern before its first wildcard or variable. */
function leadingText([first]: readonly Piece[]): string {
  return first?.kind === 'text' ? first.text : '';
}

/** Returns a pattern as a policy contains it. */
function textOf(value: readonly Piece[]): string {
  return value.map(textOfPiece).join('');
}

function textOfPiece(piece: Piece): string {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'many':
      return '*';
    case 'one':
      return '?';
    case 'variable':
      return `\${${piece.key}}`;
  }
}

/**
 * Returns the result of a test if it is the same for all callers that a principal names. Returns `undefined` if it is not
 * known.
 *
 * Known keys: callers outside of the zone are not services. The account of a caller is known if the policy names it, and the
 * ARN if the policy names a role. A caller with only a token has no facts about a principal.
 */
export function knownResult(test: ConditionTest, principal: OutsidePrincipal, budget: StepBudget): boolean | undefined {
  const value = knownValue(test.key, principal);
  if (value === undefined || test.values.some((pieces) => pieces.some(({ kind }) => kind === 'variable'))) return undefined;
  const record = newRequestRecord();
  setContext(record, new Map(value === ABSENT ? [] : [[test.key, value]]));
  takeSteps(budget, 200);
  beginDecision(record, budget);
  return conditionTest(test)(record);
}

const ABSENT = Symbol('absent');

function knownValue(key: string, { type, value, accountId }: OutsidePrincipal): string | typeof ABSENT | undefined {
  if (key === 'aws:principalisawsservice') return 'false';
  if (key === 'aws:principalservicename' || key === 'aws:principalservicenameslist') return ABSENT;
  if (type === 'Federated' && KEYS.get(key)?.about === 'principal') return ABSENT;
  if (key === 'aws:principalarn' && isRoleArn(value)) return value;
  return key === 'aws:principalaccount' && accountId !== undefined ? accountId : undefined;
}
