/**
 * Outputs of the operations that `resource.ts` derives. They have the members of the output shape in the model, with
 * the values of the stored resource.
 */
import { loadModel } from '#model/load.ts';
import type { Shape } from '#model/model.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { isIdentifiedByArn, type Kind, type Members } from './resource-kind.ts';

/**
 * Functions that return the values of output members, by member name. These values are neither stored nor derived from
 * the key. A function is called only if the output has its member.
 */
export type Computed<Document> = Readonly<Record<string, (record: ResourceRecord<Document>) => unknown>>;

/**
 * Function that returns the value of one member of a resource, for outputs. If `Computed` has a function for the
 * member, the source returns the result of that function.
 */
type Source = (member: string) => unknown;

/**
 * Returns the `Source` of a stored resource. The source returns the document's members, the ID, the ARN and the times
 * of the resource. It takes the identifiers of the resource's parent from the input.
 */
function sourceOf<Document>(kind: Kind<Document>, record: ResourceRecord<Document>, input: Members, computed: Computed<Document>): Source {
  const { createdAt, updatedAt, document, id } = record;
  const members: Record<string, unknown> = {
    ...document,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
    LastUpdatedTimestamp: updatedAt,
  };
  if (kind.arn !== undefined) members[kind.arn.member] = kind.arn.of(record);
  const idMember = idMemberOf(kind);
  if (idMember !== undefined) members[idMember] = kind.within === undefined ? id : id.slice(id.lastIndexOf('/') + 1);
  const parents = kind.parent === undefined ? [] : kind.parent.identifiers;
  return (member) => {
    const own = Object.hasOwn(computed, member) ? computed[member]?.(record) : members[member];
    return own ?? (parents.includes(member) ? input[member] : undefined);
  };
}

/** Returns the member of outputs that contains the ID; undefined if only the ARN identifies a resource. */
export function idMemberOf(kind: Kind<unknown>): string | undefined {
  return kind.idMember ?? (isIdentifiedByArn(kind) ? undefined : kind.identifiers.at(-1));
}

/**
 * Returns the output of an operation on one resource. A member of the output that is a structure contains the whole
 * resource. Any other member has the value of the resource's member with the same name.
 *
 *     GetVoiceConnector → { VoiceConnector: { VoiceConnectorId, Name, … } }
 *     UpdateAppInstance → { AppInstanceArn }
 */
export function outputOf<Document>(
  kind: Kind<Document>,
  operation: string,
  record: ResourceRecord<Document>,
  input: Members,
  computed: Computed<Document>,
): Members {
  const source = sourceOf(kind, record, input, computed);
  const { members = {} } = outputShape(kind, operation);
  return withDefined(Object.keys(members), (member) => {
    const shape = shapeOf(kind, members[member]?.shape ?? '');
    return shape.type === 'structure' ? project(shape, source) : source(member);
  });
}

/** Returns the output of an operation that lists resources. */
export function listOutputOf<Document>(
  kind: Kind<Document>,
  operation: string,
  records: readonly ResourceRecord<Document>[],
  input: Members,
  computed: Computed<Document>,
): Members {
  const { members = {} } = outputShape(kind, operation);
  return withDefined(Object.keys(members), (member) => {
    const element = shapeOf(kind, members[member]?.shape ?? '').member;
    const shape = element && shapeOf(kind, element.shape);
    if (shape?.type === 'structure') return records.map((record) => project(shape, sourceOf(kind, record, input, computed)));
    return member === 'NextToken' ? undefined : input[member];
  });
}

/**
 * Returns the document to store: the members of an input that the resource also has in the model. Omits identifiers.
 *
 *     CreateSipMediaApplication { AwsRegion, Name, Endpoints, Tags } → { AwsRegion, Name, Endpoints }
 */
export function documentOf(kind: Kind<unknown>, readOperation: string, input: Members): Members {
  const excluded = [...kind.identifiers, ...(kind.parent?.identifiers ?? []), idMemberOf(kind), kind.arn?.member];
  const [structure] = Object.values(outputShape(kind, readOperation).members ?? {});
  const { members = {} } = shapeOf(kind, structure?.shape ?? '');
  return Object.fromEntries(
    Object.keys(members).flatMap((member) => {
      const value = input[member];
      return value === undefined || excluded.includes(member) ? [] : [[member, value]];
    }),
  );
}

/** Reports whether an input of an operation has an idempotency token. */
export function hasToken(kind: Kind<unknown>, operation: string): boolean {
  const { operations } = loadModel(kind.conventions.service);
  const { ClientRequestToken } = shapeOf(kind, operations[operation]?.input ?? '').members ?? {};
  return ClientRequestToken?.idempotencyToken === true;
}

/** Returns the value by which later requests identify a new resource: its ARN or its ID. */
export function newIdentifierOf(kind: Kind<unknown>, record: ResourceRecord<unknown>): string {
  const source = sourceOf(kind, record, {}, {});
  return (isIdentifiedByArn(kind) ? kind.arn?.of(record) : source(idMemberOf(kind) as string)) as string;
}

function project({ members = {} }: Shape, source: Source): Members {
  return withDefined(Object.keys(members), source);
}

function withDefined(members: readonly string[], source: Source): Members {
  const defined: Record<string, unknown> = {};
  for (const member of members) {
    const value = source(member);
    if (value !== undefined) defined[member] = value;
  }
  return defined;
}

function outputShape(kind: Kind<unknown>, operation: string): Shape {
  return shapeOf(kind, loadModel(kind.conventions.service).operations[operation]?.output ?? '');
}

const EMPTY: Shape = { type: 'structure' };

function shapeOf({ conventions }: Kind<unknown>, name: string): Shape {
  return loadModel(conventions.service).shapes[name] ?? EMPTY;
}
