/**
 * Facts about services that validation needs. The caller of validation passes them in, so that `policy` does not depend on `model`.
 *
 * The types match those of the service authorization reference (`model/authorization.ts`).
 */
export interface AuthorizationReference {
  /** Action prefixes of all services, lower-cased. For most services, only the prefix is known. */
  readonly services: ReadonlySet<string>;
  /** Finds an action, ignoring case. Returns `undefined` if it does not exist or if only the prefix of the service is known. */
  readonly actionOf: (prefix: string, name: string) => ActionReference | undefined;
  /** Returns the actions of a service, or `undefined` if only its prefix is known. */
  readonly actionsOf: (prefix: string) => readonly ActionReference[] | undefined;
  /** Returns the resource types of a service, or `undefined` if only its prefix is known. */
  readonly resourceTypesOf: (prefix: string) => readonly ResourceTypeReference[] | undefined;
  /** Finds a condition key by its name, ignoring case. The name may end in a tag key: `aws:RequestTag/team`. */
  readonly conditionKey: (name: string) => ConditionKeyReference | undefined;
}

/** One action of the service authorization reference. */
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

/** One resource type of the service authorization reference. */
export interface ResourceTypeReference {
  readonly name: string;
  /** For example `arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}`. */
  readonly arnFormat: string;
  readonly conditionKeys: readonly string[];
}

/** One condition key of the service authorization reference. */
export interface ConditionKeyReference {
  /** Name of the key. A variable part has a placeholder: `aws:RequestTag/${TagKey}`. */
  readonly key: string;
  readonly type: 'String' | 'ARN' | 'Bool' | 'Numeric' | 'Date' | 'IPAddress' | 'Binary';
  readonly multivalued: boolean;
}

const KEYS_OF_SERVICE = new WeakMap<readonly ActionReference[], ReadonlySet<string>>();
const KEYS_OF_ACTION = new WeakMap<ActionReference, ReadonlySet<string>>();

/** Returns all condition keys of a service's actions and resources, in the spelling of the reference. */
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

/** Returns all condition keys of one action: the keys of the action itself and of its resource types. */
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
