import type { Answer } from '#core/exchange.ts';
import { loadModel } from '#model/load.ts';
import type { Member, OperationModel, ServiceModel } from '#model/model.ts';
import type { ProtocolName } from '#model/services.ts';
import { cborConverters, toCbor } from './cbor-writer.ts';
import { errorCodeFor, errorMembers, type Failure, type FormattedError } from './errors.ts';
import { jsonWriters, quoteJson } from './json-writer.ts';
import { restXmlError, restXmlWriter } from './rest-xml-output.ts';
import type { ErrorTarget, Routed } from './routed.ts';
import { escapeXml, xmlWriters } from './xml-writer.ts';

export { errorCodeFor };

/** Encodes the output of an operation. @throws TypeError  the output does not match the model, which is a bug of the operation */
export function encode(routed: Routed, output: unknown, requestId: string): Answer {
  return writerOf(routed)(output, requestId);
}

type WriteAnswer = (output: unknown, requestId: string) => Answer;

interface Compiled {
  readonly json: ReturnType<typeof jsonWriters>;
  readonly xml: ReturnType<typeof xmlWriters>;
  readonly cbor: ReturnType<typeof cborConverters>;
  readonly answers: Map<string, WriteAnswer>;
}

const COMPILED = new WeakMap<ServiceModel, Compiled>();

function compiledFor(model: ServiceModel): Compiled {
  let compiled = COMPILED.get(model);
  if (compiled === undefined) {
    compiled = { json: jsonWriters(model), xml: xmlWriters(model), cbor: cborConverters(model), answers: new Map() };
    COMPILED.set(model, compiled);
  }
  return compiled;
}

function writerOf({ model, operation, protocol }: Routed): WriteAnswer {
  const compiled = compiledFor(model);
  const key = `${protocol} ${operation.name}`;
  let write = compiled.answers.get(key);
  if (write === undefined) {
    write = compile(model, operation, protocol, compiled);
    compiled.answers.set(key, write);
  }
  return write;
}

function compile(model: ServiceModel, operation: OperationModel, protocol: ProtocolName, compiled: Compiled): WriteAnswer {
  const use: Member | undefined = operation.output === undefined ? undefined : { shape: operation.output };
  const type = contentType(model, protocol);
  switch (protocol) {
    case 'rest-json': {
      const status = operation.http.code;
      // HTTP allows no body with the status 204. Assumed: PutRetentionSettings has none either, although its output has members in the model.
      if (status === 204) return (_output, requestId) => ({ status, headers: [REQUEST_ID, requestId], body: '' });
      const write = use && compiled.json.member(use);
      return (output, requestId) => ({
        status,
        headers: [REQUEST_ID, requestId, 'content-type', type],
        body: write === undefined ? '{}' : write(output ?? NOTHING),
      });
    }
    case 'rest-xml':
      return restXmlWriter(model, operation, compiled.xml);
    case 'json': {
      const write = use && compiled.json.member(use);
      return (output, requestId) => ({
        status: 200,
        headers: [REQUEST_ID, requestId, 'content-type', type],
        body: write === undefined ? '{}' : write(output ?? NOTHING),
      });
    }
    case 'query': {
      const write = use && compiled.xml.member(use);
      const open = `<${operation.name}Response${namespaceOf(model)}>`;
      const result = operation.resultWrapper ?? `${operation.name}Result`;
      // The response of an operation without output has no result element.
      return (output, requestId) => ({
        status: 200,
        headers: [REQUEST_ID, requestId, 'content-type', type],
        body: `${open}${write === undefined ? '' : write(result, output ?? NOTHING)}${metadata(requestId)}</${operation.name}Response>`,
      });
    }
    case 'smithy-rpc-v2-cbor': {
      const convert = use && compiled.cbor.member(use);
      return (output, requestId) => ({
        status: 200,
        headers: [REQUEST_ID, requestId, 'content-type', type, 'smithy-protocol', 'rpc-v2-cbor'],
        body: toCbor(convert === undefined ? NOTHING : convert(output ?? NOTHING)),
      });
    }
  }
}

const REQUEST_ID = 'x-amzn-requestid';
const NOTHING = {};

function contentType(model: ServiceModel | undefined, protocol: ProtocolName): string {
  switch (protocol) {
    case 'rest-json':
      return 'application/json';
    case 'json':
      return `application/x-amz-json-${model?.jsonVersion ?? '1.1'}`;
    case 'rest-xml':
      return 'application/xml';
    case 'query':
      return 'text/xml';
    case 'smithy-rpc-v2-cbor':
      return 'application/cbor';
  }
}

function namespaceOf(model: ServiceModel | undefined): string {
  return model?.xmlNamespace === undefined ? '' : ` xmlns="${escapeXml(model.xmlNamespace)}"`;
}

function metadata(requestId: string): string {
  return `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`;
}

/**
 * Encodes an error in the client's protocol. The error has the code and status that `errorCodeFor` returns. The model
 * of the service defines the name of the member that contains the message.
 *
 * Source: Smithy 2.0, the protocols' "operation error serialization"; `x-amzn-query-error` from "awsQueryCompatible trait".
 */
export function encodeError(target: ErrorTarget, error: Failure, requestId: string): Answer {
  const formatted = errorCodeFor(target, error);
  if (target.protocol === 'rest-xml') return restXmlError(formatted, error, requestId);
  const model = target.service === undefined ? undefined : loadModel(target.service);
  const members = errorMembers(target, formatted, error, requestId);
  const headers = [REQUEST_ID, requestId, 'content-type', contentType(model, target.protocol)];
  for (const [name, use] of Object.entries(formatted.shape?.members ?? {})) {
    const value = use.location === 'header' ? error.members[name] : undefined;
    if (typeof value === 'number' || typeof value === 'string') headers.push((use.locationName ?? name).toLowerCase(), `${value}`);
  }
  if (target.protocol !== 'query') headers.push('x-amzn-errortype', formatted.code);
  if (target.protocol !== 'query' && model?.protocols.includes('query'))
    headers.push('x-amzn-query-error', `${formatted.queryCode};${faultOf(formatted)}`);
  if (target.protocol === 'smithy-rpc-v2-cbor') headers.push('smithy-protocol', 'rpc-v2-cbor');
  return { status: formatted.status, headers, body: errorBody(target, formatted, error, members, model, requestId) };
}

function faultOf(formatted: FormattedError): 'Sender' | 'Receiver' {
  return formatted.status < 500 ? 'Sender' : 'Receiver';
}

function errorBody(
  target: ErrorTarget,
  formatted: FormattedError,
  error: Failure,
  members: Record<string, unknown>,
  model: ServiceModel | undefined,
  requestId: string,
): string | Uint8Array {
  const typed = { __type: formatted.code, ...members };
  switch (target.protocol) {
    case 'rest-xml':
      throw new Error('encodeError returns errors of rest-xml before this function');
    case 'rest-json':
      return jsonBody(members, formatted, model, '');
    case 'json':
      return jsonBody(members, formatted, model, `"__type":${quoteJson(formatted.code)}`);
    case 'smithy-rpc-v2-cbor':
      return toCbor(typed);
    case 'query': {
      const more = Object.entries(formatted.shape?.members ?? {})
        .filter(([name]) => name.toLowerCase() !== 'message' && error.members[name] !== undefined && error.members[name] !== null)
        .map(([name, use]) =>
          model === undefined ? '' : compiledFor(model).xml.member(use)(use.locationName ?? name, error.members[name]),
        );
      const described = `<Type>${faultOf(formatted)}</Type><Code>${escapeXml(formatted.code)}</Code><Message>${escapeXml(error.message)}</Message>${more.join('')}`;
      return `<ErrorResponse${namespaceOf(model)}><Error>${described}</Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`;
    }
  }
}

function jsonBody(
  members: Readonly<Record<string, unknown>>,
  formatted: FormattedError,
  model: ServiceModel | undefined,
  first: string,
): string {
  const parts = first === '' ? [] : [first];
  for (const [name, value] of Object.entries(members)) {
    const use = formatted.shape?.members?.[name];
    const written = use === undefined || model === undefined ? quoteJson : compiledFor(model).json.member(use);
    parts.push(`${quoteJson(name)}:${value === null ? 'null' : written(value)}`);
  }
  return `{${parts.join(',')}}`;
}
