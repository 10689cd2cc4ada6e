/** API destinations of EventBridge with their connections, as the delivery sends to them. */
import { accountIdOf } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { ConnectionHttpParameters, CreateConnectionAuthRequestParameters } from '#model/generated/events.ts';
import { apiDestinationByArn, connectionByArn, openParameters } from '#services/events/connection-records.ts';
import type { ApiDestination, ConnectionAuthorization, RequestParameters } from '../outgoing/targets/api-destinations.ts';
import type { TargetParts } from '../outgoing/targets/prepare.ts';

/** Returns the function that reads an API destination of the account of a message. */
export function readDestination(vault: Vault): TargetParts['destination'] {
  return async (tx, message, arn): Promise<ApiDestination | undefined> => {
    const found = accountIdOf(arn) === message.accountId ? await apiDestinationByArn(tx, arn) : undefined;
    if (found === undefined) return undefined;
    const { ConnectionArn, InvocationEndpoint: url, HttpMethod: method, InvocationRateLimitPerSecond: ratePerSecond } = found.document;
    const connection = await connectionByArn(tx, ConnectionArn);
    const parameters = connection && openParameters(vault, connection);
    const authorization = parameters && authorizationOf(parameters);
    if (connection === undefined || authorization === undefined || connection.document.State === 'DEAUTHORIZED')
      return { url, method, ratePerSecond, ...INACTIVE };
    return {
      ...{ url, method, ratePerSecond, isActive: true, authorization, parameters: parametersOf(parameters?.InvocationHttpParameters) },
      connection: { arn: ConnectionArn, updatedAt: connection.updatedAt },
    };
  };
}

/** Returns the function that reads the authorization of a connection of the account of a message. */
export function readAuthorization(vault: Vault): TargetParts['authorization'] {
  return async (tx, message, arn) => {
    const connection = accountIdOf(arn) === message.accountId ? await connectionByArn(tx, arn) : undefined;
    const parameters = connection && openParameters(vault, connection);
    return parameters && authorizationOf(parameters);
  };
}

const NO_PARAMETERS: RequestParameters = { headers: {}, query: {}, body: {} };
const INACTIVE = { isActive: false, authorization: { kind: 'basic', username: '', password: '' }, parameters: NO_PARAMETERS } as const;

function authorizationOf(parameters: CreateConnectionAuthRequestParameters): ConnectionAuthorization | undefined {
  const { ApiKeyAuthParameters: apiKey, BasicAuthParameters: basic, OAuthParameters: oauth } = parameters;
  if (apiKey !== undefined) return { kind: 'apiKey', name: apiKey.ApiKeyName, value: apiKey.ApiKeyValue };
  if (basic !== undefined) return { kind: 'basic', username: basic.Username, password: basic.Password };
  if (oauth === undefined) return undefined;
  const { ClientParameters, AuthorizationEndpoint: endpoint, HttpMethod: method, OAuthHttpParameters } = oauth;
  const { ClientID: clientId, ClientSecret: clientSecret } = ClientParameters;
  return { kind: 'oauth', endpoint, method, clientId, clientSecret, parameters: parametersOf(OAuthHttpParameters) };
}

function parametersOf(parameters: ConnectionHttpParameters | undefined): RequestParameters {
  const pairs = (list: readonly { readonly Key?: string; readonly Value?: string }[] = []) =>
    Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));
  return {
    headers: pairs(parameters?.HeaderParameters),
    query: pairs(parameters?.QueryStringParameters),
    body: pairs(parameters?.BodyParameters),
  };
}
