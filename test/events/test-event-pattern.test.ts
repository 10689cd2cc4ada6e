/** TestEventPattern with the unmodified client of the AWS SDK: recorded cases, and the order of the errors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge';
import { startAccount } from '../kit/account.ts';
import { messageOf, outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

interface RecordedCase {
  readonly name: string;
  readonly pattern: string;
  readonly event: string;
  readonly expected: boolean | { readonly code: string; readonly message: string };
}

const RECORDED = JSON.parse(
  readFileSync(new URL('../cases/recorded/event-patterns.json', import.meta.url), 'utf8'),
) as readonly RecordedCase[];
const EVENT = {
  id: '5b0c7c9e-6f0e-4f0a-9d55-3a2b1c0d9e8f',
  'detail-type': 'Chime Meeting State Change',
  source: 'aws.chime',
  account: '111122223333',
  time: '2026-11-28T10:00:00Z',
  region: 'us-east-1',
};

const account = await startAccount();
const client = new EventBridgeClient(account.server.at('events'));
const call = (pattern: string, event: string) => client.send(new TestEventPatternCommand({ EventPattern: pattern, Event: event }));

test('TestEventPattern: every recorded case has its result or its exact error', async () => {
  for (const { name, pattern, event, expected } of RECORDED) {
    const found = await call(pattern, event).then(
      ({ Result }) => Result,
      ({ name: code, message }: Error) => ({ code, message }),
    );
    assert.deepEqual(found, expected, name);
  }
});

const NOT_VALID = 'ValidationException: Parameter Event is not valid.';
// biome-ignore format: a table
const ERRORS: readonly (readonly [title: string, pattern: string, event: string, expected: string])[] = [
  // title                                       pattern                  event                                             error
  ['an invalid pattern and an invalid event',    '{}',                    '[]',                                             'InvalidEventPatternException: Event pattern is not valid. Reason: Empty objects are not allowed\n at [Source: (String)"{}"; line: 1, column: 3]'],
  ['an event that is not JSON',                  '{"source":["a"]}',      'event',                                          NOT_VALID],
  ['an event that is not an object',             '{"source":["a"]}',      '["aws.chime"]',                                  NOT_VALID],
  ...Object.keys(EVENT).map((member) => [`an event without ${member}`, '{"source":["a"]}', JSON.stringify({ ...EVENT, [member]: undefined }), NOT_VALID] as const),
];
for (const [title, pattern, event, expected] of ERRORS) {
  test(`TestEventPattern: ${title} is ${expected.slice(0, expected.indexOf(':'))}`, async () => {
    assert.equal(await messageOf(call(pattern, event)), expected);
  });
}

test('TestEventPattern: a pattern of more than 4,096 characters is ValidationException', async () => {
  const message = await messageOf(call(`{"source":["${'x'.repeat(4_096)}"]}`, JSON.stringify(EVENT)));
  assert.match(message, /^ValidationException: 1 validation error detected: .*less than or equal to 4096/);
});

test('TestEventPattern: without the permission it is AccessDeniedException', async () => {
  const user = await account.user('reader', allow('events:ListRules'));
  const denied = new EventBridgeClient(account.server.at('events', user));
  const outcome = await outcomeOf(denied.send(new TestEventPatternCommand({ EventPattern: '{"a":[1]}', Event: JSON.stringify(EVENT) })));
  assert.equal(outcome, 'AccessDenied');
});
