/** The HTML of the pages for people of Amazon Chime. */
import type { Answer } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { SignedIn } from '../../core/services.ts';
import { escaped, formPage } from '../http.ts';
import { PASSWORD_LENGTH } from './password-length.ts';

/** Message about the form that the person sent. It has the focus, so that a screen reader reads it, and the next Tab leads to the first field. */
const alert = (message: string): string => (message === '' ? '' : `<p role="alert" tabindex="-1" autofocus>${escaped(message)}</p>\n`);
const field = (label: string, name: string, attributes: string, value = ''): string =>
  `<p><label>${label}<input name="${name}" ${attributes} value="${escaped(value)}" required></label></p>`;
const form = (action: string, content: readonly string[], button: string): string =>
  `<form method="post" action="${action}">\n${content.join('\n')}\n<p><button>${button}</button></p>\n</form>\n`;
const link = (path: string, text: string): string => `<p><a href="${path}">${text}</a></p>\n`;
/** Puts the focus on the first field of a page. */
const focused = ([first = '', ...rest]: readonly string[]): readonly string[] => [
  first.replace(' required>', ' required autofocus>'),
  ...rest,
];
const hidden = (name: string, value: string): string => `<input type="hidden" name="${name}" value="${escaped(value)}">`;

const CURRENT_PASSWORD = field('Password', 'password', 'type="password" autocomplete="current-password"');
const NEW_PASSWORD = [
  [`Password <small>${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} characters</small>`, 'password'] as const,
  ['Password again', 'again'] as const,
].map(([label, name]) =>
  field(label, name, `type="password" autocomplete="new-password" minlength="${PASSWORD_LENGTH.min}" maxlength="${PASSWORD_LENGTH.max}"`),
);
const FULL_NAME = (value: string): string => field('Your name', 'displayName', 'autocomplete="name" maxlength="256"', value);
const EMAIL = (value = ''): string => field('Email address', 'email', 'type="email" autocomplete="username" maxlength="254"', value);
const TO_SIGN_IN = link('/chime', 'Sign in');
const TO_REGISTRATION = link('/chime/registration', 'Register, or choose a new password');

/** Returns the form of the sign-in. `email` is the address that the person has entered. */
export function signInPage(status = 200, message = '', email = '', ...headers: string[]): Answer {
  const content = [
    alert(message),
    form('/chime/sign-in', focused([EMAIL(email), CURRENT_PASSWORD]), 'Sign in'),
    TO_REGISTRATION,
    '<h2>With the account of your company</h2>\n',
    form('/chime/provider', [EMAIL(email)], 'Continue'),
  ];
  return formPage(status, 'Sign in to Amazon Chime', content.join(''), '', ...headers);
}

/** Opens the link of the page. */
const OPEN_LINK = 'document.links[0].click();';

/**
 * Returns the page that leads to an OpenID provider. It is a link and no redirect, because the policy of the form's page forbids that a form
 * leads to another site.
 */
export function providerPage(url: URL, ...headers: string[]): Answer {
  const toProvider = link(escaped(url.href), `Continue to ${escaped(url.host)}`);
  return formPage(200, 'Sign in with the account of your company', toProvider, OPEN_LINK, ...headers);
}

/** Returns a time for people: `2026-11-30 21:12 UTC`. */
function minuteOf(time: Instant): string {
  return `${isoSeconds(time).replace('T', ' ').slice(0, 16)} UTC`;
}

/** Returns the page of a person that has signed in. */
export function personPage({ email, person, membership }: SignedIn): Answer {
  const rows: readonly (readonly [string, string])[] = [
    ['Name', membership?.user.document.DisplayName ?? person?.displayName ?? email],
    ['Email address', membership?.user.document.PrimaryEmail ?? email],
    ['Account', membership?.account.name ?? 'None'],
    // Source: Administration Guide, "Managing user permissions": people without an account have the permissions of Basic.
    ['License', membership?.user.licenseType ?? 'Basic'],
    ['Personal meeting PIN', membership?.user.personalPin ?? 'None'],
    ['Registered', membership?.user.registeredAt === undefined ? 'No' : minuteOf(membership.user.registeredAt)],
  ];
  const table = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escaped(value)}</td></tr>`).join('\n');
  return formPage(200, 'Amazon Chime', `<table>\n${table}\n</table>\n${form('/chime/sign-out', [], 'Sign out')}`);
}

/**
 * Sends the token of a link, which is in the fragment of the address. Browsers send no fragment, so that no log of a proxy contains the token.
 * The page removes it from the address, and so from the history.
 */
const SEND_TOKEN = `const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
if (token !== '') { const form = document.forms[0]; form.token.value = token; form.submit(); }`;

/** Returns the page that a link in a mail opens. Without JavaScript, the person pastes the code from the link. */
export function linkPage(path: string, title: string): Answer {
  const code = field('Code: the part of the link in the mail that follows the character #', 'token', 'autocomplete="off" maxlength="768"');
  return formPage(200, title, form(path, focused([code]), 'Continue'), SEND_TOKEN);
}

/** Facts that the page of an invitation shows. */
export interface InvitationView {
  readonly token: string;
  readonly accountName: string;
  readonly emailAddress: string;
  /** Whether the person has a password already. */
  readonly hasPassword: boolean;
  readonly displayName?: string | undefined;
}

/** Returns the page on which a person accepts an invitation. */
export function invitationPage(view: InvitationView, status = 200, message = ''): Answer {
  const facts = `<p>${escaped(view.emailAddress)} is invited to the Amazon Chime account <b>${escaped(view.accountName)}</b>.</p>\n`;
  const fields = view.hasPassword ? [CURRENT_PASSWORD] : [FULL_NAME(view.displayName ?? ''), ...NEW_PASSWORD];
  const accept = form('/chime/invitation', [...focused(fields), hidden('token', view.token)], 'Accept the invitation');
  return formPage(status, 'Invitation', alert(message) + facts + accept);
}

/** Returns the page for a link that is not valid. It does not say why, and it does not say whether an account or a user exists. */
export function invalidLinkPage(): Answer {
  const text =
    '<p>It was used, has expired, or was replaced by a later one. Open the link in the newest mail, or request another one.</p>\n';
  return formPage(403, 'This link is not valid', text + TO_REGISTRATION + TO_SIGN_IN);
}

/** Returns a page with one message. */
export function messagePage(status: number, title: string, message: string, ...headers: string[]): Answer {
  return formPage(status, title, `<p>${escaped(message)}</p>\n${TO_SIGN_IN}`, '', ...headers);
}

/** Returns the page on which a person requests a mail with a link. */
export function registrationPage(status = 200, message = ''): Answer {
  const text =
    '<p>You receive a mail with a link. With it you choose a password, and register if your company has claimed the domain.</p>\n';
  const send = form('/chime/registration', focused([EMAIL()]), 'Send the mail');
  return formPage(status, 'Register, or choose a new password', alert(message) + text + send + TO_SIGN_IN);
}

/** Facts that the page of a confirmed address shows. */
export interface ConfirmationView {
  readonly token: string;
  readonly emailAddress: string;
  /** Account that the person joins. */
  readonly accountName?: string | undefined;
  readonly displayName?: string | undefined;
}

/** Returns the page on which a person with a confirmed address chooses a name and a password. */
export function confirmationPage(view: ConfirmationView, status = 200, message = ''): Answer {
  const { accountName, emailAddress } = view;
  const joins = accountName === undefined ? '' : ` You join the Amazon Chime account <b>${escaped(accountName)}</b>.`;
  const facts = `<p>Choose a password for ${escaped(emailAddress)}.${joins}</p>\n`;
  const fields = [...focused([FULL_NAME(view.displayName ?? ''), ...NEW_PASSWORD]), hidden('token', view.token)];
  return formPage(status, 'Choose a password', alert(message) + facts + form('/chime/confirmation', fields, 'Save'));
}
