/** Authorization parameters of connections: check, merge, and the form without secrets. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  ConnectionAuthorizationType,
  ConnectionAuthResponseParameters,
  ConnectionHttpParameters,
  CreateConnectionAuthRequestParameters,
  UpdateConnectionAuthRequestParameters,
} from '#model/generated/events.ts';
import { invalidParameter } from './errors.ts';

/** Parameters that each type of authorization needs. */
const NEEDED = {
  BASIC: 'BasicAuthParameters',
  API_KEY: 'ApiKeyAuthParameters',
  OAUTH_CLIENT_CREDENTIALS: 'OAuthParameters',
} as const satisfies Record<ConnectionAuthorizationType, keyof CreateConnectionAuthRequestParameters>;

/**
 * Returns the parameters of a type of authorization, without those of other types.
 *
 * @throws ValidationException  the parameters of the type are absent or incomplete, or an authorization endpoint does not use HTTPS
 * Source: cdk-preflight, connections, measured on AWS in September 2026. Assumed: the end of the message about the endpoint.
 */
export function authParameters(
  type: ConnectionAuthorizationType,
  parameters: UpdateConnectionAuthRequestParameters,
): CreateConnectionAuthRequestParameters {
  const name = NEEDED[type];
  const { BasicAuthParameters: basic, ApiKeyAuthParameters: key, OAuthParameters: oauth, InvocationHttpParameters } = parameters;
  const missing = {
    BASIC: basic?.Username === undefined || basic.Password === undefined,
    API_KEY: key?.ApiKeyName === undefined || key.ApiKeyValue === undefined,
    OAUTH_CLIENT_CREDENTIALS:
      oauth?.AuthorizationEndpoint === undefined ||
      oauth.HttpMethod === undefined ||
      oauth.ClientParameters?.ClientID === undefined ||
      oauth.ClientParameters.ClientSecret === undefined,
  };
  if (missing[type]) throw invalidParameter(name, 'Missing required field(s)');
  if (type === 'OAUTH_CLIENT_CREDENTIALS') requireHttps('AuthorizationEndpoint', oauth?.AuthorizationEndpoint ?? '');
  const own = { [name]: parameters[name] } as CreateConnectionAuthRequestParameters;
  return { ...own, ...omitUndefined({ InvocationHttpParameters }) };
}

/**
 * Checks the URL of an endpoint.
 *
 * Source: users' reports of CreateApiDestination. Assumed: a URL with a user name or fragment is invalid too.
 * @throws ValidationException
 */
export function requireHttps(member: string, text: string): void {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '') return;
  // The message is part of the trail, so it does not contain a password.
  const shown = url === null || (url.username === '' && url.password === '') ? text : `${url.protocol}//${url.host}${url.pathname}`;
  throw invalidParameter(member, `Endpoint '${shown}' is invalid, please provide a valid HTTPS endpoint URL.`);
}

/** Returns stored parameters with the changes of an update. Lists of HTTP parameters are replaced. */
export function mergedParameters(
  before: UpdateConnectionAuthRequestParameters,
  added: UpdateConnectionAuthRequestParameters,
): UpdateConnectionAuthRequestParameters {
  const { BasicAuthParameters, ApiKeyAuthParameters, OAuthParameters, InvocationHttpParameters } = added;
  const { ClientParameters: client, ...oauth } = OAuthParameters ?? {};
  const { ClientParameters: clientBefore, ...oauthBefore } = before.OAuthParameters ?? {};
  return omitUndefined({
    BasicAuthParameters: merged(before.BasicAuthParameters, BasicAuthParameters),
    ApiKeyAuthParameters: merged(before.ApiKeyAuthParameters, ApiKeyAuthParameters),
    OAuthParameters:
      before.OAuthParameters === undefined && OAuthParameters === undefined
        ? undefined
        : { ...oauthBefore, ...oauth, ...omitUndefined({ ClientParameters: merged(clientBefore, client) }) },
    InvocationHttpParameters: InvocationHttpParameters ?? before.InvocationHttpParameters,
  });
}

function merged<T extends object>(before: T | undefined, added: T | undefined): T | undefined {
  return before === undefined && added === undefined ? undefined : ({ ...before, ...added } as T);
}

/** Returns parameters as DescribeConnection shows them: without secrets. */
export function shownParameters(parameters: CreateConnectionAuthRequestParameters): ConnectionAuthResponseParameters {
  const { BasicAuthParameters: basic, ApiKeyAuthParameters: key, OAuthParameters: oauth, InvocationHttpParameters: http } = parameters;
  return omitUndefined({
    BasicAuthParameters: basic && { Username: basic.Username },
    ApiKeyAuthParameters: key && { ApiKeyName: key.ApiKeyName },
    OAuthParameters:
      oauth &&
      omitUndefined({
        ClientParameters: { ClientID: oauth.ClientParameters.ClientID },
        AuthorizationEndpoint: oauth.AuthorizationEndpoint,
        HttpMethod: oauth.HttpMethod,
        OAuthHttpParameters: oauth.OAuthHttpParameters && withoutSecrets(oauth.OAuthHttpParameters),
      }),
    InvocationHttpParameters: http && withoutSecrets(http),
  });
}

/** Returns HTTP parameters without the values that are secrets. */
function withoutSecrets({ HeaderParameters, QueryStringParameters, BodyParameters }: ConnectionHttpParameters): ConnectionHttpParameters {
  const shown = <T extends { readonly Value?: string; readonly IsValueSecret?: boolean }>(list: readonly T[] | undefined) =>
    list?.map(({ Value, ...rest }) => (rest.IsValueSecret ? rest : { ...rest, ...omitUndefined({ Value }) }) as T);
  return omitUndefined({
    HeaderParameters: shown(HeaderParameters),
    QueryStringParameters: shown(QueryStringParameters),
    BodyParameters: shown(BodyParameters),
  });
}
