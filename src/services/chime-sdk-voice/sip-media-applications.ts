import { parseArn } from '#core/arn.ts';
import type { ChimeSdkVoiceApi, UpdateSipMediaApplicationRequest } from '#model/generated/chime-sdk-voice.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { member } from '../kit/resource-member.ts';
import { listOfAccount } from './access.ts';
import { VOICE_REGIONS } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION, SIP_RULE, type SipMediaApplicationDocument } from './kinds.ts';
import { createVoiceConnectorRole, onVoiceConnectorRole } from './linked-role.ts';
import { isTarget } from './sip-rules.ts';

type ApplicationChange<Input = unknown> = Change<SipMediaApplicationDocument, Input>;

/** Valid values of the `AwsRegion` of an application. They are the regions of Voice Connectors. */
const REGIONS: ReadonlySet<string> = new Set(VOICE_REGIONS);

/**
 * SIP media applications. Each application has a Lambda function that controls telephone calls. This server stores the
 * configuration of applications and carries no media of calls. Creating or changing an application creates the service-linked
 * role of Voice Connectors if it does not exist. Requirements SLR-6, SLR-15, LOG-27.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipMediaApplication … DeleteSipMediaApplication.
 * Assumed: an application belongs to the region of the control plane that created it, which may differ from
 * `AwsRegion`.
 */
export function sipMediaApplicationOperations(deps: VoiceDeps) {
  const most = deps.limits.sipMediaApplications;
  const ensureRole = (call: Call) => createVoiceConnectorRole(call);

  /**
   * Checks that no other application has the name. Assumed: a name in use is the reason for the ConflictException of
   * CreateSipMediaApplication and UpdateSipMediaApplication.
   */
  async function requireFreeName(call: Call, { document, before }: ApplicationChange): Promise<void> {
    // Not only the first `most` applications, because the operator can lower the limit.
    const all = await listOfAccount(call.tx, call, SIP_MEDIA_APPLICATION);
    if (all.some(({ id, region, document: { Name } }) => region === call.region && id !== before?.id && Name === document.Name)) {
      throw new AwsError('ConflictException', `A SIP media application with the name '${document.Name}' already exists.`);
    }
  }

  return {
    ...resource(SIP_MEDIA_APPLICATION, {
      limit: { most, per: 'region' },
      create: {
        operation: 'CreateSipMediaApplication',
        also: (_, caller) => [onVoiceConnectorRole(caller)],
        guard: [requireVoiceRegion, requireFunctions, 'tags', requireFreeName, 'limit', ensureRole],
      },
      read: { operation: 'GetSipMediaApplication' },
      update: {
        operation: 'UpdateSipMediaApplication',
        also: (_, caller) => [onVoiceConnectorRole(caller)],
        guard: [requireFunctions, requireFreeName, ensureRole],
      },
      delete: { operation: 'DeleteSipMediaApplication', guard: [refuseWithEnabledRule] },
      list: { operation: 'ListSipMediaApplications' },
    }),

    ...member(SIP_MEDIA_APPLICATION, 'SipMediaApplicationLoggingConfiguration', {
      read: {
        operation: 'GetSipMediaApplicationLoggingConfiguration',
        otherwise: { EnableSipMediaApplicationMessageLogs: false },
      },
      put: {
        operation: 'PutSipMediaApplicationLoggingConfiguration',
        /** Assumed: an absent member is false. */
        value: ({ SipMediaApplicationLoggingConfiguration: { EnableSipMediaApplicationMessageLogs = false } = {} }) => ({
          EnableSipMediaApplicationMessageLogs,
        }),
      },
    }),
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/** @throws BadRequestException `AwsRegion` is not one of `VOICE_REGIONS` */
function requireVoiceRegion(_: Call, { document }: ApplicationChange): void {
  if (!REGIONS.has(document.AwsRegion))
    throw new AwsError('BadRequestException', `Invalid AwsRegion '${document.AwsRegion}'. Valid: ${VOICE_REGIONS.join(', ')}`);
}

/**
 * Checks the Lambda functions of a request. Does not check that they exist.
 *
 * Source: Chime SDK API reference, SipMediaApplicationEndpoint: the function is in the same region as the application.
 * Assumed: the wording of the error messages.
 * @throws BadRequestException an endpoint has no function, or a function of another region
 */
function requireFunctions(
  _: Call,
  { input: { Endpoints = [] }, document: { AwsRegion } }: ApplicationChange<Pick<UpdateSipMediaApplicationRequest, 'Endpoints'>>,
): void {
  for (const { LambdaArn } of Endpoints) {
    if (LambdaArn === undefined) throw new AwsError('BadRequestException', 'An endpoint must have a LambdaArn.');
    if (parseArn(LambdaArn)?.region !== AwsRegion) {
      throw new AwsError(
        'BadRequestException',
        `The Lambda function of an endpoint must be in '${AwsRegion}', the region of the application.`,
      );
    }
  }
}

/**
 * Checks before the deletion of an application that no enabled rule has it as a target. A disabled rule keeps its
 * target after the deletion.
 *
 * Source: Chime SDK Administrator Guide, "Disabling a SIP rule": a rule must be disabled before an associated
 * application is deleted; "Deleting a SIP media application": rules are not deleted with the application.
 * Assumed: the wording of the error message.
 * @throws ConflictException
 */
async function refuseWithEnabledRule(call: Call, { before }: ApplicationChange): Promise<void> {
  const id = before?.id as string;
  const rules = await listOfAccount(call.tx, call, SIP_RULE);
  const rule = rules.find(({ document }) => !document.Disabled && isTarget(document, id));
  if (rule !== undefined)
    throw new AwsError('ConflictException', `SIP rule '${rule.id}' is enabled and has the SIP media application '${id}' as a target.`);
}
