import type { Vault } from '#core/vault.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_USER_ENDPOINT, type AppInstanceUserEndpointDocument } from '../chime/app-instances.ts';

export type EndpointRecord = ResourceRecord<AppInstanceUserEndpointDocument>;

const REMOVED_AT_ONCE = 50;

/** Where an endpoint of a user is kept. */
export function endpointKey(user: ResourceKey, endpointId: string): ResourceKey {
  const { accountId, region, parent, id } = user;
  return { accountId, region, parent, id: `${id}/${endpointId}` };
}

export function endpointIdOf({ id }: ResourceKey): string {
  return id.slice(id.indexOf('/') + 1);
}

/** Endpoints of one user in the order of ids, those after `after`, which is the id of a record. Ids that begin alike stand together. */
export async function listEndpoints(tx: Tx, user: ResourceKey, limit: number, after?: string): Promise<readonly EndpointRecord[]> {
  const beginning = `${user.id}/`;
  const found = await tx.resources.list(APP_INSTANCE_USER_ENDPOINT, user, limit, after ?? beginning);
  return found.filter(({ id }) => id.startsWith(beginning));
}

export async function removeEndpoints(tx: Tx, user: ResourceKey): Promise<void> {
  for (;;) {
    const some = await listEndpoints(tx, user, REMOVED_AT_ONCE);
    if (some.length === 0) return;
    for (const each of some) await tx.resources.remove(APP_INSTANCE_USER_ENDPOINT, each);
  }
}

/** The same endpoint, its secrets sealed by `reseal`: for whoever changes the operator key. */
export function resealedEndpoint(endpoint: EndpointRecord, reseal: (sealed: string, boundTo: string) => string): EndpointRecord {
  const { id, document } = endpoint;
  return { ...endpoint, document: { ...document, sealedAttributes: reseal(document.sealedAttributes, id) } };
}

/** What an endpoint is reached by, sealed for its record. */
export function sealAttributes<Attributes>(vault: Vault, { id }: ResourceKey, attributes: Attributes): string {
  return vault.seal(JSON.stringify(attributes), id);
}

export function openAttributes<Attributes>(vault: Vault, { id, document }: EndpointRecord): Attributes {
  return JSON.parse(vault.open(document.sealedAttributes, id)) as Attributes;
}
