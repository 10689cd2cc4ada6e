/** URIs of SIP requests. */

/** User and host of a SIP URI. Nothing is percent-decoded. */
export interface Party {
  /** Part before `@`, without parameters and password. Empty if the URI has no user. */
  readonly user: string;
  /** In lower case. */
  readonly host: string;
}

/**
 * Expression for `sip:user@host:port;parameters?headers`. Each part is one character class, so matching takes one step per character.
 * Source: RFC 3261 §19.1.1. Quotes and brackets are in no part.
 */
const SIP_URI = /^sips?:(?:([^@"<>\s]*)@)?([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:[;?][^"<>\s]*)?$/i;

/** Control characters, which no field of a request may contain. */
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Returns the user and host of a SIP URI, or undefined if it is malformed. */
export function parseSipUri(uri: string): Party | undefined {
  const [, user = '', host] = SIP_URI.exec(uri) ?? [];
  if (host === undefined) return undefined;
  return { user: user.replace(/[;:].*$/, ''), host: host.toLowerCase() };
}

/** Reports whether a string has no control characters. */
export function hasOnlyText(text: string): boolean {
  return !CONTROL.test(text);
}
