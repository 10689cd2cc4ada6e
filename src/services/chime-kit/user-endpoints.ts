/** Endpoints of app instance users: their state, and their attributes, which are stored encrypted. */
import { parseArn } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { EndpointAttributes, EndpointState } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE_USER_ENDPOINT, type AppInstanceUserEndpointDocument } from './app-instances.ts';

export type EndpointRecord = ResourceRecord<AppInstanceUserEndpointDocument>;

/** Returns the endpoints of a user, at most `most`. */
export async function endpointsOf({ resources }: Tx, user: ResourceKey, most: number): Promise<readonly EndpointRecord[]> {
  const prefix = `${user.id}/`;
  const listed = await resources.list(APP_INSTANCE_USER_ENDPOINT, user, most, prefix);
  return listed.filter(({ id }) => id.startsWith(prefix));
}

/** Decrypts the attributes of an endpoint. */
export function openAttributes<Attributes = EndpointAttributes>(vault: Pick<Vault, 'open'>, { id, document }: EndpointRecord): Attributes {
  return JSON.parse(vault.open(document.sealedAttributes, id)) as Attributes;
}

/** Returns the ID of the Pinpoint project of an endpoint; undefined if its ARN does not name a project. */
export function projectOf({ ResourceArn }: Pick<AppInstanceUserEndpointDocument, 'ResourceArn'>): string | undefined {
  const parts = parseArn(ResourceArn);
  return parts?.service === 'mobiletargeting' ? /^apps\/([^/]+)$/.exec(parts.resource)?.[1] : undefined;
}

/**
 * Returns the state of an endpoint.
 *
 * Source: Chime SDK API reference, EndpointState: INVALID_PINPOINT_ARN refers to the ARN in `ResourceArn`, INVALID_DEVICE_TOKEN to the token
 * of the device.
 * Assumed: every ARN in the format of a Pinpoint project is valid, and every device token is valid until the push endpoint reports that the
 * device does not exist. Then the endpoint stays inactive.
 */
export function stateOf(document: AppInstanceUserEndpointDocument): EndpointState {
  if (projectOf(document) === undefined) return { Status: 'INACTIVE', StatusReason: 'INVALID_PINPOINT_ARN' };
  return document.isGone === true ? { Status: 'INACTIVE', StatusReason: 'INVALID_DEVICE_TOKEN' } : { Status: 'ACTIVE' };
}

/** Reports whether an endpoint receives push notifications. Source: API reference, AppInstanceUserEndpoint, AllowMessages and EndpointState. */
export function receives({ document }: EndpointRecord): boolean {
  return document.AllowMessages === 'ALL' && stateOf(document).Status === 'ACTIVE';
}
