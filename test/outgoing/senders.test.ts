/** Delivery of outgoing messages to real receivers on loopback. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { START, TEST_VAULT, testClock } from '#delivery/delivery-fixture.ts';
import { ACCOUNT, DEAD_LETTERS, messageOf, outgoingFixture, QUEUE } from '#delivery/outgoing/outgoing-fixture.ts';
import { type ApiDestination, apiDestinationSender } from '#delivery/outgoing/targets/api-destinations.ts';
import type { EventsApi } from '#model/generated/events.ts';
import { authorizeConnection, deauthorizeConnection } from '#services/events/authorized-connection.ts';
import { eventsOperations } from '#services/events/operations.ts';
import { emitterOf } from '#services/kit/events.ts';
import { openOperations } from '#services/kit/fixture.ts';
import type { NewMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { type Received, type Receiver, type Reply, startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

/** Opens a store and a delivery for one test. */
async function setUp(targets: Parameters<typeof outgoingFixture>[2] = {}) {
  const clock = testClock(START);
  const store = await openSqlite(':memory:', { now: () => clock.wall() });
  const fixture = outgoingFixture(store, clock, targets);
  const open: { stop(): Promise<void> }[] = [];
  after(async () => {
    for (const delivery of open) await delivery.stop();
    await store.close();
  });
  const server: typeof fixture.server = (own) => {
    const delivery = fixture.server(own);
    open.push(delivery);
    return delivery;
  };
  /** Lets the time pass until a condition holds, so that waits of the delivery end. */
  const untilLater = (holds: () => boolean | Promise<boolean>, description: () => string) =>
    until(async () => {
      if (await holds()) return true;
      clock.set(clock.wall() + 500);
      return false;
    }, description);
  return { ...fixture, clock, store, server, untilLater };
}

const operations = ({ received }: Receiver): readonly string[] => received.map(({ operation }) => operation);
const messages = ({ received }: Receiver): readonly string[] => received.map(({ message }) => message);

const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:news`;
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:react`;
const BOT: OutgoingTarget = {
  ...{ kind: 'lex', arn: `arn:aws:lex:us-east-1:${ACCOUNT}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, localeId: 'en_US', sessionId: 'session' },
  ...{ requestAttributes: { 'CHIME.channel.arn': 'channel' }, context: { messageId: 'm' } },
};
const STREAM = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/clicks`;

// biome-ignore format: a table
const SENT: readonly [target: OutgoingTarget, operation: string, facts: (request: Received) => unknown, expected: unknown][] = [
  [{ kind: 'sqs', arn: QUEUE, attributes: { RULE_ARN: 'rule' }, MessageGroupId: 'g' }, 'SendMessage',
    ({ members, path }) => [path, String(members['QueueUrl']).replace(/^.*:\d+/, ''), members['MessageGroupId'], members['MessageAttributes']],
    ['/', `/${ACCOUNT}/orders`, 'g', { RULE_ARN: { DataType: 'String', StringValue: 'rule' } }]],
  [{ kind: 'sns', arn: TOPIC, Subject: 'Alarm' }, 'Publish', ({ members }) => [members['TopicArn'], members['Subject']], [TOPIC, 'Alarm']],
  [{ kind: 'lambda', arn: FUNCTION }, 'Invoke', ({ headers, path }) => [headers['x-amz-invocation-type'], decodeURIComponent(path)],
    ['Event', `/2015-03-31/functions/${FUNCTION}/invocations`]],
  [BOT, 'RecognizeText', ({ members, path }) => [path, members['requestAttributes']],
    ['/bots/ABCDEFGHIJ/botAliases/KLMNOPQRST/botLocales/en_US/sessions/session/text', { 'CHIME.channel.arn': 'channel' }]],
  [{ kind: 'kinesis', arn: STREAM, PartitionKey: 'user-1' }, 'PutRecord', ({ members }) => [members['StreamARN'], members['PartitionKey']], [STREAM, 'user-1']],
];

for (const [target, operation, facts, expected] of SENT) {
  test(`${target.kind}: AWS's client sends one ${operation}, signed with the key of the endpoint`, async () => {
    const { endpoint, add, server, stored } = await setUp();
    const receiver = await startReceiver();
    await endpoint(target.kind as 'sqs', receiver.url);
    await add(messageOf('{"text":"grüße"}', { target }));
    const { counters } = server();
    await until(
      () => counters.sent === 1,
      () => JSON.stringify(counters),
    );
    const [request, ...others] = receiver.received as [Received];
    assert.deepEqual([request.operation, request.message, others], [operation, '{"text":"grüße"}', []]);
    assert.deepEqual(facts(request), expected);
    assert.match(String(request.headers.authorization), /Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\//);
    await until(
      async () => (await stored()).length === 0,
      () => 'the message is removed',
    );
  });
}

// biome-ignore format: a table
const FAILURES: readonly [title: string, reply: Reply, attempts: number, code: string, exhausted: string | undefined][] = [
  ['429 is retried',                                 { status: 429 },                                            4, 'THROTTLING',       'MaximumRetryAttempts'],
  ['500 is retried',                                 { status: 500 },                                            4, 'TIMEOUT',          'MaximumRetryAttempts'],
  ['throttling with the status 400 is retried',      { status: 400, code: 'ThrottlingException' },               4, 'THROTTLING',       'MaximumRetryAttempts'],
  ['a missing queue is not retried',                 { status: 400, code: 'QueueDoesNotExist' },                 1, 'NO_RESOURCE',      undefined],
  ['a missing permission is not retried',            { status: 403, code: 'AccessDeniedException' },             1, 'NO_PERMISSIONS',   undefined],
  ['another code is not retried',                    { status: 400, code: 'InvalidMessageContents' },            1, 'SDK_CLIENT_ERROR', undefined],
  ['a redirect is not followed',                     { status: 302, headers: { location: 'http://127.0.0.1/' } }, 1, 'SDK_CLIENT_ERROR', undefined],
];

for (const [title, reply, attempts, code, exhausted] of FAILURES) {
  test(`sqs: ${title}, and the dead letter has the reason`, async () => {
    const { endpoint, add, server, untilLater } = await setUp();
    const receiver = await startReceiver();
    receiver.reply(({ members }) => (String(members['QueueUrl']).endsWith('orders') ? reply : undefined));
    await endpoint('sqs', receiver.url);
    await add(messageOf('{}', { deadLetter: { arn: DEAD_LETTERS, attributes: { RULE_ARN: 'rule', TARGET_ARN: QUEUE } } }));
    const { counters } = server();
    await untilLater(
      () => counters.sent === 1,
      () => JSON.stringify(counters),
    );
    assert.deepEqual(counters, { sent: 1, failedAttempts: attempts, deadLetters: 1, lost: 0 });
    const attributes = receiver.received.at(-1)?.members['MessageAttributes'] as Readonly<Record<string, { readonly StringValue: string }>>;
    const { ERROR_MESSAGE, ...others } = Object.fromEntries(
      Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue]),
    );
    assert.match(String(ERROR_MESSAGE), /^the receiver responded with the status \d{3}/);
    assert.deepEqual(others, {
      RULE_ARN: 'rule',
      TARGET_ARN: QUEUE,
      ERROR_CODE: code,
      RETRY_ATTEMPTS: String(attempts - 1),
      ...(exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    });
  });
}

// biome-ignore format: a table
const LOST: readonly [title: string, message: Partial<NewMessage>, line: RegExp][] = [
  ['a message without an endpoint fails, and the log names the endpoint', { target: { kind: 'sns', arn: TOPIC } },                                       /there is no endpoint for 'sns' of account '111122223333' in 'us-east-1'/],
  ['an endpoint for all accounts reaches no target of another account',  { target: { kind: 'sqs', arn: QUEUE.replace(ACCOUNT, '999988887777') } },        /NO_PERMISSIONS: the target belongs to another account/],
  ['an internal address is refused unless the operator allowed it',      { target: { kind: 'lambda', arn: FUNCTION } },                                   /NO_PERMISSIONS: the endpoint has an internal address/],
  ['a name with an internal address is refused, also over TLS',          { target: { kind: 'kinesis', arn: STREAM, PartitionKey: 'k' } },                 /NO_PERMISSIONS: the endpoint has an internal address/],
  ['an unreachable receiver is retried until the message expires',       { target: BOT, maximumAttempts: 99, expiresAt: START + 20_000 as never }, /lost .*TIMEOUT: the receiver cannot be reached \(ECONNREFUSED\)/],
];

for (const [title, message, line] of LOST) {
  test(`outgoing: ${title}`, async () => {
    const { endpoint, add, server, untilLater, reports, stored } = await setUp();
    const receiver = await startReceiver();
    const closed = await startReceiver();
    await closed.close();
    await endpoint('sqs', receiver.url);
    await endpoint('lambda', receiver.url, { allowInternal: false });
    await endpoint('kinesis', receiver.url.replace('http://127.0.0.1', 'https://localhost'), { allowInternal: false });
    await endpoint('lex', closed.url);
    await add(messageOf('one', message), messageOf('two', message));
    const { counters } = server();
    await untilLater(
      () => counters.lost === 2,
      () => JSON.stringify([counters, reports]),
    );
    assert.deepEqual([counters.sent, receiver.received, await stored()], [0, [], []]);
    assert.equal(reports.filter((each) => line.test(each)).length, 1, reports.join('\n'));
    // One line for each fate of the messages, not for each attempt.
    assert.ok(reports.length <= 2, reports.join('\n'));
  });
}

test('outgoing: an ordered lane sends one message after the other, also if the first fails', async () => {
  const { endpoint, add, server, untilLater } = await setUp();
  const receiver = await startReceiver();
  let failures = 2;
  receiver.reply(() => (failures-- > 0 ? { status: 503 } : undefined));
  await endpoint('sqs', receiver.url);
  const bodies = Array.from({ length: 12 }, (_, i) => `body ${i}`);
  await add(...bodies.map((body) => messageOf(body, { ordered: true })));
  const { counters } = server();
  await untilLater(
    () => counters.sent === 12,
    () => JSON.stringify(counters),
  );
  assert.deepEqual(messages(receiver), ['body 0', 'body 0', ...bodies]);
});

test('outgoing: a receiver that never responds delays only its lane, and stops at its limit of attempts', async () => {
  const { endpoint, add, server, stored } = await setUp();
  const slow = await startReceiver();
  slow.reply(() => 'hang');
  const fast = await startReceiver();
  await endpoint('lambda', slow.url);
  await endpoint('sqs', fast.url);
  await add(...Array.from({ length: 90 }, (_, i) => messageOf(`slow ${i}`, { lane: 'slow', target: { kind: 'lambda', arn: FUNCTION } })));
  const { counters } = server();
  await until(
    () => slow.received.length === 16,
    () => `${slow.received.length} attempts of the slow lane`,
  );
  await add(...Array.from({ length: 40 }, (_, i) => messageOf(`fast ${i}`)));
  await until(
    () => counters.sent === 40,
    () => JSON.stringify(counters),
  );
  await until(
    async () => (await stored()).length === 90,
    () => 'the messages of the other lane are removed',
  );
  assert.deepEqual([slow.received.length, fast.received.length], [16, 40]);
  slow.reply(() => undefined);
  slow.release();
  await until(
    () => counters.sent === 130,
    () => JSON.stringify(counters),
  );
});

test('outgoing: messages beyond the limit of a lane become dead letters, and the others are sent', async () => {
  const { endpoint, add, server } = await setUp();
  const receiver = await startReceiver();
  await endpoint('sqs', receiver.url);
  const deadLetter = { arn: DEAD_LETTERS, attributes: {} };
  await add(...Array.from({ length: 7 }, (_, i) => messageOf(`body ${i}`, { deadLetter })));
  const { counters } = server({ limits: { lane: { messages: 5, bytes: 1e6 }, account: { messages: 50, bytes: 1e6 } } });
  await until(
    () => counters.sent === 7,
    () => JSON.stringify(counters),
  );
  assert.equal(counters.deadLetters, 2);
  const queues = Object.groupBy(receiver.received, ({ members }) => String(members['QueueUrl']).replace(/^.*\//, ''));
  assert.deepEqual([queues['orders']?.length, queues['dead-letters']?.map(({ message }) => message).sort()], [5, ['body 5', 'body 6']]);
});

test('outgoing: a second server takes the turn when the first is silent, and sends what the first did not confirm', async () => {
  const { endpoint, add, server, clock, stored } = await setUp();
  const receiver = await startReceiver();
  receiver.reply(() => 'hang');
  await endpoint('sqs', receiver.url);
  await add(messageOf('body'));
  server({ isOpen: () => receiver.received.length === 0 });
  await until(
    () => receiver.received.length === 1,
    () => 'the first server sends',
  );
  receiver.reply(() => undefined);
  const second = server();
  await until(
    async () => {
      clock.set(clock.wall() + 5_000);
      return second.counters.sent === 1;
    },
    () => JSON.stringify(second.counters),
  );
  assert.deepEqual(operations(receiver), ['SendMessage', 'SendMessage']);
  receiver.release();
  await until(
    async () => (await stored()).length === 0,
    () => 'the message is removed',
  );
});

const API = `arn:aws:events:us-east-1:${ACCOUNT}:api-destination/hook/1`;
const NONE = { headers: {}, query: {}, body: {} };
const HEADERS = ['user-agent', 'content-type', 'range', 'accept-encoding', 'connection'];

async function withDestination(receiver: Receiver, more: Partial<ApiDestination>) {
  let destination: ApiDestination = {
    url: `${receiver.url}/hooks/*/events`,
    method: 'PUT',
    ratePerSecond: 300,
    isActive: true,
    authorization: { kind: 'basic', username: 'ada', password: 'geheim' },
    parameters: NONE,
    ...more,
  };
  const clock = testClock(START);
  const store = await openSqlite(':memory:', { now: () => clock.wall() });
  const destinations = apiDestinationSender({ now: clock.wall, after: clock.after, internalHosts: [new URL(receiver.url).host] });
  const fixture = outgoingFixture(store, clock, {
    destination: async () => destination,
    authorization: async () => destination.authorization,
    destinations,
  });
  const delivery = fixture.server({
    workIn: (tx, now) => emitterOf([authorizeConnection, deauthorizeConnection])({ tx, now, newId: () => 'id' }),
  });
  after(async () => {
    await delivery.stop();
    await store.close();
  });
  const target: OutgoingTarget = {
    kind: 'apiDestination',
    arn: API,
    PathParameterValues: ['a/b'],
    HeaderParameters: { 'X-One': 'target', 'X-Two': 'target', Host: 'other' },
    QueryStringParameters: { q: 'target' },
  };
  const add = (...bodies: readonly string[]) => fixture.add(...bodies.map((body) => messageOf(body, { target })));
  const addWithPath = (...PathParameterValues: readonly string[]) =>
    fixture.add(messageOf('{}', { target: { ...target, PathParameterValues } }));
  const later = (holds: () => boolean) =>
    until(
      () => {
        if (holds()) return true;
        clock.set(clock.wall() + 250);
        return false;
      },
      () => JSON.stringify([delivery.counters, fixture.reports]),
    );
  /** Changes the destination of the next attempts. */
  const change = (changes: Partial<ApiDestination>): void => {
    destination = { ...destination, ...changes };
  };
  return { ...fixture, store, delivery, change, add, addWithPath, later, clock, counters: delivery.counters };
}

test('API destination: a path parameter of only dots, which would lead to another path, is not sent', async () => {
  const receiver = await startReceiver();
  const { addWithPath, later, counters } = await withDestination(receiver, {});
  for (const value of ['.', '..']) await addWithPath(value);
  await later(() => counters.lost === 2);
  assert.deepEqual(receiver.received, []);
});

test('API destination: sends the headers of AWS, and the parameters of the connection win', async () => {
  const receiver = await startReceiver();
  const { add, later, counters } = await withDestination(receiver, {
    parameters: { headers: { 'X-One': 'connection' }, query: { q: 'connection' }, body: { team: 'a' } },
  });
  await add('{"id":1}');
  await later(() => counters.sent === 1);
  const { operation, headers, message } = receiver.received[0] as Received;
  assert.deepEqual([operation, message], ['PUT /hooks/a%2Fb/events?q=connection', '{"id":1,"team":"a"}']);
  assert.deepEqual(
    HEADERS.map((name) => headers[name]),
    ['Amazon/EventBridge/ApiDestinations', 'application/json; charset=utf-8', 'bytes=0-1048575', 'gzip,deflate', 'close'],
  );
  assert.deepEqual(
    [headers['x-one'], headers['x-two'], headers.host, headers.authorization],
    ['connection', 'target', new URL(receiver.url).host, `Basic ${Buffer.from('ada:geheim').toString('base64')}`],
  );
});

test('API destination: the name of an API key cannot replace a header of the connection', async () => {
  const receiver = await startReceiver();
  const { add, later, counters } = await withDestination(receiver, { authorization: { kind: 'apiKey', name: 'Host', value: 'other' } });
  await add('1');
  await later(() => counters.sent === 1);
  assert.equal(receiver.received[0]?.headers.host, new URL(receiver.url).host);
});

test('API destination: OAuth gets one token, and another one after 401', async () => {
  const receiver = await startReceiver();
  let tokens = 0;
  receiver.reply(({ path, headers }) => {
    if (path === '/token') return { status: 200, body: JSON.stringify({ access_token: `token-${++tokens}`, expires_in: 3600 }) };
    return headers.authorization === 'Bearer token-1' && receiver.received.length > 2 ? { status: 401 } : { status: 200 };
  });
  const { add, later, counters } = await withDestination(receiver, {
    url: `${receiver.url}/hook`,
    method: 'POST',
    authorization: {
      kind: 'oauth',
      endpoint: `${receiver.url}/token`,
      method: 'POST',
      clientId: 'me',
      clientSecret: 'geheim',
      parameters: { ...NONE, body: { scope: 'all' } },
    },
  });
  await add('1');
  await later(() => counters.sent === 1);
  await add('2');
  await later(() => counters.sent === 2);
  assert.deepEqual(
    receiver.received.map(({ path, headers }) => `${path} ${headers.authorization ?? ''}`),
    ['/token ', '/hook?q=target Bearer token-1', '/hook?q=target Bearer token-1', '/token ', '/hook?q=target Bearer token-2'],
  );
  assert.deepEqual(receiver.received[0]?.members, {
    grant_type: 'client_credentials',
    client_id: 'me',
    client_secret: 'geheim',
    scope: 'all',
  });
});

// biome-ignore format: a table
const FIRST_TOKENS: readonly [title: string, reply: Reply, requests: number, state: string, reason: string | undefined][] = [
  ['a token',   { status: 200, body: '{"access_token":"t"}' }, 1, 'AUTHORIZED',   undefined],
  ['no token',  { status: 200, body: '{}' },                   1, 'DEAUTHORIZED', 'the authorization endpoint returned no token'],
  ['a refusal', { status: 401 },                               1, 'DEAUTHORIZED', 'the authorization endpoint responded with the status 401'],
  ['a failure', { status: 503 },                               4, 'DEAUTHORIZED', 'the authorization endpoint responded with the status 503'],
];
for (const [title, reply, requests, state, reason] of FIRST_TOKENS) {
  test(`CreateConnection: OAuth is AUTHORIZING until the authorization endpoint returns ${title}, and then ${state}`, async () => {
    const receiver = await startReceiver();
    receiver.reply(() => reply);
    const [clientId, clientSecret] = ['me', 'geheim'];
    const { store, delivery, later, counters } = await withDestination(receiver, {
      authorization: { kind: 'oauth', endpoint: `${receiver.url}/token`, method: 'POST', clientId, clientSecret, parameters: NONE },
    });
    const { run } = await openOperations<EventsApi>(eventsOperations({ vault: TEST_VAULT }), [], store);
    // The operation accepts only an HTTPS endpoint. The delivery uses the one above.
    const OAuthParameters = {
      AuthorizationEndpoint: 'https://login.example.com/token',
      HttpMethod: 'POST' as const,
      ClientParameters: { ClientID: clientId, ClientSecret: clientSecret },
    };
    const AuthorizationType = 'OAUTH_CLIENT_CREDENTIALS';
    const created = await run(
      'CreateConnection',
      { Name: 'c', AuthorizationType, AuthParameters: { OAuthParameters } },
      { accountId: ACCOUNT, now: instant(START) },
    );
    assert.equal(created.ConnectionState, 'AUTHORIZING');
    delivery.wake();
    await later(() => counters.sent + counters.lost === 1);
    const { ConnectionState, StateReason } = await run('DescribeConnection', { Name: 'c' }, { accountId: ACCOUNT });
    assert.deepEqual([receiver.received.length, ConnectionState, StateReason], [requests, state, reason]);
  });
}

// biome-ignore format: a table
const REFUSALS: readonly [status: number, isUpdated: boolean, state: string, reason: string | undefined][] = [
  [401, false, 'DEAUTHORIZED', 'the receiver responded with the status 401'],
  [407, false, 'DEAUTHORIZED', 'the receiver responded with the status 407'],
  [403, false, 'AUTHORIZED',   undefined],
  [401, true,  'AUTHORIZED',   undefined],
];
for (const [status, isUpdated, state, reason] of REFUSALS) {
  const update = isUpdated ? ' and an update of the connection in the meantime' : '';
  test(`API destination: after the status ${status}${update}, a connection with basic authorization is ${state}`, async () => {
    const receiver = await startReceiver();
    receiver.reply(() => 'hang');
    const { store, add, change, later, counters } = await withDestination(receiver, {});
    const { run } = await openOperations<EventsApi>(eventsOperations({ vault: TEST_VAULT }), [], store);
    const AuthParameters = { BasicAuthParameters: { Username: 'ada', Password: 'geheim' } };
    const at = (seconds: number) => ({ accountId: ACCOUNT, now: instant(START + seconds * 1_000) });
    const { ConnectionArn: arn = '' } = await run('CreateConnection', { Name: 'c', AuthorizationType: 'BASIC', AuthParameters }, at(0));
    change({ connection: { arn, updatedAt: instant(START) } });
    await add('1');
    await until(
      () => receiver.received.length === 1,
      () => 'the request arrives',
    );
    if (isUpdated) await run('UpdateConnection', { Name: 'c', AuthParameters }, at(1));
    receiver.release({ status });
    await later(() => counters.lost === 1);
    const { ConnectionState, StateReason } = await run('DescribeConnection', { Name: 'c' }, at(2));
    assert.deepEqual([receiver.received.length, ConnectionState, StateReason], [1, state, reason]);
  });
}

// biome-ignore format: a table
const RETRY_AFTER: readonly [header: string, attempts: number, waitedSeconds: number][] = [
  ['30', 2, 30],
  ['0',  2, 1],
  ['-1', 1, 0],
];

for (const [header, attempts, waitedSeconds] of RETRY_AFTER) {
  test(`API destination: Retry-After ${header} leads to ${attempts} attempts, ${waitedSeconds} seconds apart`, async () => {
    const receiver = await startReceiver();
    receiver.reply(() => (receiver.received.length === 1 ? { status: 503, headers: { 'retry-after': header } } : undefined));
    const { add, later, counters, clock } = await withDestination(receiver, {});
    await add('1');
    await later(() => counters.sent + counters.lost === 1);
    assert.equal(receiver.received.length, attempts);
    assert.ok(clock.wall() - START >= waitedSeconds * 1_000 * 0.99, `${clock.wall() - START}`);
  });
}

test('API destination: the rate of the destination bounds its requests', async () => {
  const receiver = await startReceiver();
  const { add, later, counters, clock } = await withDestination(receiver, { ratePerSecond: 2 });
  await add(...Array.from({ length: 9 }, (_, i) => String(i)));
  await later(() => counters.sent === 9);
  assert.ok(clock.wall() - START >= 4_000, `${clock.wall() - START}`);
  assert.equal(receiver.received.length, 9);
});
