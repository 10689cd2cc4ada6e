/** Pages that sign in people at the OpenID provider of their account. */
import type { Answer } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { newContacts } from '../../core/offload.ts';
import type { OpenIdProvider, ProviderOfAccount } from '../../core/services.ts';
import { clearCookie, isNavigation, readCookie, setCookie } from '../http.ts';
import type { SignInParts } from '../parts.ts';
import { CALLBACK_PATH } from '../paths.ts';
import type { PageRequest } from '../site.ts';
import { messagePage, providerPage, signInPage } from './html.ts';
import { type OpenIdClient, openIdClient, type SignInSecrets } from './openid-client.ts';
import { beginClaimed, crossSite, fieldsOf, type Pages, type PersonPages, toOwnPage, tooSoon } from './page-parts.ts';
import { recordPerson } from './records.ts';

/** Cookie of a sign-in until the provider sends the browser back. */
const STATE_COOKIE = 'belfry-openid';
/** Purpose of the encrypted state. */
const BOUND_TO = 'chime';
/** Time in which a person signs in at the provider. Assumed. */
const SIGN_IN_MS = 10 * 60_000;
const SECRET_BYTES = 32;
const TARGET_MAX = 8_192;
/** Most exchanges with providers that run at a time: of all accounts, and of one. */
const CONTACTS = { most: 32, mostOfAccount: 8 } as const;

/** State of a sign-in. */
interface State extends ProviderOfAccount, SignInSecrets {
  readonly expiresAt: Instant;
}

/** Creates the pages. */
export function openIdPages(pages: Pages): PersonPages {
  const client = openIdClient(pages.parts.contactIssuer, pages.parts.now);
  const contacts = newContacts(CONTACTS);
  const contact = <Value>(provider: OpenIdProvider, run: () => Promise<Value>) => contacts(provider.chimeAccountId, run);
  return {
    'POST /chime/provider': (request) => toProvider(pages, { client, contact }, request),
    'GET /chime/callback': (request) => callback(pages, { client, contact }, request),
  };
}

interface Contacting {
  readonly client: OpenIdClient;
  /** Runs an exchange with a provider. Returns undefined if too many run already. */
  readonly contact: <Value>(provider: OpenIdProvider, run: () => Promise<Value>) => Promise<Value> | undefined;
}

/** Leads a person to the provider of the domain of their address. */
async function toProvider({ parts, people, passwords }: Pages, { client, contact }: Contacting, request: PageRequest): Promise<Answer> {
  const given = fieldsOf(request, 'email');
  if (given === 'cross-site') return crossSite();
  if (given === undefined) return signInPage(400, 'Enter your email address.');
  const email = given.email.toLowerCase();
  const found = await parts.store.transaction(async (tx) => {
    const wait = await passwords.waitOf(tx, request);
    return wait > 0 ? wait : await people.openIdProviderFor(tx, parts.vault, email);
  });
  if (typeof found === 'number') return tooSoon(found);
  if (found === undefined)
    return signInPage(404, 'Your company has no provider for sign-in here. Sign in with your password.', given.email);
  const secret = (): string => Buffer.from(parts.random(SECRET_BYTES)).toString('base64url');
  const { accountId, chimeAccountId, providerId } = found;
  const expiresAt = instant(parts.now() + SIGN_IN_MS);
  const state: State = { accountId, chimeAccountId, providerId, expiresAt, state: secret(), nonce: secret(), verifier: secret() };
  try {
    const url = await contact(found, () => client.authorizationUrl(found, state, callbackUrl(parts, state), given.email));
    if (url === undefined) return unavailable();
    const sealed = parts.openIdStates.seal(Buffer.from(JSON.stringify(state)), BOUND_TO, parts.random).toString('base64url');
    return providerPage(url, ...setCookie(request, sealed, expiresAt, parts.now(), STATE_COOKIE));
  } catch {
    // The reason may contain text of the provider, so neither the person nor the trail gets it.
    await failed(parts, request, 'The configuration of the provider cannot be read', found);
    return messagePage(
      502,
      'The provider of your company does not respond',
      'Please try again later, or contact the administrator of your account.',
    );
  }
}

/** Signs in a person that comes back from the provider. */
async function callback(pages: Pages, { client, contact }: Contacting, request: PageRequest): Promise<Answer> {
  const { parts, people, passwords } = pages;
  const clear = clearCookie(request, STATE_COOKIE);
  const state = isNavigation(request) && request.target.length <= TARGET_MAX ? stateOf(pages, request) : undefined;
  const found = state === undefined ? undefined : await parts.store.transaction((tx) => people.openIdProviderOf(tx, parts.vault, state));
  if (state === undefined || found === undefined) {
    await parts.store.transaction((tx) => passwords.countSource(tx, request));
    await failed(parts, request, 'The sign-in was not begun in this browser, or has expired');
    return messagePage(403, 'The sign-in has expired', 'Open the page of this server, and sign in again.', ...clear);
  }
  const url = new URL(callbackUrl(parts, state));
  url.search = request.target.slice(request.target.indexOf('?') + 1);
  let claims: Readonly<Record<string, unknown>> | undefined;
  try {
    claims = await contact(found, () => client.claimsOf(found, state, url));
  } catch {
    await failed(parts, request, 'The provider did not confirm the sign-in', found);
    return messagePage(
      403,
      'You are not signed in',
      'The provider of your company did not confirm the sign-in. Please try again.',
      ...clear,
    );
  }
  if (claims === undefined) return unavailable();
  return await finish(pages, request, { state, claims, clear });
}

interface Finished {
  readonly state: State;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Header that deletes the cookie of the state. */
  readonly clear: readonly string[];
}

async function finish(pages: Pages, request: PageRequest, { state, claims, clear }: Finished): Promise<Answer> {
  const { parts, people } = pages;
  const begun = await parts.store.transaction(async (tx) => {
    // The provider may have been replaced during the exchange.
    if ((await people.openIdProviderOf(tx, parts.vault, state)) === undefined) return undefined;
    return await beginClaimed(pages, tx, request, { provider: state, claims });
  });
  if (begun === undefined) return messagePage(403, 'You cannot sign in', 'Contact the administrator of your account.', ...clear);
  return toOwnPage(parts, request, begun, ...clear);
}

/** Returns the state in the cookie. Returns undefined if it is absent, altered, has expired, or is for the provider of another account. */
function stateOf({ parts }: Pages, request: PageRequest): State | undefined {
  const cookie = readCookie(request, STATE_COOKIE);
  const plain = cookie === undefined ? undefined : parts.openIdStates.open(Buffer.from(cookie, 'base64url'), BOUND_TO);
  if (plain === undefined) return undefined;
  const state = JSON.parse(plain.toString('utf8')) as State;
  const [path] = request.target.split('?');
  return state.expiresAt > parts.now() && path === `${CALLBACK_PATH}/${state.chimeAccountId}` ? state : undefined;
}

/** Records a sign-in that failed, in the AWS account of the provider. */
async function failed(parts: SignInParts, received: PageRequest, errorMessage: string, provider?: ProviderOfAccount): Promise<void> {
  const user = provider && { accountId: provider.accountId, chimeAccountId: provider.chimeAccountId };
  const event = { received, eventName: 'SignInUser', outcome: 'Failure', user, errorMessage } as const;
  await parts.store.transaction((tx) => recordPerson(parts, tx, event));
}

/**
 * Returns the URL to which the provider of an account sends the browser back. Each account has its own, so that a provider cannot pass off the
 * response of another one as its own. Source: RFC 9700, section 4.4.2.2.
 */
function callbackUrl({ publicUrl }: Pick<SignInParts, 'publicUrl'>, { chimeAccountId }: ProviderOfAccount): string {
  return `${publicUrl()}${CALLBACK_PATH}/${chimeAccountId}`;
}

function unavailable(): Answer {
  return messagePage(503, 'The service is unavailable', 'Please try again.');
}
