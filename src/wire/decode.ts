import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import type { Member, OperationModel, ServiceModel } from '#model/model.ts';
import { isChime, type ProtocolName } from '#model/services.ts';
import { arnCheck } from './arns.ts';
import { CBOR_FORM, inflate, parseCbor, parseJson, textOf } from './document.ts';
import { assertOwnName, CHIME_JSON_FORM, documentReaders, JSON_FORM, MUST_NOT_BE_NULL, shapeOf } from './document-reader.ts';
import { fault, invalidInput, lowerFirst, notA, type Read, type Reading, validationError } from './faults.ts';
import { decodeComponent, parseParameters } from './form.ts';
import { parameterTree, queryReaders, textReader } from './query-reader.ts';
import { restXmlReader } from './rest-xml-input.ts';
import type { CalledOperation, RawPair, Routed } from './routed.ts';

/**
 * Decodes and validates the input of a request whose signature has been verified.
 *
 * S3 has errors of its own: see `restXmlReader`.
 *
 * Timestamps become `Instant`, blobs become copied bytes, and maps have no prototype. Members that the model does not have are omitted.
 *
 * @throws RequestTooLarge         the decompressed body is too large
 * @throws SerializationException  the body cannot be parsed, or a value has the wrong type
 * @throws ValidationError         the input violates constraints. One message names up to ten of them
 * @throws InvalidInputException   the input of an Organizations operation violates constraints
 * @throws AwsError                the service's validation error: an ARN is not canonical (see `arns.ts`)
 */
export function decode(routed: Routed, received: Received): Record<string, unknown> {
  requireSize(routed, received);
  const reading: Reading = { at: [], faults: [], quotes: !isChime(routed.service) };
  const { read, requireArns } = readerOf(routed);
  const input = read(routed, received, reading);
  throwFaults(routed, reading);
  requireArns?.(input);
  return input;
}

/**
 * Maximum sizes of requests, in bytes, for operations with a smaller one than all others.
 *
 * Recorded: public error reports with the status 413, `RequestEntityTooLarge: Request size 639468 exceeded 614400 bytes` of GetMetricData, and
 * the same text of PutMetricData when its maximum was 40 KB. Source: CloudWatch API Reference, PutMetricData: 1 MB today. Assumed: the size
 * before decompression counts, because 1,000 metrics with 150 values, which the reference allows, have more than 1 MB without compression.
 */
const REQUEST_MAX_BYTES: ReadonlyMap<string, number> = new Map([
  ['PutMetricData', 1_048_576],
  ['GetMetricData', 614_400],
]);

/** @throws RequestTooLarge  the request is larger than its operation accepts */
function requireSize({ service, operation }: Routed, { body }: Received): void {
  if (service !== 'cloudwatch') return;
  const most = REQUEST_MAX_BYTES.get(operation.name);
  if (most !== undefined && body.byteLength > most) {
    throw new AwsError('RequestTooLarge', `Request size ${body.byteLength} exceeded ${most} bytes`);
  }
}

/**
 * Reads the input of an operation that the server itself calls. `document` has the form that a client would send as
 * JSON. The constraints of the model also apply to `document`.
 *
 * @throws AwsError  the document has a wrong type, violates constraints or contains an invalid ARN, as in `decode`
 */
export function readDocument({ service, model, operation }: CalledOperation, document: unknown): Record<string, unknown> {
  if (operation.input === undefined) return {};
  const reading: Reading = { at: [], faults: [], quotes: !isChime(service) };
  const input = compiledFor(model).json.member({ shape: operation.input })(document, reading, 0) as Record<string, unknown>;
  throwFaults({ service }, reading);
  arnCheck(model, operation)?.(input);
  return input;
}

function throwFaults({ service }: Pick<CalledOperation, 'service'>, { faults }: Reading): void {
  if (faults.length > 0) throw service === 'organizations' ? invalidInput(faults) : validationError(faults);
}

/** Reads the whole input of one operation in one protocol. */
type ReadInput = (routed: Routed, received: Received, reading: Reading) => Record<string, unknown>;

/** Compiled reader and checks of one operation's input. */
interface InputReader {
  readonly read: ReadInput;
  /** Undefined if the input has no ARNs. */
  readonly requireArns: ReturnType<typeof arnCheck>;
}

interface Compiled {
  readonly json: ReturnType<typeof documentReaders>;
  readonly cbor: ReturnType<typeof documentReaders>;
  readonly query: ReturnType<typeof queryReaders>;
  readonly inputs: Map<string, InputReader>;
}

const COMPILED = new WeakMap<ServiceModel, Compiled>();

function compiledFor(model: ServiceModel): Compiled {
  let compiled = COMPILED.get(model);
  if (compiled === undefined) {
    compiled = {
      json: documentReaders(model, isChime(model.service) ? CHIME_JSON_FORM : JSON_FORM),
      cbor: documentReaders(model, CBOR_FORM),
      query: queryReaders(model),
      inputs: new Map(),
    };
    COMPILED.set(model, compiled);
  }
  return compiled;
}

function readerOf({ model, operation, protocol, bodyKind }: Routed): InputReader {
  const compiled = compiledFor(model);
  const key = `${bodyKind} ${operation.name}`;
  let input = compiled.inputs.get(key);
  if (input === undefined) {
    input = { read: readerFor(model, operation, protocol, bodyKind, compiled), requireArns: arnCheck(model, operation) };
    compiled.inputs.set(key, input);
  }
  return input;
}

function readerFor(
  model: ServiceModel,
  operation: OperationModel,
  protocol: ProtocolName,
  bodyKind: Routed['bodyKind'],
  compiled: Compiled,
): ReadInput {
  if (protocol === 'rest-xml') return restXmlReader(model, operation);
  return protocol === 'rest-json' ? restInput(model, operation, compiled) : rpcInput(operation, bodyKind, compiled);
}

function bodyOf(routed: Routed, received: Received): Uint8Array {
  return routed.contentEncoding === 'gzip' ? inflate(received.body) : received.body;
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null) as Record<string, unknown>);

/** Parses the JSON document of a body. An empty body is an empty document. */
function jsonOf(routed: Routed, received: Received): unknown {
  const body = bodyOf(routed, received);
  return body.byteLength === 0 ? NOTHING : parseJson(textOf(body));
}

function rpcInput(operation: OperationModel, bodyKind: Routed['bodyKind'], compiled: Compiled): ReadInput {
  const use: Member | undefined = operation.input === undefined ? undefined : { shape: operation.input };
  if (bodyKind === 'json' || bodyKind === 'cbor') {
    const read = use && compiled[bodyKind].member(use);
    const parse = bodyKind === 'json' ? jsonOf : (routed: Routed, received: Received) => cborOf(bodyOf(routed, received));
    return (routed, received, reading) => {
      const document = parse(routed, received);
      return read === undefined ? {} : (read(document, reading, 0) as Record<string, unknown>);
    };
  }
  const read = use && compiled.query.member(use);
  return (routed, received, reading) => {
    const parameters = bodyKind === 'form' ? formOf(textOf(bodyOf(routed, received))) : parametersOf(routed.query);
    // Routing reads the Action only from the beginning of a compressed form. The complete form must have exactly one
    // Action, and it must be the one that routing has read.
    if (parameters.get('Action') !== operation.name)
      throw new AwsError('SerializationException', 'The request must have exactly one Action parameter');
    // A query string also has the parameters of the signature. The reader ignores them, because no model contains them.
    return read === undefined ? {} : (read(parameterTree(parameters), reading, 0) as Record<string, unknown>);
  };
}

function cborOf(body: Uint8Array): unknown {
  return body.byteLength === 0 ? NOTHING : parseCbor(body);
}

function formOf(text: string): Map<string, string> {
  if (text.includes('\0')) throw new AwsError('SerializationException', 'Null characters are not allowed');
  return parseParameters(text.trimEnd(), true);
}

function parametersOf(query: readonly RawPair[]): Map<string, string> {
  return parseParameters(query.map(([name, value]) => `${name}=${value}`).join('&'), false);
}

/** Member of a rest-json input, with its location. */
interface RestMember {
  readonly name: string;
  readonly label: string;
  readonly required: boolean;
  /** Returns the member's value as the client sent it, or `undefined` if the value is absent. */
  readonly find: (document: Readonly<Record<string, unknown>>, routed: Routed, received: Received) => unknown;
  readonly read: Read;
}

function restInput(model: ServiceModel, operation: OperationModel, compiled: Compiled): ReadInput {
  if (operation.input === undefined) return () => ({});
  const shape = shapeOf(model, operation.input);
  const required = new Set(shape.required);
  const labels = [...operation.http.uri.matchAll(/\{([^}]*)\}/g)].map((match) => match[1]);
  let hasBody = false;
  const members = Object.entries(shape.members ?? {}).map(([name, use]): RestMember => {
    assertOwnName(model, name);
    const base = { name, label: lowerFirst(name), required: required.has(name) };
    const sent = use.locationName ?? name;
    switch (use.location) {
      case 'uri': {
        const index = labels.indexOf(sent);
        return { ...base, find: (_document, routed) => decodeComponent(routed.labels[index] ?? '', false), read: asText(model, use) };
      }
      case 'querystring':
        return { ...base, ...inQueryString(model, use, sent) };
      case 'header': {
        const lowerCaseName = sent.toLowerCase();
        return { ...base, find: (_document, _routed, received) => headerValue(received, lowerCaseName), read: asText(model, use) };
      }
      default:
        hasBody = true;
        return { ...base, find: (document) => document[sent], read: compiled.json.member(use) };
    }
  });
  const bodied = hasBody;

  return (routed, received, reading) => {
    const document = bodied ? jsonOf(routed, received) : NOTHING;
    if (typeof document !== 'object' || document === null || Array.isArray(document)) throw notA(document, 'a Structure');
    const input: Record<string, unknown> = {};
    for (let i = 0; i < members.length; i++) {
      const member = members[i] as RestMember;
      const value = member.find(document as Readonly<Record<string, unknown>>, routed, received);
      if (value !== undefined && value !== null) {
        reading.at[0] = member.label;
        input[member.name] = member.read(value, reading, 1);
      } else if (member.required) {
        reading.at[0] = member.label;
        fault(reading, 1, MUST_NOT_BE_NULL, null, false);
      }
    }
    return input;
  };
}

function asText(model: ServiceModel, use: Member): Read {
  const read = textReader(model, shapeOf(model, use.shape), use);
  return (value, reading, depth) => read(value as string, reading, depth);
}

/**
 * Returns the functions that find and read a member in the query string. The parameter of a scalar occurs once. The
 * parameter of a list occurs once for each element. `+` means a plus sign and not a space, as in the signature.
 */
function inQueryString(model: ServiceModel, use: Member, sent: string): Pick<RestMember, 'find' | 'read'> {
  const shape = shapeOf(model, use.shape);
  const valuesOf = (routed: Routed): string[] => {
    const values: string[] = [];
    for (const [name, value] of routed.query)
      if (name === sent || (name.includes('%') && decodeComponent(name, false) === sent)) values.push(decodeComponent(value, false));
    return values;
  };
  if (shape.type !== 'list') {
    const find = (_document: unknown, routed: Routed): string | undefined => {
      if (routed.query.length === 0) return undefined;
      const values = valuesOf(routed);
      if (values.length > 1) throw new AwsError('SerializationException', `Duplicate parameter: ${sent}`);
      return values[0];
    };
    return { find, read: asText(model, use) };
  }
  const list = listOfTexts(model, use);
  const find = (_document: unknown, routed: Routed): string[] | undefined => {
    const values = valuesOf(routed);
    return values.length === 0 ? undefined : values;
  };
  return { find, read: list };
}

/** Returns the reader of a list in a query string. In the models, such lists contain only strings. */
function listOfTexts(model: ServiceModel, use: Member): Read {
  const element = shapeOf(model, use.shape).member as Member;
  if (shapeOf(model, element.shape).type !== 'string')
    throw new Error(`the model of ${model.service}: the list '${use.shape}' in a query string must contain strings`);
  return documentReaders(model, JSON_FORM).member(use);
}

/**
 * Returns the value of a header. The values of a repeated header are joined with commas, as in HTTP and the signature.
 */
function headerValue(received: Received, lowerCaseName: string): string | undefined {
  let found: string | undefined;
  const { rawHeaders } = received;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue;
    const value = (rawHeaders[i + 1] as string).trim();
    found = found === undefined ? value : `${found},${value}`;
  }
  return found;
}
