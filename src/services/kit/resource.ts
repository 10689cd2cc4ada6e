/**
 * Derives the operations of a resource from a declaration in Smithy's terms (`create`, `read`, `update`, `delete`,
 * `list`). The operations have permissions, existence checks, limits, tags, pages, idempotency and outputs.
 *
 * To add a special rule, add a guard (a function that checks a change) to a declared operation, or write the operation
 * by hand.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AwsError } from '#core/aws-error.ts';
import { actionName } from '#model/services.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import { once } from './once.ts';
import type { Call, DeclaredAccess, DeclaredOperation } from './operation.ts';
import { onAll, onCreate, onResource } from './resource-access.ts';
import { find, findOrThrow, type Home, homeOrThrow, type Kind, type Members, type PageRequest } from './resource-kind.ts';
import { type Computed, documentOf, hasToken, listOutputOf, newIdentifierOf, outputOf } from './resource-view.ts';
import { newTags, type RequestTag } from './tag-rules.ts';

export type InputOf<Api, Name extends keyof Api> = Api[Name] extends { readonly input: infer Input } ? Input : never;
type OutputOf<Api, Name extends keyof Api> = Api[Name] extends { readonly output: infer Output } ? Output : never;

/** The declared operations, with the types of the model. */
export type Operations<Api, Names extends keyof Api> = {
  readonly [Name in Names]: DeclaredOperation<InputOf<Api, Name>, OutputOf<Api, Name>>;
};

/** Change of a resource, as a guard receives it: the input, and the documents before and after the change. */
export interface Change<Document, Input> {
  readonly input: Input;
  /** Document after the change. For `delete`, the stored document. */
  readonly document: Document;
  /** The stored resource. Absent for `create`. */
  readonly before?: ResourceRecord<Document>;
}

/** Checks a change of a resource. May also store other changes that belong to this change. */
export type Guard<Document, Input> = (call: Call, change: Change<Document, Input>) => void | Promise<void>;

/**
 * Names of the checks that `resource` adds to every `create`: the tags are valid (`tags`), the ID is new (`exists`),
 * and the limit is not reached (`limit`). The check `exists` applies only if the declaration has `conflict`.
 */
export type DerivedCheck = 'tags' | 'exists' | 'limit';

/** Limit on the number of resources of a kind. */
export interface Limit {
  readonly most: number;
  /** Which resources the limit counts: those of the account, of one region of the account, or of one parent. */
  readonly per: 'account' | 'region' | 'parent';
  /** Description of the counted resources for the error, such as `bots in an app instance`. Default: the title of the kind. */
  readonly title?: string;
  /** Returns the number of resources. Default: counts the stored resources. */
  readonly count?: (call: Call, home: Home) => Promise<number>;
}

/** Permissions of an operation. */
type AccessOf<Input> = NonNullable<DeclaredOperation<Input, unknown>['access']>;

interface Declared<Api, Name extends keyof Api> {
  readonly operation: Name;
  /** Permissions. Default: the operation's action on the resource. */
  readonly access?: AccessOf<InputOf<Api, Name>>;
  /** Permissions that the operation requires in addition to `access`. */
  readonly also?: (...request: Parameters<AccessOf<InputOf<Api, Name>>>) => readonly DeclaredAccess[];
}

export interface Create<Document, Api, Name extends keyof Api> extends Declared<Api, Name> {
  /**
   * Checks, in the order in which they run. A derived check that is not in this list runs after all checks of the list.
   * These derived checks run in the order `tags`, `exists`, `limit`.
   */
  readonly guard?: readonly (DerivedCheck | Guard<Document, InputOf<Api, Name>>)[];
  /** Values of the document's members that the input may omit. */
  readonly defaults?: Partial<Document>;
  /**
   * Returns the document to store. Runs before the checks. Default: `defaults`, overridden by the members of the input
   * that the resource has in the model.
   */
  readonly document?: (call: Call, input: InputOf<Api, Name>, key: ResourceKey) => Document | Promise<Document>;
  /** Returns the ID of the new resource. Default: a UUID. */
  readonly id?: (call: Call, input: InputOf<Api, Name>) => string;
  /**
   * If true, a request with the `ClientRequestToken` of an earlier request returns the resource of that request, although
   * the model does not mark the member as an idempotency token.
   */
  readonly once?: true;
  /** Error for an ID that is in use. Required if clients choose IDs. */
  readonly conflict?: (input: InputOf<Api, Name>) => AwsError;
  /**
   * If true, `create` with an ID in use returns the stored resource, provided that this resource has all members and
   * tags of the request.
   */
  readonly repeatable?: true;
  /** Returns the record to store. Use it to set columns other than `document`. Default: returns `record` unchanged. */
  readonly record?: (record: ResourceRecord<Document>) => ResourceRecord<Document>;
  /** Runs after the resource is stored. */
  readonly after?: (call: Call, record: ResourceRecord<Document>) => Promise<void>;
}

export interface Read<Api, Name extends keyof Api> extends Declared<Api, Name> {
  /** Error for a resource that does not exist. Default: `notFound` in the conventions of the service. */
  readonly notFound?: (title: string, identifier: string) => AwsError;
}

export interface Update<Document, Api, Name extends keyof Api> extends Declared<Api, Name> {
  readonly guard?: readonly Guard<Document, InputOf<Api, Name>>[];
  /** Returns the changed document. Default: members of the input replace those of the document, and omitted members do not change. */
  readonly document?: (call: Call, input: InputOf<Api, Name>, before: ResourceRecord<Document>) => Document | Promise<Document>;
}

export interface Delete<Document, Api, Name extends keyof Api> extends Declared<Api, Name> {
  readonly guard?: readonly Guard<Document, InputOf<Api, Name>>[];
  /** Runs after the resource is deleted. */
  readonly after?: (call: Call, record: ResourceRecord<Document>, input: InputOf<Api, Name>) => Promise<void>;
}

/** Condition on the resources of a list. The next page must be requested with a filter of the same `name`. */
export interface Filter<Document> {
  readonly name: string;
  readonly matches: (record: ResourceRecord<Document>) => boolean;
}

export interface List<Document, Api, Name extends keyof Api> extends Declared<Api, Name> {
  /** Returns the condition that an input sets; undefined for all resources. */
  readonly filter?: (input: InputOf<Api, Name>) => Filter<Document> | undefined;
}

/**
 * Rules from which the function `resource` creates the create, read, update, delete and list operations for one kind of
 * resource.
 */
export interface Rules<
  Document,
  Api,
  C extends keyof Api,
  R extends keyof Api,
  U extends keyof Api,
  D extends keyof Api,
  L extends keyof Api,
> {
  readonly limit?: Limit;
  readonly computed?: Computed<Document>;
  readonly create?: Create<Document, Api, C>;
  readonly read: Read<Api, R>;
  readonly update?: Update<Document, Api, U>;
  readonly delete?: Delete<Document, Api, D>;
  readonly list?: List<Document, Api, L>;
}

/** Looser types for the functions of this file, which work with the operations of any model. */
type AnyApi = Readonly<Record<string, { readonly input: Members; readonly output: Members }>>;
type AnyRules<Document> = Rules<Document, AnyApi, string, string, string, string, string>;
type AnyOperation = DeclaredOperation<Members, Members>;

/**
 * Returns the declared operations of a kind.
 *
 * An operation checks for errors in this order:
 *
 * - the parent or the resource does not exist
 * - the client request token was used for another request
 * - errors of the guards and derived checks, in their order
 */
export function resource<
  Document extends object,
  Api,
  R extends keyof Api,
  C extends keyof Api = never,
  U extends keyof Api = never,
  D extends keyof Api = never,
  L extends keyof Api = never,
>(kind: Kind<Document, Api>, declaration: Rules<Document, Api, C, R, U, D, L>): Operations<Api, C | R | U | D | L> {
  const own = kind as Kind<Document>;
  const rules = declaration as unknown as AnyRules<Document>;
  const built = [
    rules.create && ([rules.create.operation, createOperation(own, rules, rules.create)] as const),
    [rules.read.operation, readOperation(own, rules)] as const,
    rules.update && ([rules.update.operation, updateOperation(own, rules, rules.update)] as const),
    rules.delete && ([rules.delete.operation, deleteOperation(own, rules.delete)] as const),
    rules.list && ([rules.list.operation, listOperation(own, rules, rules.list)] as const),
  ];
  return Object.fromEntries(built.filter((each) => each !== undefined)) as unknown as Operations<Api, C | R | U | D | L>;
}

function readOperation<Document>(kind: Kind<Document>, { read, computed = {} }: AnyRules<Document>): AnyOperation {
  const { operation, notFound } = read;
  return {
    access: accessOf(read, onResource(kind)),
    handle: async (call, input) => outputOf(kind, operation, await findOrThrow(call, kind, input, notFound), input, computed),
  };
}

function createOperation<Document>(
  kind: Kind<Document>,
  rules: AnyRules<Document>,
  create: Create<Document, AnyApi, string>,
): AnyOperation {
  const { operation } = create;
  const { computed = {} } = rules;
  const steps = stepsOf(create);

  async function store(call: Call, input: Members, home: Home): Promise<ResourceRecord<Document>> {
    const { tx, now } = call;
    const id = `${home.prefix}${create.id?.(call, input) ?? call.newId()}`;
    const key = { ...home.place, id };
    const document = create.document
      ? await create.document(call, input, key)
      : ({ ...create.defaults, ...documentOf(kind, rules.read.operation, input) } as Document);
    const { Tags } = input;
    const tags = Tags as readonly RequestTag[] | undefined;
    const present = create.repeatable && (await tx.resources.get(kind, key));
    if (present !== undefined && hasAll(present, document, tags)) return present;
    for (const step of steps) {
      if (step === 'tags') newTags(kind.conventions.tagRules, tags);
      else if (step === 'limit') await requireRoom(call, kind, home, rules.limit);
      else if (step === 'exists') await requireNew(call, kind, id, home, create.conflict?.(input));
      else await step(call, { input, document });
    }
    const added = { ...key, createdAt: now, updatedAt: now, tags: newTags(kind.conventions.tagRules, tags), document };
    const record = create.record?.(added) ?? added;
    if ((await tx.resources.add(kind, record)) === 'exists') throw new Error(`the new ID '${id}' (${kind.name}) is already in use`);
    await create.after?.(call, record);
    return record;
  }

  return {
    access: accessOf(create, onCreate(kind)),
    async handle(call, input) {
      const home = await homeOrThrow(call, kind, input);
      const record = await createOnce(call, kind, create, input, () => store(call, input, home));
      return outputOf(kind, operation, record, input, computed);
    },
  };
}

/**
 * Creates a resource, or returns the resource that was created with the same client request token. The stored result is
 * the identifier of the resource and the time of its creation. The time distinguishes resources that had the same
 * identifier one after the other. Earlier versions of Belfry stored no time.
 */
async function createOnce<Document>(
  call: Call,
  kind: Kind<Document>,
  { operation, once: always }: Create<Document, AnyApi, string>,
  input: Members,
  create: () => Promise<ResourceRecord<Document>>,
): Promise<ResourceRecord<Document>> {
  const { ClientRequestToken } = input;
  if (typeof ClientRequestToken !== 'string' || !(always ?? hasToken(kind, operation))) return await create();
  let record: ResourceRecord<Document> | undefined;
  await once(
    call,
    actionName(kind.conventions.service, operation) as `chime:${string}`,
    { ...input, ClientRequestToken },
    async (result) => {
      const [identifier, createdAt] = result.split(' ');
      record = await find(call.tx, call, kind, { ...input, [kind.identifiers.at(-1) as string]: identifier });
      return record !== undefined && (createdAt === undefined || createdAt === String(record.createdAt));
    },
    async () => {
      record = await create();
      return `${newIdentifierOf(kind, record)} ${record.createdAt}`;
    },
  );
  return record as ResourceRecord<Document>;
}

/** Reports whether a stored resource has all members of a document and all tags of a request. */
function hasAll<Document>(stored: ResourceRecord<Document>, document: Document, tags: readonly RequestTag[] = []): boolean {
  const present = new Map(Object.entries(stored.document as Members));
  const members = Object.entries(document as Members).filter(([, value]) => value !== undefined);
  return (
    members.every(([name, value]) => isDeepStrictEqual(present.get(name), value)) &&
    tags.every(({ Key, Value }) => stored.tags.some(({ key, value }) => key === Key && value === Value))
  );
}

function stepsOf<Document>({
  guard = [],
  conflict,
}: Create<Document, AnyApi, string>): readonly (DerivedCheck | Guard<Document, Members>)[] {
  const derived: readonly DerivedCheck[] = conflict === undefined ? ['tags', 'limit'] : ['tags', 'exists', 'limit'];
  return [...guard, ...derived.filter((check) => !guard.includes(check))];
}

async function requireNew(call: Call, kind: Kind<unknown>, id: string, { place }: Home, conflict: AwsError | undefined): Promise<void> {
  if (conflict !== undefined && (await call.tx.resources.get(kind, { ...place, id })) !== undefined) throw conflict;
}

async function requireRoom(call: Call, kind: Kind<unknown>, home: Home, limit: Limit | undefined): Promise<void> {
  if (limit === undefined) return;
  const { most, per, title = kind.title, count } = limit;
  const { resources } = call.tx;
  const present = count
    ? await count(call, home)
    : per === 'account'
      ? (await resources.listOfAccount(kind, call.accountId, most)).length
      : home.prefix !== ''
        ? (await listIn(call, kind, home, most)).length
        : await resources.count(kind, home.place, most);
  if (present >= most) throw kind.conventions.limitExceeded(title, most);
}

function updateOperation<Document>(
  kind: Kind<Document>,
  { read, computed = {} }: AnyRules<Document>,
  update: Update<Document, AnyApi, string>,
): AnyOperation {
  const { operation, guard = [] } = update;
  return {
    access: accessOf(update, onResource(kind)),
    async handle(call, input) {
      const before = await findOrThrow(call, kind, input);
      const document = update.document
        ? await update.document(call, input, before)
        : { ...before.document, ...documentOf(kind, read.operation, input) };
      for (const check of guard) await check(call, { input, document, before });
      const after = { ...before, updatedAt: call.now, document };
      await call.tx.resources.put(kind, after);
      return outputOf(kind, operation, after, input, computed);
    },
  };
}

function deleteOperation<Document>(kind: Kind<Document>, declared: Delete<Document, AnyApi, string>): AnyOperation {
  const { guard = [], after } = declared;
  return {
    access: accessOf(declared, onResource(kind)),
    async handle(call, input) {
      const before = await findOrThrow(call, kind, input);
      for (const check of guard) await check(call, { input, document: before.document, before });
      await call.tx.resources.remove(kind, before);
      await after?.(call, before, input);
      return {};
    },
  };
}

function listOperation<Document>(
  kind: Kind<Document>,
  { computed = {} }: AnyRules<Document>,
  list: List<Document, AnyApi, string>,
): AnyOperation {
  const { operation, filter } = list;
  return {
    access: accessOf(list, onAll(kind)),
    async handle(call, input) {
      const { items, rest } = await pageOfKind(call, kind, input, filter?.(input));
      return { ...listOutputOf(kind, operation, items, input, computed), ...rest };
    },
  };
}

/**
 * Returns one page of the resources of a kind, in the order of IDs. If the kind has a parent, the page has only
 * resources in the parent that `input` identifies.
 *
 * @throws AwsError the parent does not exist · BadRequestException the token belongs to another list
 */
export async function pageOfKind<Document>(
  call: Call,
  kind: Kind<Document>,
  input: Members & PageRequest,
  filter?: Filter<Document>,
): Promise<{ readonly items: readonly ResourceRecord<Document>[]; readonly rest: { readonly NextToken?: string } }> {
  const { page, pageResults } = kind.conventions;
  const home = await homeOrThrow(call, kind, input);
  const scope = [call.accountId, call.region, kind.name, home.place.parent, home.prefix, filter?.name].join(' ');
  const read = (limit: number, after: string | undefined) => listIn(call, kind, home, limit, after, filter);
  return await page(scope, input, read, ({ id }) => id, pageResults);
}

/**
 * Number of resources in one read of a filtered list. It is large, because the filter may skip most of these resources.
 */
const READ_AT_ONCE = 1000;

async function listIn<Document>(
  { tx }: Call,
  kind: Kind<Document>,
  { place, prefix }: Home,
  limit: number,
  after: string | undefined = prefix,
  filter?: Filter<Document>,
): Promise<readonly ResourceRecord<Document>[]> {
  if (filter === undefined) {
    const listed = await tx.resources.list(kind, place, limit, after);
    return prefix === '' ? listed : listed.filter(({ id }) => id.startsWith(prefix));
  }
  const matching: ResourceRecord<Document>[] = [];
  for (let last: string | undefined = after; last !== undefined && matching.length < limit; ) {
    const some: readonly ResourceRecord<Document>[] = await tx.resources.list(kind, place, READ_AT_ONCE, last);
    matching.push(...some.filter((record) => record.id.startsWith(prefix) && filter.matches(record)));
    last = some.length < READ_AT_ONCE ? undefined : some.at(-1)?.id;
  }
  return matching.slice(0, limit);
}

function accessOf({ access, also }: Declared<AnyApi, string>, derived: AccessOf<Members>): AccessOf<Members> {
  const own = access ?? derived;
  return also === undefined ? own : (input, caller) => [own(input, caller), also(input, caller)].flat();
}
