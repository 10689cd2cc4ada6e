/**
 * Console sign-ins: what a browser holds of temporary credentials, sealed. Owns who may make one and how long it lasts; knows
 * nothing of HTTP, passwords or assertions.
 *
 * Nothing of a sign-in is kept: its cookie is the session it stands for, under a seal of its own. The session that comes out has
 * the facts of the one that went in — when it was issued, its policies, its tags — so whatever revokes the one revokes the other.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IssuedSession } from '#core/session-issuer.ts';
import type { Principals } from './principals.ts';
import type { SessionClaims, SessionTokens } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';
import type { OperatorVault, SealingBox } from './vault.ts';

/** Who is signed in, and what the console signs with. */
export interface ConsoleSignIn {
  readonly principal: Principal;
  readonly credentials: IssuedSession;
  /** Whether nothing is allowed but to change the password. */
  readonly passwordChangeRequired: boolean;
}

/** Temporary credentials as the federation endpoint is given them. */
export interface GivenSession {
  readonly sessionId: string;
  readonly sessionKey: string;
  readonly sessionToken: string;
}

/** What the federation endpoint answers. `principal` is there as soon as the credentials are proven, whatever else is wrong. */
export type SigninTokenAnswer =
  | { readonly outcome: 'issued'; readonly signinToken: string; readonly principal: Principal; readonly accessKeyId: string }
  | { readonly outcome: 'refused'; readonly why: string; readonly principal?: Principal };

export interface ConsoleSignIns {
  /**
   * Takes temporary credentials of a role, or of GetFederationToken, for a token that signs in.
   *
   * The sign-in lasts as long as the credentials, or `durationSeconds` (900 to 43,200) from now where a role session asks for it;
   * a chained session may not ask. Never over twelve hours, and credentials that are themselves the console's make no further one:
   * a sign-in cannot be prolonged by itself. It ends at the latest when the role's MaxSessionDuration is over since the credentials were
   * issued, and when the session at a SAML provider ends.
   *
   * Source: IAM User Guide, "Enable custom identity broker access to the AWS console". Requirement FED-3. Assumed: the texts; that the
   * role's MaxSessionDuration limits SessionDuration, which the guide says of DurationSeconds.
   */
  signinToken(given: GivenSession, durationSeconds: number | undefined, now: Instant, random: Random): SigninTokenAnswer;
  /** The cookie of a token that is ours, younger than a quarter of an hour, and whose principal still is. */
  redeem(signinToken: string, now: Instant, random: Random): Begun | undefined;
  /** Begins a sign-in of a session that was just made. 'too-large' where no browser would keep it. */
  begin(claims: SessionClaims, random: Random): Begun | 'too-large';
  /** Who a cookie signs in now; undefined where nobody: altered, over, of another server, or the principal is gone. */
  open(cookie: string, now: Instant): ConsoleSignIn | undefined;
}

export interface Begun {
  readonly cookie: string;
  readonly signIn: ConsoleSignIn;
}

type Random = (bytes: number) => Uint8Array;

export interface ConsoleSignInParts {
  readonly vault: OperatorVault;
  readonly sessions: SessionTokens;
  readonly principals: Principals;
  /** For the limit that a role puts on its sessions. */
  readonly snapshot: Pick<Snapshot, 'role'>;
}

export const DURATION_MIN_SECONDS = 900;
export const DURATION_MAX_SECONDS = 43_200;
/** Source: IAM User Guide, as above: the token is good for 15 minutes. */
const TOKEN_MS = 15 * 60_000;
const ACCESS_KEY_ID_BYTES = 20;
const EXPIRY_BYTES = 6;
/** What a browser keeps of name and value is 4,096 bytes. Source: RFC 6265 §6.1. */
const COOKIE_MAX = 4_000;
/** A token is a cookie's content and a date. */
const TEXT_MAX = 4_200;

/** All that a user may whose password must be changed first: a session policy, so it adds nothing to what the user may. */
export const CHANGE_PASSWORD_ONLY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['iam:ChangePassword', 'iam:GetAccountPasswordPolicy', 'iam:GetUser'], Resource: '*' },
    { Effect: 'Deny', NotAction: ['iam:ChangePassword', 'iam:GetAccountPasswordPolicy', 'iam:GetUser'], Resource: '*' },
  ],
});

export function consoleSignIns({ vault, sessions, principals, snapshot }: ConsoleSignInParts): ConsoleSignIns {
  const tokens = vault.box('sign-in tokens');
  const cookies = vault.box('console sign-ins');

  function signinToken(given: GivenSession, durationSeconds: number | undefined, now: Instant, random: Random): SigninTokenAnswer {
    const opened = sessions.open(given.sessionId, given.sessionToken);
    if (opened === undefined || !isSame(opened.secretAccessKey, given.sessionKey)) return refused('The session is not valid.');
    const { claims } = opened;
    const principal = principals.session(claims);
    if (principal === undefined) return refused('The session is not valid.');
    const latest = latestEnds(claims);
    const why = unfit(claims, durationSeconds, latest.seconds, now);
    if (why !== undefined) return { outcome: 'refused', why, principal };

    const end = durationSeconds === undefined ? claims.session.expiresAt : now + durationSeconds * 1000;
    const expiresAt = instant(Math.floor(Math.min(end, latest.end, now + DURATION_MAX_SECONDS * 1000) / 1000) * 1000);
    if (expiresAt <= now) return { outcome: 'refused', why: 'The session is expired.', principal };
    const credentials = consoleCredentials({ ...claims, session: { ...claims.session, expiresAt } }, random);
    const content = credentials && contentOf(credentials);
    if (content === undefined || tooLarge(content)) {
      return { outcome: 'refused', why: 'The session is too large: pass fewer policies and tags.', principal };
    }
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    expiry.writeUIntBE(now + TOKEN_MS, 0, EXPIRY_BYTES);
    const sealed = tokens.seal(Buffer.concat([expiry, content]), '', random);
    return { outcome: 'issued', signinToken: sealed.toString('base64url'), principal, accessKeyId: credentials?.accessKeyId as string };
  }

  /** The longest sign-in of a session, and its latest end: as the role allows now, counted from the session's own beginning. */
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

  /** The sign-in inside a cookie or a token. */
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

/** Why proven credentials make no sign-in; undefined where they do. */
function unfit(
  { kind, session }: SessionClaims,
  durationSeconds: number | undefined,
  maxSeconds: number,
  now: Instant,
): string | undefined {
  if (session.expiresAt <= now) return 'The session is expired.';
  if (kind === 'user' || kind === 'root') return 'Credentials of GetSessionToken cannot sign in to the console.';
  if (session.fromConsole) return 'Credentials of a console sign-in cannot make another.';
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

/** The access key id, then the token as bytes: base 64 within base 64 would be too long for a cookie. */
function contentOf({ accessKeyId, sessionToken }: IssuedSession): Buffer {
  return Buffer.concat([Buffer.from(accessKeyId, 'latin1'), Buffer.from(sessionToken, 'base64url')]);
}

/** Sealed and in base 64. */
function tooLarge(content: Uint8Array): boolean {
  return Math.ceil(((content.length + SEALING_ROOM) * 4) / 3) > COOKIE_MAX;
}
const SEALING_ROOM = 64;

function unsealed(box: SealingBox, text: string): Buffer | undefined {
  if (text.length > TEXT_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const plain = box.open(Buffer.from(text, 'base64url'), '');
  return plain !== undefined && plain.length > ACCESS_KEY_ID_BYTES + EXPIRY_BYTES ? plain : undefined;
}

/** Lengths tell nothing: all secrets have the same. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
