/** Paths of the browser sign-in. A path with a query is the same page. */
export const SIGN_IN_PATHS = ['/federation', '/saml', '/_belfry/sign-in', '/_belfry/sign-in/credentials'] as const;

/** Path of a page of the browser sign-in. */
export type SignInPath = (typeof SIGN_IN_PATHS)[number];

/** Returns the page of a request target, or undefined if it is not a page of the sign-in. */
export function signInPath(target: string): SignInPath | undefined {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  return SIGN_IN_PATHS.find((known) => known === path);
}
