/** Stored connections and API destinations, for the operations and for the delivery. */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type {
  ConnectionAuthorizationType,
  ConnectionState,
  CreateApiDestinationRequest,
  CreateConnectionAuthRequestParameters,
} from '#model/generated/events.ts';
import type { ResourceKey, ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Reseal } from '../kit/service.ts';

export interface ConnectionDocument {
  readonly Description?: string;
  readonly AuthorizationType: ConnectionAuthorizationType;
  readonly State: ConnectionState;
  readonly StateReason?: string;
  readonly LastAuthorizedTime?: Instant;
  /** Last part of the ARN. */
  readonly uuid: string;
  /** Last part of the ARN of the secret. */
  readonly secretSuffix: string;
  /**
   * `CreateConnectionAuthRequestParameters` as JSON, encrypted by `Vault.seal`, bound to `connectionBinding`. Absent after
   * DeauthorizeConnection.
   */
  readonly sealedParameters?: string;
}

/** Connections. The ID is the name. */
export const CONNECTION: ResourceKind<ConnectionDocument> = { name: 'connection' };

export interface ApiDestinationDocument
  extends Pick<CreateApiDestinationRequest, 'Description' | 'ConnectionArn' | 'InvocationEndpoint' | 'HttpMethod'> {
  readonly InvocationRateLimitPerSecond: number;
  readonly uuid: string;
}

/** API destinations. The ID is the name. */
export const API_DESTINATION: ResourceKind<ApiDestinationDocument> = { name: 'api-destination' };

export type ConnectionRecord = ResourceRecord<ConnectionDocument>;
export type ApiDestinationRecord = ResourceRecord<ApiDestinationDocument>;

/** Returns the ARN of a connection. */
export function connectionArn({ accountId, region, id, document }: ConnectionRecord): string {
  return arn('events', region, accountId, `connection/${id}/${document.uuid}`);
}

/** Returns the ARN of an API destination. */
export function apiDestinationArn({ accountId, region, id, document }: ApiDestinationRecord): string {
  return arn('events', region, accountId, `api-destination/${id}/${document.uuid}`);
}

/** Returns the `boundTo` argument of `Vault.seal` for a connection. */
export function connectionBinding({ accountId, region, id }: ResourceKey, uuid: string): string {
  return `events-connection/${accountId}/${region}/${id}/${uuid}`;
}

/** Returns the secrets and other parameters of a connection. Returns `undefined` if it was deauthorized. */
export function openParameters(vault: Vault, connection: ConnectionRecord): CreateConnectionAuthRequestParameters | undefined {
  const { sealedParameters, uuid } = connection.document;
  if (sealedParameters === undefined) return undefined;
  return JSON.parse(vault.open(sealedParameters, connectionBinding(connection, uuid))) as CreateConnectionAuthRequestParameters;
}

/** Returns a connection whose secrets are encrypted with the newest operator key. */
export function resealedConnection(connection: ConnectionRecord, reseal: Reseal): ConnectionRecord {
  const { sealedParameters, uuid } = connection.document;
  if (sealedParameters === undefined) return connection;
  const sealed = reseal(sealedParameters, connectionBinding(connection, uuid));
  return { ...connection, document: { ...connection.document, sealedParameters: sealed } };
}

/** Returns the connection with an ARN, or `undefined` if it does not exist. A connection that was created again has another ARN. */
export async function connectionByArn(tx: Tx, text: string): Promise<ConnectionRecord | undefined> {
  const key = keyOfArn(text, 'connection');
  const found = key && (await tx.resources.get(CONNECTION, key));
  return found !== undefined && connectionArn(found) === text ? found : undefined;
}

/** Returns the API destination with an ARN, or `undefined` if it does not exist. */
export async function apiDestinationByArn(tx: Tx, text: string): Promise<ApiDestinationRecord | undefined> {
  const key = keyOfArn(text, 'api-destination');
  const found = key && (await tx.resources.get(API_DESTINATION, key));
  return found !== undefined && apiDestinationArn(found) === text ? found : undefined;
}

/** Sets the state of a connection that an authorization endpoint has answered, and deletes or sets the reason. */
export async function setConnectionState(
  tx: Tx,
  connection: ConnectionRecord,
  state: { readonly State: ConnectionState; readonly StateReason?: string; readonly LastAuthorizedTime?: Instant },
): Promise<void> {
  const { StateReason: _, ...document } = connection.document;
  await tx.resources.put(CONNECTION, { ...connection, document: { ...document, ...state } });
}

/** Returns the key of the resource with an ARN: `…:TYPE/NAME/UUID`. */
export function keyOfArn(text: string, type: 'connection' | 'api-destination'): ResourceKey | undefined {
  const parts = parseArn(text);
  const [kind, id, uuid] = parts?.resource.split('/') ?? [];
  if (parts?.service !== 'events' || kind !== type || id === undefined || uuid === undefined) return undefined;
  return { accountId: parts.accountId as AccountId, region: parts.region, parent: '', id };
}
