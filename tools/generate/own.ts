/**
 * Adds operations of this project to a published model. They are in `models/<name of the model>.own.json`, in the format of the published
 * models with documentation, from which `npm run own-operations` writes `docs/own-operations.md`.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { AccessLevel, AuthorizationFile } from '#model/authorization.ts';
import type { ServiceModel } from '#model/model.ts';
import { type JsonObject, mapValues, toOperation, toShape } from './published.ts';

/** Part of a published model with its documentation. */
export type Documented = JsonObject & { readonly documentation?: string };

/** Content of a file with own operations. They can also use the shapes of the published model. */
export interface OwnFile {
  readonly origin: string;
  readonly documentation: string;
  /** `access` of an operation is the access level of its action. It is present if the Service Authorization Reference lacks the action. */
  readonly operations: Readonly<Record<string, Documented & { readonly access?: AccessLevel }>>;
  readonly shapes: Readonly<Record<string, Documented>>;
}

/** Path under which all own operations are. */
export const OWN_PATH = '/belfry/';

/** Reads the own operations for the model in `file`. Returns `undefined` if there are none. */
export function readOwn(folder: string, file: string): OwnFile | undefined {
  const path = `${folder}/${file.replace(/\.json$/, '.own.json')}`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as OwnFile) : undefined;
}

/**
 * Returns the model with the own operations. Operations and shapes are sorted by name.
 *
 * @throws Error  an operation or a shape is in the published model too, has no documentation, or an operation has another path than
 *   `/belfry/<its name in kebab-case>`
 */
export function withOwn(model: ServiceModel, file: string, own: OwnFile | undefined): ServiceModel {
  if (own === undefined) return model;
  const taken = [
    ...Object.keys(own.operations).filter((name) => model.operations[name] !== undefined || model.removed[name] !== undefined),
    ...Object.keys(own.shapes).filter((name) => model.shapes[name] !== undefined),
  ];
  if (taken.length > 0) throw new Error(`${file}: the published model has ${taken.join(', ')} too`);
  const operations = mapValues(own.operations, (operation, name) => {
    const where = `${file} ${name}`;
    const { access, ...published } = operation;
    const converted = toOperation(where, name, undocumented(where, published), false);
    const uri = `${OWN_PATH}${kebabCase(name)}`;
    if (converted.http.uri !== uri || converted.http.method !== 'POST') throw new Error(`${where}: the route is not POST ${uri}`);
    return { ...converted, own: true as const };
  });
  const shapes = mapValues(own.shapes, (shape, name) => {
    const where = `${file} ${name}`;
    // The documentation of the operation describes its input and output.
    const { members, ...rest } = /(?:Request|Response)$/.test(name) ? shape : undocumented(where, shape);
    if (members === undefined) return toShape(where, rest);
    const described = mapValues(members as Readonly<Record<string, Documented>>, (member, key) => undocumented(`${where}.${key}`, member));
    return toShape(where, { ...rest, members: described });
  });
  return {
    ...model,
    operations: sorted({ ...model.operations, ...operations }),
    shapes: sorted({ ...model.shapes, ...shapes }),
    provenance: [...model.provenance, file],
  };
}

/**
 * Returns the authorization reference with the actions of own operations that it lacks. They have no resource types, so their resource is `*`.
 *
 * @throws Error  an own operation has no access level and no action in the reference, or has both
 */
export function withOwnActions(
  reference: AuthorizationFile,
  files: readonly { readonly prefix: string; readonly own: OwnFile }[],
): AuthorizationFile {
  const actions = { ...reference.actions };
  for (const { prefix, own } of files) {
    const published = reference.actions[prefix] ?? {};
    const added = Object.entries(own.operations).flatMap(([name, { access }]) => {
      if ((access === undefined) === (published[name] === undefined))
        throw new Error(`${prefix}:${name} needs an access level, if and only if the reference lacks it`);
      return access === undefined ? [] : [[name, { level: access }] as const];
    });
    actions[prefix] = sorted({ ...published, ...Object.fromEntries(added) });
  }
  return { ...reference, actions };
}

/** Returns the name of an operation or a member in kebab-case: `CreateCDRBucket` is `create-cdr-bucket`. */
export function kebabCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

function undocumented(where: string, { documentation, ...rest }: Documented): JsonObject {
  if (documentation === undefined || !/^[`A-Z].*\.$/.test(documentation))
    throw new Error(`${where} needs a documentation that is a sentence`);
  return rest as JsonObject;
}

function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
