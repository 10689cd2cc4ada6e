/**
 * The Service Authorization Reference: which actions there are, on which resources, with which condition keys.
 * Owns the facts; whether something is allowed is the business of `policy` and `access`.
 */
import { readFileSync } from 'node:fs';
import { GLOBAL_CONDITION_KEYS } from './condition-keys.ts';

export type AccessLevel = 'List' | 'Read' | 'Write' | 'Permissions management' | 'Tagging';
export type ConditionKeyType = 'String' | 'ARN' | 'Bool' | 'Numeric' | 'Date' | 'IPAddress' | 'Binary';

/** An action, as `chime:CreateChannel` in a policy. */
export interface Action {
  /** `chime`. */
  readonly prefix: string;
  readonly name: string;
  readonly accessLevel: AccessLevel;
  /** Empty: the action knows no resource but `*`. */
  readonly resourceTypes: readonly ActionResource[];
  /** Keys that hold whatever the resource: `aws:RequestTag/${TagKey}`. */
  readonly conditionKeys: readonly string[];
  /** Actions the caller needs besides: `iam:PassRole`. */
  readonly dependentActions: readonly string[];
}

/** A kind of resource that an action is asked for. */
export interface ActionResource {
  readonly type: string;
  /** Whether a request always has one. Of those that are not required, requests may have any or none. */
  readonly required: boolean;
  /** `arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}`. */
  readonly arnFormat: string;
  /** Keys that hold with this resource only. */
  readonly conditionKeys: readonly string[];
}

/** A kind of resource of a service. */
export interface ResourceType {
  readonly name: string;
  readonly arnFormat: string;
  readonly conditionKeys: readonly string[];
}

/** A condition key as the reference spells it; `aws:RequestTag/${TagKey}` where a part is free. */
export interface ConditionKey {
  readonly key: string;
  readonly type: ConditionKeyType;
  readonly multivalued: boolean;
}

/** What `generated/authorization.json` holds. */
export interface AuthorizationFile {
  readonly provenance: string;
  /** Prefixes of all services' actions. */
  readonly services: readonly string[];
  /** By prefix and name, of the services answered here. */
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
  /** Of all services; `String[]` where the key has several values. */
  readonly conditionKeys: Readonly<Record<string, ConditionKeyType | `${ConditionKeyType}[]`>>;
}

interface Reference {
  readonly services: ReadonlySet<string>;
  /** By prefix, then by lower-case name. */
  readonly actions: ReadonlyMap<string, ReadonlyMap<string, Action>>;
  readonly resourceTypes: ReadonlyMap<string, readonly ResourceType[]>;
  readonly keys: ReadonlyMap<string, ConditionKey>;
  /** Keys with a free part: the lower-case texts around it. */
  readonly templates: readonly { readonly pieces: readonly string[]; readonly key: ConditionKey }[];
  /** Identity providers whose claims are keys, by the pattern of their names. */
  readonly providers: readonly { readonly pattern: RegExp; readonly keys: readonly ProviderKey[] }[];
}

let loaded: Reference | undefined;

/** The prefixes of every AWS service's actions, those we do not answer included: what a policy may name. */
export function services(): ReadonlySet<string> {
  return reference().services;
}

/** An action by prefix and name, whatever their case. Undefined where the reference has none, or is not kept for that service. */
export function actionOf(prefix: string, name: string): Action | undefined {
  return reference().actions.get(prefix.toLowerCase())?.get(name.toLowerCase());
}

/** All actions of a service, by name; undefined for services whose actions are not kept. */
export function actionsOf(prefix: string): readonly Action[] | undefined {
  const actions = reference().actions.get(prefix.toLowerCase());
  return actions && [...actions.values()];
}

/** The kinds of resources of a service; undefined for services whose actions are not kept. */
export function resourceTypesOf(prefix: string): readonly ResourceType[] | undefined {
  return reference().resourceTypes.get(prefix.toLowerCase());
}

/** A condition key by its name in any case, `aws:RequestTag/team` included. Undefined where no service and no global key is called so. */
export function conditionKey(name: string): ConditionKey | undefined {
  const { keys, templates } = reference();
  const wanted = name.toLowerCase();
  return keys.get(wanted) ?? templates.find(({ pieces }) => fits(pieces, wanted))?.key;
}

/** A condition key that carries a claim of an identity provider: `actor` of `token.actions.githubusercontent.com`. */
export interface ProviderKey {
  /** The part of the key after the provider's name and a colon, lower-cased. */
  readonly name: string;
  readonly type: ConditionKeyType;
}

/**
 * Returns the keys that the reference lists for the tokens of an OpenID Connect provider.
 *
 * `provider` is its URL without `https://`. Free parts of a listed provider's name (`token.actions.${Domain}.ghe.com`) stand for characters
 * other than `/` and `:`.
 */
export function providerKeysOf(provider: string): readonly ProviderKey[] {
  const { providers } = reference();
  return providers.filter(({ pattern }) => pattern.test(provider.toLowerCase())).flatMap(({ keys }) => keys);
}

/** Whether a text is the pieces in order, with something between each two. The shortest fill is tried only, which suffices for one or two gaps. */
function fits(pieces: readonly string[], text: string): boolean {
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

/** Prefixes of services have no dot, names of identity providers have one. */
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

/** `a/${x}.b` → `a/`, `.b`. */
function piecesOf(template: string): readonly string[] {
  const pieces: string[] = [];
  let rest = template;
  for (let from = rest.indexOf('${'); from >= 0; from = rest.indexOf('${')) {
    pieces.push(rest.slice(0, from));
    rest = rest.slice(rest.indexOf('}', from) + 1);
  }
  return [...pieces, rest];
}
