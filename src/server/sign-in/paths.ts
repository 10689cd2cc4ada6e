/** Paths of the browser sign-in. A path with a query is the same page. */
export const SIGN_IN_PATHS = [
  ...(['/federation', '/saml', '/_belfry/sign-in', '/_belfry/sign-in/credentials'] as const),
  '/_belfry/scim/v2',
  '/incomingwebhooks',
  ...(['/chime', '/chime/sign-in', '/chime/sign-out', '/chime/invitation', '/chime/registration', '/chime/confirmation'] as const),
  ...(['/chime/provider', '/chime/callback', '/chime/session'] as const),
] as const;

/** Path of the SCIM endpoint. All paths below it are one page. */
export const SCIM_PATH = '/_belfry/scim/v2';

/** Path of the webhooks of Amazon Chime. Source: Administration Guide, "Chat bot events sent to chat bots", `Url`. All paths below it are one page. */
export const WEBHOOK_PATH = '/incomingwebhooks';

/** Path to which OpenID providers send browsers back. The ID of the Chime account follows. */
export const CALLBACK_PATH = '/chime/callback';

/** Documents of the OpenID issuers of AWS accounts. In their paths, the account ID follows `/chime/openid`. */
const ISSUER_DOCUMENT = /^\/chime\/openid\/[0-9]{12}\/(\.well-known\/openid-configuration|jwks)$/;

/** Path of a page of the browser sign-in. */
export type SignInPath = (typeof SIGN_IN_PATHS)[number] | 'issuer .well-known/openid-configuration' | 'issuer jwks';

/** Returns the path in a request target, without the query. Returns undefined if no sign-in page has this path. */
export function signInPath(target: string): SignInPath | undefined {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (path.startsWith(`${SCIM_PATH}/`)) return SCIM_PATH;
  if (path.startsWith(`${WEBHOOK_PATH}/`)) return WEBHOOK_PATH;
  if (path.startsWith(`${CALLBACK_PATH}/`)) return CALLBACK_PATH;
  const document = ISSUER_DOCUMENT.exec(path)?.[1] as '.well-known/openid-configuration' | 'jwks' | undefined;
  return document === undefined ? SIGN_IN_PATHS.find((known) => known === path) : `issuer ${document}`;
}
