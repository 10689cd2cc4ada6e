import { parseArn } from '#core/arn.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { VOICE_PROFILE_DOMAIN, type VoiceProfileDomainDocument } from './kinds.ts';

/**
 * Domains of voice profiles. This server stores the domains, and no voice profile can be created in one: a profile needs
 * the audio of a call (`voice-analysis.ts`).
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceProfileDomain … DeleteVoiceProfileDomain, ListVoiceProfiles.
 * Assumed: (1) Several domains can have the same name. (2) A client request token returns the first domain again, and a
 * token that was used for another request is ConflictException.
 */
export function voiceProfileDomainOperations({ limits }: VoiceDeps) {
  return {
    ...resource(VOICE_PROFILE_DOMAIN, {
      limit: { most: limits.profileDomains, per: 'region' },
      create: { operation: 'CreateVoiceProfileDomain', once: true, guard: [requireKey, 'tags', 'limit'] },
      read: { operation: 'GetVoiceProfileDomain' },
      update: { operation: 'UpdateVoiceProfileDomain' },
      delete: { operation: 'DeleteVoiceProfileDomain' },
      list: { operation: 'ListVoiceProfileDomains' },
    }),

    /** Returns an empty list, because no domain has voice profiles. @throws NotFoundException  the domain does not exist */
    ListVoiceProfiles: {
      access: onResource(VOICE_PROFILE_DOMAIN),
      async handle(call, input) {
        await findOrThrow(call, VOICE_PROFILE_DOMAIN, { ...input });
        return { VoiceProfiles: [] };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/** Resource of the ARN of a key. Source: AWS KMS Developer Guide, key ARN: `key/` and the key ID, also of multi-Region keys. */
const KEY = /^key\/[0-9A-Za-z-]{1,128}$/;

/**
 * Checks that the encryption key is a key of KMS. Does not check that the key exists, because this server has no KMS.
 *
 * Source: Chime SDK API reference, ServerSideEncryptionConfiguration: the ARN of a symmetric KMS key.
 * Assumed: (1) The key is in the region of the domain. (2) The error code. (3) The wording of the message, which omits the
 * ARN because the model marks it as sensitive.
 * @throws BadRequestException
 */
function requireKey({ region }: Call, { document }: Change<VoiceProfileDomainDocument, unknown>): void {
  const key = parseArn(document.ServerSideEncryptionConfiguration.KmsKeyArn);
  if (key?.service !== 'kms' || key.region !== region || !KEY.test(key.resource))
    throw new AwsError('BadRequestException', `KmsKeyArn must be the ARN of a KMS key in '${region}'.`);
}
