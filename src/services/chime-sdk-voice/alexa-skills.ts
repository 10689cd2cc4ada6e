import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import { refused } from '../kit/not-yet.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION } from './kinds.ts';

/**
 * Operations on the Alexa skills of SIP media applications. AWS removed Alexa skills, so these operations return
 * GoneException.
 *
 * Source: Chime SDK API reference, GetSipMediaApplicationAlexaSkillConfiguration: AWS no longer offers the operation.
 * The model has GoneException.
 * Assumed: (1) The error does not depend on the application. (2) The wording of the error message.
 */
export const alexaSkillOperations = {
  GetSipMediaApplicationAlexaSkillConfiguration: gone('GetSipMediaApplicationAlexaSkillConfiguration'),
  PutSipMediaApplicationAlexaSkillConfiguration: gone('PutSipMediaApplicationAlexaSkillConfiguration'),
} satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;

/** @throws GoneException always */
function gone(name: string) {
  return refused<object>({
    access: onResource(SIP_MEDIA_APPLICATION),
    async handle() {
      throw new AwsError('GoneException', `The operation ${name} is no longer available.`);
    },
  });
}
