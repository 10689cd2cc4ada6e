/** Derives the operations that read, put and delete one member of a stored document. */
import { AwsError } from '#core/aws-error.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Call, DeclaredOperation } from './operation.ts';
import type { InputOf, Operations } from './resource.ts';
import { onResource } from './resource-access.ts';
import { findOrThrow, type Kind, type Members } from './resource-kind.ts';

/** Change of a member, as the functions in `guard` receive it before the change is stored. */
export interface MemberChange<Document, Value> {
  /** The new value. Undefined for `delete`. */
  readonly value: Value | undefined;
  /** The stored resource before the change. */
  readonly before: ResourceRecord<Document>;
}

export type MemberGuard<Document, Value> = (call: Call, change: MemberChange<Document, Value>) => void | Promise<void>;

/** Declaration of the operations of a member. */
export interface MemberRules<Document, Value, Api, R extends keyof Api, P extends keyof Api, D extends keyof Api> {
  readonly read: {
    readonly operation: R;
    /**
     * Value that the operation returns if no client has put the member. Default: the operation throws
     * NotFoundException.
     */
    readonly otherwise?: Value;
  };
  readonly put: {
    readonly operation: P;
    /** Permissions. Default: the operation's action on the resource. */
    readonly access?: DeclaredOperation<InputOf<Api, P>, unknown>['access'];
    /** Checks and returns the new value. Default: the member of the input with the same name. */
    readonly value?: (input: InputOf<Api, P>, before: ResourceRecord<Document>) => Value;
    readonly guard?: readonly MemberGuard<Document, Value>[];
  };
  readonly delete?: {
    readonly operation: D;
    readonly guard?: readonly MemberGuard<Document, Value>[];
    /** Values that other members of the document get when this member is deleted. */
    readonly resets?: { readonly [Member in keyof Document]?: Document[Member] | undefined };
  };
}

type AnyApi = Readonly<Record<string, { readonly input: Members; readonly output: Members }>>;

/**
 * Returns the operations of a member. `put` replaces the value, and `delete` of an absent member succeeds.
 *
 * The operations check for errors in this order: the resource does not exist · the value is invalid · errors of the
 * guards, in the order of the list.
 *
 * Assumed: a change of a member does not change the time of the resource's last update.
 */
export function member<
  Document extends object,
  Api,
  Name extends keyof Document & string,
  R extends keyof Api,
  P extends keyof Api,
  D extends keyof Api = never,
>(
  kind: Kind<Document, Api>,
  name: Name,
  declaration: MemberRules<Document, NonNullable<Document[Name]>, Api, R, P, D>,
): Operations<Api, R | P | D> {
  const own = kind as Kind<Document>;
  const rules = declaration as unknown as MemberRules<Document, NonNullable<Document[Name]>, AnyApi, string, string, string>;
  const { read, put, delete: removal } = rules;

  async function store({ tx }: Call, before: ResourceRecord<Document>, changes: Partial<Document>): Promise<void> {
    await tx.resources.put(own, { ...before, document: omitUndefined({ ...before.document, ...changes }) as Document });
  }

  const table: Record<string, DeclaredOperation<Members, Members>> = {
    [read.operation]: {
      access: onResource(own),
      async handle(call, input) {
        const record = await findOrThrow(call, own, input);
        return { [name]: record.document[name] ?? read.otherwise ?? memberOrThrow(own, record, name) };
      },
    },
    [put.operation]: {
      access: put.access ?? onResource(own),
      async handle(call, input) {
        const before = await findOrThrow(call, own, input);
        const value = put.value ? put.value(input, before) : (input[name] as NonNullable<Document[Name]>);
        for (const check of put.guard ?? []) await check(call, { value, before });
        await store(call, before, { [name]: value } as unknown as Partial<Document>);
        return { [name]: value };
      },
    },
  };
  if (removal !== undefined) {
    table[removal.operation] = {
      access: onResource(own),
      async handle(call, input) {
        const before = await findOrThrow(call, own, input);
        for (const check of removal.guard ?? []) await check(call, { value: undefined, before });
        await store(call, before, { ...removal.resets, [name]: undefined } as Partial<Document>);
        return {};
      },
    };
  }
  return table as unknown as Operations<Api, R | P | D>;
}

/**
 * Returns a member of a stored document.
 *
 * Source: Terraform's AWS provider treats NotFoundException as a deleted configuration. Assumed: the wording of the
 * error message.
 * @throws NotFoundException no client has put the member
 */
export function memberOrThrow<Document, Name extends keyof Document & string>(
  { title }: Kind<Document>,
  { id, document }: ResourceRecord<Document>,
  name: Name,
): NonNullable<Document[Name]> {
  const value = document[name];
  if (value === undefined || value === null) throw new AwsError('NotFoundException', `${title} '${id}' does not have ${name}.`);
  return value;
}
