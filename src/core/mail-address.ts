/** Addresses of mailboxes, and DNS names. */

/** Most characters. Source: RFC 5321, section 4.5.3.1: local part 64, path 256 with its brackets. RFC 1035, section 2.3.4: name 255 octets on the wire. */
const MAX = { address: 254, localPart: 64, domain: 253 } as const;
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Returns whether a text is the address of a mailbox: a dot-atom, `@` and a DNS name. Assumed: quoted local parts, IP addresses and characters
 * outside ASCII are not supported, because some servers do not accept them.
 */
export function isMailAddress(text: string): boolean {
  if (text.length > MAX.address) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  return local.length <= MAX.localPart && LOCAL_PART.test(local) && isDomainName(text.slice(at + 1));
}

/** Returns whether a text is a DNS name without a dot at its end. It may have one label, as `localhost`. */
export function isDomainName(text: string): boolean {
  return text.length <= MAX.domain && text.split('.').every((label) => LABEL.test(label));
}
