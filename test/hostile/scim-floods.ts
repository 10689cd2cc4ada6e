import assert from 'node:assert/strict';
import { ChimeClient, CreateAccountCommand } from '@aws-sdk/client-chime';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { verifyDomain } from '../chime/register.ts';
import { exchange } from '../kit/raw.ts';
import { type AbusedServer, ATTACKER, OTHER, until, withServer } from './abused-server.ts';
import { runFlood } from './run-flood.ts';
import { delayFigures, type Figure, type OtherCaller, startOtherCaller, type Workload } from './workload.ts';

/**
 * Times in which the server must have the headers and the whole body, and after which it destroys a refused connection. Node swaps the first
 * two if the first one is longer. All other limits have their defaults.
 */
const TIMES = { headersTimeoutMs: 1_000, requestTimeoutMs: 1_500, checkingIntervalMs: 100, graceMs: 200 };
const CONNECTIONS = 50;
/** Connections with slow bodies. They are fewer than one source may have. */
const SLOW_CONNECTIONS = 80;
/** Most connections that callers keep open: the other source and the client that prepared the attack. */
const OTHER_CONNECTIONS = 3;
/** Bound of the median delay of another source, compared with none. It is the same as for other floods (`connection-abuse.ts`). */
const MEDIAN_TIMES_MAX = 100;
const DOMAIN = 'example.com';

/**
 * An OpenID provider floods the SCIM endpoint with its valid key: large and deep bodies, many changes, filters, and bodies that never end.
 *
 * Asserts that each request is refused or has a bounded effect, that slow bodies end, and that the server answers another source in the meantime.
 */
export const scimFloods: Workload = {
  name: 'SCIM floods',
  run: ({ seconds }) => withServer({ limits: TIMES }, (server) => attack(server, seconds)),
};

async function attack(server: AbusedServer, seconds: number): Promise<Figure[]> {
  const call = await provider(server);
  const userId = (await call('POST', '/Users', { userName: `ada@${DOMAIN}` }))['id'] as string;
  const groupId = (await call('POST', '/Groups', { displayName: 'group', members: [{ value: userId }] }))['id'] as string;
  const other = await startOtherCaller(server.caller);
  const requests = requestsOf(userId, groupId);
  const wait = () =>
    new Promise((resolve) => setTimeout(resolve, (seconds * 1_000) / requests.filter(([, , , , , isFlood]) => isFlood).length));
  const figures: Figure[] = [];
  try {
    const quiet = await other.during(wait);
    for (const [how, method, path, body, status, isFlood = false] of requests) {
      const request = textOf(call.key, method, path, body);
      // The connections that the server refused during the last flood count for the attacker until their grace period ends.
      const reply = await exchange(server.endpoints.http, request, undefined, OTHER);
      assert.equal(reply.status, status, `${how}: ${String(reply.body)}`);
      if (!isFlood) continue;
      const flood = { port: server.ports.http, localAddress: ATTACKER, connections: CONNECTIONS, request, reads: true };
      const attacked = await other.during(() => runFlood(flood, server, wait));
      assert.ok(attacked.calls > 0, `another source is answered during ${how}`);
      figures.push(...delayFigures(how, attacked, quiet, MEDIAN_TIMES_MAX));
    }
    figures.push(...(await sendSlowly(server, call.key, other)));
  } finally {
    other.stop();
  }
  const { totalResults } = await call('GET', '/Users');
  assert.equal(totalResults, 1, 'no attack has added a user');
  return figures;
}

/** Opens connections that send the head of a request and a part of its body. Asserts that the server ends them and answers another source. */
async function sendSlowly(server: AbusedServer, key: string, other: OtherCaller): Promise<Figure[]> {
  const whole = textOf(key, 'POST', '/Users', JSON.stringify({ userName: `bob@${DOMAIN}` }));
  await until('the connections of the floods end', () => server.counts().connections <= OTHER_CONNECTIONS);
  const sockets = await server.open('http', SLOW_CONNECTIONS, whole.slice(0, -5));
  const attacked = await other.during(async () => {
    await until('slow bodies arrive', () => server.counts().connections > SLOW_CONNECTIONS / 2);
    await until('slow bodies end', () => server.counts().connections <= OTHER_CONNECTIONS);
  });
  for (const socket of sockets) socket.destroy();
  assert.ok(attacked.calls > 0, 'another source is answered during slow bodies');
  return [{ what: 'longest delay of another source during slow bodies', value: attacked.longestMs, unit: 'ms' }];
}

type Request = readonly [how: string, method: string, path: string, body: string, status: number, isFlood?: boolean];

/** Attacks, each with the status of its response. Those that take the server the most time are floods, and the others are sent once. */
function requestsOf(userId: string, groupId: string): readonly Request[] {
  const user = `/Users/${userId}`;
  const group = `/Groups/${groupId}`;
  const change = { op: 'replace', value: { displayName: 'Ada' } };
  const changes = (count: number, each: object = change) => JSON.stringify({ Operations: Array(count).fill(each) });
  const members = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ value: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}` }));
  const filter = (text: string) => `/Users?filter=${encodeURIComponent(text)}`;
  // biome-ignore format: a table
  return [
    ['lists',                          'GET',   '/Users?count=200',                                            '',                                               200, true],
    ['long filters',                   'GET',   filter(`userName eq "${'\\\\'.repeat(500)}"`),                 '',                                               200, true],
    ['filters of many parts',          'GET',   filter(`${'('.repeat(300)}userName eq "a"${')'.repeat(300)}`), '',                                               400],
    ['filters of many comparisons',    'GET',   filter(Array(60).fill('userName eq "a"').join(' or ')),        '',                                               400],
    ['URLs above the limit',           'GET',   `/Users?filter=${'a'.repeat(5_000)}`,                          '',                                               414],
    ['deep bodies',                    'POST',  '/Users',                                                      '['.repeat(200_000),                              400, true],
    ['bodies of many members',         'POST',  '/Users',                                                      JSON.stringify(Array(20_001).fill({ a: 1 })),     400],
    ['bodies above the limit',         'POST',  '/Users',                                                      JSON.stringify({ userName: 'a'.repeat(300_000) }), 413, true],
    ['100 changes of a user',          'PATCH', user,                                                          changes(100),                                     200, true],
    ['10,000 changes of a user',       'PATCH', user,                                                          changes(10_000, { op: 'add' }),                   400],
    ['100 changes of a group',         'PATCH', group,                                                         changes(100, { op: 'replace', value: { displayName: 'group' } }), 204],
    ['1,000 unknown members',          'PATCH', group,                                                         changes(1, { op: 'add', path: 'members', value: members(1_000) }), 400, true],
    ['1,001 members',                  'PUT',   group,                                                         JSON.stringify({ displayName: 'group', members: members(1_001) }), 413],
  ];
}

function textOf(key: string, method: string, path: string, body: string): string {
  const content = body === '' ? '' : `content-type: application/scim+json\r\ncontent-length: ${body.length}\r\n`;
  return `${method} /_belfry/scim/v2${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n${content}\r\n${body}`;
}

/** Creates an account with an OpenID provider. Returns a function that sends requests with its key. */
async function provider(server: AbusedServer) {
  const endpoint = server.endpoints.http;
  const { Account } = await new ChimeClient({ ...server.client() }).send(new CreateAccountCommand({ Name: 'Hostile' }));
  const AccountId = Account?.AccountId as string;
  verifyDomain(server, AccountId, DOMAIN);
  const { operations } = loadModel('chime');
  const own = async (name: string, input: object) => {
    const to = { endpoint, region: 'us-east-1', credentials: server.credentials };
    const { status, body } = await callChime(to, operations[name] as OperationModel, { AccountId, ...input });
    assert.equal(status, 200, JSON.stringify(body));
    return body as Readonly<Record<string, unknown>>;
  };
  await own('UpdateAccountOpenIdConfig', { Issuer: 'https://idp.example.com', ClientId: 'belfry' });
  const key = (await own('CreateApiKey', { Name: 'Hostile' }))['ApiKeyValue'] as string;
  const send = async (method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
    const { status, body: replied } = await exchange(
      endpoint,
      textOf(key, method, path, body === undefined ? '' : JSON.stringify(body)),
      undefined,
      OTHER,
    );
    assert.ok(status < 300, String(replied));
    return JSON.parse(String(replied)) as Readonly<Record<string, unknown>>;
  };
  return Object.assign(send, { key });
}
