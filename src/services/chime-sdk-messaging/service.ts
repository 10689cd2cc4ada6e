import { appInstanceArn } from '../chime-kit/app-instances.ts';
import { service } from '../kit/service.ts';
import { sendAnswer } from './bot-answers.ts';
import { invokeBots, tellOfFailedBot, welcomeFromBots } from './bots.ts';
import { postRoomBotMessage, redactConversationMessage, redactRoomMessage } from './chime-messages.ts';
import { streamChannelEvents } from './event-streaming.ts';
import { endUninvoked, sweepUnanswered } from './flow-processing.ts';
import { CHANNEL_FLOW, STREAMING } from './kinds.ts';
import { queuePush } from './push-notifications.ts';
import { removeFromRoomChannel, removeRoomChannel, storeRoomChannel } from './room-channels.ts';
import {
  deleteContents,
  forgetDeletedMember,
  recordExpiredChannel,
  retentionSweep,
  sweepExpiredChannels,
  sweepRemovedChannels,
  tellOfFailedProcessor,
} from './sweep.ts';

/** Parts of the server that Chime SDK messaging needs. */
export interface MessagingParts {
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
}

/** Chime SDK messaging. Channels, memberships and messages have tables of their own. */
export const messaging = service<MessagingParts>({
  name: 'chime-sdk-messaging',
  async operations({ publicUrl }) {
    const [{ messagingOperations }, { DEFAULT_LIMITS }] = await Promise.all([import('./operations.ts'), import('./deps.ts')]);
    return messagingOperations({ limits: DEFAULT_LIMITS, sessionEndpoint: new URL(publicUrl()).host });
  },
  kinds: [CHANNEL_FLOW, STREAMING],
  linkedRoles: [
    {
      principal: 'messaging.chime.amazonaws.com',
      usedBy: async ({ tx }, accountId, limit) =>
        (await tx.resources.listOfAccount(STREAMING, accountId, limit)).map((streaming) => ({
          region: streaming.region,
          arn: appInstanceArn(streaming, streaming.id),
        })),
    },
  ],
  sweeps: [() => sweepUnanswered, () => sweepExpiredChannels, () => sweepRemovedChannels, retentionSweep],
  subscriptions: [
    storeRoomChannel,
    removeFromRoomChannel,
    removeRoomChannel,
    redactRoomMessage,
    redactConversationMessage,
    postRoomBotMessage,
    streamChannelEvents,
    queuePush,
    invokeBots,
    welcomeFromBots,
    sendAnswer,
    recordExpiredChannel,
    tellOfFailedProcessor,
    tellOfFailedBot,
    endUninvoked,
    forgetDeletedMember,
    deleteContents,
  ],
});
