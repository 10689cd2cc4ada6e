import type { Vault } from '#core/vault.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_USER_ENDPOINT, type AppInstanceUserEndpointDocument } from '../chime/app-instances.ts';

export type EndpointRecord = ResourceRecord<AppInstanceUserEndpointDocument>;

/** Maximum endpoints that one query reads. */
const REMOVED_AT_ONCE = 50;

/** Deletes the endpoints of a user. */
export async function removeEndpoints(tx: Tx, user: ResourceKey): Promise<void> {
  for (;;) {
    const endpoints = await endpointsOf(tx, user, REMOVED_AT_ONCE);
    if (endpoints.length === 0) return;
    for (const each of endpoints) await tx.resources.remove(APP_INSTANCE_USER_ENDPOINT, each);
  }
}

/** Returns the endpoints of a user, at most `most`. */
export async function endpointsOf({ resources }: Tx, user: ResourceKey, most: number): Promise<readonly EndpointRecord[]> {
  const prefix = `${user.id}/`;
  const listed = await resources.list(APP_INSTANCE_USER_ENDPOINT, user, most, prefix);
  return listed.filter(({ id }) => id.startsWith(prefix));
}

/** Returns an endpoint with its secrets re-sealed, for the rotation of the operator key. */
export function resealedEndpoint(endpoint: EndpointRecord, reseal: (sealed: string, boundTo: string) => string): EndpointRecord {
  const { id, document } = endpoint;
  return { ...endpoint, document: { ...document, sealedAttributes: reseal(document.sealedAttributes, id) } };
}

/** Seals the attributes of an endpoint for the ID of its record. */
export function sealAttributes<Attributes>(vault: Vault, { id }: ResourceKey, attributes: Attributes): string {
  return vault.seal(JSON.stringify(attributes), id);
}

/** Opens the attributes of an endpoint. */
export function openAttributes<Attributes>(vault: Vault, { id, document }: EndpointRecord): Attributes {
  return JSON.parse(vault.open(document.sealedAttributes, id)) as Attributes;
}
