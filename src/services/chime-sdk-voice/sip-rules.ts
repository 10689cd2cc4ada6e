import type { SipRuleTargetApplication, SipRuleTriggerType } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { statusOf } from '../chime-kit/phone-numbers.ts';
import { type NumberRecord, phoneNumbers } from '../chime-kit/tables/phone-numbers.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { type Change, type Filter, resource } from '../kit/resource.ts';
import { onAll } from '../kit/resource-access.ts';
import { findInAccount, listOfAccount, onEach } from './access.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { connectorIdOfHost } from './host-names.ts';
import { SIP_MEDIA_APPLICATION, SIP_RULE, type SipRuleDocument, VOICE_CONNECTOR } from './kinds.ts';

type Targets = readonly SipRuleTargetApplication[];

/**
 * Phone number in E.164 format. Source: ITU-T E.164. Administrator Guide, "Creating a SIP rule": the number has a plus
 * sign.
 */
const PHONE_NUMBER = /^\+[1-9][0-9]{1,14}$/;
/** Product of the numbers that rules can have. Source: chime-sdk-voice 2022-08-03, PhoneNumberProductType. */
const DIAL_IN = 'SipMediaApplicationDialIn';

/**
 * SIP rules. A rule lists the SIP media applications that handle telephone calls to a host name or a number, in order
 * of priority.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipRule … DeleteSipRule. AWS provider of Terraform, sip_rule_test.go: an
 * enabled rule can be deleted, although the API reference says to disable it first.
 * Assumed: (1) Rules have no ARN, so permissions apply to the applications that a request names, or to `*` (CHM-3). (2)
 * ListSipRules for an application that does not exist returns no rules.
 */
export function sipRuleOperations({ limits, hostSuffix }: VoiceDeps) {
  return resource(SIP_RULE, {
    limit: { most: limits.sipRules, per: 'account' },
    create: {
      operation: 'CreateSipRule',
      access: (input, caller) => onTargets(caller, input.TargetApplications),
      async document(call, { Name, Disabled = false, TriggerType, TriggerValue, TargetApplications }) {
        await requireTrigger(call, TriggerType, TriggerValue, hostSuffix);
        return { Name, Disabled, TriggerType, TriggerValue, TargetApplications: await toTargets(call, TargetApplications) };
      },
      guard: [requireFreeTrigger],
      after: associateNumber,
    },
    read: { operation: 'GetSipRule' },
    update: {
      operation: 'UpdateSipRule',
      access: (input, caller) => onTargets(caller, input.TargetApplications ?? []),
      async document(call, { Name, Disabled, TargetApplications }, { document: before }) {
        const document = { ...before, Name, Disabled: Disabled ?? before.Disabled };
        // A rule that remains disabled may keep a target application that was deleted.
        if (TargetApplications === undefined && document.Disabled) return document;
        return { ...document, TargetApplications: await toTargets(call, TargetApplications ?? before.TargetApplications) };
      },
    },
    delete: { operation: 'DeleteSipRule', after: disassociateNumber },
    list: {
      operation: 'ListSipRules',
      access: (input, caller) =>
        input.SipMediaApplicationId === undefined ? onAll(SIP_MEDIA_APPLICATION)(input, caller) : onTargets(caller, [input]),
      filter: ({ SipMediaApplicationId: id }) => (id === undefined ? undefined : targetFilter(id)),
    },
  });
}

/** Reports whether an application is a target of a rule. */
export function isTarget({ TargetApplications }: SipRuleDocument, applicationId: string): boolean {
  return TargetApplications.some(({ SipMediaApplicationId }) => SipMediaApplicationId === applicationId);
}

function targetFilter(applicationId: string): Filter<SipRuleDocument> {
  return { name: applicationId, matches: ({ document }) => isTarget(document, applicationId) };
}

/**
 * Requires the action on every application that a request names, or on `*` if it names none. Source: service
 * authorization reference: the resource type sip-media-application is not required.
 */
function onTargets(caller: Caller, targets: Targets): DeclaredAccess {
  const ids = targets.flatMap(({ SipMediaApplicationId }) => (SipMediaApplicationId === undefined ? [] : [SipMediaApplicationId]));
  return onEach(caller, SIP_MEDIA_APPLICATION, ids, '*');
}

/**
 * Checks the trigger of a rule: the phone number or host name whose calls the rule handles.
 *
 * Source: Chime SDK API reference, CreateSipRule, `TriggerValue`; Administrator Guide, "Understanding SIP applications
 * and rules". A number is one of the customer.
 * Assumed: (1) The error code and the wording of the messages. (2) The number has the product SipMediaApplicationDialIn,
 * and its order is final.
 * @throws BadRequestException
 */
async function requireTrigger({ tx, ...call }: Call, type: SipRuleTriggerType, value: string, hostSuffix: string): Promise<void> {
  switch (type) {
    case 'ToPhoneNumber':
      if (!PHONE_NUMBER.test(value))
        throw new AwsError('BadRequestException', `Invalid phone number '${value}'. It must be in E.164 format.`);
      if (!isDialIn(await tx.of(phoneNumbers).get(call.accountId, value), call.now))
        throw new AwsError(
          'BadRequestException',
          `Invalid phone number '${value}'. It must be a number of this account with the product ${DIAL_IN}.`,
        );
      return;
    case 'RequestUriHostname': {
      const id = connectorIdOfHost(value, hostSuffix);
      const connector = id === undefined ? undefined : await findInAccount(tx, call, VOICE_CONNECTOR, id);
      if (connector === undefined)
        throw new AwsError('BadRequestException', `Invalid host name '${value}'. It must be the outbound host name of a Voice Connector.`);
    }
  }
}

/** Reports whether a rule can have a number. */
function isDialIn(record: NumberRecord | undefined, now: Call['now']): boolean {
  if (record?.productType !== DIAL_IN) return false;
  const status = statusOf(record, now);
  return status === 'Unassigned' || status === 'Assigned';
}

/**
 * Gives the number of a new rule to the rule. The number then cannot be deleted, and cannot change its product.
 *
 * Source: chime-sdk-voice 2022-08-03, PhoneNumberAssociationName; Administrator Guide, "Deleting phone numbers": the SIP rule must be deleted first.
 */
async function associateNumber({ tx, accountId, now }: Call, { id, document }: ResourceRecord<SipRuleDocument>): Promise<void> {
  const record = await numberOf({ tx, accountId }, document);
  if (record === undefined) return;
  const association = { associationName: 'SipRuleId', associatedTo: id, associatedAt: now } as const;
  await tx.of(phoneNumbers).put({ ...record, state: 'Assigned', updatedAt: now, ...association });
}

/** Takes the number of a deleted rule from the rule. */
async function disassociateNumber({ tx, accountId, now }: Call, { id, document }: ResourceRecord<SipRuleDocument>): Promise<void> {
  const record = await numberOf({ tx, accountId }, document);
  // A rule of an earlier version of Belfry has no number.
  if (record?.associationName !== 'SipRuleId' || record.associatedTo !== id) return;
  const { associationName: _name, associatedTo: _to, associatedAt: _at, ...rest } = record;
  await tx.of(phoneNumbers).put({ ...rest, state: 'Unassigned', updatedAt: now });
}

async function numberOf({ tx, accountId }: Pick<Call, 'tx' | 'accountId'>, { TriggerType, TriggerValue }: SipRuleDocument) {
  return TriggerType === 'ToPhoneNumber' ? await tx.of(phoneNumbers).get(accountId, TriggerValue) : undefined;
}

/** @throws ConflictException another rule of the account has the same trigger */
async function requireFreeTrigger(call: Call, { document }: Change<SipRuleDocument, unknown>): Promise<void> {
  const rules = await listOfAccount(call.tx, call, SIP_RULE);
  if (
    rules.some(
      ({ document: { TriggerType, TriggerValue } }) => TriggerType === document.TriggerType && TriggerValue === document.TriggerValue,
    )
  ) {
    throw new AwsError('ConflictException', 'A SIP rule with this trigger already exists.');
  }
}

/**
 * Returns target applications with their regions and priorities.
 *
 * Source: Chime SDK API reference, CreateSipRule, `TargetApplications`: one application per region.
 * Assumed: (1) The default of a target's `AwsRegion` is the region of its application, and another region is an error.
 * (2) The priority is 1 by default. (3) The wording of the error messages.
 * @throws BadRequestException an application does not exist · an application is not in the region of its target · two
 *   applications have the same region
 */
async function toTargets({ tx, ...call }: Call, targets: Targets): Promise<Targets> {
  const regions = new Set<string>();
  const found: SipRuleTargetApplication[] = [];
  for (const { SipMediaApplicationId, Priority = 1, AwsRegion } of targets) {
    if (SipMediaApplicationId === undefined)
      throw new AwsError('BadRequestException', 'A target application must have a SipMediaApplicationId.');
    const application = await findInAccount(tx, call, SIP_MEDIA_APPLICATION, SipMediaApplicationId);
    if (application === undefined) {
      throw new AwsError('BadRequestException', `Could not find SipMediaApplication with Id '${SipMediaApplicationId}'`);
    }
    const { AwsRegion: region } = application.document;
    if (AwsRegion !== undefined && AwsRegion !== region) {
      throw new AwsError('BadRequestException', `SIP media application '${SipMediaApplicationId}' is not in '${AwsRegion}'.`);
    }
    if (regions.has(region))
      throw new AwsError('BadRequestException', `Two target applications are in '${region}'. Each must be in a different region.`);
    regions.add(region);
    found.push({ SipMediaApplicationId, Priority, AwsRegion: region });
  }
  return found;
}
