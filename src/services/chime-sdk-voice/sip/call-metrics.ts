/**
 * Metrics of calls, in the namespace `AWS/ChimeVoiceConnector`. Requirement LOG-25.
 *
 * Source: Chime SDK Administrator Guide, "Monitoring with CloudWatch": the names, the dimensions and the unit. Assumed: the codes are the
 * final codes of INVITEs. An attempt counts for the first Voice Connector of a group, and the end for the one that received the call. Metrics of
 * media and of active calls need a media server, and do not exist.
 */
import type { MetricCounts } from '../../kit/metric-counts.ts';
import type { SipCallRecord } from '../tables/sip-calls.ts';
import type { Outcome } from './decision.ts';

type OfConnector = { readonly accountId: SipCallRecord['accountId']; readonly id: string; readonly awsRegion: string };

/** Counts a decision. Decisions about sources that are not allowed are not counted. */
export function countDecision(counts: MetricCounts, outcome: Outcome): void {
  if (outcome.kind === 'pong' || outcome.connector === undefined || outcome.call === undefined) return;
  const { connector, call } = outcome;
  count(counts, connector, `${call.direction}CallAttempts`);
  if (outcome.kind === 'relay') return;
  if (outcome.isThrottled) count(counts, connector, 'Throttles');
  count(counts, connector, `${call.direction}CallFailures`);
  count(counts, connector, codes(outcome.code));
}

/** Counts the end of a call that was relayed. */
export function countEnd(counts: MetricCounts, { accountId, voiceConnectorId, document }: SipCallRecord): void {
  const { Direction, AwsRegion, code = 0, answeredAt } = document;
  const connector = { accountId, id: voiceConnectorId, awsRegion: AwsRegion };
  count(counts, connector, answeredAt === undefined ? `${Direction}CallFailures` : `${Direction}CallsAnswered`);
  count(counts, connector, codes(code));
}

function codes(code: number): string {
  return `Sip${Math.floor(code / 100)}xxCodes`;
}

function count(counts: MetricCounts, { accountId, id, awsRegion }: OfConnector, name: string): void {
  const dimensions = [
    { Name: 'Region', Value: awsRegion },
    { Name: 'VoiceConnectorId', Value: id },
  ];
  counts.add({ accountId, region: awsRegion, namespace: 'AWS/ChimeVoiceConnector', name, unit: 'Count', dimensions }, 1);
}
