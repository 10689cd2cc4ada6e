/**
 * The pages for people of Amazon Chime: sign-in, invitation, registration. A person is a user of a Chime account, not a principal of IAM. No
 * operation accepts the cookie of these pages.
 */
import { AwsError } from '#core/aws-error.ts';
import type { Answer } from '#core/exchange.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeUserRecord, People } from '../../core/services.ts';
import { clearCookie, fromOwnPage, jsonAnswer, readCookie, redirect } from '../http.ts';
import type { SignInParts } from '../parts.ts';
import type { PageRequest } from '../site.ts';
import { credentials, discovery } from './credentials.ts';
import { type DirectorySignIn, directorySignIn } from './directories.ts';
import {
  confirmationPage,
  invalidLinkPage,
  invitationPage,
  linkPage,
  messagePage,
  personPage,
  registrationPage,
  signInPage,
} from './html.ts';
import { openIdPages } from './openid.ts';
import {
  type Begun,
  COOKIE,
  crossSite,
  fieldsOf,
  type Pages,
  type PersonPages,
  type Retry,
  refused,
  toOwnPage,
  tooSoon,
  workIn,
} from './page-parts.ts';
import { type ChosenPassword, passwordProblem, personPasswords } from './passwords.ts';
import { type PersonEventName, recordPerson } from './records.ts';

/** Creates the pages. `people` has the functions of Amazon Chime. */
export function personPages(parts: SignInParts, people: People): PersonPages {
  const passwords = personPasswords(parts, { find: (tx, email) => tx.of(people.records).get(email), memberOf: people.memberOf });
  const pages: Pages = { parts, people, passwords };
  const atDirectory = directorySignIn(pages);
  return {
    'GET /chime': (request) => show(pages, request),
    'POST /chime/sign-in': (request) => signIn(pages, atDirectory, request),
    'POST /chime/sign-out': (request) => signOut(pages, request),
    'GET /chime/invitation': async () => linkPage('/chime/invitation', 'Invitation'),
    'POST /chime/invitation': (request) => invitation(pages, request),
    'GET /chime/registration': async () => registrationPage(),
    'POST /chime/registration': (request) => registration(pages, request),
    'GET /chime/confirmation': async () => linkPage('/chime/confirmation', 'Choose a password'),
    'POST /chime/confirmation': (request) => confirmation(pages, request),
    'POST /chime/session': (request) => credentials(pages, request),
    'GET issuer .well-known/openid-configuration': async (request) => discovery(parts, request),
    'GET issuer jwks': async () => jsonAnswer(200, { ...people.issuer.keys() }),
    ...openIdPages(pages),
  };
}

/** Shows the signed-in person, or the form of the sign-in. */
async function show({ parts, people }: Pages, request: PageRequest): Promise<Answer> {
  const secret = readCookie(request, COOKIE);
  if (secret === undefined) return signInPage();
  const signedIn = await parts.store.transaction((tx) => people.openSession(tx, secret, parts.now()));
  return signedIn === undefined ? signInPage(200, '', '', ...clearCookie(request, COOKIE)) : personPage(signedIn);
}

async function signIn({ parts, people, passwords }: Pages, atDirectory: DirectorySignIn, request: PageRequest): Promise<Answer> {
  const given = fieldsOf(request, 'email', 'password');
  if (given === 'cross-site') return crossSite();
  if (given === undefined) return signInPage(400, 'Enter your email address and your password.');
  const email = given.email.toLowerCase();
  const retry = (status: number, message: string) => signInPage(status, message, given.email);
  const directory = await parts.store.transaction((tx) => people.directoryFor(tx, parts.vault, email));
  if (directory !== undefined) return await atDirectory(request, directory, { email, password: given.password });
  const checked = await passwords.check(request, email, given.password, async (tx, person) => {
    const signedIn = await people.signInOf(tx, person.email);
    const user = signedIn === 'refused' ? await people.memberOf(tx, email) : signedIn.membership?.user;
    if (signedIn === 'refused') {
      await recordPerson(parts, tx, {
        received: request,
        eventName: 'SignInUser',
        outcome: 'Failure',
        user,
        errorMessage: 'The user is suspended',
      });
      return undefined;
    }
    await recordPerson(parts, tx, { received: request, eventName: 'SignInUser', outcome: 'Success', user });
    return await people.beginSession({ tx, now: parts.now(), random: parts.random }, email);
  });
  if (checked.outcome !== 'right') return await refused(parts, request, 'SignInUser', checked, retry);
  if (checked.value === undefined) return retry(403, 'You cannot sign in. Contact the administrator of your account.');
  return toOwnPage(parts, request, checked.value);
}

async function signOut({ parts, people }: Pages, request: PageRequest): Promise<Answer> {
  if (!fromOwnPage(request)) return crossSite();
  const secret = readCookie(request, COOKIE);
  if (secret !== undefined)
    await parts.store.transaction(async (tx) => {
      const signedIn = await people.openSession(tx, secret, parts.now());
      if (signedIn === undefined) return;
      await people.endSession(tx, secret);
      await recordPerson(parts, tx, { received: request, eventName: 'SignOutUser', outcome: 'Success', user: signedIn.membership?.user });
    });
  return redirect(303, '/chime', ...clearCookie(request, COOKIE));
}

/** Shows an invitation, or accepts it if the form has a password. */
async function invitation(pages: Pages, request: PageRequest): Promise<Answer> {
  const { parts, people, passwords } = pages;
  const given = fieldsOf(request, 'token');
  if (given === 'cross-site') return crossSite();
  if (given === undefined) return invalidLinkPage();
  const { token, password, again = '', displayName = '' } = given;
  const open = (tx: Tx) => people.openInvitation(tx, people.tokens, token, parts.now());
  const found = await withToken(pages, request, open);
  if (typeof found === 'number') return tooSoon(found);
  if (found === undefined) return await invalidLink(pages, request, 'RegisterUser');
  const view = {
    token,
    accountName: found.account.name,
    emailAddress: found.user.document.PrimaryEmail,
    hasPassword: found.person !== undefined,
    displayName: displayName || found.user.document.DisplayName,
  };
  if (password === undefined) return invitationPage(view);
  const retry = (status: number, message: string) => invitationPage(view, status, message);

  const accept = async (tx: Tx, passwordHash?: string) => {
    // The invitation may have been accepted or replaced in the meantime.
    const now = await open(tx);
    if (now === undefined || (now.person === undefined) !== (passwordHash !== undefined)) return undefined;
    const chosen = passwordHash === undefined ? undefined : { emailAddress: view.emailAddress, displayName, passwordHash };
    return await enter(pages, request, tx, found.user.email, 'RegisterUser', await people.acceptInvitation(workIn(parts, tx), now, chosen));
  };
  if (found.person !== undefined) {
    const checked = await joining(() => passwords.check(request, found.user.email, password, (tx) => accept(tx)), retry);
    if ('status' in checked) return checked;
    if (checked.outcome !== 'right') return await refused(parts, request, 'RegisterUser', checked, retry, found.user);
    return checked.value === undefined ? invalidLinkPage() : toOwnPage(parts, request, checked.value);
  }
  return await withNewPassword(
    pages,
    request,
    { password, again, displayName, email: found.user.email, accountName: view.accountName },
    accept,
    retry,
  );
}

/** Mails a link to the address. The response does not depend on the address. */
async function registration({ parts, people, passwords }: Pages, request: PageRequest): Promise<Answer> {
  const given = fieldsOf(request, 'email');
  if (given === 'cross-site') return crossSite();
  if (given === undefined) return registrationPage(400, 'Enter your email address.');
  const { addEmit, publicUrl } = parts;
  try {
    const seconds = await parts.store.transaction(async (tx) => {
      const wait = await passwords.waitOf(tx, request);
      if (wait > 0) return wait;
      // Each request counts as a failure of the source, so that one source can cause a limited number of mails.
      await passwords.countSource(tx, request);
      if (!(await passwords.admitMail(tx, given.email.toLowerCase()))) return 0;
      const work = addEmit({ tx, now: parts.now(), newId: parts.newId });
      const linkUrl = (token: string): string => `${publicUrl()}/chime/confirmation#${token}`;
      await people.requestConfirmation(work, { tokens: people.tokens, linkUrl }, given.email);
      await recordPerson(parts, tx, { received: request, eventName: 'RequestConfirmation', outcome: 'Success' });
      return 0;
    });
    if (seconds > 0) return tooSoon(seconds);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return registrationPage(400, 'Enter a valid email address.');
  }
  return messagePage(200, 'Look into your mailbox', 'If you can register or sign in with this address, you receive a mail with a link.');
}

/** Shows the page of a confirmed address, or stores the chosen password. */
async function confirmation(pages: Pages, request: PageRequest): Promise<Answer> {
  const { parts, people } = pages;
  const given = fieldsOf(request, 'token');
  if (given === 'cross-site') return crossSite();
  if (given === undefined) return invalidLinkPage();
  const { token, password, again = '', displayName = '' } = given;
  const open = (tx: Tx) => people.openConfirmation(tx, people.tokens, token, parts.now());
  const found = await withToken(pages, request, open);
  if (typeof found === 'number') return tooSoon(found);
  if (found === undefined) return await invalidLink(pages, request, 'SetPassword');
  const { email, person, joins } = found;
  const view = { token, emailAddress: email, accountName: joins?.name, displayName: displayName || person?.displayName };
  if (password === undefined) return confirmationPage(view);
  const retry = (status: number, message: string) => confirmationPage(view, status, message);
  const save = async (tx: Tx, passwordHash: string) => {
    const now = await open(tx);
    if (now === undefined) return undefined;
    const registered = await people.confirm(workIn(parts, tx), now, { emailAddress: email, displayName, passwordHash });
    const user = registered ?? (await people.memberOf(tx, email));
    return await enter(pages, request, tx, email, registered === undefined ? 'SetPassword' : 'RegisterUser', user);
  };
  return await withNewPassword(pages, request, { password, again, displayName, email, accountName: view.accountName }, save, retry);
}

/** Reads the facts of a token. Returns the seconds to wait if the source sent too many wrong tokens. */
function withToken<Found>({ parts, passwords }: Pages, request: PageRequest, open: (tx: Tx) => Promise<Found>): Promise<Found | number> {
  return parts.store.transaction(async (tx) => {
    const wait = await passwords.waitOf(tx, request);
    return wait > 0 ? wait : await open(tx);
  });
}

/** Counts and records a token that is not valid. */
async function invalidLink({ parts, passwords }: Pages, received: PageRequest, eventName: PersonEventName): Promise<Answer> {
  await parts.store.transaction(async (tx) => {
    await passwords.countSource(tx, received);
    await recordPerson(parts, tx, { received, eventName, outcome: 'Failure', errorMessage: 'The token is not valid' });
  });
  return invalidLinkPage();
}

/** Checks and hashes a chosen password outside of transactions, and then runs `store` in one. */
async function withNewPassword(
  { parts, passwords }: Pages,
  request: PageRequest,
  chosen: ChosenPassword,
  store: (tx: Tx, passwordHash: string) => Promise<Begun | undefined>,
  retry: Retry,
): Promise<Answer> {
  const problem = chosen.displayName.trim() === '' ? 'Enter your name.' : await passwordProblem(chosen);
  if (problem !== undefined) return retry(400, problem);
  const passwordHash = await passwords.hash(chosen.password);
  if (passwordHash === undefined) return retry(503, 'The service is unavailable. Please retry.');
  const begun = await joining(() => parts.store.transaction((tx) => store(tx, passwordHash)), retry);
  if (begun === undefined) return invalidLinkPage();
  return 'status' in begun ? begun : toOwnPage(parts, request, begun);
}

/** Runs a registration. Returns a page if the person cannot join the account. */
async function joining<Value>(run: () => Promise<Value>, retry: Retry): Promise<Value | Answer> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    switch (error.code) {
      case 'ConflictException':
        return retry(409, 'You are a user of another account. Its administrator must remove you from it first.');
      case 'ForbiddenException':
        return retry(403, 'You cannot join this account. Contact its administrator.');
      case 'BadRequestException':
        return retry(400, 'The name is not valid.');
      default:
        throw error;
    }
  }
}

/** Records a registration or a new password, and begins a session. */
async function enter(
  { parts, people }: Pages,
  received: PageRequest,
  tx: Tx,
  email: string,
  eventName: PersonEventName,
  user: ChimeUserRecord | undefined,
): Promise<Begun> {
  await recordPerson(parts, tx, { received, eventName, outcome: 'Success', user });
  return await people.beginSession({ tx, now: parts.now(), random: parts.random }, email);
}
