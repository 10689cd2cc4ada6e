const PROVIDER_ARN = /arn:aws:iam::[0-9]{12}:saml-provider\/[\w.-]{1,128}/g;
const PROVIDERS_MAX = 20;

/**
 * Returns the ARNs of the first twenty providers that an assertion names. The assertion is unverified, so the caller
 * must check which of the providers signed it.
 */
export function namedProviders(assertion: string): readonly string[] {
  const xml = Buffer.from(assertion, 'base64').toString('utf8');
  const named = new Set<string>();
  for (const [arn] of xml.matchAll(PROVIDER_ARN)) {
    named.add(arn);
    if (named.size === PROVIDERS_MAX) break;
  }
  return [...named];
}
