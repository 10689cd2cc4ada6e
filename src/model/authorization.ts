/**
 * The Service Authorization Reference: actions, their resource types and their condition keys.
 * This file provides the data. The code in `policy` and `access` uses the data to decide requests.
 */
import { readFileSync } from 'node:fs';
import { type ConditionKeyType, GLOBAL_CONDITION_KEYS } from './condition-keys.ts';

/** Access level of an action. */
export type AccessLevel = 'List' | 'Read' | 'Write' | 'Permissions management' | 'Tagging';

/** Action, such as `chime:CreateChannel`. */
export interface Action {
  /** Service prefix: `chime`. */
  readonly prefix: string;
  readonly name: string;
  readonly accessLevel: AccessLevel;
  /** Resource types of the action. If empty, the action supports only `*`. */
  readonly resourceTypes: readonly ActionResource[];
  /** Condition keys that apply to the action for all its resource types: `aws:RequestTag/${TagKey}`. */
  readonly conditionKeys: readonly string[];
  /** Other actions that the caller also needs: `iam:PassRole`. */
  readonly dependentActions: readonly string[];
}

/** Resource type to which an action applies. */
export interface ActionResource {
  readonly type: string;
  /** Whether every request of the action names a resource of this type. */
  readonly required: boolean;
  /** ARN with placeholders, for example `arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}`. */
  readonly arnFormat: string;
  /** Condition keys that apply only to this resource type. */
  readonly conditionKeys: readonly string[];
}

/** Resource type of a service. */
export interface ResourceType {
  readonly name: string;
  readonly arnFormat: string;
  readonly conditionKeys: readonly string[];
}

/** Condition key, with the capitalization of the reference. A variable part has a placeholder: `aws:RequestTag/${TagKey}`. */
export interface ConditionKey {
  readonly key: string;
  readonly type: ConditionKeyType;
  readonly multivalued: boolean;
}

/** Content of `generated/authorization.json`. */
export interface AuthorizationFile {
  readonly provenance: string;
  /** Action prefixes of all AWS services. */
  readonly services: readonly string[];
  /** Actions of the services that this server includes, by prefix and name. */
  readonly actions: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly level: AccessLevel;
            readonly resources?: readonly (readonly [type: string, required: boolean, keys?: readonly string[]])[];
            readonly keys?: readonly string[];
            readonly dependent?: readonly string[];
          }
        >
      >
    >
  >;
  readonly resourceTypes: Readonly<Record<string, Readonly<Record<string, { readonly arn: string; readonly keys?: readonly string[] }>>>>;
  /** Condition keys of all AWS services. The type of a multivalued key ends with `[]`. */
  readonly conditionKeys: Readonly<Record<string, ConditionKeyType | `${ConditionKeyType}[]`>>;
}

interface Reference {
  readonly services: ReadonlySet<string>;
  /** Actions by prefix, then by lower-case name. */
  readonly actions: ReadonlyMap<string, ReadonlyMap<string, Action>>;
  readonly resourceTypes: ReadonlyMap<string, readonly ResourceType[]>;
  readonly keys: ReadonlyMap<string, ConditionKey>;
  /**
   * Condition keys with placeholders. `pieces` has the lower-case strings before, between and after the placeholders.
   */
  readonly templates: readonly { readonly pieces: readonly string[]; readonly key: ConditionKey }[];
  /**
   * Identity providers that have condition keys for the claims in their tokens. `pattern` matches a provider's name.
   */
  readonly providers: readonly { readonly pattern: RegExp; readonly keys: readonly ProviderKey[] }[];
}

let loaded: Reference | undefined;

/** Returns the action prefixes of all AWS services, including the services that this server does not have. */
export function services(): ReadonlySet<string> {
  return reference().services;
}

/**
 * Finds an action by prefix and name, ignoring case.
 *
 * Returns `undefined` if the action does not exist, and for all actions of services that this server does not have.
 */
export function actionOf(prefix: string, name: string): Action | undefined {
  return reference().actions.get(prefix.toLowerCase())?.get(name.toLowerCase());
}

/** Returns all actions of a service, sorted by name, or `undefined` for a service that this server does not have. */
export function actionsOf(prefix: string): readonly Action[] | undefined {
  const actions = reference().actions.get(prefix.toLowerCase());
  return actions && [...actions.values()];
}

/** Returns the resource types of a service, or `undefined` for a service that this server does not have. */
export function resourceTypesOf(prefix: string): readonly ResourceType[] | undefined {
  return reference().resourceTypes.get(prefix.toLowerCase());
}

/** Finds a condition key of any AWS service by its name, ignoring case. Also finds a key with a variable part: `aws:RequestTag/team`. */
export function conditionKey(name: string): ConditionKey | undefined {
  const { keys, templates } = reference();
  const wanted = name.toLowerCase();
  return keys.get(wanted) ?? templates.find(({ pieces }) => matches(pieces, wanted))?.key;
}

/** Condition key for a claim of an identity provider, such as `actor` of `token.actions.githubusercontent.com`. */
export interface ProviderKey {
  /** Part of the key after the provider's name and a colon, lower-cased. */
  readonly name: string;
  readonly type: ConditionKeyType;
}

/**
 * Returns the condition keys that the reference lists for the tokens of an OpenID Connect provider.
 *
 * `provider` is the URL of the provider without `https://`. The reference lists some providers with a placeholder
 * (`token.actions.${Domain}.ghe.com`). The placeholder matches one or more characters except `/` and `:`.
 */
export function providerKeysOf(provider: string): readonly ProviderKey[] {
  const { providers } = reference();
  return providers.filter(({ pattern }) => pattern.test(provider.toLowerCase())).flatMap(({ keys }) => keys);
}

/**
 * Reports whether a string consists of the pieces in order, with at least one character between two pieces.
 *
 * It uses the first occurrence of each piece and does not backtrack. This is sufficient for templates with one or two
 * placeholders.
 */
function matches(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at + 1);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.endsWith(last) && text.length - last.length > at;
}

function reference(): Reference {
  loaded ??= index(JSON.parse(readFileSync(new URL('./generated/authorization.json', import.meta.url), 'utf8')) as AuthorizationFile);
  return loaded;
}

function index(file: AuthorizationFile): Reference {
  const actions = new Map(
    Object.entries(file.actions).map(([prefix, entries]) => [
      prefix,
      new Map(Object.entries(entries).map(([name, entry]) => [name.toLowerCase(), toAction(file, prefix, name, entry)])),
    ]),
  );
  const resourceTypes = new Map(
    Object.entries(file.resourceTypes).map(([prefix, types]) => [
      prefix,
      Object.entries(types).map(([name, { arn, keys }]) => ({ name, arnFormat: arn, conditionKeys: keys ?? [] })),
    ]),
  );
  const keys = Object.entries({ ...file.conditionKeys, ...GLOBAL_CONDITION_KEYS }).map(([key, type]) => ({
    key,
    type: type.replace('[]', '') as ConditionKeyType,
    multivalued: type.endsWith('[]'),
  }));
  return {
    services: new Set(file.services),
    actions,
    resourceTypes,
    keys: new Map(keys.map((key) => [key.key.toLowerCase(), key])),
    templates: keys.filter(({ key }) => key.includes('${')).map((key) => ({ pieces: piecesOf(key.key.toLowerCase()), key })),
    providers: providersOf(keys),
  };
}

/**
 * Groups the condition keys of identity providers by provider. A key is for an identity provider if the part before the
 * colon contains a dot.
 */
function providersOf(keys: readonly ConditionKey[]): Reference['providers'] {
  const byProvider = new Map<string, ProviderKey[]>();
  for (const { key, type } of keys) {
    const colon = key.indexOf(':');
    const provider = key.slice(0, colon).toLowerCase();
    if (!provider.includes('.')) continue;
    const listed = byProvider.get(provider) ?? [];
    byProvider.set(provider, [...listed, { name: key.slice(colon + 1).toLowerCase(), type }]);
  }
  const literal = (text: string): string => text.replaceAll(/[^a-z0-9/]/g, '\\$&');
  return [...byProvider].map(([provider, listed]) => ({
    pattern: new RegExp(`^${piecesOf(provider).map(literal).join('[^/:]+')}$`),
    keys: listed,
  }));
}

function toAction(
  file: AuthorizationFile,
  prefix: string,
  name: string,
  entry: NonNullable<AuthorizationFile['actions'][string]>[string],
): Action {
  return {
    prefix,
    name,
    accessLevel: entry.level,
    resourceTypes: (entry.resources ?? []).map(([type, required, keys]) => ({
      type,
      required,
      arnFormat: file.resourceTypes[prefix]?.[type]?.arn ?? '*',
      conditionKeys: keys ?? [],
    })),
    conditionKeys: entry.keys ?? [],
    dependentActions: entry.dependent ?? [],
  };
}

/** Splits a template around its placeholders: `a/${x}.b` becomes `a/`, `.b`. */
function piecesOf(template: string): readonly string[] {
  const pieces: string[] = [];
  let rest = template;
  for (let from = rest.indexOf('${'); from >= 0; from = rest.indexOf('${')) {
    pieces.push(rest.slice(0, from));
    rest = rest.slice(rest.indexOf('}', from) + 1);
  }
  return [...pieces, rest];
}
