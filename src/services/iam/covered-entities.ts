/**
 * Users and roles that a report on last accessed information covers, with the last time that they used each service.
 * The report on a managed policy can cover all users and roles of the account. So that other requests do not wait, the
 * server reads the users and roles in parts, and each part in a transaction of its own.
 */
import { DAY_MS } from '#core/duration.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LastUse } from '#store/identity/last-use.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call } from '../kit/operation.ts';
import { type Part, surveyed } from '../kit/survey.ts';
import { entitySummary, type HolderKind } from './entities.ts';
import { entityOfArn, type FoundEntity } from './entity-policies.ts';
import { nameKey } from './names.ts';
import { membershipKey, readAttachmentKey } from './reverse-index.ts';

/** A user or role with its recent uses of services. */
export interface CoveredEntity {
  readonly found:
    | { readonly kind: 'user'; readonly record: IdentitySummaries['user'] }
    | { readonly kind: 'role'; readonly record: IdentitySummaries['role'] };
  readonly uses: readonly LastUse[];
}

/** Reporting period: 400 days. Older uses are not reported. Source: IAM User Guide, "Tracking period" of last accessed information. */
export const TRACKED_MS = 400 * DAY_MS;

/**
 * Maximum number of entities in one part of a report, and maximum number of index keys that one part reads to find its
 * entities.
 */
const ENTITIES_PER_PART = 100;
const KEYS_PER_PART = 500;
/**
 * Number of last-use records after which a part of the report ends. Reading this many records takes about 10 ms. One
 * user has at most a few hundred of them.
 */
const USES_PER_PART = 2_000;

/** Source of entities: a user or role, the members of a group, or the entities that a policy is attached to. */
type Source =
  | { readonly kind: 'user' | 'role'; readonly key: string }
  | { readonly kind: 'group'; readonly groupId: string }
  | { readonly kind: 'policy'; readonly policyArn: string };

interface Cursor {
  readonly sources: readonly Source[];
  /** Last key that was read from the first source. */
  readonly after?: string | undefined;
  /**
   * Entities that were already read, as `user/<name>` or `role/<name>`. The report skips them when they occur again: a
   * user can have a policy both directly and through groups.
   */
  readonly seen: ReadonlySet<string>;
}

/**
 * Reads the users and roles that a report covers, in parts. Calls `toItems` with the entities of each part, and returns
 * the items of all parts. Each user or role is read once.
 */
export async function surveyedEntities<Item>(
  call: Call,
  reportArn: string,
  toItems: (entities: readonly CoveredEntity[]) => readonly Item[],
): Promise<readonly Item[]> {
  const source = isPolicyArn(reportArn) ? { kind: 'policy' as const, policyArn: reportArn } : sourceOf(await entityOfArn(call, reportArn));
  return surveyed<Item, Cursor>(call, 'covered entities', { sources: [source], seen: new Set() }, async (tx, from) => {
    const { items, next } = await readPart({ ...call, tx }, from);
    return omitUndefined({ items: toItems(items), next });
  });
}

/** Reports whether an ARN is that of a managed policy. */
export function isPolicyArn(text: string): boolean {
  return text.includes(':policy/');
}

function sourceOf(found: FoundEntity): Source {
  if (found.kind === 'group') return { kind: 'group', groupId: found.record.groupId };
  return { kind: found.kind, key: nameKey(found.kind === 'user' ? found.record.userName : found.record.roleName) };
}

/**
 * Entry of a source: a user, group or role. `holderKey` is the store key of this entity. `key` is the key of the entry
 * in the index of the source.
 */
interface Place {
  readonly key: string;
  readonly kind: HolderKind;
  readonly holderKey: string;
}

async function readPart(call: Call, { sources: [source, ...others], after, seen }: Cursor): Promise<Part<CoveredEntity, Cursor>> {
  if (source === undefined) return { items: [] };
  const { places, last } = await placesOf(call, source, after);
  const items: CoveredEntity[] = [];
  const groups: Source[] = [];
  const found: string[] = [];
  let uses = 0;
  const following = (key: string | undefined): Part<CoveredEntity, Cursor> => {
    const sources = key === undefined ? [...others, ...groups] : [source, ...others, ...groups];
    const known = found.length === 0 ? seen : new Set([...seen, ...found]);
    return omitUndefined({ items, next: sources.length === 0 ? undefined : { sources, after: key, seen: known } });
  };
  for (const { key, kind, holderKey } of places) {
    if (kind === 'group') {
      groups.push({ kind, groupId: (await entitySummary(call, kind, holderKey)).groupId });
      continue;
    }
    const name = `${kind}/${holderKey}`;
    if (seen.has(name)) continue;
    const covered = await coveredEntity(call, kind, holderKey);
    items.push(covered);
    found.push(name);
    uses += covered.uses.length;
    if (uses > USES_PER_PART || items.length === ENTITIES_PER_PART) return following(key);
  }
  return following(last);
}

/** Reads one part of the entries of a source. `last` is the last key that was read, if more entries may follow. */
async function placesOf(
  call: Call,
  source: Source,
  after: string | undefined,
): Promise<{ readonly places: readonly Place[]; readonly last?: string | undefined }> {
  if ('key' in source) {
    return { places: after === undefined ? [{ key: source.key, kind: source.kind, holderKey: source.key }] : [] };
  }
  const [kind, prefix] =
    source.kind === 'group'
      ? (['membership', membershipKey(source.groupId, '')] as const)
      : (['attachment', `${source.policyArn} `] as const);
  // The index of a policy has at most one attachment key per entity, so `ENTITIES_PER_PART` keys are enough for a part.
  // A member of a group may already be in the report as a member of another group. The part skips such members, so it
  // reads more keys of the index of a group.
  const limit = source.kind === 'group' ? KEYS_PER_PART : ENTITIES_PER_PART;
  const entries = await call.tx.identity.summaries(call.accountId, kind, omitUndefined({ prefix, after, limit }));
  const places = entries.flatMap(({ key }) => {
    if (source.kind === 'group') return { key, kind: 'user' as const, holderKey: key.slice(prefix.length) };
    const attachment = readAttachmentKey(source.policyArn, key);
    // The report omits boundaries, because a boundary grants nothing.
    return attachment.use === 'boundary' ? [] : { key, kind: attachment.kind, holderKey: attachment.key };
  });
  return { places, last: entries[limit - 1]?.key };
}

async function coveredEntity(call: Call, kind: 'user' | 'role', key: string): Promise<CoveredEntity> {
  const found = { kind, record: await entitySummary(call, kind, key) } as CoveredEntity['found'];
  const uses = await call.tx.lastUses.of(call.accountId, found.kind === 'user' ? found.record.userId : found.record.roleId);
  return { found, uses: uses.filter((use) => use.at > call.now - TRACKED_MS) };
}
