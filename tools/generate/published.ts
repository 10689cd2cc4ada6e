/**
 * Converts a published model (`models/<name>-<version>.json`, in botocore's format) to this project's format. An unknown key is an error, so that
 * a new trait is either supported or ignored deliberately.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Member, OperationModel, ServiceModel, Shape, ShapeType } from '#model/model.ts';
import type { ProtocolName, ServiceName } from '#model/services.ts';

/** JSON value of a published model. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Keys of a published model that a server does not need, by the kind of object that contains them. */
const IGNORED_KEYS: Readonly<Record<string, readonly string[]>> = {
  service: ['version', 'deprecated', 'deprecatedMessage', 'clientContextParams'],
  metadata: [
    'auth',
    'protocol',
    'serviceFullName',
    'serviceAbbreviation',
    'signatureVersion',
    'uid',
    'checksumFormat',
    'globalEndpoint',
    'awsQueryCompatible',
  ],
  operation: [
    'idempotent',
    'requestcompression',
    'auth',
    'deprecatedMessage',
    'deprecatedSince',
    'endpoint',
    'staticContextParams',
    'unsignedPayload',
  ],
  shape: [
    'deprecatedMessage',
    'box',
    'fault',
    'xmlOrder',
    'xmlNamespace',
    'locationName',
    'event',
    'eventstream',
    'synthetic',
    'retryable',
    'deprecated',
    'exception',
  ],
  member: ['box', 'deprecated', 'deprecatedMessage', 'contextParam', 'eventpayload', 'hostLabel', 'xmlAttribute', 'xmlNamespace'],
};

/** Patterns that match every string. The generator omits them, so that the server does not scan long chat messages and policies. */
const MATCHES_ALL: readonly Json[] = ['[\\s\\S]*', '(?s).*'];

/** Checks that an object has only known or ignored keys. */
function checkKeys(where: string, what: string, from: JsonObject, keys: readonly string[]): void {
  for (const key of Object.keys(from)) {
    if (key === 'documentation') throw new Error(`${where} has documentation; run npm run generate -- --import FILE with botocore's file`);
    if (!keys.includes(key) && !IGNORED_KEYS[what]?.includes(key)) {
      throw new Error(`${where}: unknown ${what} key '${key}'; support it, or add it to IGNORED_KEYS in tools/generate/published.ts`);
    }
  }
}

/** Reads the published model of a service. Returns it with the name of its file. */
export function readPublished(folder: string, service: ServiceName): { readonly file: string; readonly model: JsonObject } {
  const files = readdirSync(folder).filter((file) => new RegExp(`^${service}-[0-9]{4}-[0-9]{2}-[0-9]{2}\\.json$`).test(file));
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new Error(`expected one file '${folder}/${service}-YYYY-MM-DD.json' (the date is the API version), found ${files.length}`);
  return { file, model: JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as JsonObject };
}

/**
 * Reads the removed operations of a service, their shapes and their origin from `models/<name of the model>.removed.json`. Returns
 * `undefined` if the file does not exist.
 */
export function readRemoved(folder: string, file: string): JsonObject | undefined {
  const path = `${folder}/${file.replace(/\.json$/, '.removed.json')}`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as JsonObject) : undefined;
}

/** Converts a published model to this project's format. `serviceModel` completes `readOnly` from the authorization reference. */
export function fromPublished(service: ServiceName, file: string, published: JsonObject, removed?: JsonObject): ServiceModel {
  checkKeys(file, 'service', published, ['metadata', 'operations', 'shapes']);
  const metadata = published['metadata'] as JsonObject;
  checkKeys(file, 'metadata', metadata, [
    'apiVersion',
    'endpointPrefix',
    'protocols',
    'serviceId',
    'signingName',
    'jsonVersion',
    'targetPrefix',
    'xmlNamespace',
  ]);
  if (removed) checkKeys(file, 'removed', removed, ['origin', 'shapesOrigin', 'operations', 'shapes']);
  const protocols = metadata['protocols'] as readonly ProtocolName[];
  const endpointPrefix = metadata['endpointPrefix'] as string;

  return {
    service,
    apiVersion: metadata['apiVersion'] as string,
    serviceId: metadata['serviceId'] as string,
    protocols,
    ...pick(metadata, ['jsonVersion', 'targetPrefix', 'xmlNamespace']),
    signingName: (metadata['signingName'] as string | undefined) ?? endpointPrefix,
    endpointPrefix,
    operations: mapValues(published['operations'] as Record<string, JsonObject>, (o, name) =>
      toOperation(`${file} ${name}`, name, o, protocols.includes('query')),
    ),
    // The shapes of removed operations are in a model of their own: see `legacy.ts`.
    removed: mapValues((removed?.['operations'] ?? {}) as Record<string, JsonObject>, ({ http }, name) =>
      toOperation(`${file} removed ${name}`, name, { name, http } as JsonObject, false),
    ),
    shapes: mapValues(published['shapes'] as Record<string, JsonObject>, (shape, name) => toShape(`${file} ${name}`, shape)),
    provenance: [`botocore ${file}, August 2026`, ...(removed ? [removed['origin'] as string] : [])],
  };
}

/** Converts an operation. */
export function toOperation(where: string, name: string, o: JsonObject, query: boolean): OperationModel {
  checkKeys(where, 'operation', o, ['name', 'http', 'input', 'output', 'errors', 'readonly', 'authtype', 'httpChecksum', 'deprecated']);
  const http = o['http'] as JsonObject;
  checkKeys(where, 'http', http, ['method', 'requestUri', 'responseCode']);
  const input = o['input'] as JsonObject | undefined;
  const output = o['output'] as JsonObject | undefined;
  checkKeys(where, 'input', input ?? {}, ['shape', 'locationName', 'xmlNamespace']);
  checkKeys(where, 'output', output ?? {}, ['shape', 'resultWrapper']);
  const errors = (o['errors'] as readonly JsonObject[] | undefined) ?? [];
  for (const error of errors) checkKeys(where, 'error', error, ['shape']);
  const checksum = o['httpChecksum'] as JsonObject | undefined;
  if (o['authtype'] !== undefined && !['none', 'v4-unsigned-body'].includes(o['authtype'] as string))
    throw new Error(`${where}: unknown authtype '${o['authtype']}'`);

  return {
    name,
    http: {
      method: http['method'] as string,
      uri: http['requestUri'] as string,
      code: (http['responseCode'] as number | undefined) ?? 200,
    },
    ...(input && { input: input['shape'] as string }),
    ...(output && { output: output['shape'] as string }),
    // In the query protocol, the wrapper of a response always has the operation's name with the suffix `Result`.
    // CloudWatch's model does not state the wrappers.
    ...(output && query && { resultWrapper: (output['resultWrapper'] as string | undefined) ?? `${name}Result` }),
    errors: errors.map((error) => error['shape'] as string),
    ...(o['authtype'] === 'none' && { unsigned: true as const }),
    readOnly: o['readonly'] === true,
    ...(checksum?.['requestChecksumRequired'] === true && { checksumRequired: true as const }),
    ...(o['deprecated'] === true && { deprecated: true as const }),
  };
}

/** Converts a shape. */
export function toShape(where: string, shape: JsonObject): Shape {
  checkKeys(where, 'shape', shape, [
    'type',
    'members',
    'required',
    'union',
    'member',
    'key',
    'value',
    'min',
    'max',
    'pattern',
    'enum',
    'sensitive',
    'timestampFormat',
    'payload',
    'flattened',
    'error',
  ]);
  const members = shape['members'] as Record<string, JsonObject> | undefined;
  const element = (shape['member'] ?? shape['value']) as JsonObject | undefined;
  const key = shape['key'] as JsonObject | undefined;
  return {
    type: shape['type'] as ShapeType,
    ...(members && { members: mapValues(members, (member, name) => toMember(`${where}.${name}`, member)) }),
    ...pick(shape, ['required', 'payload']),
    ...(shape['union'] === true && { union: true as const }),
    ...(element && { member: toMember(`${where}.member`, element) }),
    ...(key && { key: toMember(`${where}.key`, key) }),
    ...pick(shape, ['min', 'max', ...(MATCHES_ALL.includes(shape['pattern'] ?? '') ? [] : ['pattern']), 'enum']),
    ...(shape['sensitive'] === true && { sensitive: true as const }),
    ...pick(shape, ['timestampFormat', 'flattened']),
    ...(shape['exception'] === true && { error: toError(where, shape) }),
  };
}

/**
 * Returns the status and the error code of an exception. The default status is 400, or 500 for a server fault.
 * Source: Smithy, "error trait".
 */
function toError(where: string, shape: JsonObject): NonNullable<Shape['error']> {
  const error = (shape['error'] as JsonObject | undefined) ?? {};
  checkKeys(where, 'error trait', error, ['code', 'httpStatusCode', 'senderFault']);
  return {
    status: (error['httpStatusCode'] as number | undefined) ?? (shape['fault'] === true ? 500 : 400),
    ...pick(error, ['code', 'senderFault']),
  };
}

function toMember(where: string, member: JsonObject): Member {
  checkKeys(where, 'member', member, [
    'shape',
    'location',
    'locationName',
    'flattened',
    'streaming',
    'idempotencyToken',
    'sensitive',
    'timestampFormat',
  ]);
  return {
    shape: member['shape'] as string,
    ...pick(member, ['location', 'locationName', 'flattened', 'streaming', 'idempotencyToken', 'sensitive', 'timestampFormat']),
  };
}

function pick(from: JsonObject, keys: readonly string[]): Record<string, never> {
  const picked: Record<string, Json> = {};
  for (const key of keys) if (from[key] !== undefined) picked[key] = from[key] as Json;
  return picked as Record<string, never>;
}

/** Maps the values of a record. Keeps the keys and their order. */
export function mapValues<From, To>(from: Readonly<Record<string, From>>, change: (value: From, key: string) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value, key)]));
}
