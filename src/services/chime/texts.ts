/** Checks of names and addresses that are shown to others or sent in mail. */
import { isMailAddress } from '#core/mail-address.ts';
import { badRequest } from './stored-accounts.ts';

/** Control characters, separators of lines, and characters that reverse the direction of the text after them. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** Most characters of a name that the model does not limit. Assumed: the number. */
export const NAME_MAX = 256;

/** Reports whether a text can be a name that is shown in mail and in the clients of other users. */
export function isName(text: string): boolean {
  return text.trim() !== '' && text.length <= NAME_MAX && text.isWellFormed() && !UNSAFE.test(text);
}

/**
 * Checks a name that is shown in mail and in the clients of other users.
 *
 * @throws BadRequestException  the name is blank, is too long, or has a line break or another control character. Assumed: the code.
 */
export function requireName(name: string): void {
  if (!isName(name)) throw badRequest();
}

/**
 * Returns the form of an address in which addresses are compared: lower case. Assumed: the case of the local part does not matter.
 *
 * @throws BadRequestException  the address is not the address of a mailbox
 */
export function normalizedEmail(address: string): string {
  if (!isMailAddress(address)) throw badRequest();
  return address.toLowerCase();
}

/** Returns the domain of a normalized address. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}
