/** Requests and responses of the SCIM endpoint, without HTTP. */
import type { RegisteringWork } from '../registration.ts';
import type { AccountRecord } from '../tables/accounts.ts';
import { ScimError } from './scim-error.ts';

/** Request with a valid key. */
export interface ScimRequest {
  readonly method: string;
  /** Segments of the path after the endpoint, decoded: `['Users', 'ID']`. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  /** Parsed JSON of the body. Undefined without a body. */
  readonly body: unknown;
  /** URL of the endpoint. */
  readonly url: string;
}

/** Response. Without a body, the status is 204. */
export interface ScimAnswer {
  readonly status: number;
  readonly body?: Readonly<Record<string, unknown>>;
  /** URL of a created resource. */
  readonly location?: string;
  /** Facts for the trail, without addresses and names: IDs. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** Work of a request in a transaction. */
export interface ScimWork extends RegisteringWork {
  readonly account: AccountRecord;
  /** URL of the endpoint. */
  readonly url: string;
  /** Most provisioned users of an account. */
  readonly usersMax: number;
}

export const SCHEMA = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  type: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
} as const;

/** Most resources of a page, and default. */
export const PAGE = { max: 200, fallback: 100 } as const;
/** Largest start of a page. */
const START_MAX = 10_000_000;

/** Part of a list that a query selects. `startIndex` begins with 1. */
export interface Selected {
  readonly startIndex: number;
  readonly count: number;
}

/**
 * Reads the page of a query. Source: RFC 7644, section 3.4.2.4: a start below 1 is 1, a negative count is 0.
 *
 * @throws ScimError  a value is not an integer
 */
export function selectedOf(query: ReadonlyMap<string, string>): Selected {
  return {
    startIndex: Math.min(Math.max(integerOf(query.get('startIndex'), 1), 1), START_MAX),
    count: Math.min(Math.max(integerOf(query.get('count'), PAGE.fallback), 0), PAGE.max),
  };
}

function integerOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^-?\d{1,9}$/.test(text)) throw new ScimError(400, 'invalidValue', 'startIndex and count must be integers.');
  return Number(text);
}

/** Returns a list response. */
export function listOf(
  resources: readonly Readonly<Record<string, unknown>>[],
  totalResults: number,
  { startIndex }: Pick<Selected, 'startIndex'>,
): ScimAnswer {
  const page = { totalResults, startIndex, itemsPerPage: resources.length, Resources: resources };
  return { status: 200, body: { schemas: [SCHEMA.list], ...page } };
}

/** Returns the attribute `meta` of a resource. */
export function metaOf(
  { url }: Pick<ScimWork, 'url'>,
  resourceType: 'User' | 'Group',
  { scimId, createdAt, updatedAt }: { readonly scimId: string; readonly createdAt: number; readonly updatedAt: number },
) {
  return {
    resourceType,
    created: new Date(createdAt).toISOString(),
    lastModified: new Date(updatedAt).toISOString(),
    location: `${url}/${resourceType}s/${scimId}`,
  };
}

/** Change of a PATCH request. */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string | undefined;
  readonly value: unknown;
}

/** Most changes of a request. */
const OPERATIONS_MAX = 100;
const PATH_MAX = 256;

/** Reads the changes of a PATCH request. Source: RFC 7644, section 3.5.2. Microsoft Entra begins the names of changes with a capital letter. */
export function operationsOf(body: unknown, attributesOf: (value: unknown) => ReadonlyMap<string, unknown>): readonly PatchOperation[] {
  const list = attributesOf(body).get('operations');
  if (!Array.isArray(list) || list.length === 0 || list.length > OPERATIONS_MAX)
    throw new ScimError(400, 'invalidSyntax', `Operations must have 1 to ${OPERATIONS_MAX} elements.`);
  return list.map((each: unknown) => {
    const attributes = attributesOf(each);
    const [name, path] = [attributes.get('op'), attributes.get('path')];
    const op = typeof name === 'string' ? name.toLowerCase() : undefined;
    if (op !== 'add' && op !== 'replace' && op !== 'remove')
      throw new ScimError(400, 'invalidSyntax', 'The op must be add, replace or remove.');
    if (path !== undefined && (typeof path !== 'string' || path.length > PATH_MAX))
      throw new ScimError(400, 'invalidPath', 'The path is not valid.');
    return { op, path, value: attributes.get('value') };
  });
}
