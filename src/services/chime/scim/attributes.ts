/** Reads attributes of SCIM from JSON. Names of attributes have no case. Source: RFC 7643, section 2.1. */
import { isMailAddress } from '#core/mail-address.ts';
import type { ScimEmail } from '../tables/scim.ts';
import { isName } from '../texts.ts';
import { invalidValue, ScimError } from './scim-error.ts';

/** Most characters of an external ID, and of a part of a name. Assumed. */
const TEXT_MAX = 256;
const EMAILS_MAX = 10;

/** Attributes by lower-case name. */
export type Attributes = ReadonlyMap<string, unknown>;

/** Returns the attributes of a JSON object. @throws ScimError  the value is not an object, or repeats a name in another case */
export function attributesOf(value: unknown): Attributes {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ScimError(400, 'invalidSyntax', 'An object is required.');
  const attributes = new Map<string, unknown>();
  for (const [name, each] of Object.entries(value)) {
    const key = name.toLowerCase();
    if (attributes.has(key)) throw new ScimError(400, 'invalidSyntax', 'An attribute is repeated.');
    attributes.set(key, each);
  }
  return attributes;
}

/** Returns a text that others see. Returns undefined for an absent value and null. @throws ScimError  it is not a text, blank or too long */
export function textOf(value: unknown, attribute: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length > TEXT_MAX || !isName(value))
    throw invalidValue(`The attribute ${attribute} is not valid.`);
  return value;
}

/** As `textOf`, with an empty text as an absent one: providers send `""` for a person without the attribute. */
export function optionalText(value: unknown, attribute: string): string | undefined {
  return value === '' ? undefined : textOf(value, attribute);
}

/** Returns a boolean. Microsoft Entra sends it as a text. @throws ScimError  it is neither */
export function booleanOf(value: unknown, attribute: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw invalidValue(`The attribute ${attribute} is not valid.`);
}

/** Returns the address that is the user name. @throws ScimError  it is absent, or not the address of a mailbox */
export function userNameOf(value: unknown): string {
  if (typeof value !== 'string' || !isMailAddress(value)) throw invalidValue('The attribute userName must be an email address.');
  return value;
}

/** Parts of a name that are stored. Source: RFC 7643, section 4.1.1. */
export const NAME_PARTS = ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix'] as const;

export function nameOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  const attributes = attributesOf(value);
  const parts = NAME_PARTS.flatMap((part) => {
    const text = optionalText(attributes.get(part.toLowerCase()), `name.${part}`);
    return text === undefined ? [] : [[part, text] as const];
  });
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

export function emailsOf(value: unknown): readonly ScimEmail[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > EMAILS_MAX) throw invalidValue(`The attribute emails has at most ${EMAILS_MAX} values.`);
  const emails = value.map((each: unknown): ScimEmail => {
    const attributes = attributesOf(each);
    const address = attributes.get('value');
    if (typeof address !== 'string' || !isMailAddress(address)) throw invalidValue('The attribute emails is not valid.');
    const type = optionalText(attributes.get('type'), 'emails.type');
    const primary = attributes.get('primary');
    return {
      value: address,
      ...(type !== undefined && { type }),
      ...(primary !== undefined && primary !== null && { primary: booleanOf(primary, 'emails.primary') }),
    };
  });
  return emails.length === 0 ? undefined : emails;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Returns the IDs of members, each once. @throws ScimError  the value is not a list of members, or has more than `most` members */
export function memberIdsOf(value: unknown, most: number): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > most) throw new ScimError(413, undefined, `A request has at most ${most} members.`);
  const ids = list.map((each) => {
    const id = attributesOf(each).get('value');
    if (typeof id !== 'string' || !ID.test(id)) throw invalidValue('A member is not valid.');
    return id;
  });
  return [...new Set(ids)];
}

/** Reports whether a text has the form of the IDs of this server. */
export function isId(text: string): boolean {
  return ID.test(text);
}
