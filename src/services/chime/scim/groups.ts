/** Groups of the SCIM endpoint. Source: RFC 7643, section 4.2; RFC 7644. */
import { omitUndefined } from '#core/omit-undefined.ts';
import { applyReports } from '../provisioned-users.ts';
import { licensedGroups } from '../tables/licensed-groups.ts';
import { SCIM_AT_ONCE, type ScimGroupFilter, type ScimGroupRecord, scimGroups, scimUsers } from '../tables/scim.ts';
import { attributesOf, memberIdsOf, optionalText, textOf } from './attributes.ts';
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

/** Limits. Assumed. Lists of groups have no members, as those of AWS IAM Identity Center. */
export const GROUPS_MAX = 1_000;
export const MEMBERS_MAX = 10_000;
/** Most members that a request adds or removes. */
const MEMBERS_AT_ONCE = 1_000;

/** Creates a group. @throws ScimError  an attribute is invalid, the name is in use, a member does not exist, or there are too many */
export async function createGroup(work: ScimWork, { body }: ScimRequest): Promise<ScimAnswer> {
  const { tx, account } = work;
  const { chimeAccountId } = account;
  const attributes = attributesOf(body);
  const displayName = requiredName(attributes.get('displayname'));
  const externalId = optionalText(attributes.get('externalid'), 'externalId');
  const members = membersIn(attributes.get('members'));
  if ((await tx.of(scimGroups).count(chimeAccountId)) >= GROUPS_MAX)
    throw new ScimError(403, undefined, `An account can have at most ${GROUPS_MAX} provisioned groups.`);
  const scimId = work.newId();
  const group: ScimGroupRecord = omitUndefined({
    chimeAccountId,
    scimId,
    displayName,
    externalId,
    createdAt: work.now,
    updatedAt: work.now,
  });
  if ((await tx.of(scimGroups).add(group)) === 'exists') throw notUnique('displayName');
  await addMembers(work, group, members);
  await reported(work, displayName);
  await applyReports(work, account);
  return { status: 201, body: await toGroup(work, group), location: metaOf(work, 'Group', group).location, facts: factsOf(group) };
}

/** Returns a group with its members, unless the query excludes them. @throws ScimError  404 */
export async function getGroup(work: ScimWork, id: string, { query }: ScimRequest): Promise<ScimAnswer> {
  const group = await groupOf(work, id);
  const isShort = (query.get('excludedAttributes') ?? '').toLowerCase().split(',').includes('members');
  return { status: 200, body: isShort ? withoutMembers(work, group) : await toGroup(work, group), facts: factsOf(group) };
}

/** Lists groups by ID without their members, or those with a name or an external ID. */
export async function listGroups(work: ScimWork, { query }: ScimRequest): Promise<ScimAnswer> {
  const { chimeAccountId } = work.account;
  const selected = selectedOf(query);
  const filter = query.get('filter');
  const repository = work.tx.of(scimGroups);
  const offset = selected.startIndex - 1;
  const matching = filter === undefined ? undefined : await repository.matching(chimeAccountId, filterOf(filter));
  const found =
    matching?.slice(offset, offset + selected.count) ?? (await repository.list(chimeAccountId, { offset, limit: selected.count }));
  return listOf(
    found.map((group) => withoutMembers(work, group)),
    matching?.length ?? (await repository.count(chimeAccountId)),
    selected,
  );
}

/** Replaces a group with its members. @throws ScimError  as `createGroup`, or 404 */
export async function replaceGroup(work: ScimWork, id: string, { body }: ScimRequest): Promise<ScimAnswer> {
  const before = await groupOf(work, id);
  const attributes = attributesOf(body);
  const displayName = requiredName(attributes.get('displayname'));
  const externalId = optionalText(attributes.get('externalid'), 'externalId');
  const members = membersIn(attributes.get('members'));
  const group = await putGroup(work, before, { displayName, externalId });
  await replaceMembers(work, group, members);
  await applyReports(work, work.account);
  return { status: 200, body: await toGroup(work, group), facts: factsOf(group) };
}

/** Changes a group. The response has no body, as groups can be large. @throws ScimError  as `createGroup`, 404, or a path is not supported */
export async function patchGroup(work: ScimWork, id: string, { body }: ScimRequest): Promise<ScimAnswer> {
  const before = await groupOf(work, id);
  let group = before;
  const operations = operationsOf(body, attributesOf);
  if (operations.reduce((sum, operation) => sum + membersNamed(operation), 0) > MEMBERS_AT_ONCE)
    throw new ScimError(413, undefined, `A request has at most ${MEMBERS_AT_ONCE} members.`);
  for (const operation of operations) group = await patched(work, group, operation);
  // Once for all changes of the name, because a group can have many members.
  if (group.displayName !== before.displayName) await work.tx.of(scimUsers).setDueOfGroup(group.chimeAccountId, group.displayName);
  await work.tx.of(scimGroups).put({ ...group, updatedAt: work.now });
  await applyReports(work, work.account);
  return { status: 204, facts: factsOf(group) };
}

/** Deletes a group. The users stay. @throws ScimError  404 */
export async function deleteGroup(work: ScimWork, id: string): Promise<ScimAnswer> {
  const group = await groupOf(work, id);
  await work.tx.of(scimUsers).setDueOfGroup(group.chimeAccountId, group.displayName);
  await work.tx.of(scimGroups).remove(group.chimeAccountId, group.scimId);
  await applyReports(work, work.account);
  return { status: 204, facts: factsOf(group) };
}

/** Returns the number of members that a change names. */
function membersNamed({ path, value }: PatchOperation): number {
  const list = path === undefined ? attributesOf(value).get('members') : value;
  return Array.isArray(list) ? list.length : 1;
}

/** A member that a path selects. The ID is compared as text, so it needs no parser of filters. */
const ONE_MEMBER = /^members\[ *value +eq +"([0-9a-f-]{36})" *\]$/i;

async function patched(work: ScimWork, group: ScimGroupRecord, { op, path, value }: PatchOperation): Promise<ScimGroupRecord> {
  if (path === undefined) {
    if (op === 'remove') throw invalidPath();
    let changed = group;
    for (const [name, each] of attributesOf(value))
      if (!IGNORED.has(name)) changed = await patched(work, changed, { op, path: name, value: each });
    return changed;
  }
  const one = ONE_MEMBER.exec(path)?.[1];
  if (one !== undefined) {
    if (op !== 'remove') throw invalidPath();
    await removeMembers(work, group, [one.toLowerCase()]);
    return group;
  }
  switch (path.toLowerCase()) {
    case 'displayname':
      return await putGroup(work, group, { displayName: requiredName(op === 'remove' ? undefined : value), externalId: group.externalId });
    case 'externalid':
      return await putGroup(work, group, {
        displayName: group.displayName,
        externalId: op === 'remove' ? undefined : optionalText(value, 'externalId'),
      });
    case 'members':
      await patchMembers(work, group, op, value);
      return group;
    default:
      throw invalidPath();
  }
}

const IGNORED: ReadonlySet<string> = new Set(['schemas', 'id', 'meta']);

async function patchMembers(work: ScimWork, group: ScimGroupRecord, op: PatchOperation['op'], value: unknown): Promise<void> {
  if (op === 'remove' && value === undefined) return await replaceMembers(work, group, []);
  const ids = memberIdsOf(value ?? [], MEMBERS_AT_ONCE);
  if (op === 'add') await addMembers(work, group, ids);
  else if (op === 'replace') await replaceMembers(work, group, ids);
  else await removeMembers(work, group, ids);
}

/** Changes the name and the external ID of a group. The caller marks the members of a renamed group as due. */
async function putGroup(
  work: ScimWork,
  before: ScimGroupRecord,
  { displayName, externalId }: { readonly displayName: string; readonly externalId: string | undefined },
): Promise<ScimGroupRecord> {
  const { chimeAccountId, scimId, createdAt } = before;
  if (displayName !== before.displayName && (await work.tx.of(scimGroups).named(chimeAccountId, displayName)) !== undefined)
    throw notUnique('displayName');
  const group: ScimGroupRecord = omitUndefined({ chimeAccountId, scimId, displayName, externalId, createdAt, updatedAt: work.now });
  await work.tx.of(scimGroups).put(group);
  await reported(work, displayName);
  return group;
}

/** Adds members, and marks them as due. @throws ScimError  a member does not exist, or the group would have too many */
async function addMembers({ tx }: ScimWork, { chimeAccountId, scimId }: ScimGroupRecord, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += SCIM_AT_ONCE) {
    const some = ids.slice(at, at + SCIM_AT_ONCE);
    if ((await tx.of(scimUsers).known(chimeAccountId, some)).length < some.length) throw invalidValue('A member does not exist.');
    await tx.of(scimUsers).setDue(chimeAccountId, some);
  }
  await tx.of(scimGroups).addMembers(chimeAccountId, scimId, ids);
  if ((await tx.of(scimGroups).countMembers(chimeAccountId, scimId)) > MEMBERS_MAX)
    throw new ScimError(403, undefined, `A group can have at most ${MEMBERS_MAX} members.`);
}

async function removeMembers({ tx }: ScimWork, { chimeAccountId, scimId }: ScimGroupRecord, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += SCIM_AT_ONCE) {
    const some = ids.slice(at, at + SCIM_AT_ONCE);
    await tx.of(scimUsers).setDue(chimeAccountId, some);
    await tx.of(scimGroups).removeMembers(chimeAccountId, scimId, some);
  }
}

async function replaceMembers(work: ScimWork, group: ScimGroupRecord, ids: readonly string[]): Promise<void> {
  await work.tx.of(scimUsers).setDueOfGroup(group.chimeAccountId, group.displayName);
  await work.tx.of(scimGroups).clearMembers(group.chimeAccountId, group.scimId);
  await addMembers(work, group, ids);
}

/** Notes that the provider has reported a group with this name. */
async function reported({ tx, account, now }: ScimWork, displayName: string): Promise<void> {
  await tx.of(licensedGroups).report(account.chimeAccountId, [displayName], now);
}

async function groupOf({ tx, account }: ScimWork, id: string): Promise<ScimGroupRecord> {
  const group = await tx.of(scimGroups).get(account.chimeAccountId, id);
  if (group === undefined) throw notFoundError();
  return group;
}

function requiredName(value: unknown): string {
  const name = textOf(value, 'displayName');
  if (name === undefined) throw invalidValue('The attribute displayName is required.');
  return name;
}

function membersIn(value: unknown): readonly string[] {
  return value === undefined || value === null ? [] : memberIdsOf(value, MEMBERS_AT_ONCE);
}

function filterOf(filter: string): ScimGroupFilter {
  const { attribute, value } = equalityOf(filter);
  switch (attribute) {
    case 'displayname':
      return { displayName: value };
    case 'externalid':
      return { externalId: value };
    default:
      throw invalidFilter();
  }
}

function factsOf({ scimId }: ScimGroupRecord): Readonly<Record<string, string>> {
  return { scimGroupId: scimId };
}

function withoutMembers(work: ScimWork, group: ScimGroupRecord): Readonly<Record<string, unknown>> {
  const { scimId, externalId, displayName } = group;
  return omitUndefined({ schemas: [SCHEMA.group], id: scimId, externalId, displayName, meta: metaOf(work, 'Group', group) });
}

async function toGroup(work: ScimWork, group: ScimGroupRecord): Promise<Readonly<Record<string, unknown>>> {
  const members = await work.tx.of(scimGroups).members(group.chimeAccountId, group.scimId, MEMBERS_MAX);
  return { ...withoutMembers(work, group), members: members.map((value) => ({ value })) };
}
