/** Endpoints of the operator for targets that an ARN names. */
import type { AccountId } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { Tx } from '#store/store.ts';
import { endpointSecretOwner, endpoints, type OutgoingEndpoint } from '../tables/endpoints.ts';
import type { ServiceEndpoint } from './aws-clients.ts';
import type { ServiceTarget } from './services.ts';

/** Endpoint of a target, or the reason why there is none. */
export type FoundEndpoint =
  | { readonly kind: 'found'; readonly endpoint: OutgoingEndpoint; readonly region: string }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'missing'; readonly region: string }
  | { readonly kind: 'foreign' };

/** Finds the endpoint of a target for the messages of an account. */
export async function findEndpoint(tx: Tx, accountId: AccountId, target: Pick<ServiceTarget, 'kind' | 'arn'>): Promise<FoundEndpoint> {
  const parsed = parseArn(target.arn);
  if (parsed === undefined || parsed.service !== target.kind) return { kind: 'invalid' };
  const { region } = parsed;
  const endpoint = await tx.of(endpoints).find(target.kind, accountId, region);
  if (endpoint === undefined) return { kind: 'missing', region };
  // The credentials of an endpoint for all accounts may reach resources of each of them.
  if (endpoint.accountId === '' && parsed.accountId !== accountId) return { kind: 'foreign' };
  return { kind: 'found', endpoint, region };
}

/** Returns the address and the credentials of an endpoint. */
export function openEndpoint(vault: Pick<Vault, 'open'>, endpoint: OutgoingEndpoint, region: string): ServiceEndpoint {
  const { url, accessKeyId = '', allowInternal } = endpoint;
  return { url, region, accessKeyId, secretAccessKey: openSecret(vault, endpoint) ?? '', allowInternal };
}

/** Returns the secret of an endpoint, if it has one. */
export function openSecret(vault: Pick<Vault, 'open'>, endpoint: OutgoingEndpoint): string | undefined {
  return endpoint.sealedSecret === undefined ? undefined : vault.open(endpoint.sealedSecret, endpointSecretOwner(endpoint));
}
