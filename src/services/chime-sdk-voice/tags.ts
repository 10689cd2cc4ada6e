import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKind } from '#store/resources.ts';
import { tagOperations } from '../chime/tags.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { find, voiceArn } from './found.ts';
import { SIP_MEDIA_APPLICATION, VOICE_CONNECTOR } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** Source: service authorization reference, TagResource. Domains of voice profiles, which have tags too, are not built. */
const TAGGED: readonly ResourceKind<unknown>[] = [VOICE_CONNECTOR, SIP_MEDIA_APPLICATION];

/**
 * Tags of voice connectors and SIP media applications.
 *
 * Source: chime-sdk-voice 2022-08-03, TagResource: NotFoundException and ResourceLimitExceededException.
 * Assumed: the texts.
 */
export const voiceTagOperations: Pick<Operations, 'TagResource' | 'UntagResource' | 'ListTagsForResource'> = tagOperations({
  async find(tx, caller, resourceArn) {
    for (const kind of TAGGED) {
      const prefix = voiceArn(kind, caller, '');
      const record = resourceArn.startsWith(prefix) ? await find(tx, caller, kind, resourceArn.slice(prefix.length)) : undefined;
      if (record) return { tags: record.tags, keep: async (tags) => void (await tx.resources.put(kind, { ...record, tags })) };
    }
    return undefined;
  },
  notFound: (resourceArn) => new AwsError('NotFoundException', `Resource ${resourceArn} not found.`),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have ${most} tags.`),
});
