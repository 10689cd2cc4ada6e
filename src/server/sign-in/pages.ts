/**
 * The pages of the console's sign-in, by path and method. This file selects the page for a request and records refused
 * requests. The other files in this folder contain most of the pages.
 */
import { NO_ACCOUNT } from '#core/arn.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { isoSeconds } from '#core/instant.ts';
import type { CoreAnswer } from '../core/core-batches.ts';
import { federation } from './federation.ts';
import { clearCookie, fromOwnPage, jsonAnswer, readCookie, refusal } from './http.ts';
import { recordSignIn, type SignInParts } from './parts.ts';
import { passwordSignIn } from './password.ts';
import { SCIM_PATH, type SignInPath, signInPath } from './paths.ts';
import type { PersonPages } from './people/page-parts.ts';
import { type PersonEventName, recordPerson } from './people/records.ts';
import { samlSignIn } from './saml.ts';
import type { ScimEndpoint } from './scim.ts';
import type { PageRequest } from './site.ts';

/**
 * Name of the CloudTrail event of a sign-in attempt, by method and path of the request. Requests that are not in this
 * table only read or end a sign-in, so they are not recorded.
 */
const ATTEMPTS: Readonly<Record<string, 'ConsoleLogin' | 'GetSigninToken'>> = {
  'POST /_belfry/sign-in': 'ConsoleLogin',
  'POST /saml': 'ConsoleLogin',
  'GET /federation': 'GetSigninToken',
  'POST /federation': 'GetSigninToken',
};

/** Name of the event of a person's attempt, by method and path of the request. */
const PERSON_ATTEMPTS: Readonly<Record<string, PersonEventName>> = {
  'POST /chime/sign-in': 'SignInUser',
  'POST /chime/sign-out': 'SignOutUser',
  'POST /chime/invitation': 'RegisterUser',
  'POST /chime/registration': 'RequestConfirmation',
  'POST /chime/confirmation': 'SetPassword',
  'POST /chime/provider': 'SignInUser',
  'GET /chime/callback': 'SignInUser',
};

type Page = (request: PageRequest) => Promise<CoreAnswer> | CoreAnswer;

/** Answer to an admitted head, which the main thread sends to no client. */
const ADMITTED: CoreAnswer = { status: 100, headers: [], body: '', admission: 'buffer' };

/**
 * Answers a request to a sign-in page. Returns undefined for other requests, also for those of S3 to the same paths.
 *
 * With `admit`, the request is only a head, and the answer is a refusal or has an `admission`, which is how the main thread reads the body.
 */
export type SignInPages = (received: Received, refuse?: 'RequestTooLarge', admit?: true) => Promise<CoreAnswer> | undefined;

/**
 * Creates the pages.
 *
 * - `GET|POST /federation`: exchanges credentials for a sign-in token, exchanges the token for a sign-in, or signs out
 * - `POST /saml`: exchanges an identity provider's assertion for a sign-in
 * - `POST /_belfry/sign-in`: signs in an IAM user with a password, and with a code of an MFA device if the user has one
 * - `GET /_belfry/sign-in`: returns the signed-in principal
 * - `DELETE /_belfry/sign-in`: signs out
 * - `POST /_belfry/sign-in/credentials`: returns credentials with which the console signs its requests
 * - `/_belfry/scim/v2/…`: users and groups that an OpenID provider provisions (`scim.ts`)
 * - `POST /incomingwebhooks/…`: messages that bots of Amazon Chime write in rooms (`webhooks.ts`)
 * - `GET|POST /chime…`: pages for people of Amazon Chime (`people/pages.ts`)
 * - `POST /chime/session`: returns credentials of the role of people to a person of Amazon Chime (`people/credentials.ts`)
 * - `GET /chime/openid/<account>/…`: documents of the OpenID issuer of an AWS account
 *
 * With the cookie of a sign-in, a page of this server gets temporary credentials. AWS operations do not accept the cookie.
 */
export function signInPages(parts: SignInParts): SignInPages {
  const federate: Page = (received) => federation(parts, received);
  const { ofScim, ofScimHead } = scimPages(parts);
  const ofWebhook = webhookPage(parts);
  // biome-ignore format: a table
  const pages: Readonly<Record<SignInPath, Readonly<Record<string, Page>>>> = {
    '/federation':                  { GET: federate, POST: federate },
    '/saml':                        { POST: (received) => samlSignIn(parts, received) },
    '/_belfry/sign-in':             { GET: who, POST: passwordSignIn(parts), DELETE: end },
    '/_belfry/sign-in/credentials': { POST: credentials },
    '/_belfry/scim/v2':             { GET: ofScim, POST: ofScim, PUT: ofScim, PATCH: ofScim, DELETE: ofScim },
    '/incomingwebhooks':            { POST: ofWebhook },
    '/chime':                       { GET: ofPerson },
    '/chime/sign-in':               { POST: ofPerson },
    '/chime/sign-out':              { POST: ofPerson },
    '/chime/invitation':            { GET: ofPerson, POST: ofPerson },
    '/chime/registration':          { GET: ofPerson, POST: ofPerson },
    '/chime/confirmation':          { GET: ofPerson, POST: ofPerson },
    '/chime/session':               { POST: ofPerson },
    'issuer .well-known/openid-configuration': { GET: ofPerson },
    'issuer jwks':                  { GET: ofPerson },
    '/chime/provider':              { POST: ofPerson },
    '/chime/callback':              { GET: ofPerson },
  };

  const people = onFirstUse(async (): Promise<PersonPages> => {
    const [{ personPages }, loaded] = await Promise.all([import('./people/pages.ts'), parts.loadPeople()]);
    return personPages(parts, loaded);
  });

  /** Answers a request to a page for people of Amazon Chime. The code of these pages is loaded with the first request. */
  async function ofPerson(request: PageRequest): Promise<Answer> {
    const page = (await people())[`${request.method} ${signInPath(request.target)}`];
    return page === undefined ? refusal(404, 'NotFound', 'There is no such page.') : await page(request);
  }

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

  async function answered(request: PageRequest, path: string, page: Page): Promise<CoreAnswer> {
    try {
      const answer = await page(request);
      if (answer.status >= 400 && !parts.recorded.has(request)) await recordRefusal(request, path, answer.status);
      return answer;
    } catch (error) {
      // The request failed, or could not be recorded. In both cases the server responds with an error.
      parts.report(request.requestId, error);
      return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    }
  }

  /**
   * Records a sign-in that its page refused before the user was known. Reasons are a malformed request, a request from
   * a page of another site, and too many attempts.
   */
  async function recordRefusal(received: Received, path: string, status: number): Promise<void> {
    const personEvent = PERSON_ATTEMPTS[`${received.method} ${path}`];
    if (personEvent !== undefined) {
      const refused = { received, eventName: personEvent, outcome: 'Failure', errorMessage: `HTTP ${status}` } as const;
      return await parts.store.transaction((tx) => recordPerson(parts, tx, refused));
    }
    const eventName = ATTEMPTS[`${received.method} ${path}`];
    if (eventName === undefined) return;
    const event = { received, eventName, outcome: 'Failure', accountId: NO_ACCOUNT, errorMessage: `HTTP ${status}` } as const;
    await parts.store.transaction((tx) => recordSignIn(parts, tx, event));
  }

  return (received, refuse, admit) => {
    const path = signInPath(received.target);
    // `saml` and `federation` are also names of buckets. Only the SCIM endpoint decides about heads.
    if (path === undefined || parts.isForS3(received) || (admit === true && path !== SCIM_PATH)) return undefined;
    const page = admit === true ? ofScimHead : undefined;
    return pageAnswer(received, path, pages[path], { refuse, page }).then((answer) =>
      parts.site.isPublic(received) ? { ...answer, headers: [...answer.headers, ...STRICT_TRANSPORT] } : answer,
    );
  };

  async function pageAnswer(
    received: Received,
    path: string,
    methods: Readonly<Record<string, Page>>,
    instead: { readonly refuse: 'RequestTooLarge' | undefined; readonly page: Page | undefined },
  ): Promise<CoreAnswer> {
    const { refuse } = instead;
    const ofMethod = Object.hasOwn(methods, received.method) ? methods[received.method] : undefined;
    const page = ofMethod && (instead.page ?? ofMethod);
    if (page === undefined) {
      return refusal(405, 'MethodNotAllowed', 'The method is not allowed here.', 'allow', Object.keys(methods).join(', '));
    }
    // The identity snapshot is the copy of all users and permissions in memory. If the server's lease (its time-limited
    // right to use the snapshot) has ended, the snapshot may be stale.
    if (!parts.holds()) return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    const request = parts.site.request(received);
    if (request === undefined) return await answered({ ...received, secure: false }, path, misdirected);
    return await answered(request, path, refuse === undefined ? page : () => refusal(413, refuse, 'Request body is too large.'));
  }
}

/** Returns the SCIM endpoint: for whole requests, and for heads whose body was not read. */
function scimPages(parts: SignInParts): { readonly ofScim: Page; readonly ofScimHead: Page } {
  const endpoint = onFirstUse(async (): Promise<ScimEndpoint> => {
    const [{ scimEndpoint }, scim] = await Promise.all([import('./scim.ts'), parts.loadScim()]);
    return scimEndpoint(parts, scim);
  });
  return {
    ofScim: async (request) => (await endpoint()).answer(request),
    ofScimHead: async (head) => (await (await endpoint()).refusal(head)) ?? ADMITTED,
  };
}

/** Returns the endpoint of webhooks. */
function webhookPage(parts: SignInParts): Page {
  const endpoint = onFirstUse(async () => {
    const [{ webhookEndpoint }, webhooks] = await Promise.all([import('./webhooks.ts'), parts.loadWebhooks()]);
    return webhookEndpoint(parts, webhooks);
  });
  return async (request) => (await endpoint())(request);
}

/** Returns a function whose first call loads code, because most servers do not need all pages. */
function onFirstUse<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return () => (loaded ??= load());
}

/** Returns 421 and not 403, because no credentials help: the host is not a name of this server. Source: RFC 9110 §15.5.20. */
function misdirected(): Answer {
  return refusal(421, 'MisdirectedRequest', 'The Host header does not name this server.');
}

/**
 * Header that only responses for the public URL have. A browser applies it to every port of a host, and `localhost` may
 * have a port with plain HTTP.
 * Requirement INF-8.
 */
const STRICT_TRANSPORT: readonly string[] = ['strict-transport-security', 'max-age=31536000'];

function notSignedIn(): Answer {
  return refusal(401, 'NotSignedIn', 'No user is signed in.');
}

function crossSite(): Answer {
  return refusal(403, 'CrossSite', 'The request must come from a page of this server.');
}
