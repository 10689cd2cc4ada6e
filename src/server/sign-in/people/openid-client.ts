/** Client of OpenID providers: authorization code flow with PKCE, state and nonce. The library validates responses and tokens. */
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
} from 'openid-client';
import { HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { ContactIssuer } from '#delivery/outgoing/targets/issuers.ts';
import type { OpenIdProvider } from '../../core/services.ts';

/** Secrets of one sign-in. They are in an encrypted cookie until the provider sends the browser back. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  /** Verifier of PKCE. */
  readonly verifier: string;
}

export interface OpenIdClient {
  /** Returns the URL of the provider at which a person signs in. Rejects if the configuration of the provider cannot be read. */
  authorizationUrl(provider: OpenIdProvider, secrets: SignInSecrets, redirectUri: string, loginHint: string): Promise<URL>;
  /**
   * Exchanges the code of a callback for the claims of the person. Rejects if the callback, a token or a claim is not valid.
   *
   * Claims that the ID token lacks come from the endpoint for claims, which must name the same subject.
   */
  claimsOf(provider: OpenIdProvider, secrets: SignInSecrets, callback: URL): Promise<Readonly<Record<string, unknown>>>;
}

/** Times for which a configuration and the failure to read it are remembered, as for keys of identity providers (`access/issuer-keys.ts`). */
const CONFIGURED_MS = HOUR_MS;
const FAILURE_MS = 10_000;
const PROVIDERS_MAX = 200;
const SCOPES = ['openid', 'email', 'profile'] as const;

interface Entry {
  readonly readAt: Instant;
  readonly configuration: Promise<Configuration>;
  failed: boolean;
}

/** Creates the client. Concurrent sign-ins share one read of the configuration of a provider. */
export function openIdClient(contact: ContactIssuer, now: () => Instant): OpenIdClient {
  const entries = lruMap<string, Entry>(PROVIDERS_MAX);

  function configurationOf(provider: OpenIdProvider): Promise<Configuration> {
    // A changed secret has another entry.
    const key = JSON.stringify([provider.providerId, provider.issuer, provider.clientId, provider.clientSecret]);
    const before = entries.get(key);
    if (before !== undefined && now() - before.readAt < (before.failed ? FAILURE_MS : CONFIGURED_MS)) return before.configuration;
    const entry: Entry = { readAt: now(), configuration: discovered(provider, contact), failed: false };
    entry.configuration.catch(() => {
      entry.failed = true;
    });
    entries.set(key, entry);
    return entry.configuration;
  }

  return {
    async authorizationUrl(provider, { state, nonce, verifier }, redirectUri, loginHint) {
      const configuration = await configurationOf(provider);
      const { scopes_supported: supported = [] } = configuration.serverMetadata();
      const scopes = supported.includes('groups') ? [...SCOPES, 'groups'] : SCOPES;
      return buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        login_hint: loginHint,
      });
    },

    async claimsOf(provider, { state, nonce, verifier }, callback) {
      const configuration = await configurationOf(provider);
      const tokens = await authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('the provider returned no ID token');
      const isComplete = claims['email'] !== undefined && claims['groups'] !== undefined;
      if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
      return { ...(await fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
    },
  };
}

/** Reads the configuration of a provider. Its issuer must be the configured one. Source: OpenID Connect Discovery 1.0, section 4.3. */
async function discovered({ issuer, clientId, clientSecret }: OpenIdProvider, contact: ContactIssuer): Promise<Configuration> {
  const send = async (
    url: string,
    { method, headers, body }: { readonly method: string; readonly headers: Record<string, string>; readonly body?: unknown },
  ) => {
    const sent = body === undefined || body === null ? undefined : String(body);
    const response = await contact(url, { method, headers, body: sent });
    return new Response(response.body, { status: response.status, headers: response.headers });
  };
  return await discovery(new URL(issuer), clientId, undefined, authenticationWith(clientSecret), {
    [customFetch]: send,
    // The library verifies the signature of the ID token too, although the token comes from the provider directly.
    execute: [enableNonRepudiationChecks],
  });
}

/** Returns the authentication of the client. Source: OpenID Connect Core 1.0, section 9: the default is `client_secret_basic`. */
function authenticationWith(secret: string | undefined): ClientAuth {
  if (secret === undefined) return None();
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret);
    authenticate(server, client, body, headers);
  };
}
