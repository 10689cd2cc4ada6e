/** The paths of the console's sign-in. Owns which path is whose; what each does stands beside it. */
import { NO_ACCOUNT } from '#core/arn.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { isoSeconds } from '#core/instant.ts';
import { federation } from './federation.ts';
import { clearCookie, fromOwnPage, jsonAnswer, readCookie, refusal } from './http.ts';
import { recordSignIn, type SignInParts } from './parts.ts';
import { passwordSignIn } from './password.ts';
import { samlSignIn } from './saml.ts';

/** Sign-in event of a request to a page. The other requests read a sign-in or end it, and leave no record. */
const ATTEMPTS: Readonly<Record<string, 'ConsoleLogin' | 'GetSigninToken'>> = {
  'POST /_belfry/sign-in': 'ConsoleLogin',
  'POST /saml': 'ConsoleLogin',
  'GET /federation': 'GetSigninToken',
  'POST /federation': 'GetSigninToken',
};

type Page = (received: Received) => Promise<Answer> | Answer;

/** Answers a request of a browser that signs in; undefined where it is no such request. */
export type SignInPages = (received: Received, refuse?: 'RequestTooLarge') => Promise<Answer> | undefined;

/**
 * Makes the pages.
 *
 * - `GET|POST /federation`: credentials for a token, a token for a sign-in, sign-out
 * - `POST /saml`: an identity provider's assertion for a sign-in
 * - `POST /_belfry/sign-in`: an IAM user's password, and code, for a sign-in
 * - `GET /_belfry/sign-in`: who is signed in; `DELETE` ends it
 * - `POST /_belfry/sign-in/credentials`: what the console signs with
 *
 * A sign-in lets a page of this server have temporary credentials, and is good for nothing else: no operation takes a cookie.
 */
export function signInPages(parts: SignInParts): SignInPages {
  const federate: Page = (received) => federation(parts, received);
  // biome-ignore format: a table
  const pages: Readonly<Record<string, Readonly<Record<string, Page>>>> = {
    '/federation':                  { GET: federate, POST: federate },
    '/saml':                        { POST: (received) => samlSignIn(parts, received) },
    '/_belfry/sign-in':             { GET: who, POST: passwordSignIn(parts), DELETE: end },
    '/_belfry/sign-in/credentials': { POST: credentials },
  };

  function who(received: Received): Answer {
    const signIn = signedIn(received);
    if (signIn === undefined) return notSignedIn();
    const { principal, passwordChangeRequired } = signIn;
    const expiration = isoSeconds(signIn.credentials.expiration);
    return jsonAnswer(200, { principalArn: principal.arn, accountId: principal.accountId, expiration, passwordChangeRequired });
  }

  function credentials(received: Received): Answer {
    if (!fromOwnPage(received)) return crossSite();
    const signIn = signedIn(received);
    if (signIn === undefined) return notSignedIn();
    return jsonAnswer(200, { ...signIn.credentials, expiration: isoSeconds(signIn.credentials.expiration) });
  }

  function end(received: Received): Answer {
    return fromOwnPage(received) ? jsonAnswer(200, {}, ...clearCookie(received)) : crossSite();
  }

  function signedIn(received: Received) {
    const cookie = readCookie(received);
    return cookie === undefined ? undefined : parts.signIns.open(cookie, parts.now());
  }

  async function answered(received: Received, path: string, page: Page): Promise<Answer> {
    try {
      const answer = await page(received);
      if (answer.status >= 400 && !parts.recorded.has(received)) await recordRefusal(received, path, answer.status);
      return answer;
    } catch (error) {
      // A request that cannot be recorded is not answered as if it had been.
      parts.report(received.requestId, error);
      return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    }
  }

  /** Records a sign-in that its page refused before it knew who signs in: a malformed request, a page of another site, too many at once. */
  async function recordRefusal(received: Received, path: string, status: number): Promise<void> {
    const eventName = ATTEMPTS[`${received.method} ${path}`];
    if (eventName === undefined) return;
    const event = { received, eventName, outcome: 'Failure', accountId: NO_ACCOUNT, errorMessage: `HTTP ${status}` } as const;
    await parts.store.transaction((tx) => recordSignIn(parts, tx, event));
  }

  return (received, refuse) => {
    const query = received.target.indexOf('?');
    const path = query < 0 ? received.target : received.target.slice(0, query);
    if (!Object.hasOwn(pages, path)) return undefined;
    const methods = pages[path] as Readonly<Record<string, Page>>;
    const page = Object.hasOwn(methods, received.method) ? methods[received.method] : undefined;
    if (page === undefined) {
      return Promise.resolve(refusal(405, 'MethodNotAllowed', 'The method is not allowed here.', 'allow', Object.keys(methods).join(', ')));
    }
    // Without a lease the identity snapshot may be stale.
    if (!parts.holds()) return Promise.resolve(refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.'));
    return answered(received, path, refuse === undefined ? page : () => refusal(413, refuse, 'Request body is too large.'));
  };
}

function notSignedIn(): Answer {
  return refusal(401, 'NotSignedIn', 'Nobody is signed in.');
}

function crossSite(): Answer {
  return refusal(403, 'CrossSite', 'Only a page of this server may ask for this.');
}
