/**
 * Merges the published JavaScript clients into the models: adds operations, members, errors and enum values that are
 * newer than the model. Keeps the constraints of the model, because the clients' schemas have no constraints. An
 * unknown trait or type is an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';

/**
 * Reference to a type in a client's schema. It has one of these forms:
 *
 * - a number for a plain type
 * - `unit` for no type
 * - a schema
 * - a pair of a reference and the traits of a member
 * - a function that returns the reference later, so that schemas can refer to each other
 */
type Ref = number | 'unit' | Schema | readonly [Ref, Traits] | (() => Ref);
type Traits = number | Readonly<Record<string, unknown>>;
type Schema = readonly [id: number, namespace: string, name: string, traits: Traits, ...rest: unknown[]];

// Source: @smithy/types, schema/sentinels.d.ts and schema/static-schemas.d.ts.
const SIMPLE = 0;
const LIST = 1;
const MAP = 2;
const STRUCTURE = 3;
const UNION = 4;
const ERROR = -3;
const OPERATION = 9;
const LIST_OF = 64;
const MAP_OF = 128;

// biome-ignore format: a table
const PLAIN_TYPES: Readonly<Record<number, { readonly name: string; readonly shape: Shape }>> = {
  0:  { name: '__string',           shape: { type: 'string' } },
  // The schemas do not distinguish integers from other numbers. The wider type rejects nothing that AWS accepts.
  1:  { name: '__double',           shape: { type: 'double' } },
  2:  { name: '__boolean',          shape: { type: 'boolean' } },
  4:  { name: '__timestamp',        shape: { type: 'timestamp' } },
  5:  { name: '__timestampIso8601', shape: { type: 'timestamp', timestampFormat: 'iso8601' } },
  21: { name: '__blob',             shape: { type: 'blob' } },
};

/** Bits of a member's traits that the generator supports. Source: @smithy/types, schema/traits.d.ts. */
const LABEL = 1;
const IDEMPOTENT = 2;
const IDEMPOTENCY_TOKEN = 4;
const SENSITIVE = 8;
const KNOWN_BITS = LABEL | IDEMPOTENT | IDEMPOTENCY_TOKEN | SENSITIVE;

interface Client {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  /** Concatenated declaration files in the folder `dist-types/models` of the package. */
  readonly declarations: string;
  /** Folder with the declarations of the commands. */
  readonly commands: string;
}

/** Operations and shapes of a model, to which the generator adds the operations and shapes of the client. */
interface Draft {
  readonly client: Client;
  /** Whether the service supports the query protocol. */
  readonly query: boolean;
  readonly operations: Record<string, OperationModel>;
  readonly shapes: Record<string, Shape>;
  /** Schemas that are already merged, each as `name of the schema → name of the shape`. */
  readonly joined: Set<string>;
}

/** Clients whose npm packages have other names than their services. */
const CLIENTS: Partial<Record<ServiceName, string>> = { events: 'eventbridge', logs: 'cloudwatch-logs' };

/** Returns the name of the npm package with the client of a service. */
export function clientPackageOf(service: ServiceName): string {
  return `@aws-sdk/client-${CLIENTS[service] ?? service}`;
}

/**
 * Loads the client package of a service.
 *
 * @throws Error  the package is not installed
 */
function readClient(service: ServiceName): Client {
  const require = createRequire(import.meta.url);
  const name = clientPackageOf(service);
  let main: string;
  try {
    main = require.resolve(name);
  } catch {
    throw new Error(`the client of '${service}' is missing; run npm install --save-dev --save-exact ${name}`);
  }
  const folder = dirname(dirname(main));
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string };
  const models = `${folder}/dist-types/models`;
  return {
    name,
    version,
    exports: require(name) as Record<string, unknown>,
    declarations: readdirSync(models)
      .filter((file) => /^models_[0-9]+\.d\.ts$/.test(file))
      .map((file) => readFileSync(`${models}/${file}`, 'utf8'))
      .join('\n'),
    commands: `${folder}/dist-types/commands`,
  };
}

/** Operations whose responses are streams of events. The server implements none of them, so their schemas are not merged. */
const EVENT_STREAMS: ReadonlySet<string> = new Set(['logs:GetLogObject', 'logs:StartLiveTail']);

/** Returns the model with the additions of the published client. Adds the client to `provenance`. */
export function joinClient(model: ServiceModel): ServiceModel {
  const client = readClient(model.service);
  const draft: Draft = {
    client,
    query: model.protocols.includes('query'),
    operations: { ...model.operations },
    shapes: { ...model.shapes },
    joined: new Set(),
  };
  for (const [name, exported] of Object.entries(client.exports)) {
    if (name.endsWith('$') && (exported as Schema)[0] === OPERATION && !EVENT_STREAMS.has(`${model.service}:${(exported as Schema)[2]}`))
      joinOperation(draft, exported as Schema);
  }
  joinEnums(draft);
  return {
    ...model,
    operations: sorted(draft.operations),
    shapes: sorted(draft.shapes),
    provenance: [...model.provenance, `${client.name} ${client.version}`],
  };
}

function joinOperation(draft: Draft, schema: Schema): void {
  const [, , name, traits, input, output] = schema;
  const known = draft.operations[name];
  const inputShape = joinOperand(draft, known?.input, input as Ref);
  const outputShape = joinOperand(draft, known?.output, output as Ref);
  const errors = [...(known?.errors ?? [])];
  for (const error of thrownBy(draft.client, name)) {
    if (!errors.includes(error)) errors.push(error);
    joinStructure(draft, error, draft.client.exports[`${error}$`] as Schema);
  }
  const http = httpOf(name, traits);
  if (known && http && routeOf(http) !== routeOf(known.http)) {
    throw new Error(
      `${draft.client.name}: ${name} has HTTP binding ${JSON.stringify(http)}, but in the model ${JSON.stringify(known.http)}`,
    );
  }
  draft.operations[name] = {
    name,
    http: known?.http ?? http ?? { method: 'POST', uri: '/', code: 200 },
    ...(inputShape !== undefined && { input: inputShape }),
    ...(outputShape !== undefined && { output: outputShape }),
    ...(outputShape !== undefined && draft.query && { resultWrapper: known?.resultWrapper ?? `${name}Result` }),
    errors,
    ...(known?.unsigned && { unsigned: known.unsigned }),
    readOnly: known?.readOnly ?? false,
    ...(known?.deprecated && { deprecated: known.deprecated }),
  };
}

function httpOf(name: string, traits: Traits): OperationModel['http'] | undefined {
  if (typeof traits === 'number') {
    if ((traits & ~IDEMPOTENT) !== 0) throw new Error(`${name}: unknown traits ${traits} of an operation`);
    return undefined;
  }
  for (const key of Object.keys(traits)) if (key !== 'http') throw new Error(`${name}: unknown trait '${key}' of an operation`);
  const [method, uri, code] = traits['http'] as [string, string, number];
  return { method, uri, code };
}

/**
 * Returns method, path and status without the names of path labels. The model and the clients' schemas use different
 * names, and the names do not matter to clients.
 */
function routeOf({ method, uri, code }: OperationModel['http']): string {
  return `${method} ${uri.replaceAll(/\{[^}]*\}/g, '{}')} ${code}`;
}

/**
 * Merges the client's schema of an operation's input or output into the shape in the model. Returns the name of the
 * shape. Returns `undefined` if the model has no shape and the client's schema has no members.
 */
function joinOperand(draft: Draft, shape: string | undefined, ref: Ref): string | undefined {
  const followed = typeof ref === 'function' ? ref() : ref;
  if (followed === 'unit') return shape;
  const schema = opened(followed).type as Schema;
  // If the model has no input or no output for an operation, the client has an empty structure instead.
  if (shape === undefined && (schema[4] as readonly string[]).length === 0) return undefined;
  return joinStructure(draft, shape ?? schema[2], schema);
}

/** Adds to a shape the members that only the schema has. Creates a missing shape. Returns the name of the shape. */
function joinStructure(draft: Draft, name: string, schema: Schema): string {
  const [id, , schemaName, traits] = schema;
  const joinedKey = `${schemaName} → ${name}`;
  if (draft.joined.has(joinedKey)) return name;
  draft.joined.add(joinedKey);

  if (id !== ERROR && traits !== 0 && traits !== SENSITIVE)
    throw new Error(`${schemaName}: unknown traits ${JSON.stringify(traits)} of a structure`);
  const names = schema[4] as readonly string[];
  const refs = schema[5] as readonly Ref[];
  const requiredCount = (schema[6] as number | undefined) ?? 0;
  const known = draft.shapes[name];
  if (known && known.type !== 'structure')
    throw new Error(`${draft.client.name}: ${schemaName} is a structure, but ${name} has type ${known.type}`);
  if (!known) {
    draft.shapes[name] = {
      type: 'structure',
      members: {},
      ...(requiredCount > 0 && { required: names.slice(0, requiredCount) }),
      ...(id === UNION && { union: true as const }),
      ...(id === ERROR && { error: errorOf(schemaName, traits) }),
    };
  }

  const members: Record<string, Member> = { ...draft.shapes[name]?.members };
  names.forEach((member, i) => {
    const { type, traits: memberTraits } = opened(refs[i] as Ref);
    const present = members[member];
    const shape = join(draft, present?.shape, type, () => declaredType(draft.client, schemaName, member));
    members[member] = present ?? { shape, ...memberTraitsOf(`${schemaName}.${member}`, member, memberTraits) };
  });
  draft.shapes[name] = { ...(draft.shapes[name] as Shape), members };
  return name;
}

/**
 * Merges a type into a shape, or creates a shape if `shape` is undefined. Returns the name of the shape. `declared`
 * returns the name of a string's enum, or `undefined` if the string has no enum.
 */
function join(draft: Draft, shape: string | undefined, type: number | Schema, declared: () => string | undefined): string {
  const known = shape === undefined ? undefined : draft.shapes[shape];
  if (typeof type === 'number') {
    if (shape !== undefined) return shape;
    if ((type & ~(LIST_OF - 1)) === LIST_OF) return listOf(draft, join(draft, undefined, type - LIST_OF, declared));
    if ((type & ~(LIST_OF - 1)) === MAP_OF)
      return mapOf(
        draft,
        join(draft, undefined, type - MAP_OF, () => undefined),
      );
    return plain(draft, type, type === 0 ? declared() : undefined);
  }
  const [id, , name] = type;
  switch (id) {
    case STRUCTURE:
    case UNION:
      return joinStructure(draft, shape ?? name, type);
    case LIST: {
      const element = join(draft, known?.member?.shape, elementOf(draft, type, 4), declared);
      return shape ?? listOf(draft, element);
    }
    case MAP: {
      const key = elementOf(draft, type, 4);
      if (key !== 0 && !(typeof key === 'object' && key[0] === SIMPLE))
        throw new Error(`${draft.client.name}: the keys of map ${name} are not strings`);
      const element = join(draft, known?.member?.shape, elementOf(draft, type, 5), () => undefined);
      return shape ?? mapOf(draft, element);
    }
    case SIMPLE: {
      if (shape !== undefined) return shape;
      const base = PLAIN_TYPES[type[4] as number];
      if (!base || type[3] !== SENSITIVE) throw new Error(`${draft.client.name}: unknown simple schema ${JSON.stringify(type)}`);
      draft.shapes[name] ??= { ...base.shape, sensitive: true };
      return name;
    }
    default:
      throw new Error(`${draft.client.name}: unknown kind ${id} of schema ${name}`);
  }
}

/**
 * Returns the type at the index `place` of the schema of a list or map. Rejects unknown traits of the list, map or
 * element.
 */
function elementOf(draft: Draft, schema: Schema, place: 4 | 5): number | Schema {
  const { type, traits } = opened(schema[place] as Ref);
  for (const found of [schema[3], traits]) {
    // The XML name of an element does not matter to services that support only JSON.
    if (!draft.query && typeof found === 'object' && Object.keys(found).join() === 'xmlName') continue;
    if (found !== 0 && found !== SENSITIVE) throw new Error(`${schema[2]}: unknown traits ${JSON.stringify(found)} of a list or map`);
  }
  return type;
}

function plain(draft: Draft, type: number, enumName: string | undefined): string {
  const base = PLAIN_TYPES[type];
  if (!base) throw new Error(`${draft.client.name}: unknown plain type ${type}`);
  const values = enumName === undefined ? undefined : enumValues(draft.client, enumName);
  if (enumName !== undefined && values) {
    draft.shapes[enumName] ??= { type: 'string', enum: values };
    return enumName;
  }
  draft.shapes[base.name] ??= base.shape;
  return base.name;
}

function listOf(draft: Draft, element: string): string {
  const name = `__listOf${element}`;
  draft.shapes[name] ??= { type: 'list', member: { shape: element } };
  return name;
}

function mapOf(draft: Draft, element: string): string {
  const name = `__mapOf${element}`;
  draft.shapes['__string'] ??= { type: 'string' };
  draft.shapes[name] ??= { type: 'map', key: { shape: '__string' }, member: { shape: element } };
  return name;
}

/** Returns the status (`httpError`) and the code in the query protocol (`awsQueryError`) of an error. Source: @smithy/types. */
function errorOf(name: string, traits: Traits): NonNullable<Shape['error']> {
  if (typeof traits === 'number') throw new Error(`${name}: unknown traits ${traits} of an error`);
  for (const key of Object.keys(traits))
    if (!['error', 'httpError', 'awsQueryError'].includes(key)) throw new Error(`${name}: unknown trait '${key}'`);
  const client = traits['error'] === 'client';
  const code = (traits['awsQueryError'] as readonly [string, number] | undefined)?.[0];
  return {
    status: (traits['httpError'] as number | undefined) ?? (client ? 400 : 500),
    ...(code !== undefined && { code, senderFault: client }),
  };
}

function memberTraitsOf(where: string, name: string, traits: Traits): Omit<Member, 'shape'> {
  if (typeof traits === 'number') {
    if ((traits & ~KNOWN_BITS) !== 0) throw new Error(`${where}: unknown traits ${traits} of a member`);
    return {
      ...((traits & LABEL) !== 0 && { location: 'uri' as const, locationName: name }),
      ...((traits & IDEMPOTENCY_TOKEN) !== 0 && { idempotencyToken: true as const }),
      ...((traits & SENSITIVE) !== 0 && { sensitive: true as const }),
    };
  }
  const found: { location?: 'querystring' | 'header'; locationName?: string; idempotencyToken?: true } = {};
  for (const [key, value] of Object.entries(traits)) {
    if (key === 'httpQuery') Object.assign(found, { location: 'querystring', locationName: value });
    else if (key === 'httpHeader') Object.assign(found, { location: 'header', locationName: value });
    else if (key === 'idempotencyToken') found.idempotencyToken = true;
    else throw new Error(`${where}: unknown trait '${key}' of a member`);
  }
  return found;
}

/** Resolves a reference to its type and the traits of the member. */
function opened(ref: Ref): { readonly type: number | Schema; readonly traits: Traits } {
  if (typeof ref === 'function') return opened(ref());
  if (ref === 'unit') throw new Error('a member has the unsupported type unit');
  if (typeof ref === 'number') return { type: ref, traits: 0 };
  if (ref.length === 2) return { type: opened(ref[0] as Ref).type, traits: ref[1] as Traits };
  return { type: ref as Schema, traits: 0 };
}

/** Returns the errors in a command's documentation: `@throws {@link X} (client fault)`. Omits the base exception, which has no fault. */
function thrownBy(client: Client, operation: string): readonly string[] {
  const text = readFileSync(`${client.commands}/${operation}Command.d.ts`, 'utf8');
  return [...text.matchAll(/@throws \{@link (\w+)\} \((?:client|server) fault\)/g)]
    .map((match) => match[1] as string)
    .filter((name) => `${name}$` in client.exports);
}

/** Returns the name of a member's declared type: `StatusType` for `Status?: StatusType | undefined;`. */
function declaredType(client: Client, structure: string, member: string): string | undefined {
  const from = client.declarations.indexOf(`export interface ${structure} {`);
  if (from < 0) return undefined;
  const block = client.declarations.slice(from, client.declarations.indexOf('\n}', from));
  return new RegExp(`^    ${member}\\??: (\\w+)(?:\\[\\])? \\| undefined;$`, 'm').exec(block)?.[1];
}

/** Returns the values of an enum that the client exports, or `undefined` if there is no such enum. */
function enumValues(client: Client, name: string): readonly string[] | undefined {
  const exported = client.exports[name];
  if (typeof exported !== 'object' || exported === null || Array.isArray(exported)) return undefined;
  const values = Object.values(exported);
  return values.length > 0 && values.every((value) => typeof value === 'string') ? values : undefined;
}

/** Adds enum values that only the client has. The clients capitalize the name of every enum. */
function joinEnums(draft: Draft): void {
  for (const [name, shape] of Object.entries(draft.shapes)) {
    if (!shape.enum) continue;
    const values = enumValues(draft.client, name.charAt(0).toUpperCase() + name.slice(1)) ?? [];
    const added = values.filter((value) => !shape.enum?.includes(value));
    if (added.length > 0) draft.shapes[name] = { ...shape, enum: [...shape.enum, ...added] };
  }
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
