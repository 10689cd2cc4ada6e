import type { ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { arnOf } from '../kit/resource-access.ts';
import { find, type Kind, placeIn, type Where } from '../kit/resource-kind.ts';
import { tagValues } from '../kit/tag-rules.ts';

/** Maximum number of resources that a query reads. An account can never have this many resources. */
const EVERY = Number.MAX_SAFE_INTEGER;

/** Returns all resources of a kind in the caller's account, in all regions. */
export function listOfAccount<Document>(
  tx: Tx,
  { accountId }: Pick<Where, 'accountId'>,
  kind: Kind<Document>,
): Promise<readonly ResourceRecord<Document>[]> {
  return tx.resources.listOfAccount(kind, accountId, EVERY);
}

/**
 * Returns the resource with an ID in the caller's account. Looks in the caller's region first, and then in the other
 * regions of the account. Voice Connector groups and SIP rules refer to resources of all regions (RES-1).
 */
export async function findInAccount<Document>(
  tx: Tx,
  where: Where,
  kind: Kind<Document>,
  id: string,
): Promise<ResourceRecord<Document> | undefined> {
  const here = await find(tx, where, kind, { [kind.identifiers.at(-1) as string]: id });
  return here ?? (await listOfAccount(tx, where, kind)).find((each) => each.id === id);
}

/**
 * Requires the operation's action on every resource that a request names. If the request names no resource, requires
 * the action on the ARN `otherwise`. The resources may be in other regions of the account. The ARN of an unknown ID has
 * the caller's region.
 *
 * Source: service authorization reference: CreateVoiceConnectorGroup, CreateSipRule and similar actions have a resource
 * type that is not required.
 */
export function onEach(caller: Caller, kind: Kind<unknown>, ids: readonly string[], otherwise: string): DeclaredAccess {
  if (caller.profile === 'classic') return { resources: ['*'] };
  if (ids.length === 0) return { resources: [otherwise] };
  // Reads all resources once, not once per ID, because an unauthorized caller may name any number of IDs.
  const found = async (tx: Tx) => {
    const records = new Map((await listOfAccount(tx, caller, kind)).map((record) => [record.id, record]));
    return ids.map((id) => records.get(id));
  };
  return {
    resources: [],
    resolve: async (tx) =>
      (await found(tx)).map((record, index) => arnOf(kind, record ?? { ...placeIn(caller), id: ids[index] as string })),
    resourceTags: async (tx) => (await found(tx)).map((record) => record && tagValues(record.tags)),
  };
}
