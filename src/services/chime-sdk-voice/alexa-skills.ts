import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { Operation, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { onSipMediaApplication } from './found.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/**
 * Alexa skills of SIP media applications, which AWS has given up: both operations only say so.
 *
 * Source: Chime SDK API reference, GetSipMediaApplicationAlexaSkillConfiguration: no longer available; GoneException in the model.
 * Assumed: that it is answered whatever the application, and the text.
 */
export const alexaSkillOperations: Pick<
  Operations,
  'GetSipMediaApplicationAlexaSkillConfiguration' | 'PutSipMediaApplicationAlexaSkillConfiguration'
> = {
  GetSipMediaApplicationAlexaSkillConfiguration: gone('GetSipMediaApplicationAlexaSkillConfiguration'),
  PutSipMediaApplicationAlexaSkillConfiguration: gone('PutSipMediaApplicationAlexaSkillConfiguration'),
};

/** @throws GoneException always */
function gone(name: string): Operation<{ readonly SipMediaApplicationId: string }, never> {
  return {
    access: (input, caller) => onSipMediaApplication(caller, `chime:${name}`, input),
    async handle() {
      throw new AwsError('GoneException', `${name} is no longer available.`);
    },
  };
}
