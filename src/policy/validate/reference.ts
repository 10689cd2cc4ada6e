/**
 * What validation must know about services. `policy` does not read it: whoever validates passes it in.
 * The types are those of the service authorization reference, so its module fits as it is.
 */
export interface AuthorizationReference {
  /** Prefixes of the actions of every service, lower-cased; most of them are known by name only. */
  readonly services: ReadonlySet<string>;
  /** Whatever their case. Undefined where there is none, or where the service is known by name only. */
  readonly actionOf: (prefix: string, name: string) => ActionReference | undefined;
  /** Undefined for services known by name only. */
  readonly actionsOf: (prefix: string) => readonly ActionReference[] | undefined;
  readonly resourceTypesOf: (prefix: string) => readonly ResourceTypeReference[] | undefined;
  /** By its name in any case, `aws:RequestTag/team` included. */
  readonly conditionKey: (name: string) => ConditionKeyReference | undefined;
  /** Names of the keys every service knows, for suggestions. */
  readonly globalConditionKeys: readonly string[];
}

export interface ActionReference {
  readonly prefix: string;
  readonly name: string;
  readonly accessLevel: string;
  readonly resourceTypes: readonly {
    readonly type: string;
    readonly required: boolean;
    readonly arnFormat: string;
    readonly conditionKeys: readonly string[];
  }[];
  readonly conditionKeys: readonly string[];
}

export interface ResourceTypeReference {
  readonly name: string;
  /** `arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}`. */
  readonly arnFormat: string;
  readonly conditionKeys: readonly string[];
}

export interface ConditionKeyReference {
  /** `aws:RequestTag/${TagKey}` where a part is free. */
  readonly key: string;
  readonly type: 'String' | 'ARN' | 'Bool' | 'Numeric' | 'Date' | 'IPAddress' | 'Binary';
  readonly multivalued: boolean;
}

const KEYS_OF_SERVICE = new WeakMap<readonly ActionReference[], ReadonlySet<string>>();
const KEYS_OF_ACTION = new WeakMap<ActionReference, ReadonlySet<string>>();

/** All keys of a service's actions and resources, as the reference writes them. */
export function conditionKeysOf(reference: AuthorizationReference, prefix: string): ReadonlySet<string> {
  const actions = reference.actionsOf(prefix) ?? NO_ACTIONS;
  let known = KEYS_OF_SERVICE.get(actions);
  if (known === undefined) KEYS_OF_SERVICE.set(actions, (known = collectKeys(reference, prefix, actions)));
  return known;
}

const NO_ACTIONS: readonly ActionReference[] = [];

function collectKeys(reference: AuthorizationReference, prefix: string, actions: readonly ActionReference[]): ReadonlySet<string> {
  const keys = new Set<string>();
  if (actions === NO_ACTIONS) return keys;
  for (const action of actions) {
    for (const key of keysOfAction(reference, action)) keys.add(key);
  }
  for (const { conditionKeys } of reference.resourceTypesOf(prefix) ?? []) {
    for (const key of conditionKeys) keys.add(key);
  }
  return keys;
}

/** All keys of one action: its own and those of its resources. */
export function keysOfAction(reference: AuthorizationReference, action: ActionReference): ReadonlySet<string> {
  const known = KEYS_OF_ACTION.get(action);
  if (known !== undefined) return known;
  const types = reference.resourceTypesOf(action.prefix) ?? [];
  const ofResources = action.resourceTypes.flatMap(({ type, conditionKeys }) => [
    ...conditionKeys,
    ...(types.find(({ name }) => name === type)?.conditionKeys ?? []),
  ]);
  const keys = new Set([...action.conditionKeys, ...ofResources]);
  KEYS_OF_ACTION.set(action, keys);
  return keys;
}
