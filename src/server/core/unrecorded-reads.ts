/** Reads that the server answers without a trail record, if the operator allows it (Decision 0030). */
import type { Authenticated } from '#access/authenticate.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ServiceModel } from '#model/model.ts';
import { SECRET_MEMBERS } from '#model/secret-members.ts';
import { StoreUnwritable } from '#store/unwritable.ts';
import type { CalledOperation } from '#wire/routed.ts';
import type { Facts } from './request-records.ts';
import type { TrailGap } from './trail-gap.ts';

/** Parts of the server that `answerUnrecorded` needs. */
export interface UnrecordedParts {
  /** Time in which the trail cannot be written. */
  readonly gap: TrailGap;
  /** Whether the operator allows answers to reads in a gap. */
  readonly readsWithoutTrail: boolean;
  /** Logs a bug of this server, with the request ID that the response also has. */
  readonly report: (requestId: string, error: unknown) => void;
}

/** @throws StoreUnwritable  the trail could not be written at the last attempt */
export function requireTrail(gap: TrailGap): void {
  if (gap.isOpen()) throw new StoreUnwritable();
}

/**
 * Answers a call whose record could not be written. Runs it without the record, if that is allowed, and counts it.
 *
 * @throws thrown  the call failed for another reason, or it must have a record
 * @throws StoreUnwritable  the call also fails without a record. Its error would also need a record
 */
export async function answerUnrecorded<Response>(
  { gap, readsWithoutTrail, report }: UnrecordedParts,
  { request }: Pick<Facts, 'request'>,
  called: CalledOperation,
  { principal }: Authenticated,
  thrown: unknown,
  unrecorded: () => Promise<Response>,
): Promise<Response> {
  if (!(thrown instanceof StoreUnwritable)) throw thrown;
  gap.open(thrown);
  if (!readsWithoutTrail || !mayBeUnrecorded(called)) throw thrown;
  try {
    const response = await unrecorded();
    gap.count(principal.accountId, 'answered');
    return response;
  } catch (error) {
    if (!(error instanceof AwsError || error instanceof StoreUnwritable)) report(request.requestId, error);
    throw new StoreUnwritable(error);
  }
}

const known = new WeakMap<CalledOperation['operation'], boolean>();

/**
 * Reports whether an operation may be answered without a trail record: it changes nothing, and its response cannot
 * contain a secret. So no credentials leave the server without a record, such as those of AssumeRole, which the
 * authorization reference calls a read, or the join token of GetAttendee.
 */
export function mayBeUnrecorded({ model, operation }: Pick<CalledOperation, 'model' | 'operation'>): boolean {
  let allowed = known.get(operation);
  if (allowed === undefined) {
    allowed = operation.readOnly && (operation.output === undefined || !hasSecret(model, operation.output, new Set()));
    known.set(operation, allowed);
  }
  return allowed;
}

/** Reports whether a shape can contain a secret. `visited` has the shapes that are checked already, because shapes can be recursive. */
function hasSecret(model: ServiceModel, name: string, visited: Set<string>): boolean {
  if (visited.has(name)) return false;
  visited.add(name);
  const shape = model.shapes[name];
  // An unknown shape could contain anything.
  if (shape === undefined) return true;
  const members = Object.entries(shape.members ?? {});
  if (members.some(([member]) => SECRET_MEMBERS.has(member.toLowerCase()))) return true;
  return [...members.map(([, { shape: of }]) => of), ...(shape.member === undefined ? [] : [shape.member.shape])].some((of) =>
    hasSecret(model, of, visited),
  );
}
