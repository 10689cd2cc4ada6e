/**
 * Reads small XML documents that S3 clients send. It is strict and bounded, and accepts only what these documents need: elements, text,
 * attributes (which are ignored), comments, CDATA sections and the five predefined entities.
 *
 * The server does not use @xmldom/xmldom for them: it takes a second for the longest valid document (10,000 parts, 1.3 MB), and five
 * seconds for a nested one, during which all other requests wait. A document type declaration is rejected, so there are no entities to
 * expand and nothing to load.
 *
 * Source: XML 1.0, fifth edition. Namespaces are ignored: an element is its local name, as S3 accepts documents without a namespace.
 */
import { malformedXml } from './s3-errors.ts';

/** XML element. `text` is its text without that of its children. */
export interface XmlElement {
  /** Local name. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Maximum numbers of elements of a document. */
export interface XmlLimits {
  readonly elements: number;
  /** Children of one element. */
  readonly children: number;
}

/**
 * Limits of the largest document. Assumed: no client sends more. CompleteMultipartUpload with 10,000 parts and two checksums for each has
 * 50,001 elements.
 */
const LIMITS: XmlLimits = { elements: 60_000, children: 10_000 };
/** Maximum depth. The deepest document of the model, a lifecycle configuration, has six levels. */
const DEPTH_MAX = 16;
/** Maximum length of the attributes of one element, in characters. */
const ATTRIBUTES_MAX = 1_024;

const NAME = /[A-Za-z_][A-Za-z0-9_.-]{0,99}(?::[A-Za-z_][A-Za-z0-9_.-]{0,99})?/y;
const ATTRIBUTE = /[ \t\r\n]+[A-Za-z_][A-Za-z0-9_.:-]{0,99}[ \t\r\n]*=[ \t\r\n]*(?:"[^"<&]{0,512}"|'[^'<&]{0,512}')/y;
const DECLARATION =
  /^\ufeff?<\?xml[ \t\r\n]+version=["']1\.0["'](?:[ \t\r\n]+encoding=["'][Uu][Tt][Ff]-8["'])?(?:[ \t\r\n]+standalone=["'](?:yes|no)["'])?[ \t\r\n]*\?>/;
const BLANK = /^[ \t\r\n]*$/;
const ENTITY = /&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Characters that XML does not allow. Source: XML 1.0, section 2.2 "Char". */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

interface Open {
  readonly name: string;
  readonly qualifiedName: string;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Parses a document and returns its root element.
 *
 * The text of an element keeps its whitespace. Line ends are not normalized.
 *
 * @throws MalformedXML  the document is not well-formed, has a document type declaration or a processing instruction, or exceeds the
 *   limits on elements, depth or attributes. It stops at the first element over a limit
 */
export function readXml(text: string, limits: XmlLimits = LIMITS): XmlElement {
  if (FORBIDDEN.test(text)) throw malformedXml();
  const declaration = DECLARATION.exec(text)?.[0] ?? (text.startsWith('\ufeff') ? '\ufeff' : '');
  const open: Open[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let at = declaration.length;

  function addText(piece: string): void {
    const inside = open.at(-1);
    if (inside !== undefined) inside.text += piece;
    else if (!BLANK.test(piece)) throw malformedXml();
  }

  function close(element: Open): void {
    const { name, children, text: content } = element;
    const closed: XmlElement = { name, children, text: content };
    const parent = open.at(-1);
    if (parent !== undefined) parent.children.push(closed);
    else if (root === undefined) root = closed;
    else throw malformedXml();
  }

  function startTag(): void {
    elements += 1;
    const siblings = open.at(-1)?.children.length ?? 0;
    if (elements > limits.elements || siblings >= limits.children || open.length >= DEPTH_MAX) throw malformedXml();
    const qualifiedName = nameAt(text, at + 1);
    const element: Open = { name: localName(qualifiedName), qualifiedName, children: [], text: '' };
    const end = afterAttributes(text, at + 1 + qualifiedName.length);
    const isEmpty = text.charCodeAt(end) === SLASH;
    const bracket = isEmpty ? end + 1 : end;
    if (text.charCodeAt(bracket) !== GREATER) throw malformedXml();
    at = bracket + 1;
    if (isEmpty) close(element);
    else open.push(element);
  }

  function endTag(): void {
    const element = open.pop();
    const qualifiedName = nameAt(text, at + 2);
    const bracket = afterBlank(text, at + 2 + qualifiedName.length);
    if (element?.qualifiedName !== qualifiedName || text.charCodeAt(bracket) !== GREATER) throw malformedXml();
    close(element);
    at = bracket + 1;
  }

  /** Reads a comment or a CDATA section. Every other markup is rejected, such as `<!DOCTYPE` and `<?`. */
  function otherMarkup(): void {
    const isComment = text.startsWith('<!--', at);
    const isCdata = !isComment && open.length > 0 && text.startsWith('<![CDATA[', at);
    const [from, mark] = isComment ? [at + 4, '-->'] : [at + 9, ']]>'];
    const end = isComment || isCdata ? text.indexOf(mark, from) : -1;
    if (end < 0) throw malformedXml();
    if (isCdata) addText(text.slice(from, end));
    at = end + mark.length;
  }

  while (at < text.length) {
    const next = text.indexOf('<', at);
    const end = next < 0 ? text.length : next;
    if (end > at) addText(decoded(text.slice(at, end)));
    at = end;
    if (next < 0) break;
    const code = text.charCodeAt(at + 1);
    if (code === SLASH) endTag();
    else if (code === EXCLAMATION || code === QUESTION) otherMarkup();
    else startTag();
  }
  if (root === undefined || open.length > 0) throw malformedXml();
  return root;
}

const SLASH = 47;
const GREATER = 62;
const EXCLAMATION = 33;
const QUESTION = 63;

function nameAt(text: string, at: number): string {
  NAME.lastIndex = at;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) throw malformedXml();
  return name;
}

function localName(qualifiedName: string): string {
  return qualifiedName.slice(qualifiedName.indexOf(':') + 1);
}

/** Returns the position after the attributes of a start tag and the spaces behind them. */
function afterAttributes(text: string, from: number): number {
  let at = from;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    if (!ATTRIBUTE.test(text)) return afterBlank(text, at);
    at = ATTRIBUTE.lastIndex;
    if (at - from > ATTRIBUTES_MAX) throw malformedXml();
  }
}

function afterBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANK.test(text.charAt(at))) at++;
  return at;
}

function decoded(text: string): string {
  if (text.includes(']]>')) throw malformedXml();
  if (!text.includes('&')) return text;
  return text.replace(ENTITY, (_, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name !== undefined) return ENTITIES[name] as string;
    const code = decimal !== undefined ? Number(decimal) : hexadecimal !== undefined ? Number.parseInt(hexadecimal, 16) : -1;
    if (code < 0 || code > 0x10ffff || FORBIDDEN.test(String.fromCodePoint(code))) throw malformedXml();
    return String.fromCodePoint(code);
  });
}
