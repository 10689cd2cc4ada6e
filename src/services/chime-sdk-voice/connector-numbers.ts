import type { ChimeSdkVoiceApi, PhoneNumberError } from '#model/generated/chime-sdk-voice.ts';
import { changeNumbers, type NumberStep, requireNumber, statusOf } from '../chime-kit/phone-numbers.ts';
import { badRequest } from '../chime-kit/request-errors.ts';
import { phoneNumbers } from '../chime-kit/tables/phone-numbers.ts';
import type { Call, DeclaredOperation, ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { find } from '../kit/resource-kind.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, type VoiceKind } from './kinds.ts';
import { noNumber } from './phone-numbers.ts';

/** Kind of association, as the model names it. */
type AssociationName = 'VoiceConnectorId' | 'VoiceConnectorGroupId';

interface AssociateInput {
  readonly E164PhoneNumbers: readonly string[];
  readonly ForceAssociate?: boolean;
}
interface Output {
  readonly PhoneNumberErrors?: readonly PhoneNumberError[];
}

/**
 * Phone numbers of Voice Connectors and of their groups. A number that fails is in `PhoneNumberErrors`, and the others take effect.
 *
 * Source: chime-sdk-voice 2022-08-03; Chime SDK API reference, AssociatePhoneNumbersWithVoiceConnector: `ForceAssociate` replaces an existing
 * association. Assumed: at most 50 numbers, and the codes of the items.
 */
export const connectorNumberOperations = {
  AssociatePhoneNumbersWithVoiceConnector: associate(VOICE_CONNECTOR, 'VoiceConnectorId'),
  AssociatePhoneNumbersWithVoiceConnectorGroup: associate(VOICE_CONNECTOR_GROUP, 'VoiceConnectorGroupId'),
  DisassociatePhoneNumbersFromVoiceConnector: disassociate(VOICE_CONNECTOR, 'VoiceConnectorId'),
  DisassociatePhoneNumbersFromVoiceConnectorGroup: disassociate(VOICE_CONNECTOR_GROUP, 'VoiceConnectorGroupId'),
} satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;

/**
 * Returns the operation that gives numbers to a resource of a kind.
 *
 * Items: NotFound if the account does not have the number; BadRequest if it has another product, or is neither Unassigned nor Assigned;
 * PhoneNumberAssociationsExist if it has another association, without `ForceAssociate`. A number that the resource has already is not an error.
 * @throws NotFoundException    the resource does not exist
 * @throws BadRequestException  there are no numbers, or more than 50
 */
function associate<Name extends AssociationName, Document>(
  kind: VoiceKind<Document>,
  name: Name,
): DeclaredOperation<AssociateInput & Readonly<Record<Name, string>>, Output> {
  return {
    access: onResource(kind),
    async handle(call, input) {
      const id = await requireResource(call, kind, input[name]);
      const step: NumberStep = (named) => {
        const record = requireNumber(named);
        const { now } = named;
        const status = statusOf(record, now);
        if (record.productType !== 'VoiceConnector' || (status !== 'Unassigned' && status !== 'Assigned')) throw badRequest();
        if (record.associationName === name && record.associatedTo === id) return record;
        if (status === 'Assigned' && input.ForceAssociate !== true) throw associationsExist('The phone number has an association.');
        return { ...record, state: 'Assigned', updatedAt: now, associationName: name, associatedTo: id, associatedAt: now };
      };
      return { PhoneNumberErrors: await changeAll(call, input.E164PhoneNumbers, step) };
    },
  };
}

/**
 * Returns the operation that takes numbers from a resource of a kind. Items: NotFound if the resource does not have the number.
 *
 * @throws NotFoundException    the resource does not exist
 * @throws BadRequestException  there are no numbers, or more than 50
 */
function disassociate<Name extends AssociationName, Document>(
  kind: VoiceKind<Document>,
  name: Name,
): DeclaredOperation<Pick<AssociateInput, 'E164PhoneNumbers'> & Readonly<Record<Name, string>>, Output> {
  return {
    access: onResource(kind),
    async handle(call, input) {
      const id = await requireResource(call, kind, input[name]);
      const step: NumberStep = (named) => {
        const { associationName, associatedTo, associatedAt: _at, ...rest } = requireNumber(named);
        if (associationName !== name || associatedTo !== id) throw noNumber();
        return { ...rest, state: 'Unassigned', updatedAt: named.now };
      };
      return { PhoneNumberErrors: await changeAll(call, input.E164PhoneNumbers, step) };
    },
  };
}

function changeAll(call: Call, numbers: readonly string[], step: NumberStep): Promise<readonly PhoneNumberError[]> {
  return changeNumbers(call, { items: numbers, idOf: (number) => number, stepOf: () => step, notFound: noNumber });
}

async function requireResource<Document>(call: Call, kind: VoiceKind<Document>, id: string): Promise<string> {
  const found = await find(call.tx, call, kind, { [kind.identifiers.at(-1) as string]: id });
  if (found === undefined) throw kind.conventions.notFound(kind.title, id);
  return found.id;
}

/**
 * Checks before the deletion of a Voice Connector or a group that it has no phone numbers.
 *
 * Source: Chime SDK API reference, DeleteVoiceConnector, DeleteVoiceConnectorGroup: phone numbers must be disassociated first. Assumed: the text.
 * @throws ConflictException with the `Code` PhoneNumberAssociationsExist
 */
export function refuseWithNumbers(
  name: AssociationName,
): (call: Call, change: { readonly before?: { readonly id: string } }) => Promise<void> {
  return async ({ tx, accountId }, { before }) => {
    if (before === undefined) return;
    const found = await tx.of(phoneNumbers).associated(accountId, name, before.id, 1);
    if (found.length > 0) throw associationsExist(`'${before.id}' still has phone numbers.`);
  };
}

/** Source: chime-sdk-voice 2022-08-03, ErrorCode. Assumed: PhoneNumberAssociationsExist is the `Code` of the ConflictException. */
function associationsExist(message: string): AwsError {
  return new AwsError('ConflictException', message, { Code: 'PhoneNumberAssociationsExist' });
}
