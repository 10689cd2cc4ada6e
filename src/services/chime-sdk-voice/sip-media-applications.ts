import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi, SipMediaApplication, SipMediaApplicationEndpoint } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { VOICE_REGIONS } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import {
  addNew,
  everyOfAccount,
  limitExceeded,
  onKind,
  onSipMediaApplication,
  orNotFound,
  pageOfKind,
  placeOf,
  update,
  voiceArn,
} from './found.ts';
import { SIP_MEDIA_APPLICATION, SIP_RULE, type SipMediaApplicationDocument } from './kinds.ts';
import { makeVoiceConnectorRole, onVoiceConnectorRole } from './linked-role.ts';
import { namesApplication } from './sip-rules.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** No regions but these have voice. */
const REGIONS: ReadonlySet<string> = new Set(VOICE_REGIONS);

/**
 * SIP media applications: which function a call is handed to. There are no calls; what is configured is kept.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipMediaApplication … DeleteSipMediaApplication.
 * Assumed: an application belongs to the region of the control plane that made it, which `AwsRegion` need not be.
 */
export function sipMediaApplicationOperations(
  deps: VoiceDeps,
): Pick<
  Operations,
  | 'CreateSipMediaApplication'
  | 'GetSipMediaApplication'
  | 'ListSipMediaApplications'
  | 'UpdateSipMediaApplication'
  | 'DeleteSipMediaApplication'
  | 'GetSipMediaApplicationLoggingConfiguration'
  | 'PutSipMediaApplicationLoggingConfiguration'
> {
  return {
    /**
     * Makes the service-linked role of Voice Connectors where there is none. Requirement SLR-6.
     *
     * @throws BadRequestException            a region without voice, an endpoint without a function, a tag that cannot be
     * @throws ConflictException              another application has the name
     * @throws ResourceLimitExceededException the account has as many applications as it may in this region
     * @throws ForbiddenException             people have made a role of the service-linked role's name
     */
    CreateSipMediaApplication: {
      access: (input, caller) => [
        ...onNew(caller, 'chime:CreateSipMediaApplication', voiceArn(SIP_MEDIA_APPLICATION, caller, '*'), input.Tags),
        onVoiceConnectorRole(caller),
      ],
      async handle(call, input) {
        if (!REGIONS.has(input.AwsRegion)) throw new AwsError('BadRequestException', `Invalid AWS Region: ${input.AwsRegion}`);
        requireEndpoints(input.Endpoints);
        requireTags(input.Tags ?? []);
        const { sipMediaApplications: most } = deps.limits;
        const present = await call.tx.resources.list(SIP_MEDIA_APPLICATION, placeOf(call), most);
        requireFreeName(present, input.Name);
        if (present.length >= most) throw limitExceeded(SIP_MEDIA_APPLICATION, most);
        await makeVoiceConnectorRole(call);
        const document = { name: input.Name, awsRegion: input.AwsRegion, endpoints: input.Endpoints };
        const tags = withTags([], input.Tags ?? []);
        return { SipMediaApplication: toApplication(await addNew(call, SIP_MEDIA_APPLICATION, { id: call.newId(), tags, document })) };
      },
    },

    /** @throws NotFoundException no such application */
    GetSipMediaApplication: {
      access: (input, caller) => onSipMediaApplication(caller, 'chime:GetSipMediaApplication', input),
      handle: async (call, input) => ({ SipMediaApplication: toApplication(await applicationOrNotFound(call, input)) }),
    },

    /** In the order of ids. @throws BadRequestException a token of another list */
    ListSipMediaApplications: {
      access: (_, caller) => onKind(caller, 'chime:ListSipMediaApplications', SIP_MEDIA_APPLICATION),
      async handle(call, input) {
        const { things, rest } = await pageOfKind(call, SIP_MEDIA_APPLICATION, input);
        return { SipMediaApplications: things.map(toApplication), ...rest };
      },
    },

    /**
     * Makes the service-linked role of Voice Connectors where there is none. Requirement SLR-15. What is not given stays.
     *
     * @throws NotFoundException   no such application
     * @throws BadRequestException an endpoint without a function
     * @throws ConflictException   another application has the name
     * @throws ForbiddenException  people have made a role of the service-linked role's name
     */
    UpdateSipMediaApplication: {
      access: (input, caller) => [onSipMediaApplication(caller, 'chime:UpdateSipMediaApplication', input), onVoiceConnectorRole(caller)],
      async handle(call, input) {
        const before = await applicationOrNotFound(call, input);
        const { Name: name = before.document.name, Endpoints: endpoints = before.document.endpoints } = input;
        requireEndpoints(endpoints);
        const others = await call.tx.resources.list(SIP_MEDIA_APPLICATION, placeOf(call), deps.limits.sipMediaApplications);
        requireFreeName(
          others.filter(({ id }) => id !== before.id),
          name,
        );
        await makeVoiceConnectorRole(call);
        return { SipMediaApplication: toApplication(await update(call, SIP_MEDIA_APPLICATION, before, { name, endpoints })) };
      },
    },

    /**
     * A disabled rule that names it stays.
     *
     * Source: Chime SDK Administrator Guide, "Disabling a SIP rule": it must be disabled before an associated application is deleted;
     * "Deleting a SIP media application": rules are not deleted with it.
     * Assumed: the text.
     * @throws NotFoundException no such application
     * @throws ConflictException an enabled rule names it
     */
    DeleteSipMediaApplication: {
      access: (input, caller) => onSipMediaApplication(caller, 'chime:DeleteSipMediaApplication', input),
      async handle(call, input) {
        const { id } = await applicationOrNotFound(call, input);
        const rules = await everyOfAccount(call.tx, call, SIP_RULE);
        const rule = rules.find(({ document }) => !document.disabled && namesApplication(document, id));
        if (rule !== undefined)
          throw new AwsError('ConflictException', `SIP rule ${rule.id} is enabled and has SIP media application ${id}.`);
        await call.tx.resources.remove(SIP_MEDIA_APPLICATION, { ...placeOf(call), id });
        return {};
      },
    },

    /** @throws NotFoundException no such application */
    GetSipMediaApplicationLoggingConfiguration: {
      access: (input, caller) => onSipMediaApplication(caller, 'chime:GetSipMediaApplicationLoggingConfiguration', input),
      async handle(call, input) {
        const { logging } = (await applicationOrNotFound(call, input)).document;
        return { SipMediaApplicationLoggingConfiguration: logging ?? { EnableSipMediaApplicationMessageLogs: false } };
      },
    },

    /** Requirement LOG-27. Assumed: what is not given is false. @throws NotFoundException no such application */
    PutSipMediaApplicationLoggingConfiguration: {
      access: (input, caller) => onSipMediaApplication(caller, 'chime:PutSipMediaApplicationLoggingConfiguration', input),
      async handle(call, input) {
        const before = await applicationOrNotFound(call, input);
        const { EnableSipMediaApplicationMessageLogs = false } = input.SipMediaApplicationLoggingConfiguration ?? {};
        const logging = { EnableSipMediaApplicationMessageLogs };
        await call.tx.resources.put(SIP_MEDIA_APPLICATION, { ...before, document: { ...before.document, logging } });
        return { SipMediaApplicationLoggingConfiguration: logging };
      },
    },
  };
}

type Application = ResourceRecord<SipMediaApplicationDocument>;

function applicationOrNotFound(call: Call, { SipMediaApplicationId }: { readonly SipMediaApplicationId: string }): Promise<Application> {
  return orNotFound(call, SIP_MEDIA_APPLICATION, SipMediaApplicationId);
}

/** Assumed: the text. */
function requireEndpoints(endpoints: readonly SipMediaApplicationEndpoint[]): void {
  if (endpoints.some(({ LambdaArn }) => LambdaArn === undefined)) {
    throw new AwsError('BadRequestException', 'An endpoint must have a LambdaArn.');
  }
}

/** Assumed: this is what the ConflictException of Create- and UpdateSipMediaApplication is about. */
function requireFreeName(applications: readonly Application[], name: string): void {
  if (applications.some(({ document }) => document.name === name)) {
    throw new AwsError('ConflictException', `A SIP media application has the name ${name} already.`);
  }
}

function toApplication(record: Application): SipMediaApplication {
  const { id, document, createdAt, updatedAt } = record;
  return omitUndefined({
    SipMediaApplicationId: id,
    AwsRegion: document.awsRegion,
    Name: document.name,
    Endpoints: document.endpoints,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
    SipMediaApplicationArn: voiceArn(SIP_MEDIA_APPLICATION, record, id),
  });
}
