/** Generates the TypeScript declarations of a service: its operations, structures, enums and error codes. */
import type { Member, ServiceModel, Shape } from '#model/model.ts';

/** Converts a service name to pascal case: `chime-sdk-meetings` to `ChimeSdkMeetings`. */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Names of TypeScript and of our own types. A shape with such a name is an error. */
const RESERVED: ReadonlySet<string> = new Set([
  'Record',
  'Readonly',
  'Partial',
  'Uint8Array',
  'Instant',
  'Empty',
  'Promise',
  'Array',
  'String',
]);

/** Returns the text of `src/model/generated/<service>.ts`. The types are sorted by name, so that diffs are local. */
export function declarations(model: ServiceModel, head: string): string {
  const name = pascalCase(model.service);
  const reached = reachable(model);
  const used = { Instant: false, Empty: false };
  const type = (member: Member): string => {
    const text = typeOf(model, member.shape);
    if (text.includes('Instant')) used.Instant = true;
    return text;
  };
  const operand = (shape: string | undefined): string => {
    if (shape !== undefined) return shape;
    used.Empty = true;
    return 'Empty';
  };

  const operations = Object.values(model.operations).map(
    (o) => `  readonly ${o.name}: { readonly input: ${operand(o.input)}; readonly output: ${operand(o.output)} };`,
  );
  const shapes: string[] = [];
  for (const shapeName of [...reached].sort()) {
    const shape = model.shapes[shapeName] as Shape;
    if (shape.type !== 'structure' && shape.enum === undefined) continue;
    if (RESERVED.has(shapeName)) throw new Error(`${model.service}: the shape name '${shapeName}' is reserved`);
    shapes.push(
      shape.type === 'structure' ? structure(shapeName, shape, type) : `export type ${shapeName} = ${literals(shape.enum ?? [])};\n`,
    );
  }
  const errors = Object.keys(model.shapes).filter((shape) => model.shapes[shape]?.error);

  const imports = [
    used.Instant ? "import type { Instant } from '#core/instant.ts';\n" : '',
    used.Empty ? "import type { Empty } from '../model.ts';\n" : '',
  ].join('');
  return [
    head,
    imports,
    `/** Every operation of ${model.serviceId}, ${model.apiVersion}. */\nexport interface ${name}Api {\n${operations.join('\n')}\n}\n`,
    `/** Names of the error shapes. */\nexport type ${name}ErrorCode = ${errors.length === 0 ? 'never' : literals(errors.sort())};\n`,
    ...shapes,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Declares a structure. The alternatives of a union exclude each other, but code can read every member on any alternative. */
function structure(name: string, shape: Shape, type: (member: Member) => string): string {
  const members = Object.entries(shape.members ?? {});
  if (shape.union) {
    const alternative = (set: string) =>
      `{ ${members.map(([key, member]) => (key === set ? `readonly ${key}: ${type(member)}` : `readonly ${key}?: never`)).join('; ')} }`;
    return `export type ${name} =\n${members.map(([key]) => `  | ${alternative(key)}`).join('\n')};\n`;
  }
  if (members.length === 0) return `export type ${name} = Readonly<Record<string, never>>;\n`;
  const lines = members.map(([key, member]) => `  readonly ${key}${shape.required?.includes(key) ? '' : '?'}: ${type(member)};`);
  return `export interface ${name} {\n${lines.join('\n')}\n}\n`;
}

function typeOf(model: ServiceModel, name: string): string {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`${model.service}: no shape ${name}`);
  switch (shape.type) {
    case 'structure':
      return name;
    case 'list':
      return `readonly ${bracketed(typeOf(model, (shape.member as Member).shape))}[]`;
    case 'map': {
      const key = model.shapes[(shape.key as Member).shape]?.enum ? (shape.key as Member).shape : undefined;
      const value = typeOf(model, (shape.member as Member).shape);
      return key ? `Readonly<Partial<Record<${key}, ${value}>>>` : `Readonly<Record<string, ${value}>>`;
    }
    case 'string':
      return shape.enum ? name : 'string';
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'timestamp':
      return 'Instant';
    case 'blob':
      return 'Uint8Array';
  }
}

function bracketed(type: string): string {
  return type.startsWith('readonly ') ? `(${type})` : type;
}

function literals(values: readonly string[]): string {
  return values.map((value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join(' | ');
}

/** Returns the names of all shapes within inputs and outputs. Omits shapes that are used only by errors. */
function reachable(model: ServiceModel): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = Object.values(model.operations).flatMap((o) => [o.input, o.output].filter((shape) => shape !== undefined));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const shape = model.shapes[name];
    if (shape === undefined) throw new Error(`${model.service}: no shape ${name}`);
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key]) if (member) waiting.push(member.shape);
  }
  return reached;
}
