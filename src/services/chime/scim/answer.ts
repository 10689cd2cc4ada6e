/** Requests of the SCIM endpoint of an account. */
import { isId } from './attributes.ts';
import { discovered } from './discovery.ts';
import { createGroup, deleteGroup, getGroup, listGroups, patchGroup, replaceGroup } from './groups.ts';
import { notFoundError, ScimError } from './scim-error.ts';
import type { ScimAnswer, ScimRequest, ScimWork } from './scim-request.ts';
import { createUser, deleteUser, getUser, listUsers, patchUser, replaceUser } from './users.ts';

export { openApiKey } from '../api-keys.ts';
export { ScimError } from './scim-error.ts';
export type { ScimAnswer, ScimRequest } from './scim-request.ts';

type OfAll = (work: ScimWork, request: ScimRequest) => Promise<ScimAnswer>;
type OfOne = (work: ScimWork, id: string, request: ScimRequest) => Promise<ScimAnswer>;

/** Endpoint of a resource type: requests without an ID and with an ID, by method. */
interface Endpoint {
  readonly all: Readonly<Record<string, OfAll>>;
  readonly one: Readonly<Record<string, OfOne>>;
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['Users', { all: { GET: listUsers, POST: createUser }, one: { GET: getUser, PUT: replaceUser, PATCH: patchUser, DELETE: deleteUser } }],
  [
    'Groups',
    { all: { GET: listGroups, POST: createGroup }, one: { GET: getGroup, PUT: replaceGroup, PATCH: patchGroup, DELETE: deleteGroup } },
  ],
]);
const DISCOVERY: ReadonlySet<string> = new Set(['ServiceProviderConfig', 'ResourceTypes', 'Schemas']);
const VERBS: Readonly<Record<string, string>> = { GET: 'Get', POST: 'Create', PUT: 'Replace', PATCH: 'Patch', DELETE: 'Delete' };

/**
 * Returns the name of the trail event of a request: `CreateScimUser`, `ListScimGroups`. Returns undefined for a path that the endpoint does not
 * have.
 */
export function eventNameOf({ method, path: [kind, id] }: Pick<ScimRequest, 'method' | 'path'>): string | undefined {
  const verb = Object.hasOwn(VERBS, method) ? VERBS[method] : undefined;
  if (kind === undefined || verb === undefined) return undefined;
  if (DISCOVERY.has(kind)) return method === 'GET' ? 'GetScimConfiguration' : undefined;
  const type = ENDPOINTS.has(kind) ? `Scim${kind.slice(0, -1)}` : undefined;
  if (type === undefined) return undefined;
  return method === 'GET' && id === undefined ? `List${type}s` : `${verb}${type}`;
}

/**
 * Answers a request in the transaction of its trail record.
 *
 * @throws ScimError  the request is refused. The transaction must abort.
 * Emits: ChimeUserRegistered, ChimeUserSuspended, ChimeUserUnsuspended.
 * Source: RFC 7644. Assumed: the limits.
 */
export async function answerScim(work: ScimWork, request: ScimRequest): Promise<ScimAnswer> {
  const { method, path } = request;
  const [kind, id, ...more] = path;
  if (kind === undefined || more.length > 0) throw notFoundError();
  if (DISCOVERY.has(kind)) {
    if (method !== 'GET') throw notAllowed(['GET']);
    return discovered(request);
  }
  const endpoint = ENDPOINTS.get(kind);
  if (endpoint === undefined) throw notFoundError();
  const handlers = id === undefined ? endpoint.all : endpoint.one;
  if (!Object.hasOwn(handlers, method)) throw notAllowed(Object.keys(handlers));
  if (id === undefined) return await (endpoint.all[method] as OfAll)(work, request);
  if (!isId(id)) throw notFoundError();
  return await (endpoint.one[method] as OfOne)(work, id, request);
}

/** Source: RFC 9110, section 15.5.6: the response names the methods that are possible. */
function notAllowed(methods: readonly string[]): ScimError {
  return new ScimError(405, undefined, 'The method is not allowed here.', methods.join(', '));
}
