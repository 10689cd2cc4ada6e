import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { DeclaredOperation, ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION } from './kinds.ts';

/**
 * Alexa skills of SIP media applications, which AWS removed. Both operations return GoneException.
 *
 * Source: Chime SDK API reference, GetSipMediaApplicationAlexaSkillConfiguration: no longer available; GoneException in the model.
 * Assumed: the error does not depend on the application; the message.
 */
export const alexaSkillOperations = {
  GetSipMediaApplicationAlexaSkillConfiguration: gone('GetSipMediaApplicationAlexaSkillConfiguration'),
  PutSipMediaApplicationAlexaSkillConfiguration: gone('PutSipMediaApplicationAlexaSkillConfiguration'),
} satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;

/** @throws GoneException always */
function gone(name: string): DeclaredOperation<object, never> {
  return {
    access: onResource(SIP_MEDIA_APPLICATION),
    async handle() {
      throw new AwsError('GoneException', `${name} is no longer available.`);
    },
  };
}
