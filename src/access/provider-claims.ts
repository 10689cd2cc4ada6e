import type { JWTPayload } from 'jose';
import type { ConditionContext } from '#core/condition-context.ts';
import { SESSION_KEYS_MAX_BYTES } from '#core/federation.ts';
import { providerKeysOf } from '#model/authorization.ts';
import { invalid } from './passed-tags.ts';

/** The keys of one token: those for the trust policy, and among them those that the role session keeps. */
export interface TokenKeys {
  readonly context: ConditionContext;
  readonly sessionContext: ConditionContext;
}

/** Whether a key of every provider's token stays in the role session. */
// biome-ignore format: a table
const KEYS = {
  amr:   { session: true  },
  aud:   { session: true  },
  email: { session: false },
  oaud:  { session: false },
  sub:   { session: true  },
} as const;

/** Claims of listed keys that are not named as their key. The first that the token has counts; a list is a path into nested claims. */
const CLAIMS: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  'google/organization_number': ['google:organization_number', ['google', 'organization_number']],
};

/**
 * Returns the condition keys that a verified token of an OpenID Connect provider sets, each after the provider's name:
 * `idp.example/a:sub`. Keys are lower-cased. `audience` is the client that the token is for.
 *
 * Every provider has `amr`, `aud`, `email`, `oaud` and `sub`. The authorization reference lists further claims of some providers, such as
 * `token.actions.githubusercontent.com:repository`. They are set if they are strings, numbers or truth values.
 *
 * @throws AwsError InvalidIdentityToken the keys that the session keeps are longer than a session token can carry
 *
 * Source: IAM User Guide, "IAM and AWS STS condition context keys", "Available keys for AWS OIDC federation": the claim of each key.
 * Assumed: `amr`, `aud` and `sub` are available in the session, and no other key of the provider; to be checked in the guide's column
 * "Available in session". The nested claim of Google's organization number, which Google documents and AWS spells `google:organization_number`.
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
 * Checks that a session token can carry the keys that a session keeps, as it stores them: without the provider's name.
 *
 * @throws AwsError InvalidIdentityToken it cannot. A key that is cut or dropped could lift a Deny.
 * Assumed: the limit and the message.
 */
export function requireShort(kept: ConditionContext): void {
  if (Buffer.byteLength(JSON.stringify([...kept])) > SESSION_KEYS_MAX_BYTES) {
    throw invalid('The subject, audience and authentication methods of the token are too long for a session.');
  }
}

function listOf(claim: unknown): readonly string[] | undefined {
  if (typeof claim === 'string') return [claim];
  if (!Array.isArray(claim)) return undefined;
  const texts = claim.filter((one) => typeof one === 'string');
  return texts.length === 0 ? undefined : texts;
}

/** A single audience is a single value, so that variables and plain operators read it. */
function oneOrMany(claim: string | string[] | undefined): string | readonly string[] | undefined {
  return Array.isArray(claim) && claim.length === 1 ? claim[0] : claim;
}

/** The reference's names are lower case, and so are the claims. */
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
