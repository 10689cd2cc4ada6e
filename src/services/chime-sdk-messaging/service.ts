import { appInstanceArn } from '../chime/app-instances.ts';
import { service } from '../kit/service.ts';
import { CHANNEL_FLOW, STREAMING } from './kinds.ts';
import {
  deleteContents,
  forgetDeletedMember,
  recordChannelEvent,
  retentionSweep,
  sweepExpiredChannels,
  sweepRemovedChannels,
} from './sweep.ts';

/** Parts of the server that messaging needs. */
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
  sweeps: [() => sweepExpiredChannels, () => sweepRemovedChannels, retentionSweep],
  subscriptions: [recordChannelEvent, forgetDeletedMember, deleteContents],
});
