/** Events that the Chime services send to the event bus of the account. */
import { type BusEvent, type BusEventFacts, textOfFacts } from '../kit/bus-event.ts';
import type { Work } from '../kit/events.ts';
import type { Where } from '../kit/resource-kind.ts';

/**
 * The `detail-type` of the events of Chime. An event is emitted if its feature exists in this server.
 *
 * Source: EventBridge Events Reference, "Amazon Chime"; Chime SDK Developer Guide and Administrator Guide. Requirement LOG-19.
 */
export const DETAIL_TYPES = {
  meeting: 'Chime Meeting State Change',
  channelFlow: 'Chime ChannelFlow Processing Status',
  botFailure: 'Chime Messaging AppInstanceBot Lex Failure',
  endpointFailure: 'Chime Messaging AppInstanceUserEndpoint Delivery Failure',
  chatStreaming: 'Chime Chat Streaming Status',
  streamPool: 'Chime Media Pipeline Kinesis Video Pool State Change',
  // Media, voice calls and their pipelines do not exist yet, so these events are not emitted.
  connectorStreaming: 'Chime VoiceConnector Streaming Status',
  streaming: 'Chime Streaming Status',
  mediaPipeline: 'Chime Media Pipeline State Change',
  insights: 'Media Insights State Change',
  insightsRules: 'Media Insights Rules Matched',
  callInsights: 'Call Insights State Change',
  callInsightsRules: 'Call Insights Rules Matched',
} as const;

/**
 * Returns an event of Chime. The server adds `version` to the detail.
 *
 * Source: LOG-18: the envelope has no resources, and `source` is `aws.chime`.
 */
export function chimeEvent(
  { accountId, region }: Where,
  kind: keyof typeof DETAIL_TYPES,
  detail: Readonly<Record<string, unknown>>,
): BusEventFacts {
  return { accountId, region, source: 'aws.chime', detailType: DETAIL_TYPES[kind], resources: [], detail: { version: '0', ...detail } };
}

/** Sends an event of Chime to the default bus of the account. */
export async function emitChimeEvent(
  { emit }: Pick<Work, 'emit'>,
  where: Where,
  kind: keyof typeof DETAIL_TYPES,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await emit<BusEvent>({ type: 'BusEvent', ...chimeEvent(where, kind, detail) });
}

/** Returns an event of Chime as the text that queues, topics and functions receive. It equals the event on the bus, except for its ID. */
export function chimeEventText({ now, newId }: Pick<Work, 'now' | 'newId'>, facts: BusEventFacts): string {
  return textOfFacts(newId(), now, facts);
}
