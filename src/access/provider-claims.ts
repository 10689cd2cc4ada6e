import type { JWTPayload } from 'jose';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { SESSION_KEYS_MAX_BYTES } from '#core/federation.ts';
import { providerKeysOf } from '#model/authorization.ts';

/**
 * Condition keys of one token. The trust policy can read all of these keys (`context`). The role session keeps only
 * some of them (`sessionContext`).
 */
export interface TokenKeys {
  readonly context: ConditionContext;
  readonly sessionContext: ConditionContext;
}

/** Keys that the tokens of all providers have. `session` is true if the role session keeps the key. */
// biome-ignore format: a table
const KEYS = {
  amr:   { session: true  },
  aud:   { session: true  },
  email: { session: false },
  oaud:  { session: false },
  sub:   { session: true  },
} as const;

/**
 * Claims by condition key, for the keys that do not have the same name as their claim. Each key has a list of claims.
 * The first claim in the list that the token contains sets the key. An array in the list is a path into nested claims.
 */
const CLAIMS: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  'google/organization_number': ['google:organization_number', ['google', 'organization_number']],
};

/**
 * Returns the condition keys of a verified token of an OpenID Connect provider. Each key starts with the provider's name, in lower case:
 * `idp.example/a:sub`. `audience` is the client that the token is for.
 *
 * Tokens of every provider can set `amr`, `aud`, `email`, `oaud` and `sub`. The authorization reference lists further
 * keys for some providers, such as `token.actions.githubusercontent.com:repository`. Such a key is set if its claim is
 * a string, number or boolean.
 *
 * @throws PackedPolicyTooLargeException  the keys that the session keeps are too long for a session token
 *
 * Source: IAM User Guide, "IAM and AWS STS condition context keys", "Available keys for AWS OIDC federation": the claim of each key.
 * The column "Available in session" contains No for the claims of GitHub.
 * Assumed: only `amr`, `aud` and `sub` are available in the session, for every provider.
 * Assumed: Google's organization number is a nested claim, as Google documents it, or a claim with AWS's name `google:organization_number`.
 */
export function tokenKeys(provider: string, payload: JWTPayload, audience: string): TokenKeys {
  const name = provider.toLowerCase();
  const { email } = payload;
  const values: Readonly<Record<keyof typeof KEYS, string | readonly string[] | undefined>> = {
    amr: listOf(payload['amr']),
    aud: audience,
    email: typeof email === 'string' ? email : undefined,
    oaud: oneOrMany(payload.aud),
    sub: payload.sub,
  };
  const context = new Map<string, string | readonly string[]>();
  for (const { name: key } of providerKeysOf(name)) {
    if (Object.hasOwn(KEYS, key)) continue;
    const value = scalarOf(payload, CLAIMS[key] ?? [key]);
    if (value !== undefined) context.set(`${name}:${key}`, value);
  }
  const kept = new Map<string, string | readonly string[]>();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    context.set(`${name}:${key}`, value);
    if (KEYS[key as keyof typeof KEYS].session) kept.set(`:${key}`, value);
  }
  requireShort(kept);
  return { context, sessionContext: new Map([...kept].map(([key, value]) => [`${name}${key}`, value])) };
}

/**
 * Checks that a session's condition keys are short enough for the session token. `kept` has the keys as the token
 * stores them, without the provider's name.
 *
 * @throws PackedPolicyTooLargeException  the keys are too long. They are not truncated, because a missing key could
 *   disable a Deny.
 * Source: mozilla-iam/mozilla-aws-cli, README, "Details": the error for an `amr` of 30 group names.
 * Assumed: the maximum length.
 */
export function requireShort(kept: ConditionContext): void {
  if (Buffer.byteLength(JSON.stringify([...kept])) > SESSION_KEYS_MAX_BYTES) {
    throw new AwsError('PackedPolicyTooLargeException', 'Serialized token too large for session');
  }
}

function listOf(claim: unknown): readonly string[] | undefined {
  if (typeof claim === 'string') return [claim];
  if (!Array.isArray(claim)) return undefined;
  const texts = claim.filter((one) => typeof one === 'string');
  return texts.length === 0 ? undefined : texts;
}

/**
 * Returns the value of a claim. Converts a list of one string to this string, because policy variables and operators
 * for single values cannot read lists.
 */
function oneOrMany(claim: string | string[] | undefined): string | readonly string[] | undefined {
  return Array.isArray(claim) && claim.length === 1 ? claim[0] : claim;
}

/** Returns the value of the first of `claims` that is in the token, as a string. Skips arrays and objects. */
function scalarOf(payload: JWTPayload, claims: readonly (string | readonly string[])[]): string | undefined {
  for (const claim of claims) {
    const path = typeof claim === 'string' ? [claim] : claim;
    const value = path.reduce<unknown>(
      (within, member) => (isRecord(within) && Object.hasOwn(within, member) ? within[member] : undefined),
      payload,
    );
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
