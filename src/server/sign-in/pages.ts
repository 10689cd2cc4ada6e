/** Paths of the console's sign-in. This file has the paths and records refused requests. Other files in this folder have the pages. */
import { NO_ACCOUNT } from '#core/arn.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { isoSeconds } from '#core/instant.ts';
import { federation } from './federation.ts';
import { clearCookie, fromOwnPage, jsonAnswer, readCookie, refusal } from './http.ts';
import { recordSignIn, type SignInParts } from './parts.ts';
import { passwordSignIn } from './password.ts';
import { type SignInPath, signInPath } from './paths.ts';
import { samlSignIn } from './saml.ts';
import type { PageRequest } from './site.ts';

/** Sign-in event of a request to a page. Requests to other pages read a sign-in or end it, and are not recorded. */
const ATTEMPTS: Readonly<Record<string, 'ConsoleLogin' | 'GetSigninToken'>> = {
  'POST /_belfry/sign-in': 'ConsoleLogin',
  'POST /saml': 'ConsoleLogin',
  'GET /federation': 'GetSigninToken',
  'POST /federation': 'GetSigninToken',
};

type Page = (request: PageRequest) => Promise<Answer> | Answer;

/** Answers a request to a sign-in page. Returns undefined for other requests. */
export type SignInPages = (received: Received, refuse?: 'RequestTooLarge') => Promise<Answer> | undefined;

/**
 * Creates the pages.
 *
 * - `GET|POST /federation`: credentials for a token, a token for a sign-in, sign-out
 * - `POST /saml`: an identity provider's assertion for a sign-in
 * - `POST /_belfry/sign-in`: an IAM user's password, and code, for a sign-in
 * - `GET /_belfry/sign-in`: the signed-in principal; `DELETE` signs out
 * - `POST /_belfry/sign-in/credentials`: credentials with which the console signs its requests
 *
 * With the cookie of a sign-in, a page of this server gets temporary credentials. AWS operations do not accept the cookie.
 */
export function signInPages(parts: SignInParts): SignInPages {
  const federate: Page = (received) => federation(parts, received);
  // biome-ignore format: a table
  const pages: Readonly<Record<SignInPath, Readonly<Record<string, Page>>>> = {
    '/federation':                  { GET: federate, POST: federate },
    '/saml':                        { POST: (received) => samlSignIn(parts, received) },
    '/_belfry/sign-in':             { GET: who, POST: passwordSignIn(parts), DELETE: end },
    '/_belfry/sign-in/credentials': { POST: credentials },
  };

  function who(request: PageRequest): Answer {
    const signIn = signedIn(request);
    if (signIn === undefined) return notSignedIn();
    const { principal, passwordChangeRequired } = signIn;
    const expiration = isoSeconds(signIn.credentials.expiration);
    return jsonAnswer(200, { principalArn: principal.arn, accountId: principal.accountId, expiration, passwordChangeRequired });
  }

  function credentials(request: PageRequest): Answer {
    if (!fromOwnPage(request)) return crossSite();
    const signIn = signedIn(request);
    if (signIn === undefined) return notSignedIn();
    return jsonAnswer(200, { ...signIn.credentials, expiration: isoSeconds(signIn.credentials.expiration) });
  }

  function end(request: PageRequest): Answer {
    return fromOwnPage(request) ? jsonAnswer(200, {}, ...clearCookie(request)) : crossSite();
  }

  function signedIn(request: PageRequest) {
    const cookie = readCookie(request);
    return cookie === undefined ? undefined : parts.signIns.open(cookie, parts.now());
  }

  async function answered(request: PageRequest, path: string, page: Page): Promise<Answer> {
    try {
      const answer = await page(request);
      if (answer.status >= 400 && !parts.recorded.has(request)) await recordRefusal(request, path, answer.status);
      return answer;
    } catch (error) {
      // A request that cannot be recorded gets an error.
      parts.report(request.requestId, error);
      return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    }
  }

  /** Records a sign-in that its page refused before the user was known: a malformed request, a page of another site, too many attempts. */
  async function recordRefusal(received: Received, path: string, status: number): Promise<void> {
    const eventName = ATTEMPTS[`${received.method} ${path}`];
    if (eventName === undefined) return;
    const event = { received, eventName, outcome: 'Failure', accountId: NO_ACCOUNT, errorMessage: `HTTP ${status}` } as const;
    await parts.store.transaction((tx) => recordSignIn(parts, tx, event));
  }

  return (received, refuse) => {
    const path = signInPath(received.target);
    if (path === undefined) return undefined;
    return pageAnswer(received, path, pages[path], refuse).then((answer) =>
      parts.site.isPublic(received) ? { ...answer, headers: [...answer.headers, ...STRICT_TRANSPORT] } : answer,
    );
  };

  async function pageAnswer(
    received: Received,
    path: string,
    methods: Readonly<Record<string, Page>>,
    refuse?: 'RequestTooLarge',
  ): Promise<Answer> {
    const page = Object.hasOwn(methods, received.method) ? methods[received.method] : undefined;
    if (page === undefined) {
      return refusal(405, 'MethodNotAllowed', 'The method is not allowed here.', 'allow', Object.keys(methods).join(', '));
    }
    // Without a lease the identity snapshot may be stale.
    if (!parts.holds()) return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    const request = parts.site.request(received);
    if (request === undefined) return await answered({ ...received, secure: false }, path, misdirected);
    return await answered(request, path, refuse === undefined ? page : () => refusal(413, refuse, 'Request body is too large.'));
  }
}

/** Returns 421 and not 403, because no credentials help: the host is not a name of this server. Source: RFC 9110 §15.5.20. */
function misdirected(): Answer {
  return refusal(421, 'MisdirectedRequest', 'The Host header does not name this server.');
}

/**
 * Header for the public URL only. A browser applies it to every port of a host, and `localhost` may have a port with plain HTTP.
 * Requirement INF-8.
 */
const STRICT_TRANSPORT: readonly string[] = ['strict-transport-security', 'max-age=31536000'];

function notSignedIn(): Answer {
  return refusal(401, 'NotSignedIn', 'No user is signed in.');
}

function crossSite(): Answer {
  return refusal(403, 'CrossSite', 'The request must come from a page of this server.');
}
