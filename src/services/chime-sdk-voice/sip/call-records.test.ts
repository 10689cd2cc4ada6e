import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Work } from '../../kit/events.ts';
import { metricCounts } from '../../kit/metric-counts.ts';
import type { MetricSamples } from '../../kit/metric-samples.ts';
import type { SipCallRecord } from '../tables/sip-calls.ts';
import { countDecision, countEnd } from './call-metrics.ts';
import { callDetailRecord, toCallEnd } from './call-records.ts';
import type { Outcome, SipConnector } from './decision.ts';

const NOW = instant(1_700_000_000_000);
const CALL: SipCallRecord = {
  ...{ transactionId: 't', accountId: '111122223333' as AccountId, voiceConnectorId: 'vc', createdAt: NOW, forgottenAt: NOW },
  document: { Direction: 'Outbound', CallId: 'c', SipAuthUser: 'ada', From: '+12065550100', To: '+442079460000', AwsRegion: 'eu-west-2' },
};
const recordOf = (more: object) => callDetailRecord({ ...CALL, document: { ...CALL.document, ...more } });

test('callDetailRecord: has the members of the guide in their order', () => {
  assert.deepEqual(Object.entries(recordOf({ code: 200, answeredAt: NOW + 1_000, endedAt: NOW + 5_000 })), [
    ...[
      ['AwsAccountId', '111122223333'],
      ['TransactionId', 't'],
      ['CallId', 'c'],
      ['VoiceConnectorId', 'vc'],
      ['Status', 'Completed'],
    ],
    ...[
      ['StatusMessage', 'OK'],
      ['SipAuthUser', 'ada'],
      ['BillableDurationSeconds', 6],
      ['BillableDurationMinutes', 0.1],
    ],
    ...[
      ['SchemaVersion', '2.0'],
      ['SourcePhoneNumber', '+12065550100'],
      ['SourcePhoneNumberName', ''],
      ['SourceCountry', 'US'],
    ],
    ...[
      ['DestinationPhoneNumber', '+442079460000'],
      ['DestinationPhoneNumberName', ''],
      ['DestinationCountry', 'GB'],
    ],
    ...[
      ['UsageType', 'EUW2-US-GB-outbound-minutes'],
      ['ServiceCode', 'AmazonChimeVoiceConnector'],
      ['Direction', 'Outbound'],
    ],
    ...[
      ['StartTimeEpochSeconds', 1_700_000_001],
      ['EndTimeEpochSeconds', 1_700_000_005],
      ['Region', 'eu-west-2'],
      ['Streaming', false],
    ],
  ]);
});

test('callDetailRecord: a call that was not answered costs nothing', () => {
  const { Status, StatusMessage, BillableDurationSeconds } = recordOf({ code: 486, endedAt: NOW + 60_000 });
  assert.deepEqual([Status, StatusMessage, BillableDurationSeconds], ['Failed', '486', 0]);
});

test('toCallEnd: refuses reports with other members', () => {
  const good = { tx: '11111111-2222-3333-4444-555555555555', code: 200, answered: 1, ended: 2 };
  assert.deepEqual(toCallEnd(good), good);
  assert.deepEqual(toCallEnd({ ...good, vc: 'vc' }), { ...good, vc: 'vc' });
  assert.deepEqual(toCallEnd({ ...good, answered: null }), { tx: good.tx, code: 200, ended: 2 });
  const wrong = [undefined, null, 'x', {}, { ...good, tx: '../x' }, { ...good, tx: 7 }, { ...good, code: 100 }, { ...good, code: 700 }];
  for (const each of [
    ...wrong,
    { ...good, ended: -1 },
    { ...good, ended: 1e300 },
    { ...good, answered: '1' },
    { ...good, vc: 7 },
    { ...good, vc: 'x'.repeat(129) },
  ])
    assert.equal(toCallEnd(each), undefined, JSON.stringify(each));
});

test('Metrics of calls: attempts, failures, throttles and codes of a Voice Connector (LOG-25)', async () => {
  const counts = metricCounts();
  const connector = { accountId: CALL.accountId, id: 'vc', awsRegion: 'eu-west-2' } as SipConnector;
  const call = { direction: 'Outbound', callId: 'c', from: '', to: '', sipUser: '' } as const;
  const reply: Outcome = { kind: 'reply', code: 503, reason: '', headers: '', connector, call, isThrottled: true };
  const { connector: _, call: __, ...ofStranger } = reply;
  const outcomes: readonly Outcome[] = [
    { kind: 'relay', connector, call, routes: [], headers: '' },
    reply,
    ofStranger,
    { kind: 'pong', connector },
  ];
  for (const outcome of outcomes) countDecision(counts, outcome);
  countEnd(counts, { ...CALL, document: { ...CALL.document, code: 200, answeredAt: NOW } });
  countEnd(counts, { ...CALL, document: { ...CALL.document, code: 603 } });
  const emitted: MetricSamples[] = [];
  const work = { now: NOW, emit: async (event: MetricSamples) => void emitted.push(event) } as unknown as Work;
  await counts.storeSome((store) => store(work));
  const [{ Namespace, region, samples } = { Namespace: '', region: '', samples: [] }] = emitted;
  assert.deepEqual(
    [Namespace, region, samples[0]?.Dimensions],
    [
      'AWS/ChimeVoiceConnector',
      'eu-west-2',
      [
        { Name: 'Region', Value: 'eu-west-2' },
        { Name: 'VoiceConnectorId', Value: 'vc' },
      ],
    ],
  );
  assert.deepEqual(Object.fromEntries(samples.map(({ MetricName, StatisticValues }) => [MetricName, StatisticValues?.Sum])), {
    ...{ OutboundCallAttempts: 2, OutboundCallFailures: 2, OutboundCallsAnswered: 1 },
    ...{ Throttles: 1, Sip2xxCodes: 1, Sip5xxCodes: 1, Sip6xxCodes: 1 },
  });
});
