/**
 * Kinds of stored resources: how requests identify a resource, where it is stored, and its ARN. `resource.ts` derives
 * the operations.
 */
import type { AwsError } from '#core/aws-error.ts';
import type { ServiceName } from '#model/services.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller } from './operation.ts';
import type { TagRules } from './tag-rules.ts';

/**
 * Account of resources, and the region whose control plane stores them. In an operation these are the caller's account
 * and region.
 */
export type Where = Pick<Caller, 'accountId' | 'region'>;

/** Members of an input or an output, by name. */
export type Members = Readonly<Record<string, unknown>>;

/** Request for one page of a list. */
export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** Reads one page of a list. `scope` identifies the list. A page token is valid only for the list that returned it. */
export type ReadPage = <Item>(
  scope: string,
  request: PageRequest,
  read: (limit: number, after: string | undefined) => Promise<readonly Item[]>,
  keyOf: (item: Item) => string,
  defaultResults?: number,
) => Promise<{ readonly items: readonly Item[]; readonly rest: { readonly NextToken?: string } }>;

/** Rules that the resources of a service share. */
export interface Conventions {
  readonly service: ServiceName;
  readonly tagRules: TagRules;
  /** Error for an identifier that does not identify a resource in the caller's account and region. */
  readonly notFound: (title: string, identifier: string) => AwsError;
  readonly limitExceeded: (title: string, most: number) => AwsError;
  readonly page: ReadPage;
  /** Number of results on a page if the request sets no `MaxResults`. Default: the default size of `page`. */
  readonly pageResults?: number;
}

/**
 * Where the resources of one parent are stored: their account, region and parent ID (`place`), and the beginning of
 * their stored IDs (`prefix`).
 */
export interface Home {
  readonly place: ResourcePlace;
  readonly prefix: string;
}

/**
 * A kind of resource of a service.
 *
 *     { name: 'vc', title: 'Voice Connector', identifiers: ['VoiceConnectorId'], arn: { member: 'VoiceConnectorArn', of: … }, … }
 */
export interface Kind<Document, Api = unknown> extends ResourceKind<Document> {
  readonly conventions: Conventions;
  /** Name in error messages. */
  readonly title: string;
  /**
   * Members of inputs that identify a resource. The last of these members identifies the resource within its parent.
   * The other members identify the parent.
   */
  readonly identifiers: readonly string[];
  /**
   * Kind of the parent, which contains the resources of this kind. Inputs of `create` and `list` have the identifiers
   * of the parent.
   */
  readonly parent?: Kind<unknown, Api>;
  /**
   * Returns where the resources of a parent are stored. Default: `place.parent` is the parent's ID, and `prefix` is
   * empty.
   */
  readonly within?: (parent: ResourceKey) => Home;
  /**
   * Returns the key of a resource. `identifier` is the value of the last member in `identifiers`.
   * Returns undefined if the identifier is invalid. Default: the identifier is the ID of the resource in its parent.
   */
  readonly locate?: (where: Where, identifier: string) => ResourceKey | undefined;
  /**
   * Member of outputs that contains the ID. Default: the last of `identifiers`, unless that member contains the ARN.
   */
  readonly idMember?: string;
  /** ARN of a resource. If a kind has no ARN, its permissions apply to the ARN of its parent, or to `*`. */
  readonly arn?: {
    /** Member of outputs that contains the ARN. */
    readonly member: string;
    readonly of: (key: ResourceKey) => string;
    /**
     * Returns the ARN of the resource that an identifier identifies. Required if requests may contain either a name or
     * an ARN.
     */
    readonly ofIdentifier?: (where: Where, identifier: string) => string;
    /**
     * Returns the ARN pattern of all resources of the kind. If the kind has a parent, the pattern has only the
     * resources in the parent that `input` identifies. Default: the ARN with `*` as the ID.
     */
    readonly pattern?: (where: Where, input: Members) => string;
  };
  /** Type of the service's operations, for the compiler only. */
  readonly api?: Api;
}

/** Returns the identifier of a resource from an input: the value of the member that is the last in `identifiers`. */
export function identifierOf({ identifiers }: Kind<unknown>, input: Members): string {
  return input[identifiers.at(-1) as string] as string;
}

/** Reports whether requests identify resources of a kind by their ARN. */
export function isIdentifiedByArn({ identifiers, arn }: Kind<unknown>): boolean {
  return arn !== undefined && identifiers.at(-1) === arn.member;
}

/**
 * Returns the ARN that permissions for one resource apply to. The resource need not exist. If the kind has no ARN,
 * returns the ARN of the parent. If it has no parent either, returns `*`.
 */
export function arnIn(kind: Kind<unknown>, where: Where, input: Members): string {
  if (kind.arn === undefined) return kind.parent === undefined ? '*' : arnIn(kind.parent, where, input);
  const identifier = identifierOf(kind, input);
  if (isIdentifiedByArn(kind)) return identifier;
  return kind.arn.ofIdentifier?.(where, identifier) ?? kind.arn.of({ ...placeIn(where), id: identifier });
}

/**
 * Returns the ARN pattern of all resources of a kind. If the kind has a parent, the pattern has only the resources in
 * the parent that `input` identifies. If the kind has no ARN, returns the ARN of the parent. If it has no parent
 * either, returns `*`.
 */
export function patternIn(kind: Kind<unknown>, where: Where, input: Members): string {
  if (kind.arn === undefined) return kind.parent === undefined ? '*' : arnIn(kind.parent, where, input);
  return kind.arn.pattern?.(where, input) ?? kind.arn.of({ ...placeIn(where), id: '*' });
}

/** Returns the account, the region and the parent ID (`''`) of resources that have no parent. */
export function placeIn({ accountId, region }: Where): ResourcePlace {
  return { accountId, region, parent: '' };
}

/** Returns the resource that an input identifies in the caller's account and region; undefined if it does not exist. */
export async function find<Document>(
  tx: Tx,
  where: Where,
  kind: Kind<Document>,
  input: Members,
): Promise<ResourceRecord<Document> | undefined> {
  const identifier = identifierOf(kind, input);
  if (kind.locate !== undefined) {
    const key = kind.locate(where, identifier);
    return key && (await tx.resources.get(kind, key));
  }
  const parent = kind.parent && (await find(tx, where, kind.parent, input));
  if (kind.parent !== undefined && parent === undefined) return undefined;
  const { place, prefix } = homeOf(kind, where, parent);
  return await tx.resources.get(kind, { ...place, id: `${prefix}${identifier}` });
}

/** Returns the resource that an ARN identifies in the caller's account and region; undefined for every other ARN. */
export async function findByArn<Document>(
  tx: Tx,
  where: Where,
  kind: Kind<Document>,
  resourceArn: string,
): Promise<ResourceRecord<Document> | undefined> {
  const { arn, identifiers } = kind;
  const identifier = identifiers.at(-1) as string;
  if (isIdentifiedByArn(kind)) return await find(tx, where, kind, { [identifier]: resourceArn });
  const prefix = arn?.of({ ...placeIn(where), id: '' });
  if (prefix === undefined || !resourceArn.startsWith(prefix)) return undefined;
  return await find(tx, where, kind, { [identifier]: resourceArn.slice(prefix.length) });
}

/**
 * Returns the resource that an input identifies.
 *
 * @throws AwsError `notFound` of the service: the parent does not exist · the resource does not exist
 */
export async function findOrThrow<Document>(
  call: Call,
  kind: Kind<Document>,
  input: Members,
  notFound = kind.conventions.notFound,
): Promise<ResourceRecord<Document>> {
  const { locate, parent, title } = kind;
  const home = locate === undefined && parent !== undefined ? await homeOrThrow(call, kind, input) : undefined;
  const identifier = identifierOf(kind, input);
  const found = home
    ? await call.tx.resources.get(kind, { ...home.place, id: `${home.prefix}${identifier}` })
    : await find(call.tx, call, kind, input);
  if (found === undefined) throw notFound(title, identifier);
  return found;
}

/**
 * Returns where the resources of a kind are stored. If the kind has a parent, the result is for the resources in the
 * parent that `input` identifies.
 *
 * @throws AwsError `notFound` of the service: the parent does not exist
 */
export async function homeOrThrow(call: Call, kind: Kind<unknown>, input: Members): Promise<Home> {
  return homeOf(kind, call, kind.parent && (await findOrThrow(call, kind.parent, input)));
}

function homeOf({ within }: Kind<unknown>, where: Where, parent: ResourceKey | undefined): Home {
  if (parent === undefined) return { place: placeIn(where), prefix: '' };
  const { accountId, region, id } = parent;
  return within?.(parent) ?? { place: { accountId, region, parent: id }, prefix: '' };
}
