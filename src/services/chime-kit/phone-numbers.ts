/** Phone numbers of AWS accounts: how requests name them, their status, and their changes. Amazon Chime and Chime SDK Voice share them. */
import { AwsError } from '#core/aws-error.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { PhoneNumber, PhoneNumberAssociation, PhoneNumberError, PhoneNumberProductType } from '#model/generated/chime.ts';
import type { Call } from '../kit/operation.ts';
import { badRequest, conflict } from './request-errors.ts';
import { NUMBERS_MAX } from './tables/number-lists.ts';
import { type NumberRecord, phoneNumbers } from './tables/phone-numbers.ts';

/** Members of a call that identify the numbers of the caller's AWS account. */
export type NumberCall = Pick<Call, 'tx' | 'accountId' | 'now'>;

/** Returns the error for an unknown phone number. The text names the ID only if the model of the service does not mark it as sensitive. */
export type NotFound = (id: string) => AwsError;

/** Time that a deleted number can be restored. Source: Chime API reference, DeletePhoneNumber. */
export const DELETION_QUEUE_MS = 7 * DAY_MS;
/**
 * Time that a calling name is pending. Source: Chime API reference, UpdatePhoneNumber: up to 72 hours. Assumed: as long as an order, because
 * this server has no carrier that must store the name.
 */
export const CALLING_NAME_MS = 10_000;

/**
 * Returns the E.164 form, with a plus sign, of a phone number or a phone number ID. Accepts `+12065550100`, `12065550100` and
 * `%2B12065550100`. Returns undefined for other strings.
 */
export function numberOf(text: string): string | undefined {
  const [, digits] = /^(?:\+|%2B)?([1-9]\d{1,14})$/i.exec(text) ?? [];
  return digits && `+${digits}`;
}

/** Returns the ID of a number. Source: the recorded responses of the API reference, which encode the plus sign. */
export function numberId(number: string): string {
  return number.replace('+', '%2B');
}

/** Returns a number of the caller's AWS account. Throws the result of `notFound` if the account does not have the number. */
export async function numberOrNotFound({ tx, accountId }: NumberCall, id: string, notFound: NotFound): Promise<NumberRecord> {
  const number = numberOf(id);
  const record = number === undefined ? undefined : await tx.of(phoneNumbers).get(accountId, number);
  if (record === undefined) throw notFound(id);
  return record;
}

/** Number that a change names. */
export interface NamedNumber {
  readonly id: string;
  /** Undefined if the caller's AWS account does not have the number. */
  readonly found: NumberRecord | undefined;
  readonly now: Instant;
  readonly notFound: NotFound;
}

/** Returns a number as it is after a change. Throws an error for the client if the change is not possible. */
export type NumberStep = (named: NamedNumber) => NumberRecord;

/** Returns the number that a change names. Throws the result of `notFound` if the account does not have it. */
export function requireNumber({ id, found, notFound }: NamedNumber): NumberRecord {
  if (found === undefined) throw notFound(id);
  return found;
}

/** Changes a number of the caller's AWS account, and returns it. */
export async function changeNumber(call: NumberCall, id: string, notFound: NotFound, step: NumberStep): Promise<NumberRecord> {
  const number = numberOf(id);
  const found = number === undefined ? undefined : await call.tx.of(phoneNumbers).get(call.accountId, number);
  const record = step({ id, found, now: call.now, notFound });
  await call.tx.of(phoneNumbers).put(record);
  return record;
}

/** Status that a number of an AWS account can have. */
export type NumberStatus = 'AcquireInProgress' | 'Unassigned' | 'Assigned' | 'ReleaseInProgress' | 'DeleteInProgress';

/**
 * Returns the status of a number. A number in the deletion queue is ReleaseInProgress. After 7 days it is DeleteInProgress, until the sweep
 * deletes it. Assumed: both.
 */
export function statusOf({ state, acquiredAt, releasedAt }: NumberRecord, now: Instant): NumberStatus {
  if (releasedAt !== undefined && releasedAt <= now) return 'DeleteInProgress';
  return acquiredAt > now ? 'AcquireInProgress' : state;
}

/** Returns a number in the shape of the model of Amazon Chime. */
export function toPhoneNumber(record: NumberRecord, now: Instant): PhoneNumber {
  const { number, productType, createdAt, updatedAt, deletedAt, document } = record;
  return omitUndefined({
    PhoneNumberId: numberId(number),
    E164PhoneNumber: number,
    Country: document.Country,
    Type: document.Type,
    ProductType: productType,
    Status: statusOf(record, now),
    Capabilities: document.Capabilities,
    Associations: associationsOf(record),
    CallingName: document.CallingName,
    CallingNameStatus: callingNameStatusOf(record, now),
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
    DeletionTimestamp: deletedAt,
  });
}

function associationsOf(record: NumberRecord): readonly PhoneNumberAssociation[] {
  const { associationName, associatedTo, associatedAt, chimeAccountId } = record;
  if (associationName === undefined || associatedTo === undefined || associatedAt === undefined) return [];
  const own = { Name: associationName, Value: associatedTo, AssociatedTimestamp: associatedAt };
  if (chimeAccountId === undefined) return [own];
  return [{ Name: 'AccountId', Value: chimeAccountId, AssociatedTimestamp: associatedAt }, own];
}

function callingNameStatusOf({ document: { CallingName, callingNameSetAt } }: NumberRecord, now: Instant) {
  if (callingNameSetAt !== undefined && now < callingNameSetAt + CALLING_NAME_MS) return 'UpdateInProgress' as const;
  return CallingName === undefined ? ('Unassigned' as const) : ('UpdateSucceeded' as const);
}

/** Change of one number. An empty calling name or name removes it. */
export interface NumberChange {
  readonly ProductType?: PhoneNumberProductType;
  readonly CallingName?: string;
  readonly Name?: string;
}

/**
 * Returns the step that changes one attribute of a number.
 *
 * Source: Chime API reference, UpdatePhoneNumber: one attribute in each request; a pending calling name cannot be changed. Assumed: (1) the
 * codes. (2) The product changes only while the number is Unassigned. (3) A number in the deletion queue, or of an order that is not final,
 * cannot be changed.
 * @throws BadRequestException  the change has none or several attributes · the number cannot be used for the product
 * @throws NotFoundException    the account does not have the number
 * @throws ConflictException    the number is not Unassigned or Assigned · it is not Unassigned, for a product · a calling name is pending
 */
export function updateOf({ ProductType, CallingName, Name }: NumberChange): NumberStep {
  return (named) => {
    const { now } = named;
    if ([ProductType, CallingName, Name].filter((each) => each !== undefined).length !== 1) throw badRequest();
    const before = requireNumber(named);
    const status = statusOf(before, now);
    if (ProductType !== undefined && !before.document.products.includes(ProductType)) throw badRequest();
    if (status !== 'Unassigned' && (status !== 'Assigned' || ProductType !== undefined)) throw conflict();
    if (CallingName !== undefined && callingNameStatusOf(before, now) === 'UpdateInProgress') throw conflict();
    return {
      ...before,
      productType: ProductType ?? before.productType,
      updatedAt: now,
      document: omitUndefined({
        ...before.document,
        ...(CallingName !== undefined && {
          CallingName: CallingName || undefined,
          callingNameSetAt: CallingName === '' ? undefined : now,
        }),
        ...(Name !== undefined && { Name: Name || undefined }),
      }),
    };
  };
}

/**
 * Step that puts a number into the deletion queue, in which it stays for 7 days.
 *
 * Source: Chime API reference, DeletePhoneNumber. Assumed: the codes; a number of an order that is not final cannot be deleted.
 * @throws NotFoundException    the account does not have the number, or it is in the deletion queue
 * @throws BadRequestException  the number is associated, or its order is not final
 */
export const deletion: NumberStep = (named) => {
  const record = requireNumber(named);
  const { id, now, notFound } = named;
  if (record.deletedAt !== undefined) throw notFound(id);
  if (statusOf(record, now) !== 'Unassigned') throw badRequest();
  return { ...record, state: 'ReleaseInProgress', updatedAt: now, deletedAt: now, releasedAt: instant(now + DELETION_QUEUE_MS) };
};

/**
 * Step that takes a number out of the deletion queue. It keeps its product and calling name.
 *
 * @throws NotFoundException  the number is not in the deletion queue of the account, or has been there for 7 days. Assumed: the code.
 */
export const restoration: NumberStep = (named) => {
  const record = requireNumber(named);
  const { id, now, notFound } = named;
  if (statusOf(record, now) !== 'ReleaseInProgress') throw notFound(id);
  const { deletedAt: _deletedAt, releasedAt: _releasedAt, ...rest } = record;
  return { ...rest, state: 'Unassigned', updatedAt: now };
};

/** Changes of several numbers. */
interface NumberChanges<Item> {
  readonly items: readonly Item[];
  idOf(item: Item): string;
  stepOf(item: Item): NumberStep;
  readonly notFound: NotFound;
}

/**
 * Changes several numbers, in their order, and returns an error for each that fails. The other changes take effect. A step that returns the
 * number that it was called with changes nothing.
 *
 * @throws BadRequestException  the list is empty, or has more than `NUMBERS_MAX` items. Assumed: the code for both.
 */
export async function changeNumbers<Item>(
  { tx, accountId, now }: NumberCall,
  { items, idOf, stepOf, notFound }: NumberChanges<Item>,
): Promise<readonly PhoneNumberError[]> {
  if (items.length === 0 || items.length > NUMBERS_MAX) throw badRequest();
  const numbers = items.flatMap((item) => numberOf(idOf(item)) ?? []);
  const records = new Map((await tx.of(phoneNumbers).getSome(accountId, numbers)).map((record) => [record.number, record]));
  const errors: PhoneNumberError[] = [];
  for (const item of items) {
    const id = idOf(item);
    const found = records.get(numberOf(id) ?? '');
    try {
      const record = stepOf(item)({ id, found, now, notFound });
      if (record === found) continue;
      await tx.of(phoneNumbers).put(record);
      // The list can have the number again.
      records.set(record.number, record);
    } catch (error) {
      errors.push(toNumberError(id, error));
    }
  }
  return errors;
}

/** Codes of items by the code of an exception. Source: chime 2018-05-01, ErrorCode. */
const ITEM_CODES: ReadonlyMap<string, NonNullable<PhoneNumberError['ErrorCode']>> = new Map([
  ['BadRequestException', 'BadRequest'],
  ['NotFoundException', 'NotFound'],
  ['ConflictException', 'Conflict'],
]);

/** Returns the error of an item. Rethrows an error that is not one of a single number. */
function toNumberError(PhoneNumberId: string, error: unknown): PhoneNumberError {
  const known = error instanceof AwsError ? ITEM_CODES.get(error.code) : undefined;
  if (known === undefined) throw error;
  const { members, message } = error as AwsError;
  return { PhoneNumberId, ErrorCode: (members?.['Code'] as PhoneNumberError['ErrorCode']) ?? known, ErrorMessage: message };
}
