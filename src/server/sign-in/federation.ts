/**
 * The federation endpoint. It exchanges temporary credentials for a sign-in token, and the token for the sign-in of a
 * browser.
 *
 * Source: IAM User Guide, "Enable custom identity broker access to the AWS console". Requirement FED-3.
 * Assumed: the bodies of error responses.
 */
import type { SessionCredentials } from '#access/sign-in.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import type { Answer } from '#core/exchange.ts';
import {
  bodyOf,
  CONSOLE_PATH,
  clearCookie,
  isNavigation,
  jsonAnswer,
  ownPath,
  page,
  readParameters,
  readStrings,
  redirect,
  refusal,
  setCookie,
} from './http.ts';
import { recordLogin, recordSignIn, type SignInParts } from './parts.ts';
import type { PageRequest } from './site.ts';

/** Maximum length of the parameter `Session`, which is a JSON object, in characters. */
const SESSION_MAX = 16_384;

export async function federation(parts: SignInParts, received: PageRequest): Promise<Answer> {
  const query = received.target.indexOf('?');
  const text =
    received.method === 'POST' ? bodyOf(received, 'application/x-www-form-urlencoded') : query < 0 ? '' : received.target.slice(query + 1);
  const parameters = text === undefined ? undefined : readParameters(text);
  switch (parameters?.get('Action')) {
    case 'getSigninToken':
      return await signinToken(parts, received, parameters);
    case 'login':
      return await login(parts, received, parameters);
    case 'logout':
      if (!isNavigation(received)) return refusal(403, 'CrossSite', 'To sign out, open this URL in a browser window.');
      return redirect(302, CONSOLE_PATH, ...clearCookie(received));
    default:
      return refusal(400, 'InvalidRequest', 'Action must be getSigninToken, login or logout.');
  }
}

type Parameters = ReadonlyMap<string, string>;

async function signinToken(parts: SignInParts, received: PageRequest, parameters: Parameters): Promise<Answer> {
  const given = readSession(parameters.get('Session') ?? '');
  if (given === undefined) {
    return refusal(400, 'InvalidRequest', 'Session must be a JSON object with the strings sessionId, sessionKey and sessionToken.');
  }
  const duration = parameters.get('SessionDuration');
  const seconds = duration === undefined ? undefined : /^[0-9]{1,6}$/.test(duration) ? Number(duration) : Number.NaN;
  const answer = parts.signIns.signinToken(given, seconds, parts.now(), parts.random);
  const { principal } = answer;
  const accountId = principal?.accountId ?? NO_ACCOUNT;
  const caller = principal !== undefined && { principal, accessKeyId: given.sessionId };
  const event = { received, eventName: 'GetSigninToken', accountId, ...caller } as const;
  await parts.store.transaction((tx) =>
    answer.outcome === 'issued'
      ? recordSignIn(parts, tx, { ...event, outcome: 'Success', madeAccessKeyId: answer.accessKeyId })
      : recordSignIn(parts, tx, { ...event, outcome: 'Failure', errorMessage: answer.why }),
  );
  return answer.outcome === 'issued' ? jsonAnswer(200, { SigninToken: answer.signinToken }) : refusal(400, 'InvalidRequest', answer.why);
}

function readSession(text: string): SessionCredentials | undefined {
  const strings = readStrings(text, SESSION_MAX);
  const [sessionId, sessionKey, sessionToken] = ['sessionId', 'sessionKey', 'sessionToken'].map((name) => strings?.get(name));
  if (sessionId === undefined || sessionKey === undefined || sessionToken === undefined) return undefined;
  return { sessionId, sessionKey, sessionToken };
}

/** Signs in a browser that navigates to the URL. `Destination` must be a path of this server, to prevent open redirects. */
async function login(parts: SignInParts, received: PageRequest, parameters: Parameters): Promise<Answer> {
  if (received.method !== 'GET') return refusal(405, 'InvalidRequest', 'The method is not allowed. Use GET to sign in.', 'allow', 'GET');
  if (!isNavigation(received)) return refusal(403, 'CrossSite', 'To sign in, open this URL in a browser window.');
  const destination = ownPath(parameters.get('Destination') ?? CONSOLE_PATH);
  if (destination === undefined) return page(400, 'Sign-in failed', '<p>Destination must be a path of this server.</p>');
  const now = parts.now();
  const begun = parts.signIns.redeem(parameters.get('SigninToken') ?? '', now, parts.random);
  if (begun === undefined) {
    await parts.store.transaction((tx) =>
      recordSignIn(parts, tx, {
        received,
        eventName: 'ConsoleLogin',
        outcome: 'Failure',
        accountId: NO_ACCOUNT,
        errorMessage: 'Failed authentication',
        loginTo: destination,
      }),
    );
    return page(403, 'Sign-in failed', '<p>The sign-in token is invalid or expired. Request a new one.</p>');
  }
  await recordLogin(parts, received, begun, destination);
  return redirect(302, destination, ...setCookie(received, begun.cookie, begun.signIn.credentials.expiration, now));
}
