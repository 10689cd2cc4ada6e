import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { STEP_BYTES } from '#server/edge/reading.ts';
import { exchange } from '../kit/raw.ts';
import {
  type AbusedServer,
  ATTACKER,
  BYTES_OF_SOURCE,
  CONNECTIONS_OF_SOURCE,
  HOLDING_LIMITS,
  until,
  untilInTime,
  withServer,
} from './abused-server.ts';
import type { Flood } from './flood.ts';
import { delayFigures, type Figure, startOtherCaller, type Workload } from './workload.ts';

const SHORT_TIMES = {
  handshakeTimeoutMs: 300,
  headersTimeoutMs: 200,
  requestTimeoutMs: 300,
  responseTimeoutMs: 300,
  checkingIntervalMs: 50,
  keepAliveMs: 200,
  graceMs: 200,
};
/** Time limit of a request in which even a busy machine sends half of the bytes of one source. */
const BODIES_MS = 5_000;
const LONG_SECONDS = 5;
/**
 * Bound of the median delay of another source during a flood, compared with none. Flood, server and caller share two processors: with a load of
 * 22 from other programs, two runs had 0.1 to 69 times. Without turns between sources, the delay was above 9 s, more than 1,000 times.
 */
const MEDIAN_TIMES_MAX = 100;

const UPGRADE =
  'GET /connect?userArn=x&sessionId=y HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const UNSIGNED = 'GET /meetings/x HTTP/1.1\r\nhost: a\r\n\r\n';
const SMALLEST = 'GET / HTTP/1.1\r\nhost:a\r\n\r\n';
const LINES = `GET / HTTP/1.1\r\nhost:a\r\n${'x:y\r\n'.repeat(190)}\r\n`;
const CHUNKS = `POST / HTTP/1.1\r\nhost:a\r\ntransfer-encoding:chunked\r\n\r\n${'1\r\nx\r\n'.repeat(9_000)}0\r\n\r\n`;
const HEALTH = 'GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n';
/**
 * First five bytes of a TLS record. They announce a TLS 1.0 handshake message of 512 bytes, which the client never
 * sends.
 */
const HALF_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]);

/** Connections of clients that do not read and never close. */
// biome-ignore format: a table
const ABUSES: readonly (readonly [what: string, scheme: 'http' | 'https', sent: string | Buffer])[] = [
  ['a connection that sends nothing',            'http',  ''],
  ['a TLS connection that sends nothing',        'https', ''],
  ['half a TLS handshake',                       'https', HALF_HELLO],
  ['plain HTTP to the TLS port',                 'https', UNSIGNED],
  ['half of the headers',                        'http',  'GET / HTTP/1.1\r\nhost: a\r\nx: '],
  ['half of a body',                             'http',  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\nabc'],
  ['chunks that never end',                      'http',  'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ['bytes that are not HTTP',                    'http',  'nonsense\r\n\r\n'],
  ['too many headers',                           'http',  `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(300)}\r\n`],
  ['a refused upgrade',                          'http',  UPGRADE],
  ['an upgrade behind a request',                'http',  UNSIGNED + UPGRADE],
  ['a body over the limit, declared',            'http',  'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\nabc'],
  ['one response that is not read',              'http',  UNSIGNED],
  ['many responses that are not read',           'http',  UNSIGNED.repeat(1_000)],
  ['many health probes in one piece',            'http',  HEALTH.repeat(1_000)],
];

/**
 * One client opens connections and keeps them open. Another client floods the server with pipelined requests.
 *
 * Asserts that the server closes each connection, and that the numbers of descriptors and bytes return to zero. A source, which is a client
 * address, uses at most its share of the limits. The server answers a second source during the attack.
 */
export const connectionAbuse: Workload = {
  name: 'connection abuse',
  async run({ seconds }) {
    return [
      ...(await withServer({ limits: SHORT_TIMES }, async (server) => [await holdConnections(server, seconds)])),
      ...(await withServer({ limits: { ...SHORT_TIMES, requestTimeoutMs: BODIES_MS } }, async (server) => [await fillBodies(server)])),
      ...(await withServer({}, async (server) => [await fillConnections(server), ...(await flood(server, seconds))])),
    ];
  },
};

/** Returns the number of open sockets whose local port is a port of the server, except listening sockets. */
function descriptors({ ports, counts }: AbusedServer): number {
  // Only Linux has this file. On other systems, uses the server's own count of connections.
  if (!existsSync('/proc/net/tcp')) return counts().connections;
  const own = Object.values(ports).map((port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`);
  const LISTENING = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state, , , , , , inode]) => own.includes(local) && state !== LISTENING && inode !== '0').length;
}

/**
 * Checks that the server ends each kind of abuse and frees its descriptors and bytes. A short run checks all kinds at
 * the same time. A long run checks them one after another.
 */
async function holdConnections(server: AbusedServer, seconds: number): Promise<Figure> {
  for (const kinds of seconds < LONG_SECONDS ? [ABUSES] : ABUSES.map((abuse) => [abuse])) {
    const what = kinds.map(([what]) => what).join(', ');
    const opened = await Promise.all(kinds.map(([, scheme, sent]) => server.open(scheme, 5, sent)));
    // When the server answers or ends a later connection, it has accepted all earlier ones. It ends the connection if the machine is so busy
    // that the TLS handshake or the request exceeds its short time limit.
    for (const endpoint of Object.values(server.endpoints)) await exchange(endpoint, HEALTH, server.caFile).catch(() => undefined);
    await until(`the server holds descriptors of ${what}`, () => descriptors(server) === 0);
    await until(`the server counts connections, requests or bytes of ${what}`, () => {
      const { connections, bytes, requests, sources } = server.counts();
      return connections + bytes + requests + sources === 0;
    });
    for (const socket of opened.flat()) socket.destroy();
  }
  return { what: 'descriptors of abused connections that remain open', value: descriptors(server), unit: 'count', most: 0 };
}

/** Reports whether the server answers a caller from another source address. */
async function isAnswered(server: AbusedServer): Promise<boolean> {
  return await untilInTime(async () => {
    const sts = new STSClient(server.client());
    try {
      return (await sts.send(new GetCallerIdentityCommand({}))).Account !== undefined;
    } finally {
      sts.destroy();
    }
  });
}

/** Opens as many connections from one source as the server accepts from all sources. */
async function fillConnections(server: AbusedServer): Promise<Figure> {
  const sockets = await server.open('http', HOLDING_LIMITS.connectionsMax, '');
  let most = 0;
  await until('the connections are counted', () => {
    most = Math.max(most, server.counts().connections);
    return most >= CONNECTIONS_OF_SOURCE;
  });
  assert.ok(await isAnswered(server), 'another source is answered');
  assert.ok(most <= CONNECTIONS_OF_SOURCE, `one source holds ${most} connections`);
  for (const socket of sockets) socket.destroy();
  await until('all connections end', () => server.counts().connections === 0);
  return {
    what: `connections of one source, of ${HOLDING_LIMITS.connectionsMax}`,
    value: most,
    unit: 'count',
    most: CONNECTIONS_OF_SOURCE,
  };
}

/** Sends more bytes of bodies from one source than the server accepts from all sources. No body is complete. */
async function fillBodies(server: AbusedServer): Promise<Figure> {
  const size = 1_000_000;
  const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size + 1}\r\n\r\n`;
  const sockets = await server.open('http', 40, head + 'x'.repeat(size));
  let most = 0;
  const note = () => {
    most = Math.max(most, server.counts().bytes);
    return most > BYTES_OF_SOURCE / 2;
  };
  await until('bodies are under way', note);
  assert.ok(await isAnswered(server), 'another source is answered');
  await until('the bytes are free when the time of the bodies ends', () => {
    note();
    return server.counts().bytes === 0;
  });
  assert.ok(most <= BYTES_OF_SOURCE + 65_536, `one source holds ${most} bytes`);
  for (const socket of sockets) socket.destroy();
  await until('all connections end', () => server.counts().connections === 0);
  return { what: 'bytes under way of one source', value: most, unit: 'bytes', most: BYTES_OF_SOURCE + 65_536 };
}

/** Floods the server with pipelined requests. Some clients read the responses, others do not. */
async function flood(server: AbusedServer, seconds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  const other = await startOtherCaller(server.caller);
  const wait = () => new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / FLOODS.length));
  // biome-ignore format: a table
  const FLOODS = [
    ['a flood',                                   50,                    UNSIGNED, true],
    ['a flood of the smallest requests',          50,                    SMALLEST, true],
    ['a flood whose responses are not read',      50,                    UNSIGNED, false],
    ['a flood of health probes',                  CONNECTIONS_OF_SOURCE, HEALTH,   true],
    ['a flood of header lines',                   50,                    LINES,    true],
    ['a flood of chunks of one byte',             50,                    CHUNKS,   true],
  ] as const;
  const quiet = await other.during(wait);
  for (const [how, connections, request, reads] of FLOODS) {
    const options: Flood = { port: server.ports.http, localAddress: ATTACKER, connections, request, reads };
    let requests = 0;
    let bytes = 0;
    const attack = async () => {
      const flood = fork(new URL('./flood.ts', import.meta.url), []);
      flood.send(options);
      const watch = setInterval(() => {
        const counts = server.counts();
        requests = Math.max(requests, counts.requests);
        bytes = Math.max(bytes, counts.bytes);
      }, 5);
      // The caller from the other source has one connection. All further connections are from the flood.
      await until(`${how} arrives`, () => server.counts().connections > 1);
      await wait();
      clearInterval(watch);
      flood.kill('SIGKILL');
      await once(flood, 'exit');
    };
    const rss = process.memoryUsage().rss;
    const attacked = await other.during(attack);
    const grown = process.memoryUsage().rss - rss;
    assert.ok(attacked.calls > 0, 'another source is answered during the flood');
    // The server parses this many requests of one connection before it checks the limits again.
    const requestsMax = 512 + Math.ceil(STEP_BYTES / request.length);
    assert.ok(requests <= requestsMax, `${requests} requests of one source wait`);
    assert.ok(bytes <= 16 * 1024 * 1024, `one source holds ${bytes} bytes`);
    await until('all requests end', () => server.counts().requests === 0 && server.counts().bytes === 0);
    figures.push(
      ...delayFigures(how, attacked, quiet, MEDIAN_TIMES_MAX),
      { what: `requests of one source that wait during ${how}`, value: requests, unit: 'count', most: requestsMax },
      { what: `growth of memory during ${how}`, value: grown, unit: 'bytes' },
    );
  }
  other.stop();
  return figures;
}
