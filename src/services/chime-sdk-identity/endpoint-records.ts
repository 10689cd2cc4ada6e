import type { Vault } from '#core/vault.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_USER_ENDPOINT } from '../chime-kit/app-instances.ts';
import { type EndpointRecord, endpointsOf } from '../chime-kit/user-endpoints.ts';

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

/** Returns the endpoint record with its attributes encrypted again, with the newest operator key. */
export function resealedEndpoint(endpoint: EndpointRecord, reseal: (sealed: string, boundTo: string) => string): EndpointRecord {
  const { id, document } = endpoint;
  return { ...endpoint, document: { ...document, sealedAttributes: reseal(document.sealedAttributes, id) } };
}

/** Encrypts the attributes of an endpoint. They can be decrypted only for a record with the same ID. */
export function sealAttributes<Attributes>(vault: Vault, { id }: ResourceKey, attributes: Attributes): string {
  return vault.seal(JSON.stringify(attributes), id);
}
