import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { omittedRow, type UnprovenRecords, unprovenRecords } from './unproven.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOON = Date.UTC(2026, 10, 22, 12);

function received(sourceIp: string): Received {
  return { requestId: 'r', receivedAt: instant(0), method: 'GET', target: '/', rawHeaders: [], body: new Uint8Array(), sourceIp };
}

const bounded = (recordsPerMinute = 2): UnprovenRecords => unprovenRecords({ recordsPerMinute, onOmitted: () => {} });

/** Sends one request from each address, one millisecond apart. Returns the number of requests with a record. */
function admitted(unproven: UnprovenRecords, addresses: readonly string[], seconds = 0, accountId: AccountId = NO_ACCOUNT): number {
  return addresses.filter((ip, i) => unproven.admit(received(ip), accountId, instant(NOON + seconds * 1000 + i))).length;
}

const same = (ip: string, times: number): readonly string[] => Array(times).fill(ip);
const many = (times: number): readonly string[] => Array.from({ length: times }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
const slash64 = Array.from({ length: 9 }, (_, i) => `2001:db8:0:1::${i + 1}`);

// biome-ignore format: a table
const BOUNDS: readonly [title: string, addresses: readonly string[], admitted: number][] = [
  // limits: 2 records per minute for a source, 20 for an account
  ['one IPv4 address',            same('192.0.2.7', 9),                                2],
  ['one IPv6 /64',                slash64,                                             2],
  ['three addresses',             [...same('192.0.2.7', 9), ...same('192.0.2.8', 9), '192.0.2.9'], 5],
  ['a hundred addresses',         many(100),                                          20],
  ['more than 10,000 addresses',  [...many(11_000), ...many(11_000)],                 20],
];

for (const [title, addresses, expected] of BOUNDS) {
  test(`Unproven records: of ${addresses.length} requests from ${title}, ${expected} are recorded`, () => {
    const unproven = bounded();
    assert.equal(admitted(unproven, addresses), expected);
    const [omitted, ...others] = unproven.takeOmitted();
    assert.deepEqual([omitted?.accountId, omitted?.requests, others], [NO_ACCOUNT, addresses.length - expected, []]);
    assert.ok((omitted?.bySource.size ?? 0) <= 20);
    assert.deepEqual(unproven.takeOmitted(), []);
  });
}

test('Unproven records: one minute after its first request, a source can have new records', () => {
  const unproven = bounded();
  assert.deepEqual(
    [0, 59, 60, 119, 120].map((seconds) => admitted(unproven, same('192.0.2.7', 3), seconds)),
    [2, 0, 2, 0, 2],
  );
});

test('Unproven records: a clock that is set back does not prevent records', () => {
  const unproven = bounded();
  admitted(unproven, same('192.0.2.7', 3), 3600);
  assert.equal(admitted(unproven, same('192.0.2.7', 3)), 2);
});

test('Unproven records: a flood of requests without an account does not reduce the records of an account', () => {
  const unproven = bounded();
  admitted(unproven, many(100));
  assert.equal(admitted(unproven, same('192.0.2.7', 3), 0, ACCOUNT), 2);
  assert.deepEqual(
    unproven.takeOmitted().map(({ accountId, requests }) => [accountId, requests]),
    [
      [NO_ACCOUNT, 80],
      [ACCOUNT, 1],
    ],
  );
});

test('Unproven records: a repeated transaction changes neither the decision nor the count of its request', () => {
  const unproven = bounded(1);
  const requests = ['192.0.2.7', '192.0.2.7'].map(received);
  const decisions = [...requests, ...requests].map((request) => unproven.admit(request, NO_ACCOUNT, instant(NOON)));
  assert.deepEqual(decisions, [true, false, true, false]);
  assert.equal(unproven.takeOmitted()[0]?.requests, 1);
});

test('Unproven records: counts that putBack() receives are in the next summary', () => {
  const unproven = bounded();
  admitted(unproven, many(100));
  const taken = unproven.takeOmitted();
  admitted(unproven, same('192.0.2.7', 5), 30);
  unproven.putBack(taken);
  const [omitted] = unproven.takeOmitted();
  assert.ok(omitted);
  assert.equal(omitted.requests, 85);
  const { serviceEventDetails, recipientAccountId, eventType } = JSON.parse(omittedRow(omitted, 'us-east-1', instant(NOON), 'e').document);
  const named = serviceEventDetails.sources.reduce((sum: number, { requests }: { requests: number }) => sum + requests, 0);
  assert.deepEqual(
    [recipientAccountId, eventType, serviceEventDetails.omittedRequests, named + serviceEventDetails.otherSources],
    [NO_ACCOUNT, 'AwsServiceEvent', 85, 85],
  );
  assert.deepEqual(serviceEventDetails.sources[0], { source: '192.0.2.7', requests: 5 });
  assert.deepEqual([serviceEventDetails.from, serviceEventDetails.to], ['2026-11-22T12:00:00Z', '2026-11-22T12:00:30Z']);
});
