/** Users of the SCIM endpoint. Source: RFC 7643, section 4.1; RFC 7644. */
import { omitUndefined } from '#core/omit-undefined.ts';
import { applyReports, changeAddress, removeUser } from '../provisioned-users.ts';
import { type ScimUserDocument, type ScimUserFilter, type ScimUserRecord, scimGroups, scimUsers } from '../tables/scim.ts';
import { users } from '../tables/users.ts';
import { domainOf } from '../texts.ts';
import { type Attributes, attributesOf, booleanOf, emailsOf, NAME_PARTS, nameOf, optionalText, userNameOf } from './attributes.ts';
import { equalityOf, invalidFilter } from './filter.ts';
import { invalidPath, invalidValue, notFoundError, notUnique, ScimError } from './scim-error.ts';
import {
  listOf,
  metaOf,
  operationsOf,
  type PatchOperation,
  SCHEMA,
  type ScimAnswer,
  type ScimRequest,
  type ScimWork,
  selectedOf,
} from './scim-request.ts';

/** Most groups in a response about a user. */
const GROUPS_SHOWN = 100;

/** Members of a user that a client sets. */
type UserInput = Pick<ScimUserRecord, 'isActive' | 'document'> & Partial<Pick<ScimUserRecord, 'externalId'>>;

/**
 * Creates a user.
 *
 * @throws ScimError  an attribute is invalid · the address is in use or outside of the domains of the account · the account has the maximum of
 *   provisioned users
 */
export async function createUser(work: ScimWork, { body }: ScimRequest): Promise<ScimAnswer> {
  const { accountId, chimeAccountId } = work.account;
  const input = inputOf(attributesOf(body));
  const email = input.document.userName.toLowerCase();
  await requireFree(work, email);
  if ((await work.tx.of(scimUsers).count(chimeAccountId)) >= work.usersMax)
    throw new ScimError(403, undefined, `An account can have at most ${work.usersMax} provisioned users.`);
  const user: ScimUserRecord = {
    ...{ chimeAccountId, scimId: work.newId(), accountId, email },
    ...input,
    ...{ isDue: true, createdAt: work.now, updatedAt: work.now },
  };
  if ((await work.tx.of(scimUsers).add(user)) === 'exists') throw notUnique('userName');
  await applyReports(work, work.account);
  const location = metaOf(work, 'User', user).location;
  return { status: 201, body: await toUser(work, user), location, facts: factsOf(user) };
}

/** Returns a user. @throws ScimError  404 */
export async function getUser(work: ScimWork, id: string): Promise<ScimAnswer> {
  const user = await userOf(work, id);
  return { status: 200, body: await toUser(work, user), facts: factsOf(user) };
}

/** Lists users by ID, or those with a user name or an external ID. */
export async function listUsers(work: ScimWork, { query }: ScimRequest): Promise<ScimAnswer> {
  const { chimeAccountId } = work.account;
  const selected = selectedOf(query);
  const filter = query.get('filter');
  const repository = work.tx.of(scimUsers);
  if (filter !== undefined) {
    const matching = await repository.matching(chimeAccountId, filterOf(filter));
    const shown = matching.slice(selected.startIndex - 1, selected.startIndex - 1 + selected.count);
    return listOf(await Promise.all(shown.map((user) => toUser(work, user))), matching.length, selected);
  }
  // Lists have no groups of users, which would need a query for each user.
  const found = await repository.list(chimeAccountId, { offset: selected.startIndex - 1, limit: selected.count });
  return listOf(
    found.map((user) => withoutGroups(work, user)),
    await repository.count(chimeAccountId),
    selected,
  );
}

/** Replaces a user. @throws ScimError  as `createUser`, or 404 */
export async function replaceUser(work: ScimWork, id: string, { body }: ScimRequest): Promise<ScimAnswer> {
  const before = await userOf(work, id);
  return await changeUser(work, before, inputOf(attributesOf(body)));
}

/** Changes attributes of a user. @throws ScimError  as `createUser`, 404, or a path is not supported */
export async function patchUser(work: ScimWork, id: string, { body }: ScimRequest): Promise<ScimAnswer> {
  const before = await userOf(work, id);
  const { isActive, externalId, document } = before;
  const start: UserInput = omitUndefined({ isActive, externalId, document });
  return await changeUser(work, before, operationsOf(body, attributesOf).reduce(patched, start));
}

/** Deletes a user, also from the account. @throws ScimError  404 */
export async function deleteUser(work: ScimWork, id: string): Promise<ScimAnswer> {
  const user = await userOf(work, id);
  await removeUser(work, work.account, user.email);
  await work.tx.of(scimUsers).remove(user.chimeAccountId, user.scimId);
  return { status: 204, facts: factsOf(user) };
}

async function changeUser(work: ScimWork, before: ScimUserRecord, input: UserInput): Promise<ScimAnswer> {
  const email = input.document.userName.toLowerCase();
  if (email !== before.email) {
    await requireFree(work, email);
    if ((await work.tx.of(users).getByEmail(before.chimeAccountId, email)) !== undefined) throw notUnique('userName');
    await changeAddress(work, before, input.document.userName);
  }
  const { externalId: _before, ...kept } = before;
  const user: ScimUserRecord = { ...kept, ...input, email, isDue: true, updatedAt: work.now };
  await work.tx.of(scimUsers).put(user);
  await applyReports(work, work.account);
  return { status: 200, body: await toUser(work, user), facts: factsOf(user) };
}

/** Checks that an address can be provisioned. @throws ScimError  it is outside of the domains, or belongs to another user or account */
async function requireFree({ tx, account }: ScimWork, email: string): Promise<void> {
  const { chimeAccountId, document } = account;
  if (!(document.Domains ?? []).includes(domainOf(email))) throw invalidValue('The domain of the userName is not verified.');
  if ((await tx.of(scimUsers).withEmail(chimeAccountId, email)) !== undefined) throw notUnique('userName');
  const member = await tx.of(users).memberWithEmail(email);
  if (member !== undefined && member.chimeAccountId !== chimeAccountId) throw notUnique('userName');
}

async function userOf({ tx, account }: ScimWork, id: string): Promise<ScimUserRecord> {
  const user = await tx.of(scimUsers).get(account.chimeAccountId, id);
  if (user === undefined) throw notFoundError();
  return user;
}

/** Reads a user. Unknown attributes, read-only ones and `password` are ignored. Source: RFC 7644, section 3.3. */
function inputOf(attributes: Attributes): UserInput {
  const active = attributes.get('active');
  const document: ScimUserDocument = omitUndefined({
    userName: userNameOf(attributes.get('username')),
    displayName: optionalText(attributes.get('displayname'), 'displayName'),
    name: nameOf(attributes.get('name')),
    emails: emailsOf(attributes.get('emails')),
  });
  const externalId = optionalText(attributes.get('externalid'), 'externalId');
  const isActive = active === undefined || active === null ? true : booleanOf(active, 'active');
  return omitUndefined({ isActive, externalId, document });
}

/** Applies a change. A change without a path has the attributes as its value. */
function patched(input: UserInput, { op, path, value }: PatchOperation): UserInput {
  if (path !== undefined) return withAttribute(input, path.toLowerCase(), op === 'remove' ? undefined : value);
  if (op === 'remove') throw invalidPath();
  let changed = input;
  for (const [name, each] of attributesOf(value))
    if (!IGNORED.has(name) && !isExtension(name)) changed = withAttribute(changed, name, each);
  return changed;
}

/** Attributes that a change without a path can contain without an effect. */
const IGNORED: ReadonlySet<string> = new Set(['schemas', 'id', 'meta', 'groups', 'password']);
const isExtension = (name: string): boolean => name.startsWith('urn:');

function withAttribute(input: UserInput, path: string, value: unknown): UserInput {
  const { document } = input;
  const name = path.startsWith(USER_PREFIX) ? path.slice(USER_PREFIX.length) : path;
  switch (name) {
    case 'active':
      return { ...input, isActive: booleanOf(value, 'active') };
    case 'username':
      return { ...input, document: { ...document, userName: userNameOf(value) } };
    case 'externalid': {
      const { externalId: _before, ...rest } = input;
      return omitUndefined({ ...rest, externalId: optionalText(value, 'externalId') });
    }
    case 'displayname':
      return { ...input, document: withMember(document, 'displayName', optionalText(value, 'displayName')) };
    case 'name':
      return { ...input, document: withMember(document, 'name', nameOf(value)) };
    case 'emails':
      return { ...input, document: withMember(document, 'emails', emailsOf(value)) };
  }
  const part = NAME_PARTS.find((each) => name === `name.${each.toLowerCase()}`);
  if (part === undefined) throw invalidPath();
  const { [part]: _before, ...others } = document.name ?? {};
  const text = optionalText(value, `name.${part}`);
  const names = { ...others, ...(text !== undefined && { [part]: text }) };
  return { ...input, document: withMember(document, 'name', Object.keys(names).length === 0 ? undefined : names) };
}

const USER_PREFIX = `${SCHEMA.user.toLowerCase()}:`;

function withMember<Name extends 'displayName' | 'name' | 'emails'>(
  document: ScimUserDocument,
  name: Name,
  value: ScimUserDocument[Name],
): ScimUserDocument {
  return omitUndefined({ ...document, [name]: value }) as ScimUserDocument;
}

/** Source: providers look up users by their names, and Microsoft Entra also by its own ID. */
function filterOf(filter: string): ScimUserFilter {
  const { attribute, value } = equalityOf(filter);
  switch (attribute) {
    case 'username':
      return { email: value.toLowerCase() };
    case 'externalid':
      return { externalId: value };
    default:
      throw invalidFilter();
  }
}

function factsOf({ scimId }: ScimUserRecord): Readonly<Record<string, string>> {
  return { scimUserId: scimId };
}

function withoutGroups(work: ScimWork, user: ScimUserRecord): Readonly<Record<string, unknown>> {
  const { scimId, externalId, isActive, document } = user;
  return omitUndefined({ schemas: [SCHEMA.user], id: scimId, externalId, active: isActive, ...document, meta: metaOf(work, 'User', user) });
}

async function toUser(work: ScimWork, user: ScimUserRecord): Promise<Readonly<Record<string, unknown>>> {
  const groups = await work.tx.of(scimGroups).ofUser(user.chimeAccountId, user.scimId, GROUPS_SHOWN);
  if (groups.length === 0) return withoutGroups(work, user);
  return { ...withoutGroups(work, user), groups: groups.map(({ scimId, displayName }) => ({ value: scimId, display: displayName })) };
}
