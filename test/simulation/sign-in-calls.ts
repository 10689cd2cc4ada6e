/**
 * Calls of the server simulation about console sign-ins: passwords, MFA codes, cookies, and the temporary credentials
 * that a browser requests with its cookie.
 *
 * A sign-in ends when its user is deleted. If the user loses a permission, the credentials of existing sign-ins also
 * lose the permission, as every session does. A new password or a deleted login profile does not end a sign-in, but
 * prevents new sign-ins with the old password. A sign-out only deletes the cookie in the browser (Decision 0012).
 */
import { instant } from '#core/instant.ts';
import { codeAt, stepAt } from '#services/iam/mfa.ts';
import { type Context, pickRecent } from './call-context.ts';
import { type Fact, newFact } from './facts.ts';
import type { Call, ConsoleUser, Model, Password, SignIn } from './model.ts';
import { pageRequest, queryRequest } from './requests.ts';

const PATH = '/_belfry/sign-in';

const accountOf = ({ identity }: ConsoleUser): string => identity.arn.split(':')[4] as string;

/** Signs in with the newest password, or sometimes with an older one. */
export function signIn({ model, random, change }: Context): Call {
  const user = random.pick(model.consoleUsers);
  const { identity, exists, mfaSeed, passwords, codes } = user;
  const { value: password, fact } = (random.chance(0.8) ? passwords.at(-1) : random.pick(passwords)) as Password;
  const mfaCode = mfaSeed === undefined ? undefined : codeAt(Buffer.from(mfaSeed, 'base64'), stepAt(instant(Date.now())));
  // A sign-in is valid as long as its user exists.
  const session: Fact = { ...newFact(`the sign-in of ${identity.name}`, change), withdrawals: exists.withdrawals };
  const sameCode = mfaCode === undefined ? [] : (codes.get(mfaCode) ?? []);
  if (mfaCode !== undefined) codes.set(mfaCode, sameCode);
  sameCode.push(session);
  return {
    title: `${identity.name} signs in with ${fact.name}`,
    request: pageRequest('POST', PATH, {
      body: { account: accountOf(user), userName: identity.name, password, ...(mfaCode !== undefined && { mfaCode }) },
    }),
    resources: [exists, fact],
    // The server accepts an MFA code once.
    conflicts: sameCode,
    mayRefuse: 'TooManyAttempts',
    change,
    onDone: (output) => void user.signIns.push({ cookie: cookieOf(output.header('set-cookie')), change, fact: session }),
  };
}

function cookieOf(header: string | undefined): string {
  const [cookie] = (header ?? '').split(';');
  if (cookie === undefined || cookie === '') throw new Error('the response sets no cookie');
  return cookie;
}

function pickSignIn({ model, random }: Context): { readonly user: ConsoleUser; readonly chosen: SignIn } | undefined {
  const user = pickRecent(
    random,
    model.consoleUsers.filter(({ signIns }) => signIns.length > 0),
  );
  const chosen = user && pickRecent(random, user.signIns);
  return user === undefined || chosen === undefined ? undefined : { user, chosen };
}

/** Requests the temporary credentials of a sign-in. Later calls may use these credentials. */
export function useSignIn(context: Context): Call | undefined {
  const picked = pickSignIn(context);
  if (picked === undefined) return undefined;
  const { user, chosen } = picked;
  return {
    title: `${user.identity.name} fetches the credentials of a sign-in`,
    request: pageRequest('POST', `${PATH}/credentials`, { cookie: chosen.cookie }),
    resources: [chosen.fact],
    unrecorded: true,
    onDone(output) {
      const credentials = {
        accessKeyId: output.member('accessKeyId'),
        secretAccessKey: output.member('secretAccessKey'),
        sessionToken: output.member('sessionToken'),
      };
      const { change, fact } = chosen;
      context.model.keys.push({ of: user.identity, credentials, fact, exists: fact, issued: change });
    },
  };
}

/** Signs out: the response deletes the cookie in the browser. */
export function signOut(context: Context): Call | undefined {
  const picked = pickSignIn(context);
  if (picked === undefined) return undefined;
  const { user, chosen } = picked;
  return {
    title: `${user.identity.name} signs out`,
    request: pageRequest('DELETE', PATH, { cookie: chosen.cookie }),
    unrecorded: true,
    onDone(output) {
      if (!cookieOf(output.header('set-cookie')).endsWith('=')) throw new Error('left the cookie in the browser');
      const at = user.signIns.indexOf(chosen);
      if (at >= 0) user.signIns.splice(at, 1);
    },
  };
}

/** Calls GetCallerIdentity, which succeeds with every valid key. */
export function identify({ model, random }: Context): Call {
  const sessions = model.keys.filter(({ credentials }) => credentials.sessionToken !== undefined);
  const key = pickRecent(random, sessions.length > 0 && random.chance(0.7) ? sessions : model.keys) ?? model.admin;
  return { title: `${key.of.name} identifies itself`, key, request: queryRequest('sts', 'GetCallerIdentity', {}) };
}

/** Returns the users that no call has tried to delete, and whose last password change has a known outcome. */
const settledUsers = ({ consoleUsers }: Model): ConsoleUser[] =>
  consoleUsers.filter(({ changing, exists }) => changing?.outcome !== 'unknown' && exists.withdrawals.length === 0);

/** Returns the current password of a user. The outcome of the last password change must be known. */
function currentPassword({ passwords }: ConsoleUser): Password | undefined {
  return passwords.find(({ fact }) => fact.established.outcome === 'done' && !fact.withdrawals.some(({ outcome }) => outcome === 'done'));
}

/** Creates, changes or deletes the password of a user. Skips users with an earlier change whose outcome is unknown. */
export function changePassword({ model, random, index, change }: Context): Call | undefined {
  const user = pickRecent(random, settledUsers(model));
  if (user === undefined) return undefined;
  const current = currentPassword(user);
  user.changing = change;
  current?.fact.withdrawals.push(change);
  const { name: UserName } = user.identity;
  const resources = [user.exists, ...(current === undefined ? [] : [current.fact])];
  const common = { key: model.admin, resources, change };
  if (current !== undefined && model.users.includes(user.identity) && random.chance(0.4)) {
    return {
      ...common,
      title: `admin deletes the password of ${UserName}`,
      request: queryRequest('iam', 'DeleteLoginProfile', { UserName }),
    };
  }
  const value = `Changed-Horse-${index}`;
  user.passwords.push({ value, fact: newFact(`the password ${index} of ${UserName}`, change) });
  const Action = current === undefined ? 'CreateLoginProfile' : 'UpdateLoginProfile';
  return {
    ...common,
    title: `admin sets a password of ${UserName}`,
    request: queryRequest('iam', Action, { UserName, Password: value }),
  };
}

/**
 * Deletes the console user that has no access key, after this user has signed in. One call deletes the password, and a
 * later call deletes the user.
 */
export function deleteConsoleUser({ model, change }: Context): Call | undefined {
  const user = settledUsers(model).find(({ identity, signIns }) => !model.users.includes(identity) && signIns.length > 0);
  if (user === undefined) return undefined;
  const current = currentPassword(user);
  const { name: UserName } = user.identity;
  if (current !== undefined) {
    user.changing = change;
    current.fact.withdrawals.push(change);
    return {
      title: `admin deletes the password of ${UserName}`,
      key: model.admin,
      request: queryRequest('iam', 'DeleteLoginProfile', { UserName }),
      resources: [current.fact],
      change,
    };
  }
  user.exists.withdrawals.push(change);
  return {
    title: `admin deletes the user ${UserName}`,
    key: model.admin,
    request: queryRequest('iam', 'DeleteUser', { UserName }),
    mayRefuse: 'DeleteConflict',
    change,
  };
}
