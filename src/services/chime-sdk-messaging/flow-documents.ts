import type { Processor } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceKind } from '#store/resources.ts';

/** What is kept of a channel flow: its processors as given. */
export interface ChannelFlowDocument {
  readonly name: string;
  readonly processors: readonly Processor[];
}

/** Its id is the UUID of its ARN, its parent the id of its app instance. */
export const CHANNEL_FLOW: ResourceKind<ChannelFlowDocument> = { name: 'channel-flow' };
