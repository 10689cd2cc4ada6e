/** Searches in an LDAP directory for people and their groups. The library encodes filters, so that no text is parsed. */
import {
  AndFilter,
  type Client,
  type Entry,
  EqualityFilter,
  OrFilter,
  PresenceFilter,
  type SearchOptions,
  SizeLimitExceededError,
} from 'ldapts';
import type { DirectorySettings, FoundPerson, SoughtPerson } from '../../core/services.ts';

/** Time of an operation. Assumed. */
export const OPERATION_MS = 5_000;
/** Most groups of a person that are read. */
const GROUPS_MAX = 500;
/** Levels of groups that are read: groups of a person, groups of these groups, and so on. Groups above them do not count. Assumed. */
const GROUP_LEVELS = 10;
/** Names and addresses of one search. */
const NAMES_AT_ONCE = 50;
const ADDRESSES_AT_ONCE = 20;
/** Searches that run at a time for several people. */
const SEARCHES_AT_ONCE = 8;
/** Bit of a disabled account. Source: Microsoft, "UserAccountControl property flags": ACCOUNTDISABLE. */
const ACCOUNT_DISABLED = 0x2;

/** Attributes of disabled and locked entries: Active Directory, 389 Directory Server, and the password policy of OpenLDAP. */
const STATE_ATTRIBUTES = ['userAccountControl', 'nsAccountLock', 'pwdAccountLockedTime'] as const;

/**
 * Attributes that identify an entry for its whole life, the preferred one first. Source: RFC 4530, entryUUID; Microsoft, "Object-Guid attribute"; 389 Directory
 * Server, nsUniqueId.
 */
const ID_ATTRIBUTES = ['objectGUID', 'entryUUID', 'nsUniqueId'] as const;
const ENTRY_ID = /^(objectGUID|entryUUID|nsUniqueId):([\w-]{8,64})$/;
/** Attributes of Active Directory for the primary group of a person. */
const PRIMARY_GROUP_ATTRIBUTES = ['primaryGroupID', 'objectSid'] as const;
/** Attributes whose values are bytes. */
const BINARY_ATTRIBUTES = ['objectGUID', 'objectSid'];
/** Bytes of a security identifier in a domain, from the shortest to the longest. Source: Microsoft, [MS-DTYP] 2.4.2.2. */
const SID_BYTES = { min: 12, max: 68 } as const;

/** Directory that cannot be read. The message has nothing that the directory sent. */
export class DirectoryProblem extends Error {}

/** Returns the only entry with an address, as primary address or as proxy address. */
export async function personIn(client: Client, settings: DirectorySettings, email: string): Promise<Entry | undefined> {
  const { searchEntries } = await peopleWith(client, settings, [email], 2);
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

/**
 * Reads people by their entries, or by their primary addresses. A person who is absent from the result is unknown, ambiguous or disabled, or has no address.
 *
 * @throws DirectoryProblem  the directory shows no people or no groups at all, so that what it shows of these people may be incomplete
 */
export async function peopleIn(
  client: Client,
  settings: DirectorySettings,
  people: readonly SoughtPerson[],
): Promise<ReadonlyMap<string, FoundPerson>> {
  const first = await peopleOnce(client, settings, people);
  if (first.size > 0 && [...first.values()].some(({ groups }) => groups.length > 0)) return first;
  if (!(await hasAny(client, settings, withAddress(settings)))) throw new DirectoryProblem(NO_PEOPLE);
  if (!(await hasAny(client, settings, WITH_MEMBERS))) throw new DirectoryProblem(NO_GROUPS);
  // The server may have got the right to read only after the first searches.
  return await peopleOnce(client, settings, people);
}

async function peopleOnce(
  client: Client,
  settings: DirectorySettings,
  people: readonly SoughtPerson[],
): Promise<ReadonlyMap<string, FoundPerson>> {
  const entries = await entriesOf(client, settings, people);
  const parents = cachedParents(client, settings);
  const primary = cachedPrimaryGroups(client, settings);
  const found = new Map<string, FoundPerson>();
  const waiting = [...entries];
  async function readNext(): Promise<void> {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [email, entry] = next;
      if (!isDisabled(entry))
        found.set(email, { ...addressAndName(settings, entry), groups: await groupNames(entry.dn, parents, await primary(entry)) });
    }
  }
  await Promise.all(Array.from({ length: SEARCHES_AT_ONCE }, readNext));
  return found;
}

const NO_PEOPLE = 'The directory has no people with an address that BindDn can read.';
const NO_GROUPS = 'The directory has no groups with members that BindDn can read.';
const WITH_MEMBERS = new OrFilter({ filters: ['member', 'uniqueMember'].map((attribute) => new PresenceFilter({ attribute })) });
const IS_PERSON = new EqualityFilter({ attribute: 'objectClass', value: 'person' });

function withAddress({ emailAttribute }: DirectorySettings): AndFilter {
  return new AndFilter({ filters: [IS_PERSON, new PresenceFilter({ attribute: emailAttribute })] });
}

/** Reports whether the base has an entry that a filter selects. */
async function hasAny(client: Client, { baseDn }: DirectorySettings, filter: AndFilter | OrFilter): Promise<boolean> {
  const search: SearchOptions = { scope: 'sub', filter, attributes: ['objectClass'], sizeLimit: 1, timeLimit: OPERATION_MS / 1000 };
  return (await client.search(baseDn, search)).searchEntries.length > 0;
}

/**
 * Returns entries by the address that was passed. A person with a known entry has this entry, also with another address. For other people, an
 * address that several entries have is absent.
 */
async function entriesOf(
  client: Client,
  settings: DirectorySettings,
  people: readonly SoughtPerson[],
): Promise<ReadonlyMap<string, Entry>> {
  const entries = await entriesWithAddresses(
    client,
    settings,
    people.map(({ email }) => email),
  );
  const others = people.filter(({ email, entryId }) => {
    const entry = entries.get(email);
    return entryId !== undefined && (entry === undefined || entryIdOf(entry) !== entryId);
  });
  for (let at = 0; at < others.length; at += ADDRESSES_AT_ONCE) {
    const some = others.slice(at, at + ADDRESSES_AT_ONCE);
    const byId = await entriesWithIds(
      client,
      settings,
      some.flatMap(({ entryId = '' }) => entryId),
    );
    for (const { email, entryId = '' } of some) {
      const entry = byId.get(entryId);
      if (entry === undefined) continue;
      // Without an address, the person cannot be a user.
      if (textIn(entry, settings.emailAttribute) === undefined) entries.delete(email);
      else entries.set(email, entry);
    }
  }
  return entries;
}

/** Reports whether a person with the entry `former` exists, also a disabled one, and is not the one with the entry `current`. */
export async function hasOtherEntry(
  client: Client,
  settings: DirectorySettings,
  { former, current }: { readonly former: string; readonly current: string | undefined },
): Promise<boolean> {
  const entry = (await entriesWithIds(client, settings, [former])).get(former);
  return entry !== undefined && (current === undefined || !idsOf(entry).includes(current));
}

/** Returns people by the IDs that were passed. An entry can have several IDs. */
async function entriesWithIds(client: Client, settings: DirectorySettings, ids: readonly string[]): Promise<ReadonlyMap<string, Entry>> {
  const filters = ids.flatMap((id) => {
    const [, attribute, value] = ENTRY_ID.exec(id) ?? [];
    if (attribute === undefined || value === undefined) return [];
    return [new EqualityFilter({ attribute, value: attribute === 'objectGUID' ? Buffer.from(value, 'hex') : value })];
  });
  if (filters.length === 0) return new Map();
  const filter = new AndFilter({ filters: [IS_PERSON, new OrFilter({ filters })] });
  const { searchEntries, isCut } = await searched(
    client,
    settings.baseDn,
    { filter, attributes: personAttributes(settings) },
    filters.length,
  );
  if (isCut) throw new DirectoryProblem('The directory returned only some of the entries with an ID.');
  return new Map(searchEntries.flatMap((entry) => idsOf(entry).map((id) => [id, entry] as const)));
}

/** Returns the ID of an entry: `entryUUID:597ae2f6-16a6-1027-98f4-d28b5365dc14`. Undefined if the directory shows none. */
export function entryIdOf(entry: Entry): string | undefined {
  return idsOf(entry)[0];
}

/** Returns all IDs of an entry, the preferred one first. */
function idsOf(entry: Entry): readonly string[] {
  return ID_ATTRIBUTES.flatMap((attribute) => {
    const value = bytesIn(entry, attribute)?.toString('hex') ?? textIn(entry, attribute);
    const id = `${attribute}:${value?.toLowerCase() ?? ''}`;
    return ENTRY_ID.test(id) ? [id] : [];
  });
}

/** Returns entries by primary address. An address that several entries have is absent. */
async function entriesWithAddresses(client: Client, settings: DirectorySettings, emails: readonly string[]): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for (let at = 0; at < emails.length; at += ADDRESSES_AT_ONCE) {
    const some = emails.slice(at, at + ADDRESSES_AT_ONCE);
    const { searchEntries, isCut } = await peopleWith(client, settings, some, 2 * ADDRESSES_AT_ONCE);
    if (isCut) throw new DirectoryProblem('The directory returned only some of the entries with an address.');
    for (const email of some) {
      const [entry, other] = searchEntries.filter((each) => addressesIn(settings, each).has(email));
      if (entry !== undefined && other === undefined && textIn(entry, settings.emailAttribute)?.toLowerCase() === email)
        entries.set(email, entry);
    }
  }
  return entries;
}

/** Returns all addresses of an entry in lower case. */
function addressesIn({ emailAttribute, proxyAddressAttribute }: DirectorySettings, entry: Entry): ReadonlySet<string> {
  const proxies = textsIn(entry, proxyAddressAttribute).map((each) => each.toLowerCase().replace(/^smtp:/, ''));
  return new Set([...textsIn(entry, emailAttribute).map((each) => each.toLowerCase()), ...proxies]);
}

type Searched = { readonly searchEntries: readonly Entry[]; readonly isCut: boolean };

function peopleWith(client: Client, settings: DirectorySettings, emails: readonly string[], most: number): Promise<Searched> {
  const { emailAttribute, proxyAddressAttribute } = settings;
  const filters = emails.flatMap((email) => [
    new EqualityFilter({ attribute: emailAttribute, value: email }),
    new EqualityFilter({ attribute: proxyAddressAttribute, value: email }),
    // Source: Microsoft, "proxyAddresses attribute": each value begins with the protocol.
    new EqualityFilter({ attribute: proxyAddressAttribute, value: `smtp:${email}` }),
  ]);
  const filter = new AndFilter({ filters: [IS_PERSON, new OrFilter({ filters })] });
  return searched(client, settings.baseDn, { filter, attributes: personAttributes(settings) }, most);
}

function personAttributes({ emailAttribute, proxyAddressAttribute, displayNameAttribute }: DirectorySettings): string[] {
  const configured = [emailAttribute, proxyAddressAttribute, displayNameAttribute];
  return [...configured, ...STATE_ATTRIBUTES, ...ID_ATTRIBUTES, ...PRIMARY_GROUP_ATTRIBUTES];
}

/**
 * Searches for at most `most` entries. `isCut` reports that there are more, or that the directory returned only some, and then there are no entries.
 *
 * The request has no `sizeLimit`, because the library then hides that the directory has reached it, or a smaller limit of its own. The limit on the bytes
 * of a connection bounds the response.
 */
async function searched(
  client: Client,
  baseDn: string,
  options: Required<Pick<SearchOptions, 'filter' | 'attributes'>>,
  most: number,
): Promise<Searched> {
  try {
    const { searchEntries } = await client.search(baseDn, {
      ...options,
      scope: 'sub',
      timeLimit: OPERATION_MS / 1000,
      explicitBufferAttributes: BINARY_ATTRIBUTES,
    });
    return searchEntries.length > most ? { searchEntries: [], isCut: true } : { searchEntries, isCut: false };
  } catch (error) {
    if (error instanceof SizeLimitExceededError) return { searchEntries: [], isCut: true };
    throw error;
  }
}

interface Group {
  readonly dn: string;
  readonly name: string;
}

/** Returns the groups whose members are entries with the given distinguished names. */
type ParentsOf = (dns: readonly string[]) => Promise<readonly Group[]>;

/** Returns the names of the groups of a person, also of groups that contain these groups. */
export async function groupsOf(client: Client, settings: DirectorySettings, entry: Entry): Promise<readonly string[]> {
  const primary = await cachedPrimaryGroups(client, settings)(entry);
  return await groupNames(entry.dn, (dns) => parentsIn(client, settings, dns), primary);
}

/**
 * Returns the names of the groups of an entry, level by level. A group that contains itself is read once. `primary` is a group that has the entry,
 * although `member` of the group does not name it.
 *
 * Source: Administration Guide, "Managing user permissions": the exact name of a group, without its organizational units. Assumed: nested groups.
 */
async function groupNames(dn: string, parentsOf: ParentsOf, primary: readonly Group[]): Promise<readonly string[]> {
  const names = new Map<string, string>(primary.map((group) => [group.dn, group.name]));
  let level = [dn, ...names.keys()];
  for (let depth = 0; depth < GROUP_LEVELS && level.length > 0; depth++) {
    const parents = (await parentsOf(level)).filter((group) => !names.has(group.dn));
    for (const group of parents) names.set(group.dn, group.name);
    if (names.size > GROUPS_MAX) throw new DirectoryProblem(TOO_MANY_GROUPS);
    level = [...new Set(parents.map((group) => group.dn))];
  }
  return [...new Set(names.values())];
}

const TOO_MANY_GROUPS = `A person is in more than ${GROUPS_MAX} groups, or the directory returned only some of the groups.`;

async function parentsIn(client: Client, { baseDn }: DirectorySettings, dns: readonly string[]): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (let at = 0; at < dns.length; at += NAMES_AT_ONCE) {
    const filters = dns
      .slice(at, at + NAMES_AT_ONCE)
      .flatMap((value) => ['member', 'uniqueMember'].map((attribute) => new EqualityFilter({ attribute, value })));
    const { searchEntries, isCut } = await searched(client, baseDn, { filter: new OrFilter({ filters }), attributes: ['cn'] }, GROUPS_MAX);
    if (isCut) throw new DirectoryProblem(TOO_MANY_GROUPS);
    groups.push(...searchEntries.map((entry) => ({ dn: entry.dn, name: textIn(entry, 'cn') ?? '' })));
  }
  return groups;
}

/** Returns a function that reads the groups of each entry once, because many people are in the same groups. */
function cachedParents(client: Client, settings: DirectorySettings): ParentsOf {
  const known = new Map<string, Promise<readonly Group[]>>();
  return async (dns) => {
    const found: Group[] = [];
    for (const dn of dns) {
      const parents = known.get(dn) ?? parentsIn(client, settings, [dn]);
      known.set(dn, parents);
      found.push(...(await parents));
    }
    return found;
  };
}

/**
 * Returns a function that reads the primary group of an entry, once for all its members.
 *
 * Source: Microsoft, "Primary-Group-ID attribute": the relative identifier of the primary group, whose `member` does not name the person. A security
 * identifier ends with the relative one, of 4 bytes in little-endian order ([MS-DTYP] 2.4.2.2).
 */
function cachedPrimaryGroups(client: Client, settings: DirectorySettings): (entry: Entry) => Promise<readonly Group[]> {
  const known = new Map<string, Promise<readonly Group[]>>();
  return async (entry) => {
    const sid = bytesIn(entry, 'objectSid');
    const relativeId = Number(textIn(entry, 'primaryGroupID') ?? Number.NaN);
    if (sid === undefined || sid.length < SID_BYTES.min || sid.length > SID_BYTES.max) return [];
    if (!Number.isInteger(relativeId) || relativeId < 0 || relativeId > 0xffff_ffff) return [];
    const value = Buffer.from(sid);
    value.writeUInt32LE(relativeId, value.length - 4);
    const key = value.toString('hex');
    const group = known.get(key) ?? groupWithSid(client, settings, value);
    known.set(key, group);
    return await group;
  };
}

async function groupWithSid(client: Client, { baseDn }: DirectorySettings, value: Buffer): Promise<readonly Group[]> {
  const filter = new OrFilter({ filters: [new EqualityFilter({ attribute: 'objectSid', value })] });
  const { searchEntries } = await searched(client, baseDn, { filter, attributes: ['cn'] }, 1);
  return searchEntries.map((entry) => ({ dn: entry.dn, name: textIn(entry, 'cn') ?? '' }));
}

export function isDisabled(entry: Entry): boolean {
  const [control, lock, lockedTime] = STATE_ATTRIBUTES.map((name) => textIn(entry, name));
  return (Number(control ?? 0) & ACCOUNT_DISABLED) !== 0 || lock?.toLowerCase() === 'true' || lockedTime !== undefined;
}

/** Returns the primary address, the name and the entry of a person. */
export function addressAndName({ emailAttribute, displayNameAttribute }: DirectorySettings, entry: Entry): Omit<FoundPerson, 'groups'> {
  return { email: textIn(entry, emailAttribute), displayName: textIn(entry, displayNameAttribute), entryId: entryIdOf(entry) };
}

/** Returns the first value of an attribute whose values are bytes. */
function bytesIn(entry: Entry, attribute: string): Buffer | undefined {
  const name = Object.keys(entry).find((each) => each.toLowerCase() === attribute.toLowerCase());
  const value = name === undefined ? undefined : entry[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return Buffer.isBuffer(first) && first.length > 0 ? first : undefined;
}

/** Returns the first value of an attribute. */
function textIn(entry: Entry, attribute: string): string | undefined {
  return textsIn(entry, attribute)[0];
}

/** Returns the values of an attribute that are texts. */
function textsIn(entry: Entry, attribute: string): readonly string[] {
  const name = Object.keys(entry).find((each) => each.toLowerCase() === attribute.toLowerCase());
  const value = name === undefined ? [] : entry[name];
  return (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === 'string' && each !== '');
}
