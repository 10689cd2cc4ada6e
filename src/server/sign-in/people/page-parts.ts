/** Parts that the pages for people share: forms, cookies and refusals. */
import { counted } from '#core/counted.ts';
import type { Answer } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import type { Claims, DirectoryEntry, People, ProviderOfAccount } from '../../core/services.ts';
import { bodyOf, fromOwnPage, readParameters, redirect, setCookie } from '../http.ts';
import type { SignInParts } from '../parts.ts';
import type { PageRequest } from '../site.ts';
import { messagePage } from './html.ts';
import type { Checked, PersonPasswords } from './passwords.ts';
import { type PersonEvent, type PersonEventName, recordPerson } from './records.ts';

/** Cookie of a session of a person. */
export const COOKIE = 'belfry-chime';
/** Fields of the forms with their largest lengths, in characters. */
const FIELDS = { token: 768, email: 254, password: 128, again: 128, displayName: 256 } as const;
type Field = keyof typeof FIELDS;

/** Handlers of the pages, by path and method. */
export type PersonPages = Readonly<Record<string, (request: PageRequest) => Promise<Answer>>>;

/** Parts that all handlers share. */
export interface Pages {
  readonly parts: SignInParts;
  readonly people: People;
  readonly passwords: PersonPasswords;
}

/** Returns the work of a transaction that can register a person. */
export function workIn({ addEmit, now, newId, random }: SignInParts, tx: Tx) {
  return { ...addEmit({ tx, now: now(), newId }), random };
}

/** Session that was begun. */
export type Begun = Awaited<ReturnType<People['beginSession']>>;
/** Returns the page of a form again, with a message. */
export type Retry = (status: number, message: string) => Answer;

/** Redirects to the page of the person, with the cookie of a session. */
export function toOwnPage(parts: SignInParts, request: PageRequest, { secret, expiresAt }: Begun, ...headers: string[]): Answer {
  return redirect(303, '/chime', ...setCookie(request, secret, expiresAt, parts.now(), COOKIE), ...headers);
}

/** Records a password that was not accepted, and returns the page. */
export async function refused(
  parts: SignInParts,
  received: PageRequest,
  eventName: PersonEventName,
  checked: Exclude<Checked<unknown>, { readonly outcome: 'right' }>,
  page: Retry,
  user?: PersonEvent['user'],
): Promise<Answer> {
  const errorMessage = checked.outcome === 'wrong' ? 'Failed authentication' : 'Too many attempts';
  await parts.store.transaction((tx) => recordPerson(parts, tx, { received, eventName, outcome: 'Failure', user, errorMessage }));
  switch (checked.outcome) {
    case 'wrong':
      return page(401, 'Your authentication information is incorrect. Please try again.');
    case 'busy':
      return page(503, 'The service is unavailable. Please retry.');
    case 'too-soon':
      return tooSoon(checked.seconds);
  }
}

/** Sign-in at a provider or a directory. */
interface BeginningOfProvider {
  readonly provider: ProviderOfAccount;
  readonly claims: Claims;
  /** Entry of the person in a directory. */
  readonly entry?: DirectoryEntry | undefined;
  readonly lifetimeMs?: number;
}

/**
 * Begins the session of a person with the claims of a provider or a directory, and records the sign-in. Resolves to undefined if the person cannot
 * sign in. `lifetimeMs` is the lifetime of the session. Default: that of a session with a password.
 */
export async function beginClaimed(
  { parts, people }: Pages,
  tx: Tx,
  received: PageRequest,
  { provider, claims, entry, lifetimeMs }: BeginningOfProvider,
): Promise<Begun | undefined> {
  const { accountId, chimeAccountId, providerId } = provider;
  const person = await people.signInClaimed(workIn(parts, tx), provider, claims, entry);
  const user = person.user ?? { accountId, chimeAccountId };
  const refuse = async (errorMessage: string): Promise<undefined> => {
    await recordPerson(parts, tx, { received, eventName: 'SignInUser', outcome: 'Failure', user, errorMessage });
  };
  if ('reason' in person) return await refuse(person.reason);
  const by = omitUndefined({ providerId, groupIds: person.groupIds });
  if ((await people.signInOf(tx, person.email, by)) === 'refused') return await refuse('The user is disabled, or in no licensed group');
  await recordPerson(parts, tx, { received, eventName: 'SignInUser', outcome: 'Success', user });
  return await people.beginSession({ tx, now: parts.now(), random: parts.random }, person.email, by, lifetimeMs);
}

export function tooSoon(seconds: number): Answer {
  return messagePage(
    429,
    'Too many attempts',
    `Please wait ${counted(seconds, 'second')}, then try again.`,
    'retry-after',
    String(seconds),
  );
}

export function crossSite(): Answer {
  return messagePage(403, 'The form is not from this server', 'Open the page of this server, and try again.');
}

type Given<Required extends Field> = Readonly<Record<Required, string>> & Readonly<Partial<Record<Field, string>>>;

/**
 * Returns the fields of a form of these pages. Returns 'cross-site' if a page of another site sent the form, and undefined if the form is
 * malformed, or if a required field is absent, empty or too long.
 */
export function fieldsOf<Required extends Field>(
  request: PageRequest,
  ...required: readonly Required[]
): Given<Required> | 'cross-site' | undefined {
  if (!fromOwnPage(request)) return 'cross-site';
  const body = bodyOf(request, 'application/x-www-form-urlencoded');
  const read = body === undefined ? undefined : readParameters(body);
  if (read === undefined) return undefined;
  for (const name of Object.keys(FIELDS) as Field[]) if ((read.get(name)?.length ?? 0) > FIELDS[name]) return undefined;
  for (const name of required) if ((read.get(name) ?? '') === '') return undefined;
  return Object.fromEntries(read) as Given<Required>;
}
