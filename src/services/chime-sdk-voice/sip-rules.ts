import type { ChimeSdkVoiceApi, SipRule, SipRuleTargetApplication, SipRuleTriggerType } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Access, Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { connectorIdOfHost } from './connectors.ts';
import type { VoiceDeps, VoiceLimits } from './deps.ts';
import { AwsError } from './errors.ts';
import { addNew, everyOfAccount, findAnywhere, limitExceeded, onEach, onKind, orNotFound, pageOfKind, placeOf, update } from './found.ts';
import { SIP_MEDIA_APPLICATION, SIP_RULE, type SipRuleDocument, VOICE_CONNECTOR } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;
type Targets = readonly SipRuleTargetApplication[];

/** Source: ITU-T E.164, and the admin guide's "Creating a SIP rule": with a plus sign. */
const PHONE_NUMBER = /^\+[1-9][0-9]{1,14}$/;

/**
 * SIP rules: which SIP media applications take a call to a host name or a number, in which order.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipRule … DeleteSipRule.
 * Assumed: rules, which have no ARN, are asked for on `*` where no application is named (CHM-3).
 */
export function sipRuleOperations({
  limits,
}: VoiceDeps): Pick<Operations, 'CreateSipRule' | 'GetSipRule' | 'ListSipRules' | 'UpdateSipRule' | 'DeleteSipRule'> {
  return {
    /**
     * @throws BadRequestException            a trigger that cannot be, an application that is not there or whose region is given twice
     * @throws ConflictException              another rule of the account has the trigger
     * @throws ResourceLimitExceededException the account has as many rules as it may
     */
    CreateSipRule: {
      access: (input, caller) => onTargets(caller, 'chime:CreateSipRule', input.TargetApplications),
      async handle(call, input) {
        const { TriggerType: triggerType, TriggerValue: triggerValue } = input;
        await requireTrigger(call, triggerType, triggerValue);
        const targetApplications = await toTargets(call, input.TargetApplications);
        const rules = await everyOfAccount(call.tx, call, SIP_RULE);
        if (rules.some(({ document }) => document.triggerType === triggerType && document.triggerValue === triggerValue)) {
          throw new AwsError('ConflictException', 'A SIP rule has this trigger already.');
        }
        if (rules.length >= limits.sipRules) throw limitExceeded(SIP_RULE, limits.sipRules);
        const document = { name: input.Name, disabled: input.Disabled ?? false, triggerType, triggerValue, targetApplications };
        return { SipRule: toRule(await addNew(call, SIP_RULE, { id: call.newId(), document })) };
      },
    },

    /** @throws NotFoundException no such rule */
    GetSipRule: {
      access: () => ({ action: 'chime:GetSipRule', resources: ['*'] }),
      handle: async (call, input) => ({ SipRule: toRule(await orNotFound(call, SIP_RULE, input.SipRuleId)) }),
    },

    /**
     * In the order of ids; with an application, only the rules that name it. Assumed: an application that is not there has none.
     * @throws BadRequestException a token of another list
     */
    ListSipRules: {
      access: (input, caller) =>
        input.SipMediaApplicationId === undefined
          ? onKind(caller, 'chime:ListSipRules', SIP_MEDIA_APPLICATION)
          : onTargets(caller, 'chime:ListSipRules', [{ SipMediaApplicationId: input.SipMediaApplicationId }]),
      async handle(call, input) {
        const { SipMediaApplicationId: wanted } = input;
        const { things, rest } =
          wanted === undefined
            ? await pageOfKind(call, SIP_RULE, input)
            : await pageOfKind(call, SIP_RULE, input, rulesOf(call, wanted, limits), `${SIP_RULE.name} ${wanted}`);
        return { SipRules: things.map(toRule), ...rest };
      },
    },

    /**
     * What is not given stays; the trigger always does.
     *
     * @throws NotFoundException   no such rule
     * @throws BadRequestException an application that is not there or whose region is given twice
     */
    UpdateSipRule: {
      access: (input, caller) => onTargets(caller, 'chime:UpdateSipRule', input.TargetApplications ?? []),
      async handle(call, input) {
        const before = await orNotFound(call, SIP_RULE, input.SipRuleId);
        const disabled = input.Disabled ?? before.document.disabled;
        const targets = input.TargetApplications ?? before.document.targetApplications;
        // One that stays disabled may keep an application that is gone.
        const kept = input.TargetApplications === undefined && disabled;
        const targetApplications = kept ? targets : await toTargets(call, targets);
        return { SipRule: toRule(await update(call, SIP_RULE, before, { name: input.Name, disabled, targetApplications })) };
      },
    },

    /**
     * Source: Chime SDK API reference, CreateSipRule, `Disabled`: a rule is disabled before it is deleted.
     * Assumed: the text.
     * @throws NotFoundException no such rule
     * @throws ConflictException it is enabled
     */
    DeleteSipRule: {
      access: () => ({ action: 'chime:DeleteSipRule', resources: ['*'] }),
      async handle(call, input) {
        const { id, document } = await orNotFound(call, SIP_RULE, input.SipRuleId);
        if (!document.disabled) throw new AwsError('ConflictException', `SIP rule ${id} is enabled: disable it first.`);
        await call.tx.resources.remove(SIP_RULE, { ...placeOf(call), id });
        return {};
      },
    },
  };
}

type Rule = ResourceRecord<SipRuleDocument>;

/** Whether an application is a target of a rule. */
export function namesApplication({ targetApplications }: SipRuleDocument, applicationId: string): boolean {
  return targetApplications.some(({ SipMediaApplicationId }) => SipMediaApplicationId === applicationId);
}

/** Reads the rules that name an application: an account has too few of them to need an index. */
function rulesOf({ tx, ...where }: Call, applicationId: string, { sipRules }: VoiceLimits) {
  return async (limit: number, after: string | undefined): Promise<readonly Rule[]> => {
    const rules = await tx.resources.list(SIP_RULE, placeOf(where), sipRules, after);
    return rules.filter(({ document }) => namesApplication(document, applicationId)).slice(0, limit);
  };
}

/** Asks for every application that is named, wherever it is. Source: service authorization reference: sip-media-application, not required. */
function onTargets(caller: Caller, action: Access['action'], targets: Targets): Access {
  const ids = targets.flatMap(({ SipMediaApplicationId }) => (SipMediaApplicationId === undefined ? [] : [SipMediaApplicationId]));
  return onEach(caller, action, SIP_MEDIA_APPLICATION, ids, '*');
}

/**
 * Source: Chime SDK API reference, CreateSipRule, `TriggerValue`; Administrator Guide, "Understanding SIP applications and rules".
 * Assumed: BadRequestException, and the texts. A number is taken at its word: there is no inventory to seek it in.
 */
async function requireTrigger({ tx, ...call }: Call, type: SipRuleTriggerType, value: string): Promise<void> {
  switch (type) {
    case 'ToPhoneNumber':
      if (!PHONE_NUMBER.test(value)) throw new AwsError('BadRequestException', `Not a phone number in E.164 format: ${value}`);
      return;
    case 'RequestUriHostname': {
      const id = connectorIdOfHost(value);
      const connector = id === undefined ? undefined : await findAnywhere(tx, call, VOICE_CONNECTOR, id);
      if (connector === undefined) throw new AwsError('BadRequestException', `Not the outbound host name of a Voice Connector: ${value}`);
    }
  }
}

/**
 * Source: Chime SDK API reference, CreateSipRule, `TargetApplications`: one application a region.
 * Assumed: the region is the application's where none is given, and must be it; the priority is 1 where none is given; the texts.
 */
async function toTargets({ tx, ...call }: Call, targets: Targets): Promise<Targets> {
  const regions = new Set<string>();
  const found: SipRuleTargetApplication[] = [];
  for (const { SipMediaApplicationId, Priority = 1, AwsRegion } of targets) {
    if (SipMediaApplicationId === undefined)
      throw new AwsError('BadRequestException', 'A target application must have a SipMediaApplicationId.');
    const application = await findAnywhere(tx, call, SIP_MEDIA_APPLICATION, SipMediaApplicationId);
    if (application === undefined) throw new AwsError('BadRequestException', `SIP media application ${SipMediaApplicationId} not found.`);
    const { awsRegion } = application.document;
    if (AwsRegion !== undefined && AwsRegion !== awsRegion) {
      throw new AwsError('BadRequestException', `SIP media application ${SipMediaApplicationId} is not in ${AwsRegion}.`);
    }
    if (regions.has(awsRegion)) throw new AwsError('BadRequestException', `Two target applications are in ${awsRegion}.`);
    regions.add(awsRegion);
    found.push({ SipMediaApplicationId, Priority, AwsRegion: awsRegion });
  }
  return found;
}

function toRule({ id, document, createdAt, updatedAt }: Rule): SipRule {
  return {
    SipRuleId: id,
    Name: document.name,
    Disabled: document.disabled,
    TriggerType: document.triggerType,
    TriggerValue: document.triggerValue,
    TargetApplications: document.targetApplications,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
  };
}
