import { createRequire } from 'node:module';
import { AwsError } from '#core/aws-error.ts';
import { invalid } from './passed-tags.ts';

/**
 * Checks a SAML response before its signature is verified: size, status and signature algorithms. The library node-saml
 * does not check these. `saml.ts` reads the values for the session.
 */

/**
 * Limits on a document. node-saml finds elements with XPath. The time of XPath is quadratic in the number of children
 * of an element. Without limits, an unsigned document of 75 KB takes half a minute. For comparison: an assertion with
 * 100 roles and 50 session tags has 461 XML tags.
 */
const TAGS_MAX = 1_500;
const ATTRIBUTES_MAX = 3_000;
const SIBLINGS_MAX = 400;
const ELEMENTS_MAX = 600;
const ATTRIBUTES_OF_ELEMENT_MAX = 20;
const DEPTH_MAX = 15;
/**
 * Maximum length of an attribute's value. For example, the PrefixList of a signature is compared with every
 * attribute, so a long list would take much time.
 */
const VALUE_MAX = 1_000;
/** Maximum number of elements in one signature, including its certificates. A signature with ten certificates has about 30. */
const SIGNATURE_ELEMENTS_MAX = 60;

/**
 * Pattern for one well-formed tag, comment or declaration. Other markup is rejected, because xmldom would write a
 * warning with the client's text to standard error. In the pattern, each repetition begins with a character that the
 * previous repetition cannot match. So matching takes linear time.
 */
const MARKUP = /<(?:\/[^\s<>/="'!?]+\s*|[^\s<>/="'!?]+(?:\s+[^\s<>/="']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*\/?|!--[^<>]*--|\?[^<>?]*\?)>/y;

/** XML namespace of signatures. `SIGNATURES` and `DIGESTS` accept only SHA-2, so they reject SHA-1. */
const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#';
const SIGNATURES = /^http:\/\/www\.w3\.org\/2001\/04\/xmldsig-more#(?:rsa|ecdsa)-sha(?:256|384|512)$/;
const DIGESTS = /^http:\/\/www\.w3\.org\/2001\/04\/(?:xmlenc#sha(?:256|512)|xmldsig-more#sha384)$/;
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/** Part of a DOM node that this file reads. */
interface DomNode {
  readonly nodeType: number;
  readonly localName?: string | null;
  /** Content of a text node or a comment. */
  readonly data?: string;
  readonly namespaceURI?: string | null;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
  readonly attributes?: { readonly length: number; item(index: number): { readonly value: string } | null };
  getAttribute?(name: string): string | null;
}
const ELEMENT = 1;

/**
 * Paragraph separator. Documents that contain it are rejected: xmldom counts lines with a pattern whose time is
 * quadratic in the length of the text before this character.
 */
const PARAGRAPH_SEPARATOR = '\u2029';

/**
 * Reports whether a character occurs at most `most` times. Before an XML text is parsed, the numbers of `<` and `=`
 * limit the possible numbers of tags and attributes.
 */
export function hasAtMost(text: string, character: string, most: number): boolean {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) if (++found > most) return false;
  return true;
}

/**
 * Checks a response before its signature is verified. Uses the XML parser of node-saml, so that this check and
 * node-saml find the same elements.
 *
 * @throws InvalidIdentityTokenException  the document is not a response, is too large, or uses SHA-1 or an unknown signature algorithm
 * @throws IDPRejectedClaimException      the status is not Success
 *
 * Source: SAML 2.0 Core, 3.2.2.2: the first status code is Success, or the request failed. STS API reference, AssumeRoleWithSAML,
 * IDPRejectedClaim: the provider reported that authentication failed.
 * Assumed: (1) AWS rejects SHA-1; (2) the limits and the error messages.
 */
export function checkResponse(xml: string): void {
  if (!hasAtMost(xml, '<', TAGS_MAX) || !hasAtMost(xml, '=', ATTRIBUTES_MAX) || !isWellFormed(xml))
    throw invalid('Response signature invalid');
  const [response, ...others] = elementsOf(parseDom(xml));
  if (response?.localName !== 'Response' || others.length > 0 || !isSound(response, 0, { elements: ELEMENTS_MAX, ofSignature: 0 }))
    throw invalid('Response signature invalid');

  const codes = elementsOf(response, 'Status').flatMap((status) => elementsOf(status, 'StatusCode'));
  if (codes.length !== 1 || codes[0]?.getAttribute?.('Value') !== SUCCESS) {
    throw new AwsError('IDPRejectedClaimException', 'The identity provider reported that authentication failed.');
  }
}

/**
 * Part of `@xmldom/xmldom` that this file uses. The types of the package declare browser types, which conflict with
 * Node's types of the same names.
 */
interface Xmldom {
  readonly DOMParser: new (options: {
    readonly locator: object;
    readonly errorHandler: { readonly error: () => void; readonly fatalError: () => void };
  }) => { parseFromString(xml: string, type: 'text/xml'): DomNode | undefined };
}

/**
 * Parses XML with the same package as node-saml. Returns `undefined` for invalid XML. The parser errors that make a
 * document invalid are the same as in node-saml.
 */
function parseDom(xml: string): DomNode | undefined {
  const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as Xmldom;
  let failed = false;
  const fail = (): void => {
    failed = true;
  };
  try {
    const document = new DOMParser({ locator: {}, errorHandler: { error: fail, fatalError: fail } }).parseFromString(xml, 'text/xml');
    return failed ? undefined : document;
  } catch {
    return undefined;
  }
}

/** Returns the child elements of a node. With `name`, returns only the elements with this local name. */
function elementsOf(node: DomNode | undefined, name?: string): readonly DomNode[] {
  const found: DomNode[] = [];
  for (let child = node?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.nodeType === ELEMENT && (name === undefined || child.localName === name)) found.push(child);
  }
  return found;
}

/** Number of elements that a document may still have. It decreases while the elements are checked. */
interface Left {
  elements: number;
  /** Number of elements that the current signature may still have. */
  ofSignature: number;
}

/** Checks that an element and its descendants are within the limits, and that their signatures use known algorithms. */
function isSound(element: DomNode, depth: number, left: Left, within = false): boolean {
  if (depth > DEPTH_MAX || --left.elements < 0 || !hasShortAttributes(element) || !isStrong(element)) return false;
  const signature = element.namespaceURI === XMLDSIG && element.localName === 'Signature';
  if (signature) left.ofSignature = SIGNATURE_ELEMENTS_MAX;
  if ((signature || within) && --left.ofSignature < 0) return false;
  let siblings = 0;
  for (let child = element.firstChild; child !== null; child = child.nextSibling) {
    if (++siblings > SIBLINGS_MAX || child.data?.includes(PARAGRAPH_SEPARATOR)) return false;
    if (child.nodeType === ELEMENT && !isSound(child, depth + 1, left, signature || within)) return false;
  }
  return true;
}

function hasShortAttributes({ attributes }: DomNode): boolean {
  if (attributes === undefined || attributes.length > ATTRIBUTES_OF_ELEMENT_MAX) return attributes === undefined;
  for (let i = 0; i < attributes.length; i++) {
    const value = attributes.item(i)?.value ?? '';
    if (value.length > VALUE_MAX || value.includes(PARAGRAPH_SEPARATOR)) return false;
  }
  return true;
}

/** Checks that every tag, comment and declaration of an XML text is well-formed. Rejects other markup, such as CDATA. */
function isWellFormed(xml: string): boolean {
  if (xml.includes(PARAGRAPH_SEPARATOR)) return false;
  for (let at = xml.indexOf('<'); at >= 0; at = xml.indexOf('<', MARKUP.lastIndex)) {
    MARKUP.lastIndex = at;
    if (!MARKUP.test(xml)) return false;
  }
  return true;
}

/** Returns false if an element names a signature or digest algorithm that is not accepted. */
function isStrong(element: DomNode): boolean {
  if (element.namespaceURI !== XMLDSIG) return true;
  const known = element.localName === 'SignatureMethod' ? SIGNATURES : element.localName === 'DigestMethod' ? DIGESTS : undefined;
  return known === undefined || known.test(element.getAttribute?.('Algorithm') ?? '');
}
