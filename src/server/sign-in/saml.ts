/**
 * A browser's sign-in with a SAML assertion, as an identity provider posts it: one role is taken at once, among several the person
 * chooses. The role's session is made by STS, called like by everybody: the same verification, trust policy and trail.
 *
 * Source: IAM User Guide, "Enabling SAML 2.0 federated principals to access the AWS Management Console". Requirement FED-1.
 * Assumed: the page; a RelayState that is no path of this server is the provider's own and is passed over.
 */
import { namedProviders } from '#access/saml.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { type Answer, header } from '#core/exchange.ts';
import { bodyOf, CONSOLE_PATH, escaped, isNavigation, ownPath, page, readParameters, redirect, setCookie } from './http.ts';
import { recordLogin, recordSignIn, type SignInParts } from './parts.ts';
import type { PageRequest } from './site.ts';

/** As STS takes. Source: STS API reference, AssumeRoleWithSAML, SAMLAssertion. */
const ASSERTION_MAX = 100_000;
/** Source: as above: without SessionDuration in the assertion a sign-in lasts an hour. */
const DEFAULT_SECONDS = 3600;
const FORM = 'application/x-www-form-urlencoded';

interface Offer {
  readonly roleArn: string;
  readonly providerArn: string;
  readonly seconds: number;
}

export async function samlSignIn(parts: SignInParts, received: PageRequest): Promise<Answer> {
  if (!isNavigation(received)) return failed(403, 'A browser signs in by opening the page.');
  const body = bodyOf(received, FORM);
  const form = body === undefined ? undefined : readParameters(body);
  const assertion = form?.get('SAMLResponse') ?? '';
  if (assertion === '' || assertion.length > ASSERTION_MAX) return failed(400, 'The request has no SAMLResponse that can be read.');
  const relayState = form?.get('RelayState');
  const destination = ownPath(relayState) ?? CONSOLE_PATH;

  const { offers, why } = await offersOf(parts, assertion);
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

/** What the assertion offers, by each provider that has signed it. */
async function offersOf(parts: SignInParts, assertion: string): Promise<{ readonly offers: readonly Offer[]; readonly why: string }> {
  const offers: Offer[] = [];
  let why = 'The assertion offers no role of this server.';
  for (const providerArn of namedProviders(assertion)) {
    // One verification takes milliseconds. Others are served between two.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      const input = { PrincipalArn: providerArn, SAMLAssertion: assertion };
      const bringer = await parts.federate('AssumeRoleWithSAML', input, parts.now());
      const federation = bringer?.type === 'Unknown' ? bringer.federation : undefined;
      if (federation?.kind !== 'saml') continue;
      const seconds = federation.consoleSeconds ?? DEFAULT_SECONDS;
      offers.push(...federation.roleArns.map((roleArn) => ({ roleArn, providerArn, seconds })));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      why = error.message;
    }
  }
  return { offers, why };
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

/** Asks STS, in the browser's name: what it refuses is refused here, and recorded by it. */
async function assume(parts: SignInParts, received: PageRequest, assertion: string, offer: Offer, destination: string): Promise<Answer> {
  const asked = new URLSearchParams({
    Action: 'AssumeRoleWithSAML',
    Version: '2011-06-15',
    RoleArn: offer.roleArn,
    PrincipalArn: offer.providerArn,
    SAMLAssertion: assertion,
    DurationSeconds: String(offer.seconds),
  });
  const answered = await parts.answer({
    ...received,
    method: 'POST',
    target: '/',
    rawHeaders: ['host', header(received, 'host') ?? '', 'content-type', FORM, 'user-agent', header(received, 'user-agent') ?? ''],
    body: Buffer.from(asked.toString()),
  });
  const xml = Buffer.from(answered.body).toString('utf8');
  const element = (name: string): string => xml.split(`<${name}>`)[1]?.split(`</${name}>`)[0] ?? '';
  if (answered.status !== 200) {
    return failed(answered.status, element('Code') === 'AccessDenied' ? 'The role does not let you in.' : 'The role cannot be taken.');
  }
  const opened = parts.sessions.open(element('AccessKeyId'), element('SessionToken'));
  const begun = opened === undefined ? 'too-large' : parts.signIns.begin(opened.claims, parts.random);
  if (begun === 'too-large') return failed(400, 'The assertion passes more tags than a browser can keep.');
  await recordLogin(parts, received, begun, destination);
  return redirect(303, destination, ...setCookie(received, begun.cookie, begun.signIn.credentials.expiration, parts.now()));
}

function failed(status: number, why: string): Answer {
  return page(status, 'Sign-in failed', `<p>${escaped(why)}</p>`);
}
