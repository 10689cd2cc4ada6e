/** The operator's commands for endpoints of outgoing messages. Each change is recorded in the trail of the operator's account. */
import { type AccountId, isAccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Vault } from '#core/vault.ts';
import {
  ENDPOINT_SERVICES,
  ENDPOINTS_MAX,
  type EndpointService,
  endpointSecretOwner,
  endpoints,
  type OutgoingEndpoint,
  SIGNED_SERVICES,
} from '#delivery/outgoing/tables/endpoints.ts';
import type { Store, Tx } from '#store/store.ts';
import { OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands for endpoints. */
export interface EndpointCommandParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
  readonly vault: Pick<Vault, 'seal'>;
}

/** Endpoint as the operator names it. */
export interface NamedEndpoint {
  readonly service: string;
  /** Account whose messages may use the endpoint. Absent: every account. */
  readonly accountId?: string;
  /** Region of the targets. Absent: every region. */
  readonly region?: string;
}

/** A new endpoint, as the operator describes it. */
export interface NewEndpoint extends NamedEndpoint {
  readonly url: string;
  readonly allowInternal: boolean;
  readonly accessKeyId?: string;
  /** Secret access key, or the bearer token of a push endpoint. */
  readonly secret?: string;
}

/** An endpoint as the list shows it. */
export type ListedEndpoint = Omit<NewEndpoint, 'secret'> & { readonly hasSecret: boolean };

/** Longest URL. Assumed: longer ones are mistakes. */
const URL_MAX = 2_048;

/** Adds an endpoint. Returns the reason if the command is refused. */
export async function addEndpoint(parts: EndpointCommandParts, endpoint: NewEndpoint): Promise<string | undefined> {
  const problem = problemOf(endpoint) ?? newProblemOf(endpoint);
  if (problem !== undefined) return problem;
  const { url, allowInternal, accessKeyId, secret } = endpoint;
  const key = keyOf(endpoint);
  const sealedSecret = secret === undefined ? undefined : parts.vault.seal(secret, endpointSecretOwner(key));
  return await parts.store.transaction(async (tx) => {
    const { accountId } = key;
    if (accountId !== '' && (await tx.identity.get(accountId, 'account', accountId)) === undefined)
      return `account '${accountId}' does not exist`;
    if ((await tx.of(endpoints).list()).length >= ENDPOINTS_MAX) return `there are ${ENDPOINTS_MAX} endpoints; remove one first`;
    const row: OutgoingEndpoint = { ...key, url, allowInternal, createdAt: parts.now(), ...omitUndefined({ accessKeyId, sealedSecret }) };
    if ((await tx.of(endpoints).add(row)) === 'exists') return `${describe(endpoint)} exists; remove it first`;
    await record(tx, parts, 'AddOutgoingEndpoint', omitUndefined({ ...named(endpoint), url, allowInternal, accessKeyId }));
    return undefined;
  });
}

/** Removes an endpoint. Returns the reason if the command is refused. */
export async function removeEndpoint(parts: EndpointCommandParts, endpoint: NamedEndpoint): Promise<string | undefined> {
  const problem = problemOf(endpoint);
  if (problem !== undefined) return problem;
  return await parts.store.transaction(async (tx) => {
    if ((await tx.of(endpoints).remove(keyOf(endpoint))) === 'absent') return `${describe(endpoint)} does not exist`;
    await record(tx, parts, 'RemoveOutgoingEndpoint', named(endpoint));
    return undefined;
  });
}

/** Lists the endpoints, without secrets. */
export async function listEndpoints({ store }: Pick<EndpointCommandParts, 'store'>): Promise<readonly ListedEndpoint[]> {
  const found = await store.transaction((tx) => tx.of(endpoints).list());
  return found.map(({ service, accountId, region, url, allowInternal, accessKeyId, sealedSecret }) => ({
    ...{ service, url, allowInternal, hasSecret: sealedSecret !== undefined },
    ...omitUndefined({ accountId: accountId === '' ? undefined : accountId, region: region === '' ? undefined : region, accessKeyId }),
  }));
}

function keyOf({ service, accountId = '', region = '' }: NamedEndpoint) {
  return { service: service as EndpointService, accountId: accountId as AccountId | '', region };
}

function named({ service, accountId, region }: NamedEndpoint) {
  return omitUndefined({ service, accountId, region });
}

function describe({ service, accountId, region }: NamedEndpoint): string {
  const of = accountId === undefined ? 'all accounts' : `account '${accountId}'`;
  return `the endpoint for '${service}' of ${of} in ${region === undefined ? 'all regions' : `'${region}'`}`;
}

function problemOf({ service, accountId, region }: NamedEndpoint): string | undefined {
  if (!ENDPOINT_SERVICES.some((each) => each === service))
    return `'${String(service).slice(0, 20)}' cannot have an endpoint (services: ${ENDPOINT_SERVICES.join(', ')})`;
  if (accountId !== undefined && !isAccountId(accountId)) return `'${String(accountId).slice(0, 20)}' is not the ID of an account`;
  if (region !== undefined && !/^[a-z0-9-]{1,64}$/.test(region))
    return 'the region must have 1 to 64 lower-case letters, digits and hyphens';
  return undefined;
}

function newProblemOf({ service, url, allowInternal, accessKeyId, secret }: NewEndpoint): string | undefined {
  const problem = urlProblem(url, allowInternal);
  if (problem !== undefined) return problem;
  if (SIGNED_SERVICES.has(service as EndpointService)) {
    if (accessKeyId === undefined || secret === undefined)
      return `an endpoint for '${service}' needs an access key ID and a secret access key`;
    if (!/^[\x21-\x7e]{1,128}$/.test(accessKeyId)) return 'the access key ID must have 1 to 128 printable characters';
  } else if (accessKeyId !== undefined) return `an endpoint for '${service}' has no access key ID`;
  return secret === undefined || /^[\x21-\x7e]{1,2048}$/.test(secret) ? undefined : 'the secret must have 1 to 2048 printable characters';
}

/** Returns the problem of a URL. Without TLS, anyone between the servers could read the messages. */
function urlProblem(text: string, allowInternal: boolean): string | undefined {
  const url = typeof text === 'string' && text.length <= URL_MAX && URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url === undefined || !isPlain || !['http:', 'https:'].includes(url.protocol))
    return 'the endpoint must be a URL such as https://sqs.example.com';
  return url.protocol === 'https:' || allowInternal === true
    ? undefined
    : 'the endpoint must use https, unless internal addresses are allowed';
}

async function record(tx: Tx, parts: EndpointCommandParts, eventName: string, details: Readonly<Record<string, unknown>>): Promise<void> {
  const accountId = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
  if (accountId !== undefined) await tx.trail.append(operatorEvent(parts, accountId, eventName, details));
}
