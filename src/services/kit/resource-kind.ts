/** Kinds of stored resources: how requests identify a resource, where it is stored, and its ARN. `resource.ts` owns the operations. */
import type { AwsError } from '#core/aws-error.ts';
import type { ServiceName } from '#model/services.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller } from './operation.ts';
import type { TagRules } from './tag-rules.ts';

/** Account and region of the control plane that resources belong to. */
export type Where = Pick<Caller, 'accountId' | 'region'>;

/** Members of an input. */
export type Members = Readonly<Record<string, unknown>>;

/** Request for one page of a list. */
export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** Reads one page of a list. A token is valid only for the `scope` that issued it. */
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
  /** Error for an identifier that names no resource of the caller's account and region. */
  readonly notFound: (title: string, identifier: string) => AwsError;
  readonly limitExceeded: (title: string, most: number) => AwsError;
  readonly page: ReadPage;
  /** Results in a page if the request sets no `MaxResults`. Default: that of `page`. */
  readonly pageResults?: number;
}

/** Place of the resources of one parent. Their stored IDs start with `prefix`. */
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
  /** Members of inputs that identify a resource. The last identifies it within the parent that the others identify. */
  readonly identifiers: readonly string[];
  /** Kind of the parent, which contains the resources of this kind. Its identifiers are in the inputs of `create` and `list`. */
  readonly parent?: Kind<unknown, Api>;
  /** Returns the place of the children of a parent. Default: the parent's ID is `parent` of the key, without a prefix. */
  readonly within?: (parent: ResourceKey) => Home;
  /** Returns the key that the last identifier names; undefined if it is invalid. Default: the identifier is the ID in its parent. */
  readonly locate?: (where: Where, identifier: string) => ResourceKey | undefined;
  /** Member of outputs that contains the ID. Default: the last identifier, unless it is the ARN. */
  readonly idMember?: string;
  /** ARN. Permissions of a kind without one apply to its parent, or to `*`. */
  readonly arn?: {
    /** Member of outputs that contains the ARN. */
    readonly member: string;
    readonly of: (key: ResourceKey) => string;
    /** Returns the ARN that an identifier means, if the identifier is neither the ID nor always the ARN. */
    readonly ofIdentifier?: (where: Where, identifier: string) => string;
    /** Returns the ARN of all resources in the parent that an input names. Default: the ARN of the ID `*`. */
    readonly pattern?: (where: Where, input: Members) => string;
  };
  /** Type of the service's operations, for the compiler only. */
  readonly api?: Api;
}

/** Returns the last identifier of an input. */
export function identifierOf({ identifiers }: Kind<unknown>, input: Members): string {
  return input[identifiers.at(-1) as string] as string;
}

/** Reports whether requests identify resources of a kind by their ARN. */
export function isIdentifiedByArn({ identifiers, arn }: Kind<unknown>): boolean {
  return arn !== undefined && identifiers.at(-1) === arn.member;
}

/** Returns the ARN that permissions for one resource apply to, whether it exists or not; `*` if the kind has none. */
export function arnIn(kind: Kind<unknown>, where: Where, input: Members): string {
  if (kind.arn === undefined) return kind.parent === undefined ? '*' : arnIn(kind.parent, where, input);
  const identifier = identifierOf(kind, input);
  if (isIdentifiedByArn(kind)) return identifier;
  return kind.arn.ofIdentifier?.(where, identifier) ?? kind.arn.of({ ...placeIn(where), id: identifier });
}

/** Returns the ARN that permissions for all resources of a kind, or in a parent, apply to; `*` if the kind has none. */
export function patternIn(kind: Kind<unknown>, where: Where, input: Members): string {
  if (kind.arn === undefined) return kind.parent === undefined ? '*' : arnIn(kind.parent, where, input);
  return kind.arn.pattern?.(where, input) ?? kind.arn.of({ ...placeIn(where), id: '*' });
}

/** Returns the place of resources without a parent. */
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

/** Returns the resource of an ARN in the caller's account and region; undefined for every other ARN. */
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
 * Returns the place of the resources in the parent that an input identifies.
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
