/** Endpoints of services outside this server that the operator configured for outgoing messages. */
import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import { flag, instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Services that can have endpoints. */
export const ENDPOINT_SERVICES = ['sqs', 'sns', 'lambda', 'kinesis', 'lex', 'push'] as const;
export type EndpointService = (typeof ENDPOINT_SERVICES)[number];

/** Services with the protocol of AWS, whose requests are signed. */
export const SIGNED_SERVICES: ReadonlySet<EndpointService> = new Set(['sqs', 'sns', 'lambda', 'kinesis', 'lex'] as const);

export const OUTGOING_ENDPOINT = table('outgoing_endpoint', {
  columns: {
    service: textOf<EndpointService>(),
    /** Account whose messages may use the endpoint. An empty string: every account. */
    accountId: textOf<AccountId | ''>(),
    /** Region of the targets. An empty string: every region. */
    region: text,
    url: text,
    /** Whether the host may have an internal address. Only then may the URL be an `http` URL. */
    allowInternal: flag,
    accessKeyId: optional(text),
    /** Secret access key, or the bearer token of a push endpoint, encrypted for `endpointSecretOwner`. */
    sealedSecret: optional(text),
    createdAt: instant,
  },
  key: ['service', 'accountId', 'region'],
});
export type OutgoingEndpoint = Row<typeof OUTGOING_ENDPOINT>;
export type EndpointKey = Pick<OutgoingEndpoint, 'service' | 'accountId' | 'region'>;

/** Returns the owner for which the vault encrypts the secret of an endpoint. */
export function endpointSecretOwner({ service, accountId, region }: EndpointKey): string {
  return `outgoing endpoint ${service} ${accountId} ${region}`;
}

/** Most endpoints of a database. */
export const ENDPOINTS_MAX = 1_000;

/** Encrypted secrets of endpoints, for a rotation of the operator key. The key of a row is the JSON of the endpoint's key. */
export const SEALED_ENDPOINTS = {
  list: async (tx: Tx) => (await tx.of(endpoints).list()).flatMap(sealedOf),
  get: async (tx: Tx, key: string) =>
    [await tx.of(endpoints).get(keyOf(key))].flatMap((endpoint) => (endpoint ? sealedOf(endpoint) : []))[0],
  put: (tx: Tx, key: string, sealed: string) => tx.of(endpoints).setSecret(keyOf(key), sealed),
};

function keyOf(key: string): EndpointKey {
  const [service, accountId, region] = JSON.parse(key) as [EndpointService, AccountId | '', string];
  return { service, accountId, region };
}

function sealedOf(endpoint: OutgoingEndpoint) {
  const { service, accountId, region, sealedSecret } = endpoint;
  return sealedSecret === undefined
    ? []
    : [{ key: JSON.stringify([service, accountId, region]), sealed: sealedSecret, boundTo: endpointSecretOwner(endpoint) }];
}

export interface Endpoints {
  get(key: EndpointKey): Promise<OutgoingEndpoint | undefined>;
  /** Returns the endpoint for a target: that of the account and region first, then of the account, of the region, and of all. */
  find(service: EndpointService, accountId: AccountId, region: string): Promise<OutgoingEndpoint | undefined>;
  /** Returns all endpoints, in the order of their keys. */
  list(): Promise<readonly OutgoingEndpoint[]>;
  /** Adds an endpoint. Returns 'exists', and changes nothing, if there is one for the same service, account and region. */
  add(endpoint: OutgoingEndpoint): Promise<'added' | 'exists'>;
  remove(key: EndpointKey): Promise<'removed' | 'absent'>;
  /** Replaces the encrypted secret of an endpoint. */
  setSecret(key: EndpointKey, sealedSecret: string): Promise<void>;
}

const setSecret = OUTGOING_ENDPOINT.update('sealedSecret');
const SELECT_FOR_TARGET = `
  SELECT ${OUTGOING_ENDPOINT.names} FROM outgoing_endpoint
  WHERE service = $1 AND account_id IN ($2, '') AND region IN ($3, '') ORDER BY account_id DESC, region DESC LIMIT 1`;

/** Creates the repository of one transaction. */
export function endpoints(sql: Sql): Endpoints {
  return {
    get: ({ service, accountId, region }) => OUTGOING_ENDPOINT.get(sql, service, accountId, region),
    find: (service, accountId, region) => OUTGOING_ENDPOINT.row(sql, SELECT_FOR_TARGET, [service, accountId, region]),
    list: () => OUTGOING_ENDPOINT.page(sql, [], ['', '', ''], ENDPOINTS_MAX),
    add: (endpoint) => OUTGOING_ENDPOINT.add(sql, endpoint),
    remove: ({ service, accountId, region }) => OUTGOING_ENDPOINT.remove(sql, service, accountId, region),
    async setSecret(key, sealedSecret) {
      await setSecret(sql, { ...key, sealedSecret });
    },
  };
}
