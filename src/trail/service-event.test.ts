import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { forwardedCallRow, serviceEventRow } from './service-event.ts';

const accountId = '111122223333' as AccountId;
const FACTS = { region: 'us-east-1', now: instant(0), eventId: 'e', eventName: 'Event', invokedBy: 'chime.amazonaws.com' };
const OMITTED = (name: string, originalSize: number) => ({ reason: `${name} too large`, omitted: true, originalSize });
const PRINCIPAL: Principal = {
  type: 'IAMUser',
  accountId,
  arn: `arn:aws:iam::${accountId}:user/ada` as Arn,
  principalId: 'AIDA1',
  userName: 'ada',
  session: {
    issuedAt: instant(0),
    expiresAt: instant(1),
    mfaAuthenticated: true,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
    fromConsole: true,
  },
};

test('LOG-2: serviceEventDetails over 100 KB are omitted, and the event contains their size', () => {
  const event = (text: string) =>
    JSON.parse(serviceEventRow({ ...FACTS, accountId, eventSource: 'chime.amazonaws.com', details: { text } }).document);
  assert.deepEqual(event('x'.repeat(102_389)).serviceEventDetails, { text: 'x'.repeat(102_389) });
  assert.deepEqual(event('é'.repeat(51_195)).serviceEventDetails, OMITTED('serviceEventDetails', 102_401));
});

test('LOG-2: a forwarded call with large elements has at most 256 KB, and says that its session is of the console', () => {
  const call = { ...FACTS, principal: PRINCIPAL, service: 'iam', requestId: 'r', resources: [] } as const;
  const { document } = forwardedCallRow({
    ...call,
    requestParameters: { text: 'x'.repeat(200_000) },
    responseElements: { text: 'x'.repeat(102_389) },
  });
  assert.ok(Buffer.byteLength(document) <= 262_144);
  const { requestParameters, sessionCredentialFromConsole } = JSON.parse(document);
  assert.deepEqual([requestParameters, sessionCredentialFromConsole], [OMITTED('requestParameters', 200_011), 'true']);
});
