import type { SipRuleTargetApplication, SipRuleTriggerType } from '#model/generated/chime-sdk-voice.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { type Change, type Filter, resource } from '../kit/resource.ts';
import { onAll } from '../kit/resource-access.ts';
import { findInAccount, listOfAccount, onEach } from './access.ts';
import { connectorIdOfHost } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION, SIP_RULE, type SipRuleDocument, VOICE_CONNECTOR } from './kinds.ts';

type Targets = readonly SipRuleTargetApplication[];

/** Source: ITU-T E.164. Administrator Guide, "Creating a SIP rule": with a plus sign. */
const PHONE_NUMBER = /^\+[1-9][0-9]{1,14}$/;

/**
 * SIP rules: the SIP media applications that take a call to a host name or a number, in order of priority.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipRule … DeleteSipRule. AWS provider of Terraform, sip_rule_test.go: an enabled rule can be
 * deleted, although the API reference says to disable it first.
 * Assumed: rules have no ARN, so permissions apply to the applications that a request names, or to `*` (CHM-3);
 * ListSipRules for an application that does not exist returns no rules.
 */
export function sipRuleOperations({ limits }: VoiceDeps) {
  return resource(SIP_RULE, {
    limit: { most: limits.sipRules, per: 'account' },
    create: {
      operation: 'CreateSipRule',
      access: (input, caller) => onTargets(caller, input.TargetApplications),
      async document(call, { Name, Disabled = false, TriggerType, TriggerValue, TargetApplications }) {
        await requireTrigger(call, TriggerType, TriggerValue);
        return { Name, Disabled, TriggerType, TriggerValue, TargetApplications: await toTargets(call, TargetApplications) };
      },
      guard: [requireFreeTrigger],
    },
    read: { operation: 'GetSipRule' },
    update: {
      operation: 'UpdateSipRule',
      access: (input, caller) => onTargets(caller, input.TargetApplications ?? []),
      async document(call, { Name, Disabled, TargetApplications }, { document: before }) {
        const document = { ...before, Name, Disabled: Disabled ?? before.Disabled };
        // A rule that remains disabled may keep an application that was deleted.
        if (TargetApplications === undefined && document.Disabled) return document;
        return { ...document, TargetApplications: await toTargets(call, TargetApplications ?? before.TargetApplications) };
      },
    },
    delete: { operation: 'DeleteSipRule' },
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

/** Requires the action on every application that a request names. Source: service authorization reference: sip-media-application, not required. */
function onTargets(caller: Caller, targets: Targets): DeclaredAccess {
  const ids = targets.flatMap(({ SipMediaApplicationId }) => (SipMediaApplicationId === undefined ? [] : [SipMediaApplicationId]));
  return onEach(caller, SIP_MEDIA_APPLICATION, ids, '*');
}

/**
 * Checks the trigger of a rule.
 *
 * Source: Chime SDK API reference, CreateSipRule, `TriggerValue`; Administrator Guide, "Understanding SIP applications and rules".
 * Assumed: the code and the messages. Any phone number is valid, because there is no inventory.
 * @throws BadRequestException
 */
async function requireTrigger({ tx, ...call }: Call, type: SipRuleTriggerType, value: string): Promise<void> {
  switch (type) {
    case 'ToPhoneNumber':
      if (!PHONE_NUMBER.test(value))
        throw new AwsError('BadRequestException', `Invalid phone number '${value}'. It must be in E.164 format.`);
      return;
    case 'RequestUriHostname': {
      const id = connectorIdOfHost(value);
      const connector = id === undefined ? undefined : await findInAccount(tx, call, VOICE_CONNECTOR, id);
      if (connector === undefined)
        throw new AwsError('BadRequestException', `Invalid host name '${value}'. It must be the outbound host name of a Voice Connector.`);
    }
  }
}

/** @throws ConflictException another rule of the account has the trigger */
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
 * Assumed: the region is the application's by default and otherwise must equal it; the priority is 1 by default; the messages.
 * @throws BadRequestException an application does not exist or is not in the region, or two have the same region
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
      throw new AwsError('BadRequestException', `Two target applications are in '${region}'. A region can have one.`);
    regions.add(region);
    found.push({ SipMediaApplicationId, Priority, AwsRegion: region });
  }
  return found;
}
