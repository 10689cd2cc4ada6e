import { hash } from 'node:crypto';
import { Parser, processors } from 'xml2js';
import { invalid } from './passed-tags.ts';
import { all, type Element, one, textOf } from './saml-element.ts';
import { hasAtMost } from './saml-response.ts';

/** Content of the metadata of a SAML provider: the entity ID, and the signing certificates in Base64. */
export interface SamlMetadata {
  readonly entityId: string;
  readonly certificates: readonly string[];
}

/** Limits on the metadata of a provider. Real metadata has hundreds of tags, and one or two certificates. */
const METADATA_TAGS_MAX = 20_000;
const CERTIFICATES_MAX = 10;

/** Maximum number of parsed documents in the cache of a thread. The cache key is the digest of the document. */
const KEPT_MAX = 64;
const kept = new Map<string, Promise<SamlMetadata>>();

/**
 * Parses the metadata of a provider. The last 64 results are cached.
 *
 * @throws InvalidIdentityTokenException  the metadata is invalid, too large, or has no signing certificate or more than ten
 * Assumed: the limits and the error messages.
 */
export function readSamlMetadata(metadata: string): Promise<SamlMetadata> {
  const digest = hash('sha256', metadata);
  const known = kept.get(digest);
  if (known !== undefined) return known;
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size >= KEPT_MAX) kept.delete(oldest);
  const parsed = parseMetadata(metadata);
  kept.set(digest, parsed);
  return parsed;
}

async function parseMetadata(metadata: string): Promise<SamlMetadata> {
  if (!hasAtMost(metadata, '<', METADATA_TAGS_MAX))
    throw invalid(`The provider's metadata is too large: it can have at most ${METADATA_TAGS_MAX} XML tags.`);
  const parser = new Parser({ explicitCharkey: true, tagNameProcessors: [processors.stripPrefix] });
  const root = ((await parser.parseStringPromise(metadata).catch(() => undefined)) ?? {}) as Element;
  const entity = (root['EntityDescriptor'] ?? one(root['EntitiesDescriptor'] as Element | undefined, 'EntityDescriptor')) as
    | Element
    | undefined;
  const listed = all(one(entity, 'IDPSSODescriptor'), 'KeyDescriptor')
    .filter(({ $ }) => $?.['use'] === undefined || $['use'] === 'signing')
    .flatMap((key) => all(one(key, 'KeyInfo'), 'X509Data'))
    .flatMap((data) => all(data, 'X509Certificate'))
    .map((certificate) => textOf(certificate).replaceAll(/\s/g, ''));
  const certificates = [...new Set(listed)];
  const entityId = entity?.$?.['entityID'];
  if (entityId === undefined || certificates.length === 0) throw invalid("The provider's metadata does not have a signing certificate.");
  if (certificates.length > CERTIFICATES_MAX)
    throw invalid(`The provider's metadata has more than ${CERTIFICATES_MAX} signing certificates.`);
  return { entityId, certificates };
}
