import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { askControl } from '#server/operator/ask-control.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { delayOfOthers, type Figure, type Workload } from './workload.ts';
import { patternsOf, RULES, WORST_PATTERNS } from './worst-event-patterns.ts';

/** Most attempts of one account, and of one target, at the same time. Source: Decision 0033. */
const OF_ACCOUNT = 64;
const OF_TARGET = 16;
/** Attempts that the sender has ended, and that the receiver still counts. */
const ENDING = 8;
/** Slow targets of the attacker. Their attempts together would exceed the share of an account. */
const SLOW_TARGETS = 6;
const EVENTS_OF_TARGET = 30;
const EVENTS_OF_OTHERS = 40;
/** Interval between two bytes of a target that responds byte by byte. */
const DRIP_MS = 50;

/**
 * An account has 300 rules with the worst patterns, puts events of maximum size, and sends events to targets that never respond or respond
 * byte by byte.
 *
 * Asserts that these attempts stay within the shares of a target and of an account, and that the server answers others and delivers all
 * events of another account in the meantime.
 */
export const eventFloods: Workload = {
  name: 'event floods',
  async run({ seconds, seed }) {
    const server = await startTestServer();
    const slow = await startSlowReceiver();
    const fast = await startSlowReceiver();
    try {
      return await flood(server, { slow, fast, seconds, seed });
    } finally {
      await server.stop();
      for (const receiver of [slow, fast]) receiver.close();
    }
  },
};

interface Flood {
  readonly slow: SlowReceiver;
  readonly fast: SlowReceiver;
  readonly seconds: number;
  readonly seed: number;
}

async function flood(server: TestServer, { slow, fast, seconds, seed }: Flood): Promise<readonly Figure[]> {
  const created = await askControl(server.dataFolder, { command: 'account create', name: 'attacker' });
  assert.ok(created.ok && created.administrator !== undefined);
  const attacker = { accountId: created.administrator.accountId, client: new EventBridgeClient(server.client(created.administrator)) };
  const other = { accountId: server.accountId, client: new EventBridgeClient(server.client()) };
  for (const [account, url] of [
    [attacker, slow.url],
    [other, fast.url],
  ] as const) {
    const endpoint = {
      service: 'sqs',
      url,
      allowInternal: true,
      accessKeyId: 'AKIDEXAMPLE',
      secret: 'secret',
      accountId: account.accountId,
    };
    assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
  }
  const [, pattern, detail] = WORST_PATTERNS[seed % WORST_PATTERNS.length] as (typeof WORST_PATTERNS)[number];
  const patterns = patternsOf(pattern).slice(0, RULES - SLOW_TARGETS);
  await Promise.all(patterns.map((EventPattern, i) => attacker.client.send(new PutRuleCommand({ Name: `worst-${i}`, EventPattern }))));
  for (let i = 0; i < SLOW_TARGETS; i++) await rule(attacker, `slow-${i}`, i % 2 === 0 ? 'silent' : 'drip');
  await rule(other, 'shop', 'all');
  for (let n = 0; n < EVENTS_OF_TARGET; n++)
    await put(attacker, ...Array.from({ length: SLOW_TARGETS }, (_, i) => ({ source: `slow-${i}`, detail: { n } })));
  await until(
    () => slow.most().all >= OF_ACCOUNT,
    () => `${slow.most().all} attempts at the same time`,
  );

  let large = 0;
  const attack = async (): Promise<void> => {
    const end = Date.now() + seconds * 1_000;
    const text = detail();
    while (Date.now() < end || large < 3) {
      await put(attacker, { source: 'worst', detail: text });
      large += 1;
    }
  };
  const deliver = async (): Promise<void> => {
    for (let n = 0; n < EVENTS_OF_OTHERS; n++) await put(other, { source: 'shop', detail: { n } });
    await until(
      () => fast.answered() === EVENTS_OF_OTHERS,
      () => `${fast.answered()} of ${EVENTS_OF_OTHERS} events of another account`,
    );
  };
  const { longestMs, calls } = await delayOfOthers(server, () => Promise.all([attack(), deliver()]));
  const { all, target } = slow.most();
  const figures: readonly Figure[] = [
    { what: 'rules with the worst patterns', value: RULES - SLOW_TARGETS, unit: 'count' },
    { what: 'events of maximum size', value: large, unit: 'count' },
    { what: 'attempts of the attacker at the same time', value: all, unit: 'count', most: OF_ACCOUNT + ENDING },
    { what: 'attempts at one slow target at the same time', value: target, unit: 'count', most: OF_TARGET + ENDING },
    { what: 'delivered events of another account', value: fast.answered(), unit: 'count' },
    { what: 'calls of another caller', value: calls, unit: 'count' },
    { what: 'longest delay of another caller', value: longestMs, unit: 'ms' },
  ];
  for (const { what, value, most } of figures) assert.ok(most === undefined || value <= most, `${what}: ${value}, at most ${most}`);
  assert.ok(calls > 0, 'another caller gets answers');
  return figures;
}

interface Account {
  readonly accountId: string;
  readonly client: EventBridgeClient;
}

/** Adds a rule for events of one source, with a queue. */
async function rule({ client, accountId }: Account, Name: string, kind: string): Promise<void> {
  await client.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: [Name] }) }));
  const Arn = `arn:aws:sqs:us-east-1:${accountId}:${kind}-${Name}`;
  await client.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn }] }));
}

async function put({ client }: Account, ...events: readonly { readonly source: string; readonly detail: object }[]): Promise<void> {
  const Entries = events.map(({ source: Source, detail }) => ({ Source, DetailType: 'd', Detail: JSON.stringify(detail) }));
  await client.send(new PutEventsCommand({ Entries }));
}

type SlowReceiver = Awaited<ReturnType<typeof startSlowReceiver>>;

/** Starts a receiver of SQS that responds to queues `silent-…` never, to queues `drip-…` byte by byte, and to others at once. */
async function startSlowReceiver() {
  const running = new Map<string, number>();
  let answered = 0;
  const most = { all: 0, target: 0 };
  const drips = new Set<NodeJS.Timeout>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { QueueUrl, MessageBody } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Readonly<
      Record<'QueueUrl' | 'MessageBody', string>
    >;
    const queue = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
    if (!/^(silent|drip)-/.test(queue)) {
      answered += 1;
      response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.0' })
        .end(JSON.stringify({ MessageId: 'id', MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') }));
      return;
    }
    running.set(queue, (running.get(queue) ?? 0) + 1);
    response.on('close', () => running.set(queue, (running.get(queue) ?? 0) - 1));
    const counts = [...running.values()];
    most.all = Math.max(
      most.all,
      counts.reduce((sum, count) => sum + count, 0),
    );
    most.target = Math.max(most.target, ...counts);
    if (queue.startsWith('drip-')) drip(response, drips);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered: () => answered,
    /** Most requests without a complete response at the same time. */
    most: () => most,
    close(): void {
      for (const timer of drips) clearInterval(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Responds with one byte after the other. */
function drip(response: ServerResponse, drips: Set<NodeJS.Timeout>): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '100000' });
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  drips.add(timer);
  response.on('close', () => {
    clearInterval(timer);
    drips.delete(timer);
  });
}
