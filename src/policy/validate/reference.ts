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

/** All keys a service's actions and resources are asked with, as the reference spells them. */
export function conditionKeysOf(reference: AuthorizationReference, prefix: string): readonly string[] {
  const keys = new Set<string>();
  for (const action of reference.actionsOf(prefix) ?? []) {
    for (const key of keysOfAction(reference, action)) keys.add(key);
  }
  for (const { conditionKeys } of reference.resourceTypesOf(prefix) ?? []) {
    for (const key of conditionKeys) keys.add(key);
  }
  return [...keys];
}

/** All keys one action may be asked with: its own and those of the resources it is asked for. */
export function keysOfAction(reference: AuthorizationReference, action: ActionReference): readonly string[] {
  const types = reference.resourceTypesOf(action.prefix) ?? [];
  const ofResources = action.resourceTypes.flatMap(({ type, conditionKeys }) => [
    ...conditionKeys,
    ...(types.find(({ name }) => name === type)?.conditionKeys ?? []),
  ]);
  return [...action.conditionKeys, ...ofResources];
}
