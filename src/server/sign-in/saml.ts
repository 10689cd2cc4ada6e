/**
 * Sign-in of a browser with a SAML assertion that an identity provider posts. If the assertion has one role, the server
 * assumes this role. If it has several roles, the user selects one. For the role session, the server calls
 * AssumeRoleWithSAML of STS, which checks the trust policy and records the call.
 *
 * Source: IAM User Guide, "Enabling SAML 2.0 federated principals to access the AWS Management Console". Requirement
 * FED-1.
 * Assumed: (1) the content of the page that lists the roles, (2) the server ignores a RelayState that is not a path of
 * this server.
 */
import { namedProviders } from '#access/saml-providers.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, RequestFacts } from '#core/exchange.ts';
import type { Principal } from '#core/principal.ts';
import { sourceOf } from '#core/source-address.ts';
import type { AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse } from '#model/generated/sts.ts';
import { errorCodeFor } from '#wire/errors.ts';
import { calledOperation } from '../core/call.ts';
import { bodyOf, CONSOLE_PATH, escaped, isNavigation, ownPath, page, readParameters, redirect, setCookie } from './http.ts';
import { recordLogin, recordSignIn, type SignInParts } from './parts.ts';
import type { PageRequest } from './site.ts';

/** Largest assertion that STS accepts, in characters. Source: STS API reference, AssumeRoleWithSAML, SAMLAssertion. */
const ASSERTION_MAX = 100_000;
/** Duration of a sign-in if the assertion has no SessionDuration. Source: STS API reference, AssumeRoleWithSAML. */
const DEFAULT_SECONDS = 3600;
const FORM = 'application/x-www-form-urlencoded';

interface Offer {
  readonly roleArn: string;
  readonly providerArn: string;
  readonly seconds: number;
  /** Principal that the assertion describes. The provider signed the assertion. */
  readonly tokenCaller: Principal;
}

export async function samlSignIn(parts: SignInParts, received: PageRequest): Promise<Answer> {
  if (!isNavigation(received)) return failed(403, 'To sign in, open this URL in a browser window.');
  const body = bodyOf(received, FORM);
  const form = body === undefined ? undefined : readParameters(body);
  const assertion = form?.get('SAMLResponse') ?? '';
  if (assertion === '' || assertion.length > ASSERTION_MAX) return failed(400, 'The request does not have a valid SAMLResponse.');
  const relayState = form?.get('RelayState');
  const destination = ownPath(relayState) ?? CONSOLE_PATH;

  const { offers, why, isBusy } = await offersOf(parts, assertion, sourceOf(received.sourceIp));
  if (isBusy) return failed(503, 'The server is busy. Try again later.');
  if (offers.length === 0) {
    await parts.store.transaction((tx) =>
      recordSignIn(parts, tx, {
        received,
        eventName: 'ConsoleLogin',
        outcome: 'Failure',
        accountId: NO_ACCOUNT,
        errorMessage: why,
        loginTo: destination,
      }),
    );
    return failed(403, why);
  }
  const chosen = offers.length === 1 ? offers[0] : offers.find((offer) => nameOf(offer) === form?.get('role'));
  if (chosen === undefined) return choice(offers, assertion, relayState);
  return await assume(parts, received, assertion, chosen, destination);
}

/** Error codes of temporary errors. The server may accept the same assertion later. */
const BUSY: ReadonlySet<string> = new Set(['Throttling', 'ServiceUnavailable']);

interface Offers {
  readonly offers: readonly Offer[];
  /** Error message for the user if there are no offers. */
  readonly why: string;
  readonly isBusy: boolean;
}

/** Returns the roles that an assertion offers, for each provider that signed it. */
async function offersOf(parts: SignInParts, assertion: string, source: string): Promise<Offers> {
  const offers: Offer[] = [];
  let why = 'The assertion contains no role of this server.';
  for (const providerArn of namedProviders(assertion)) {
    try {
      const input = { PrincipalArn: providerArn, SAMLAssertion: assertion };
      const tokenCaller = await parts.federate('AssumeRoleWithSAML', input, parts.now(), source);
      if (tokenCaller?.type !== 'Unknown' || tokenCaller.federation?.kind !== 'saml') continue;
      const { consoleSeconds: seconds = DEFAULT_SECONDS, roleArns } = tokenCaller.federation;
      offers.push(...roleArns.map((roleArn) => ({ roleArn, providerArn, seconds, tokenCaller })));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (BUSY.has(error.code)) return { offers: [], why: error.message, isBusy: true };
      why = error.message;
    }
  }
  return { offers, why, isBusy: false };
}

function nameOf({ roleArn, providerArn }: Offer): string {
  return `${roleArn},${providerArn}`;
}

function choice(offers: readonly Offer[], assertion: string, relayState: string | undefined): Answer {
  const roles = offers.map((offer, i) => {
    const name = escaped(nameOf(offer));
    return `<p><input type="radio" name="role" id="role-${i}" value="${name}" required> <label for="role-${i}">${escaped(offer.roleArn)}</label></p>`;
  });
  const hidden = (name: string, value: string): string => `<input type="hidden" name="${name}" value="${escaped(value)}">`;
  return page(
    200,
    'Select a role',
    `<form method="post" action="/saml">${hidden('SAMLResponse', assertion)}${relayState === undefined ? '' : hidden('RelayState', relayState)}
${roles.join('\n')}
<p><button type="submit">Sign in</button></p></form>`,
  );
}

/** Calls AssumeRoleWithSAML for the browser. STS authorizes and records the call. */
async function assume(parts: SignInParts, received: PageRequest, assertion: string, offer: Offer, destination: string): Promise<Answer> {
  const operation = calledOperation('sts', 'AssumeRoleWithSAML');
  const { roleArn: RoleArn, providerArn: PrincipalArn, seconds: DurationSeconds } = offer;
  const input: AssumeRoleWithSAMLRequest = { RoleArn, PrincipalArn, SAMLAssertion: assertion, DurationSeconds };
  const caller = { principal: offer.tokenCaller, region: parts.region, identityVersion: parts.snapshot.version() };
  let output: AssumeRoleWithSAMLResponse;
  try {
    output = (await parts.call(operation, input, caller, callFactsOf(received))) as AssumeRoleWithSAMLResponse;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const { code, status } = errorCodeFor(operation, error);
    return failed(status, code === 'AccessDenied' ? 'You are not authorized to assume the role.' : 'The role cannot be assumed.');
  }
  const { AccessKeyId = '', SessionToken = '' } = output.Credentials ?? {};
  const opened = parts.sessions.open(AccessKeyId, SessionToken);
  const begun = opened === undefined ? 'too-large' : parts.signIns.begin(opened.claims, parts.random);
  if (begun === 'too-large') return failed(400, 'The assertion passes more tags than a cookie can store.');
  await recordLogin(parts, received, begun, destination, offer.providerArn);
  return redirect(303, destination, ...setCookie(received, begun.cookie, begun.signIn.credentials.expiration, parts.now()));
}

/** Headers of the browser's request that describe the client. All other headers concern only the page. */
const CLIENT_HEADERS: ReadonlySet<string> = new Set(['host', 'user-agent']);

/** Returns the facts about a browser's request, for a call that the server runs on behalf of the browser. */
export function callFactsOf({ rawHeaders, ...received }: PageRequest): RequestFacts {
  const ofClient = rawHeaders.filter((_text, i) => CLIENT_HEADERS.has((rawHeaders[i - (i % 2)] as string).toLowerCase()));
  return { ...received, rawHeaders: ofClient };
}

function failed(status: number, why: string): Answer {
  return page(status, 'Sign-in failed', `<p>${escaped(why)}</p>`);
}
