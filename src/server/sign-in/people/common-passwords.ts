/**
 * Passwords that many people choose, which an attacker tries first.
 *
 * Source: `@zxcvbn-ts/language-common`, 49,233 passwords of published leaks, most common first. NIST SP 800-63B-4, section 3.1.1.2, requires the comparison.
 */
import { PASSWORD_LENGTH } from './password-length.ts';

let loaded: Promise<ReadonlySet<string>> | undefined;

/** Reports whether a password is in the list. Pass it without spaces and in lower case. The list is loaded with the first call, without a network. */
export async function isCommonPassword(password: string): Promise<boolean> {
  loaded ??= load();
  return (await loaded).has(password);
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].map(String).filter(({ length }) => length >= PASSWORD_LENGTH.min));
}
