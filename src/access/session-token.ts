import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { newAccessKeyId } from '#core/access-key-id.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { SessionFacts } from '#core/principal.ts';
import type { SessionClaims, SessionIssuer } from '#core/session-issuer.ts';
import { derivedFrom, type OperatorKeys } from './operator-keys.ts';
import { openVault } from './vault.ts';

export type { SessionClaims } from '#core/session-issuer.ts';

/** Content of a session token. */
export interface OpenedSession {
  readonly claims: SessionClaims;
  readonly secretAccessKey: string;
}

/** Temporary credentials as encrypted tokens, issued and verified without a database lookup. */
export interface SessionTokens extends SessionIssuer {
  /**
   * Decrypts a token. Returns `undefined` if the token is invalid or belongs to another access key ID.
   *
   * Does not check whether the session has expired, or whether its role still exists. Returns the same object for the
   * same token while the token is cached.
   */
  open(accessKeyId: string, sessionToken: string): OpenedSession | undefined;
}

/**
 * Maximum size of the compressed session policies and tags, in bytes. It corresponds to a PackedPolicySize of 100 %.
 */
const PACKED_MAX = 2048;

/**
 * Maximum length of a token, in base64url characters. It is sufficient for names of maximum length, a PackedPolicySize
 * of 100 %, and the maximum size of condition keys from an identity provider's token.
 */
const TOKEN_MAX = 5000;

/** Size of a secret access key. In Base64 it has 40 characters, like the secret access keys of AWS. */
const SECRET_BYTES = 30;

/**
 * Creates the issuer and reader of session tokens.
 *
 * Each request contains its token and signs it, so the format is compact. A token without policies and tags has at most
 * 300 characters, even with names of maximum length.
 * The secret is derived from the token's nonce, so the token does not contain it. A token is bound to its access key ID.
 * `remembered` is the maximum number of cached tokens.
 *
 * Assumed: 100 % of PackedPolicySize is 2,048 compressed bytes. AWS says only that there is a limit.
 */
export function newSessionTokens(operatorKeys: OperatorKeys, remembered = 10_000): SessionTokens {
  const box = openVault(operatorKeys).box('session tokens');
  /** Cache of decrypted tokens. It is cleared when the operator keys change, because tokens of a deleted key are invalid. */
  const openedNow = derivedFrom(operatorKeys, () => lruMap<string, OpenedSession & { readonly accessKeyId: string }>(remembered));
  const secretOf = (sealed: Uint8Array, accessKeyId: string) =>
    box.secretOf(sealed, accessKeyId).subarray(0, SECRET_BYTES).toString('base64');

  return {
    issue(claims, random) {
      const pack = packed(claims.session);
      const packedPolicyPercent = Math.ceil((pack.length * 100) / PACKED_MAX);
      if (packedPolicyPercent > 100) return { outcome: 'too-large', packedPolicyPercent };

      const accessKeyId = newAccessKeyId('ASIA', claims.accountId, random);
      const sealed = box.seal(Buffer.concat([written(claims), pack]), accessKeyId, random);
      return {
        outcome: 'issued',
        credentials: {
          accessKeyId,
          secretAccessKey: secretOf(sealed, accessKeyId),
          sessionToken: sealed.toString('base64url'),
          expiration: claims.session.expiresAt,
        },
        ...(pack.length > 0 && { packedPolicyPercent }),
      };
    },

    open(accessKeyId, sessionToken) {
      const opened = openedNow();
      const known = opened.get(sessionToken);
      if (known !== undefined) return known.accessKeyId === accessKeyId ? known : undefined;
      if (sessionToken.length > TOKEN_MAX) return undefined;
      const sealed = Buffer.from(sessionToken, 'base64url');
      // Buffer skips invalid characters. This check rejects a second encoding of the same token.
      if (sealed.toString('base64url') !== sessionToken) return undefined;
      const plain = box.open(sealed, accessKeyId);
      if (plain === undefined) return undefined;
      const session = { accessKeyId, claims: read(plain), secretAccessKey: secretOf(sealed, accessKeyId) };
      opened.set(sessionToken, session);
      return session;
    },
  };
}

const KINDS = ['role', 'user', 'root', 'federated'] as const;
const MFA = 1;
const CHAINED = 2;
const FROM_CONSOLE = 4;
/**
 * Flag: after the other strings, the session token contains a string with data from the identity provider's token.
 * Older session tokens do not have this string.
 */
const FEDERATED = 8;

/**
 * Encodes the claims except those that `packed` compresses. The format is: kind, flags, account ID, two times of six
 * bytes each, and strings. The length of each string precedes the string.
 */
function written(claims: SessionClaims): Buffer {
  const { session } = claims;
  const head = Buffer.alloc(19);
  head[0] = KINDS.indexOf(claims.kind);
  const federated = federatedText(session);
  head[1] =
    (session.mfaAuthenticated ? MFA : 0) |
    (session.chained ? CHAINED : 0) |
    (session.fromConsole ? FROM_CONSOLE : 0) |
    (federated === undefined ? 0 : FEDERATED);
  head.writeUIntBE(Number(claims.accountId), 2, 5);
  head.writeUIntBE(session.issuedAt, 7, 6);
  head.writeUIntBE(session.expiresAt, 13, 6);
  const texts = [
    ...names(claims),
    session.sourceIdentity ?? '',
    session.federatedProvider ?? '',
    ...(federated === undefined ? [] : [federated]),
  ];
  return Buffer.concat([head, ...texts.map(lengthAndText)]);
}

type StoredKeys = readonly (readonly [key: string, value: string | readonly string[]])[];

/**
 * Returns the data from an identity provider's token as JSON. Omits the issuer at the beginning of condition keys,
 * because the session token already contains the issuer in the provider's ARN.
 */
function federatedText({ federatedProvider, federatedContext, latestEnd, personSignIn }: SessionFacts): string | undefined {
  if (federatedContext === undefined && latestEnd === undefined && personSignIn === undefined) return undefined;
  const issuer = issuerOf(federatedProvider);
  const keys: StoredKeys = [...(federatedContext ?? [])].map(([key, value]) => [
    issuer !== '' && key.startsWith(`${issuer}:`) ? key.slice(issuer.length) : key,
    value,
  ]);
  return JSON.stringify([
    federatedContext === undefined ? null : keys,
    latestEnd ?? null,
    ...(personSignIn === undefined ? [] : [personSignIn]),
  ]);
}

type FederatedFacts = Pick<SessionFacts, 'federatedContext' | 'latestEnd' | 'personSignIn'>;

function readFederated(text: string, federatedProvider: string): FederatedFacts {
  const [keys, latestEnd, personSignIn] = JSON.parse(text) as [StoredKeys | null, Instant | null, string?];
  const issuer = issuerOf(federatedProvider);
  return {
    ...(keys !== null && { federatedContext: new Map(keys.map(([key, value]) => [key.startsWith(':') ? `${issuer}${key}` : key, value])) }),
    ...(latestEnd !== null && { latestEnd }),
    ...(personSignIn !== undefined && { personSignIn }),
  };
}

/** Returns the issuer of an OIDC provider: `arn:aws:iam::111122223333:oidc-provider/idp.example/a` → `idp.example/a`. Empty for SAML. */
function issuerOf(provider = ''): string {
  return provider.split(':oidc-provider/')[1]?.toLowerCase() ?? '';
}

/** Number of strings that `names` returns for each kind. */
const NAMES = { role: 3, user: 1, root: 0, federated: 2 } as const satisfies Record<SessionClaims['kind'], number>;

function names(claims: SessionClaims): readonly string[] {
  switch (claims.kind) {
    case 'role':
      return [claims.roleId, claims.roleName, claims.sessionName];
    case 'user':
      return [claims.userId];
    case 'root':
      return [];
    case 'federated':
      return [claims.federatedName, claims.issuerId];
  }
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(2);
  // One byte is enough for the length of most strings. The URL of an identity provider, and the data from its token,
  // can need two bytes.
  if (bytes.length < 0x80) return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
  length.writeUInt16BE(0x8000 | bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * Decodes the bytes of `written` and `packed`. The bytes need no validation, because the encryption authenticates them.
 */
function read(plain: Buffer): SessionClaims {
  let at = 19;
  const text = () => {
    let length = plain[at++] as number;
    if (length & 0x80) length = ((length & 0x7f) << 8) | (plain[at++] as number);
    return plain.toString('utf8', at, (at += length));
  };
  const kind = KINDS[plain[0] as number] as (typeof KINDS)[number];
  const flags = plain[1] as number;
  const accountId = String(plain.readUIntBE(2, 5)).padStart(12, '0') as AccountId;
  const first = Array.from({ length: NAMES[kind] }, text);
  const sourceIdentity = text();
  const federatedProvider = text();
  const federated = (flags & FEDERATED) === 0 ? undefined : readFederated(text(), federatedProvider);
  const session: SessionFacts = {
    issuedAt: plain.readUIntBE(7, 6) as Instant,
    expiresAt: plain.readUIntBE(13, 6) as Instant,
    mfaAuthenticated: (flags & MFA) !== 0,
    chained: (flags & CHAINED) !== 0,
    ...((flags & FROM_CONSOLE) !== 0 && { fromConsole: true }),
    ...(sourceIdentity !== '' && { sourceIdentity }),
    ...(federatedProvider !== '' && { federatedProvider }),
    ...federated,
    ...unpacked(plain.subarray(at)),
  };
  const [a, b, c] = first as [string, string, string];
  switch (kind) {
    case 'role':
      return { kind, accountId, session, roleId: a, roleName: b, sessionName: c };
    case 'user':
      return { kind, accountId, session, userId: a };
    case 'root':
      return { kind, accountId, session };
    case 'federated':
      return { kind, accountId, session, federatedName: a, issuerId: b };
  }
}

interface Pack {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sessionPolicy?: string;
  readonly sessionPolicyArns?: readonly Arn[];
}

/** Frequent strings of policies, which improve the compression. A change of the dictionary makes all existing tokens unreadable. */
const DICTIONARY = Buffer.from(
  'arn:aws:iam::aws:policy/"arn:aws:iam::"Condition":{"StringEquals":{"aws:PrincipalTag/"aws:ResourceTag/"NotAction":"Deny","Sid":"arn:aws:chime:us-east-1:app-instance/channel/user/meeting/"chime:Create*List*Get*Describe*Send"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["chime:*"],"Resource":"*"}]}',
);

/** Compresses the session policies and tags. Returns an empty buffer if there are none. */
function packed({ tags, transitiveTagKeys, sessionPolicy, sessionPolicyArns }: SessionFacts): Buffer {
  const pairs = Object.entries(tags);
  if (pairs.length === 0 && sessionPolicy === undefined && sessionPolicyArns === undefined) return Buffer.alloc(0);
  const texts = [pairs, transitiveTagKeys, sessionPolicyArns ?? null, sessionPolicy ?? null];
  return deflateRawSync(JSON.stringify(texts), { dictionary: DICTIONARY, level: 9 });
}

function unpacked(bytes: Uint8Array): Pack {
  if (bytes.length === 0) return { tags: {}, transitiveTagKeys: [] };
  const text = inflateRawSync(bytes, { dictionary: DICTIONARY }).toString('utf8');
  const [pairs, transitiveTagKeys, sessionPolicyArns, sessionPolicy] = JSON.parse(text) as [
    [string, string][],
    string[],
    Arn[] | null,
    string | null,
  ];
  return {
    tags: Object.fromEntries(pairs),
    transitiveTagKeys,
    ...(sessionPolicy !== null && { sessionPolicy }),
    ...(sessionPolicyArns !== null && { sessionPolicyArns }),
  };
}
