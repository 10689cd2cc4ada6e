/** Reads the input of an S3 operation: labels, query string, headers, and the body, which is a document, a string or bytes. */
import { isUtf8 } from 'node:buffer';
import { AwsError } from '#core/aws-error.ts';
import { header, type Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import { assertOwnName, shapeOf } from './document-reader.ts';
import type { Routed } from './routed.ts';
import { s3Text } from './s3-address.ts';
import { invalidArgument, malformedXml } from './s3-errors.ts';
import { textToInstant } from './scalars.ts';
import { readXml, type XmlElement, type XmlLimits } from './xml-reader.ts';

/** Reads the whole input of one operation. */
export type ReadRestXml = (routed: Routed, received: Received) => Record<string, unknown>;

/** Maximum size of a request's user metadata, names and values, in bytes. Source: Amazon S3 User Guide, "Working with object metadata". */
const METADATA_MAX_BYTES = 2_048;

/**
 * Compiles the reader of an operation's input.
 *
 * Unknown elements of a document are errors, as in S3. Unknown headers and parameters are ignored.
 *
 * The reader throws an `AwsError` with one of these codes:
 * @throws InvalidArgument          a header or parameter is invalid, or a parameter occurs twice
 * @throws InvalidStorageClass      the storage class is unknown
 * @throws MetadataTooLarge         the user metadata has more than 2 KiB
 * @throws MissingRequestBodyError  the operation requires a document, and the body is empty
 * @throws MalformedXML             the document is not well-formed or does not match the model
 * @throws InvalidRequest           a body that is a string is not UTF-8
 * Source: record.md C5, rows 49, 56 and 59.
 */
export function restXmlReader(model: ServiceModel, operation: OperationModel): ReadRestXml {
  const shape = shapeOf(model, operation.input ?? '');
  const labels = [...operation.http.uri.matchAll(/\{([^}+]*)\+?\}/g)].map((match) => match[1]);
  const members = Object.entries(shape.members ?? {}).map(([name, use]) => {
    assertOwnName(model, name);
    return { name, find: finderOf(model, shape, labels, name, use) };
  });
  return (routed, received) => {
    const input: Record<string, unknown> = {};
    for (const { name, find } of members) {
      const value = find(routed, received);
      if (value !== undefined) input[name] = value;
    }
    return input;
  };
}

type Find = (routed: Routed, received: Received) => unknown;

function finderOf(model: ServiceModel, shape: Shape, labels: readonly (string | undefined)[], name: string, use: Member): Find {
  const sent = use.locationName ?? name;
  switch (use.location) {
    case 'uri': {
      const index = labels.indexOf(sent);
      return (routed) => s3Text(routed.labels[index] ?? '');
    }
    case 'querystring': {
      const read = scalarReader(model, use, sent);
      return (routed) => {
        const value = parameter(routed, sent);
        return value === undefined ? undefined : read(value);
      };
    }
    case 'header': {
      const read = scalarReader(model, use, sent.toLowerCase());
      return (_routed, received) => {
        const value = header(received, sent.toLowerCase())?.trim();
        return value === undefined || value === '' ? undefined : read(value);
      };
    }
    case 'headers':
      return (_routed, received) => metadata(received, sent.toLowerCase());
    default:
      if (shape.payload !== name) throw new Error(`the model of ${model.service}: the member ${name} must be the payload`);
      return payloadReader(model, use, sent);
  }
}

function parameter({ query }: Routed, name: string): string | undefined {
  let found: string | undefined;
  for (const [sentName, sentValue] of query) {
    if (sentName !== name && !(sentName.includes('%') && s3Text(sentName) === name)) continue;
    // Two parsers may use different values of a repeated parameter. Routing has decoded all values, so they are valid.
    const value = s3Text(sentValue) ?? '';
    if (found !== undefined) throw invalidArgument(`Duplicate parameter: ${name}`, name, value);
    found = value;
  }
  return found;
}

/** Returns the headers with a prefix, by the lower-case rest of their names. Joins the values of a repeated header with commas. */
function metadata({ rawHeaders }: Received, prefix: string): Record<string, string> | undefined {
  let found: Record<string, string> | undefined;
  let size = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!name.startsWith(prefix) || name.length === prefix.length) continue;
    const key = name.slice(prefix.length);
    const value = (rawHeaders[i + 1] as string).trim();
    found ??= Object.create(null) as Record<string, string>;
    size += (found[key] === undefined ? key.length : 1) + value.length;
    found[key] = found[key] === undefined ? value : `${found[key]},${value}`;
  }
  if (size > METADATA_MAX_BYTES)
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: size,
      MaxSizeAllowed: METADATA_MAX_BYTES,
    });
  return found;
}

/** Returns the reader of a header or parameter. `name` is its name for error messages. */
function scalarReader(model: ServiceModel, use: Member, name: string): (text: string) => unknown {
  const shape = shapeOf(model, use.shape);
  switch (shape.type) {
    case 'string':
      return stringReader(shape, name);
    case 'integer':
    case 'long':
      return integerReader(shape, name);
    case 'boolean':
      return (text) => {
        if (!/^(?:true|false)$/i.test(text)) throw invalidArgument(`Value for ${name} must be true or false.`, name, text);
        return text.toLowerCase() === 'true';
      };
    case 'timestamp':
      return timestampReader(use.timestampFormat ?? shape.timestampFormat ?? 'rfc822', name);
    case 'list': {
      const read = scalarReader(model, shape.member as Member, name);
      return (text) => text.split(',').map((one) => read(one.trim()));
    }
    default:
      throw new Error(`the model of ${model.service}: '${use.shape}' cannot be read from a header or a parameter`);
  }
}

function stringReader(shape: Shape, name: string): (text: string) => string {
  const { enum: values } = shape;
  const isResponseHeader = name.startsWith('response-');
  return (text) => {
    // The value becomes a header of the response.
    if (isResponseHeader && CONTROL.test(text)) throw invalidArgument(`Value for ${name} has invalid characters.`, name, text);
    if (values === undefined || values.includes(text)) return text;
    const upper = text.toUpperCase();
    if (values.includes(upper)) return upper;
    if (name === 'x-amz-storage-class')
      throw new AwsError('InvalidStorageClass', 'The storage class you specified is not valid', {
        StorageClassRequested: text.slice(0, 64),
      });
    throw invalidArgument(
      name === 'encoding-type' ? 'Invalid Encoding Method specified in Request' : `Value for ${name} is invalid.`,
      name,
      text,
    );
  };
}
const CONTROL = /[\u0000-\u001f\u007f]/;

const PART_NUMBERS = 'Part number must be an integer between 1 and 10000, inclusive';

function integerReader({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Shape, name: string): (text: string) => number {
  return (text) => {
    const value = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    const message = name === 'partNumber' ? PART_NUMBERS : `Provided ${name} not an integer or within integer range`;
    if (!(value >= min && value <= max) || (name.startsWith('max-') && (value < 0 || value > 2_147_483_647)))
      throw invalidArgument(message, name, text);
    return value;
  };
}

/** Headers of conditional requests. HTTP ignores an invalid date in them. Source: RFC 9110 §13.1.3. */
const CONDITIONS: readonly string[] = ['if-modified-since', 'if-unmodified-since'];
/** Date of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`. Source: RFC 9110 §5.6.7, IMF-fixdate. */
const HTTP_DATE = /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (?:GMT|UTC|[+-]0000)$/;

function timestampReader(format: 'iso8601' | 'unixTimestamp' | 'rfc822', name: string): (text: string) => Instant | undefined {
  return (text) => {
    const time = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(time)) return instant(time);
    if (CONDITIONS.includes(name)) return undefined;
    if (format === 'iso8601') {
      const read = instantOf(text);
      if (read !== undefined) return read;
    }
    throw invalidArgument(`Value for ${name} is not a valid date.`, name, text);
  };
}

function instantOf(text: string): Instant | undefined {
  try {
    return textToInstant(text);
  } catch {
    return undefined;
  }
}

/** Root elements of documents that a request may omit. The model does not require others that S3 requires. */
const OPTIONAL_DOCUMENTS: readonly string[] = ['CreateBucketConfiguration'];

/**
 * Limits of documents with a known maximum, so that the server does not read the rest of a longer one.
 *
 * Source: S3 API Reference, DeleteObjects: at most 1,000 keys. Each has at most five members, and the document can also have `Quiet`.
 */
const DOCUMENT_LIMITS: Readonly<Record<string, XmlLimits>> = { Delete: { elements: 6_002, children: 1_001 } };

function payloadReader(model: ServiceModel, use: Member, root: string): Find {
  const shape = shapeOf(model, use.shape);
  if (shape.type === 'blob') return (_routed, { body }) => body;
  if (shape.type === 'string')
    return (_routed, { body }) => utf8(body, () => new AwsError('InvalidRequest', 'The request body is not UTF-8.'));
  const read = elementReader(model, use);
  return (_routed, { body }) => {
    if (body.byteLength === 0) {
      if (!OPTIONAL_DOCUMENTS.includes(root)) throw new AwsError('MissingRequestBodyError', 'Request Body is empty');
      return undefined;
    }
    const element = readXml(utf8(body, malformedXml), DOCUMENT_LIMITS[root]);
    if (element.name !== root) throw malformedXml();
    return read(element);
  };
}

function utf8(body: Uint8Array, error: () => AwsError): string {
  if (!isUtf8(body)) throw error();
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (text.includes('\0')) throw error();
  return text;
}

type ReadElement = (element: XmlElement) => unknown;

/** Regions in documents are not checked here: the configured regions differ from those of the model, and S3 has its own error. */
const UNCHECKED_ENUMS: readonly string[] = ['BucketLocationConstraint'];

function elementReader(model: ServiceModel, use: Member): ReadElement {
  const shape = shapeOf(model, use.shape);
  switch (shape.type) {
    case 'structure':
      return structureReader(model, shape);
    case 'list': {
      const element = shape.member as Member;
      const step = element.locationName ?? 'member';
      const read = elementReader(model, element);
      return ({ children, text }) => {
        if (text.trim() !== '' || children.some(({ name }) => name !== step)) throw malformedXml();
        return children.map(read);
      };
    }
    default: {
      const read = textReader(shape, UNCHECKED_ENUMS.includes(use.shape));
      return ({ children, text }) => {
        const value = children.length > 0 ? undefined : read(text);
        if (value === undefined) throw malformedXml();
        return value;
      };
    }
  }
}

/** Returns the reader of an element's text. It returns `undefined` for an invalid text. */
function textReader(shape: Shape, isUnchecked: boolean): (text: string) => unknown {
  switch (shape.type) {
    case 'string':
      return (text) =>
        shape.enum === undefined || isUnchecked || shape.enum.includes(text.trim()) ? (shape.enum ? text.trim() : text) : undefined;
    case 'integer':
    case 'long':
      return (text) => (/^-?[0-9]{1,15}$/.test(text.trim()) ? Number(text) : undefined);
    case 'boolean':
      return (text) => (text.trim() === 'true' ? true : text.trim() === 'false' ? false : undefined);
    case 'timestamp':
      return (text) => instantOf(text.trim());
    default:
      throw new Error(`a value of the type ${shape.type} cannot be read from XML`);
  }
}

function structureReader(model: ServiceModel, shape: Shape): ReadElement {
  const members = new Map(
    Object.entries(shape.members ?? {}).map(([name, use]) => {
      assertOwnName(model, name);
      const target = shapeOf(model, use.shape);
      const isFlattened = target.type === 'list' && (use.flattened === true || target.flattened === true);
      const read = elementReader(model, isFlattened ? (target.member as Member) : use);
      return [use.locationName ?? name, { name, isFlattened, read }] as const;
    }),
  );
  return ({ children, text }) => {
    if (text.trim() !== '') throw malformedXml();
    const value: Record<string, unknown> = {};
    for (const child of children) {
      const member = members.get(child.name);
      if (member === undefined) throw malformedXml();
      const present = value[member.name];
      if (member.isFlattened) {
        if (present === undefined) value[member.name] = [member.read(child)];
        else (present as unknown[]).push(member.read(child));
      } else if (present !== undefined) throw malformedXml();
      else value[member.name] = member.read(child);
    }
    for (const name of shape.required ?? []) if (value[name] === undefined) throw malformedXml();
    return value;
  };
}
