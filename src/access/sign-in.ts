/**
 * Console sign-ins: temporary credentials in an encrypted cookie of a browser. Owns the conditions for a sign-in and
 * its duration. Other modules own the HTTP requests, passwords and assertions of a sign-in.
 *
 * The server stores nothing for a sign-in, because the cookie contains a console session. The console session has the
 * same issue time, policies and tags as the original session. So a revocation of the original session also ends the
 * sign-in.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IssuedSession } from '#core/session-issuer.ts';
import type { Principals } from './principals.ts';
import type { SessionClaims, SessionTokens } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';
import type { OperatorVault, SealingBox } from './vault.ts';

/** Signed-in principal, and the credentials with which the console signs requests. */
export interface ConsoleSignIn {
  readonly principal: Principal;
  readonly credentials: IssuedSession;
  /** Whether the session can only change the user's password. */
  readonly passwordChangeRequired: boolean;
}

/** Temporary credentials, with the member names of AWS's federation endpoint. */
export interface SessionCredentials {
  readonly sessionId: string;
  readonly sessionKey: string;
  readonly sessionToken: string;
}

/** Result of the federation endpoint. `principal` is present if the credentials were valid, even if another check failed. */
export type SigninTokenAnswer =
  | { readonly outcome: 'issued'; readonly signinToken: string; readonly principal: Principal; readonly accessKeyId: string }
  | { readonly outcome: 'refused'; readonly why: string; readonly principal?: Principal };

/** Functions that create, redeem and read console sign-ins. */
export interface ConsoleSignIns {
  /**
   * Exchanges temporary credentials of a role or of GetFederationToken for a sign-in token, which is valid for 15 minutes.
   *
   * The sign-in lasts as long as the credentials, or `durationSeconds` (900 to 43,200) from now. Only a role session that is not chained
   * may set `durationSeconds`. A sign-in ends at the latest
   * - after twelve hours,
   * - when the role's MaxSessionDuration has passed since the credentials were issued,
   * - when the session at a SAML provider ends.
   *
   * Credentials of a console sign-in are rejected, so that a sign-in cannot prolong itself.
   *
   * Source: IAM User Guide, "Enable custom identity broker access to the AWS console". Requirement FED-3.
   * Assumed: (1) the error messages; (2) the role's MaxSessionDuration limits SessionDuration, although the guide says
   * this only of DurationSeconds.
   */
  signinToken(given: SessionCredentials, durationSeconds: number | undefined, now: Instant, random: Random): SigninTokenAnswer;
  /**
   * Exchanges a sign-in token for a cookie. Returns `undefined` if the token is invalid or has expired, or if the
   * principal in the token does not exist.
   */
  redeem(signinToken: string, now: Instant, random: Random): Begun | undefined;
  /** Begins a sign-in with new session claims. Returns 'too-large' if browsers would reject the cookie. */
  begin(claims: SessionClaims, random: Random): Begun | 'too-large';
  /**
   * Decrypts a cookie. Returns `undefined` if the cookie is invalid or has expired, or if the principal in the cookie
   * does not exist.
   */
  open(cookie: string, now: Instant): ConsoleSignIn | undefined;
}

/** New sign-in and its cookie. */
export interface Begun {
  readonly cookie: string;
  readonly signIn: ConsoleSignIn;
}

type Random = (bytes: number) => Uint8Array;

/** Dependencies of `consoleSignIns`. */
export interface ConsoleSignInParts {
  readonly vault: OperatorVault;
  readonly sessions: SessionTokens;
  readonly principals: Principals;
  /** Roles, for their MaxSessionDuration. */
  readonly snapshot: Pick<Snapshot, 'role'>;
}

/** Minimum and maximum of SessionDuration, in seconds. */
export const DURATION_MIN_SECONDS = 900;
export const DURATION_MAX_SECONDS = 43_200;
/** Lifetime of a sign-in token. `ConsoleSignIns.signinToken` states the source. */
const TOKEN_MS = 15 * 60_000;
const ACCESS_KEY_ID_BYTES = 20;
const EXPIRY_BYTES = 6;
/**
 * Maximum length of a cookie's value, in bytes. A browser may reject a cookie that has more than 4,096 bytes, including
 * its name. Source: RFC 6265 §6.1.
 */
const COOKIE_MAX = 4_000;
/**
 * Maximum length of a cookie or sign-in token that is decrypted. A sign-in token is longer than a cookie, because it
 * also contains an expiry.
 */
const TEXT_MAX = 4_200;

/** Session policy of users who must change their password first. A session policy limits permissions and grants none. */
export const CHANGE_PASSWORD_ONLY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['iam:ChangePassword', 'iam:GetAccountPasswordPolicy', 'iam:GetUser'], Resource: '*' },
    { Effect: 'Deny', NotAction: ['iam:ChangePassword', 'iam:GetAccountPasswordPolicy', 'iam:GetUser'], Resource: '*' },
  ],
});

/** Creates the functions for console sign-ins. The keys of the vault encrypt the cookies and sign-in tokens. */
export function consoleSignIns({ vault, sessions, principals, snapshot }: ConsoleSignInParts): ConsoleSignIns {
  const tokens = vault.box('sign-in tokens');
  const cookies = vault.box('console sign-ins');

  function signinToken(given: SessionCredentials, durationSeconds: number | undefined, now: Instant, random: Random): SigninTokenAnswer {
    const opened = sessions.open(given.sessionId, given.sessionToken);
    if (opened === undefined || !isSame(opened.secretAccessKey, given.sessionKey)) return refused('The session is not valid.');
    const { claims } = opened;
    const principal = principals.session(claims);
    if (principal === undefined) return refused('The session is not valid.');
    const latest = latestEnds(claims);
    const why = invalidReason(claims, durationSeconds, latest.seconds, now);
    if (why !== undefined) return { outcome: 'refused', why, principal };

    const end = durationSeconds === undefined ? claims.session.expiresAt : now + durationSeconds * 1000;
    const expiresAt = instant(Math.floor(Math.min(end, latest.end, now + DURATION_MAX_SECONDS * 1000) / 1000) * 1000);
    if (expiresAt <= now) return { outcome: 'refused', why: 'The session has expired.', principal };
    const credentials = consoleCredentials({ ...claims, session: { ...claims.session, expiresAt } }, random);
    const content = credentials && contentOf(credentials);
    if (content === undefined || tooLarge(content)) {
      return { outcome: 'refused', why: 'The session is too large. Pass fewer policies and tags.', principal };
    }
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeUIntBE(now + TOKEN_MS, 0, EXPIRY_BYTES);
    const sealed = tokens.seal(Buffer.concat([expiry, content]), '', random);
    return { outcome: 'issued', signinToken: sealed.toString('base64url'), principal, accessKeyId: credentials?.accessKeyId as string };
  }

  /**
   * Returns the maximum duration of a session's sign-ins, and the latest time at which they end. The current
   * MaxSessionDuration of the role counts from the time at which the session was issued.
   */
  function latestEnds({ kind, accountId, session, ...rest }: SessionClaims): { readonly seconds: number; readonly end: number } {
    const role = kind === 'role' && 'roleName' in rest ? snapshot.role(accountId, rest.roleName) : undefined;
    const seconds = role?.maxSessionSeconds ?? DURATION_MAX_SECONDS;
    const ofRole = role === undefined ? Number.POSITIVE_INFINITY : session.issuedAt + seconds * 1000;
    return { seconds, end: Math.min(ofRole, session.latestEnd ?? Number.POSITIVE_INFINITY) };
  }

  function consoleCredentials(claims: SessionClaims, random: Random): IssuedSession | undefined {
    const issued = sessions.issue({ ...claims, session: { ...claims.session, fromConsole: true } }, random);
    return issued.outcome === 'issued' ? issued.credentials : undefined;
  }

  function sealCookie(content: Uint8Array, random: Random): string {
    return cookies.seal(content, '', random).toString('base64url');
  }

  /** Reads a sign-in from the content of a cookie or sign-in token. */
  function read(content: Buffer, now: Instant): ConsoleSignIn | undefined {
    const accessKeyId = content.toString('latin1', 0, ACCESS_KEY_ID_BYTES);
    const sessionToken = content.subarray(ACCESS_KEY_ID_BYTES).toString('base64url');
    const opened = sessions.open(accessKeyId, sessionToken);
    if (opened === undefined) return undefined;
    const { claims, secretAccessKey } = opened;
    const principal = principals.session(claims);
    if (principal === undefined || claims.session.expiresAt <= now) return undefined;
    return {
      principal,
      credentials: { accessKeyId, secretAccessKey, sessionToken, expiration: claims.session.expiresAt },
      passwordChangeRequired: claims.session.sessionPolicy === CHANGE_PASSWORD_ONLY,
    };
  }

  return {
    signinToken,
    redeem(token, now, random) {
      const plain = unsealed(tokens, token);
      if (plain === undefined || plain.readUIntBE(0, EXPIRY_BYTES) <= now) return undefined;
      const content = plain.subarray(EXPIRY_BYTES);
      const signIn = read(content, now);
      return signIn && { signIn, cookie: sealCookie(content, random) };
    },
    begin(claims, random) {
      const credentials = consoleCredentials(claims, random);
      if (credentials === undefined) return 'too-large';
      const content = contentOf(credentials);
      const signIn = tooLarge(content) ? undefined : read(content, claims.session.issuedAt);
      return signIn === undefined ? 'too-large' : { signIn, cookie: sealCookie(content, random) };
    },
    open(cookie, now) {
      const content = unsealed(cookies, cookie);
      return content && read(content, now);
    },
  };
}

/** Returns the reason why valid credentials cannot sign in, or `undefined` if they can. */
function invalidReason(
  { kind, session }: SessionClaims,
  durationSeconds: number | undefined,
  maxSeconds: number,
  now: Instant,
): string | undefined {
  if (session.expiresAt <= now) return 'The session has expired.';
  if (kind === 'user' || kind === 'root') return 'Credentials of GetSessionToken cannot sign in to the console.';
  if (session.fromConsole) return 'Credentials of a console sign-in cannot sign in to the console again.';
  if (durationSeconds === undefined) return undefined;
  if (kind === 'federated') return 'SessionDuration cannot be used with credentials of GetFederationToken.';
  if (session.chained) return 'SessionDuration cannot be used with credentials of a chained role.';
  if (!Number.isInteger(durationSeconds) || durationSeconds < DURATION_MIN_SECONDS || durationSeconds > DURATION_MAX_SECONDS) {
    return `SessionDuration must be from ${DURATION_MIN_SECONDS} to ${DURATION_MAX_SECONDS} seconds.`;
  }
  if (durationSeconds > maxSeconds) return `SessionDuration exceeds the MaxSessionDuration of the role, ${maxSeconds} seconds.`;
  return undefined;
}

function refused(why: string): SigninTokenAnswer {
  return { outcome: 'refused', why };
}

/**
 * Encodes the access key ID and the session token. The session token is decoded from Base64 first, because the cookie
 * is encoded in Base64 again, and would otherwise be too long.
 */
function contentOf({ accessKeyId, sessionToken }: IssuedSession): Buffer {
  return Buffer.concat([Buffer.from(accessKeyId, 'latin1'), Buffer.from(sessionToken, 'base64url')]);
}

/** Reports whether the content is too long for a cookie when it is encrypted and in Base64. */
function tooLarge(content: Uint8Array): boolean {
  return Math.ceil(((content.length + SEALING_ROOM) * 4) / 3) > COOKIE_MAX;
}
const SEALING_ROOM = 64;

function unsealed(box: SealingBox, text: string): Buffer | undefined {
  if (text.length > TEXT_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const plain = box.open(Buffer.from(text, 'base64url'), '');
  return plain !== undefined && plain.length > ACCESS_KEY_ID_BYTES + EXPIRY_BYTES ? plain : undefined;
}

/** Compares two secrets in constant time. A different length reveals nothing, because all secrets have the same length. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
