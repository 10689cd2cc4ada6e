import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChimeSDKVoiceClient, PutVoiceConnectorTerminationCredentialsCommand } from '@aws-sdk/client-chime-sdk-voice';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { newFolder } from '../kit/folder.ts';
import { startServerProcess } from '../kit/process.ts';
import { type Random, randomOf } from '../kit/random.ts';
import { until } from '../kit/until.ts';
import { ANSWER, type Call, openParty, type Party, type SipMessage } from '../sip/party.ts';
import { type SipProxy, type SipSettings, sipSettings, startProxy } from '../sip/proxy.ts';
import { CUSTOMER, createTrunk, enableSipLogs, hostOf, inbound, number, orderNumbers, route, STRANGER } from '../sip/trunks.ts';
import type { Figure, Workload, WorkloadOptions } from './workload.ts';

/** Maximum requests of one source in a second that belong to no call. */
const REQUESTS_PER_SECOND = 50;
/** The proxy counts requests for two seconds. */
const UNIT_SECONDS = 2;
const FLOOD_PER_SECOND = 1_000;
const MALFORMED = 10_000;
/** Sources of the floods. Each is an address of its own, so that the limit of one flood does not affect the next one. */
const FLOODER = '127.0.10.41';
const MANGLER = '127.0.10.42';
const HOLDER = '127.0.10.43';
const IDLE_CARRIER = '127.0.10.96';
const CARRIERS = { udp: '127.0.10.97', tcp: '127.0.10.98', tls: '127.0.10.99' } as const;
/** Pause of another caller between two calls. */
const CALL_EVERY_MS = 200;
/** Connections of each kind that a source opens and never closes, in a short and in a long run. */
const HELD = { short: 40, long: 300 };
const LONG_SECONDS = 5;
/** Memory of all processes of the proxy: 256 MiB of shared memory, and at most 8 MiB in each process. */
const PROXY_MAX_BYTES = 512 * 1024 * 1024;
const SERVER_GROWTH_MAX_BYTES = 256 * 1024 * 1024;
const PASSWORDS = { ada: 'kept-secret-of-ada', bob: 'kept-secret-of-bob' } as const;
/** A nonce is valid for 60 seconds. Only a long run waits for that. */
const NONCE_MS = 61_000;

/**
 * Hosts that reach the SIP proxy send requests that they may not send, malformed and oversized messages, and floods. They hold connections.
 *
 * Asserts that each refused request has its code, that no header line is added, and that one source uses at most its share. Calls of three other
 * callers, over UDP, TCP and TLS, are answered meanwhile. The proxy and the server do not restart, their memory is bounded, and no log has a
 * password, a digest or the token of the proxy.
 */
export const sipPeers: Workload = {
  name: 'sip peers',
  async run(options) {
    const place = await openPlace();
    try {
      return await attack(place, options);
    } finally {
      await Promise.all(place.parties.map((party) => party.close()));
      await place.proxy.stop();
      await place.server.stop();
    }
  },
};

async function attack(place: Place, { seconds, seed }: WorkloadOptions): Promise<readonly Figure[]> {
  const { proxy, server } = place;
  const before = { pid: proxy.pid(), server: residentBytes(server.pid) };
  const expiring = await challengeOf(place, place.trunk);
  const expiresAt = performance.now() + NONCE_MS;
  const idle = await openAllowed(place);
  const held = holdConnections(place, seconds < LONG_SECONDS ? HELD.short : HELD.long);
  const others = Object.values(place.carriers).map((carrier) => keepCalling(carrier));
  await refuseRequests(place);
  await refuseCredentials(place);
  const flooded = await flood(place, seconds);
  const mangled = await sendMalformed(place, randomOf(seed, 'sip'));
  if (performance.now() + seconds * 1_000 > expiresAt) {
    await delay(Math.max(0, expiresAt - performance.now()));
    assert.equal((await answerTo(place, place.trunk, expiring, 'ada', PASSWORDS.ada)).code, 407, 'an expired nonce');
  }
  const closed = await held.closed();
  assert.ok(!idle.closed, 'the proxy has closed a connection whose party may use it');
  idle.destroy();
  const answered = await Promise.all(others.map((each) => each.stop()));
  await requireNoSecrets(place);
  assert.equal(proxy.pid(), before.pid, 'the SIP proxy has restarted');
  const figures: Figure[] = [
    ...flooded,
    ...mangled,
    { what: 'connections without an allowed request that remain open', value: held.count - closed, unit: 'count', most: 0 },
    { what: 'answered calls of other callers, at least', value: Math.min(...answered), unit: 'count' },
    { what: 'memory of the SIP proxy', value: proxyBytes(before.pid), unit: 'bytes', most: PROXY_MAX_BYTES },
    { what: 'growth of the server', value: residentBytes(server.pid) - before.server, unit: 'bytes', most: SERVER_GROWTH_MAX_BYTES },
  ];
  for (const { what, value, most } of figures) assert.ok(most === undefined || value <= most, `${what}: ${value}, at most ${most}`);
  return figures;
}

interface Place {
  readonly sip: SipSettings;
  readonly server: Awaited<ReturnType<typeof startServerProcess>>;
  readonly proxy: SipProxy;
  /** Voice Connectors of the customer's address, with one user each. */
  readonly trunk: string;
  readonly other: string;
  readonly customer: Party;
  readonly stranger: Party;
  readonly far: Party;
  readonly carriers: Readonly<Record<keyof typeof CARRIERS, Party>>;
  readonly parties: readonly Party[];
  readonly sipLogs: () => Promise<readonly { readonly sip_message: string }[]>;
}

async function openPlace(): Promise<Place> {
  const dataFolder = newFolder('sip-peers');
  const sip = await sipSettings('unit', {
    BELFRY_SIP_CARRIERS: '127.0.10.96/30',
    BELFRY_SIP_REQUESTS_PER_SECOND: String(REQUESTS_PER_SECOND),
  });
  const server = await startServerProcess(sip.environment, dataFolder);
  const proxy = await startProxy(sip, dataFolder);
  const client = () => ({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 });
  const voice = new ChimeSDKVoiceClient({ ...client(), endpoint: `${server.endpoint}/_chime-sdk-voice` });
  await orderNumbers(voice, dataFolder);
  const ca = readFileSync(join(dataFolder, 'tls', 'ca.pem'), 'utf8');
  const far = await openParty('udp', '127.0.10.3', sip.plain, { answer: ANSWER });
  const [customer, stranger] = (await Promise.all([CUSTOMER, STRANGER].map((host) => openParty('udp', host, sip.plain)))) as [Party, Party];
  const carriers = {
    udp: await openParty('udp', CARRIERS.udp, sip.plain),
    tcp: await openParty('tcp', CARRIERS.tcp, sip.plain),
    tls: await openParty('tls', CARRIERS.tls, sip.tls, { tls: { ca } }),
  };
  const trunk = await createTrunk(voice, { name: 'trunk', numbers: [number(0)], routes: [route(far)] });
  const other = await createTrunk(voice, { name: 'other', numbers: [number(2)] });
  await createTrunk(voice, { name: 'office', numbers: [number(1)], routes: [route(far)] });
  for (const [VoiceConnectorId, Username] of [
    [trunk, 'ada'],
    [other, 'bob'],
  ] as const) {
    const Credentials = [{ Username, Password: PASSWORDS[Username] }];
    await voice.send(new PutVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId, Credentials }));
  }
  const { Account = '' } = await new STSClient(client()).send(new GetCallerIdentityCommand({}));
  const sipLogs = await enableSipLogs({ accountId: Account, client, voice }, trunk);
  const parties = [far, customer, stranger, ...Object.values(carriers)];
  return { sip, server, proxy, trunk, other, customer, stranger, far, carriers, parties, sipLogs };
}

/** Calls the office from a carrier again and again. Each call must be answered and end normally. */
function keepCalling(carrier: Party): { stop(): Promise<number> } {
  let isOver = false;
  let answered = 0;
  const calling = (async () => {
    while (!isOver) {
      const call = carrier.call(inbound(number(1)), { from: '+12125550100' });
      const final = await carrier.final(call);
      assert.equal(final.code, 200, `a call of another caller was not answered: ${final.text}`);
      call.ack(final);
      call.inside('BYE', final);
      assert.equal((await carrier.final(call, 'BYE')).code, 200);
      answered++;
      await delay(CALL_EVERY_MS);
    }
    return answered;
  })();
  // The result is read at the end. A failure before that must not end the process.
  calling.catch(() => undefined);
  return {
    stop() {
      isOver = true;
      return calling;
    },
  };
}

const toTrunk = (id: string) => `sip:${number(1)}@${hostOf(id)}`;

/** Requests that are refused, each with its code. */
// biome-ignore format: a table
const REFUSED: readonly (readonly [what: string, from: 'customer' | 'stranger', uri: (place: Place) => string, code: number, caller?: string])[] = [
  ['unknown source',                        'stranger', ({ trunk }) => toTrunk(trunk),                   403],
  ['unknown source with a known caller',    'stranger', ({ trunk }) => toTrunk(trunk),                   403, number(0)],
  ['unknown Voice Connector',               'stranger', () => toTrunk('a'.repeat(22)),                   404],
  ['a carrier\'s call from a stranger',     'stranger', () => inbound(number(1)),                        404],
  ['line break in the caller',              'stranger', ({ trunk }) => toTrunk(trunk),                   403, '%0d%0aX-Evil:1'],
  ['line break in the caller, customer',    'customer', ({ trunk }) => toTrunk(trunk),                   407, '%0d%0aX-Evil:1'],
  ['quote in the caller',                   'stranger', ({ trunk }) => toTrunk(trunk),                   400, 'a"b'],
  ['bytes that are not UTF-8',              'stranger', ({ trunk }) => toTrunk(trunk),                   400, 'a\xff\xfe'],
  ['null byte in the caller',               'stranger', ({ trunk }) => toTrunk(trunk),                   403, 'a%00b'],
  ['no credentials',                        'customer', ({ trunk }) => toTrunk(trunk),                   407],
  ['line break in the number',              'customer', ({ trunk }) => `sip:1%0d%0aX-Evil:1@${hostOf(trunk)}`, 407],
];

async function refuseRequests(place: Place): Promise<void> {
  for (const [what, from, uri, code, caller] of REFUSED) {
    const party = place[from];
    const call = party.call(uri(place), caller === undefined ? {} : { from: caller });
    const final = await party.final(call);
    assert.equal(final.code, code, `${what}: ${final.text}`);
    call.ackError(final);
  }
  // A carrier's call is relayed, with the same text in its From and in a header.
  const { udp } = place.carriers;
  const call = udp.call(inbound(number(1)), { from: '%0d%0aX-Evil:1', headers: ['P-Asserted-Identity: <sip:%0d%0aX-Evil:2@a>'] });
  const final = await udp.final(call);
  assert.equal(final.code, 200);
  call.ack(final);
  call.inside('BYE', final);
  await udp.final(call, 'BYE');
  assert.ok(!place.far.received.some(({ text }) => /^X-Evil/im.test(text)), 'a header line was added');
}

interface Challenge {
  readonly call: Call;
  readonly challenge: SipMessage;
}

async function challengeOf({ customer }: Place, id: string): Promise<Challenge> {
  const call = customer.call(toTrunk(id), { from: number(0) });
  const challenge = await customer.final(call);
  assert.equal(challenge.code, 407);
  call.ackError(challenge);
  return { call, challenge };
}

/** Answers a challenge with a new call to a Voice Connector. Returns the final response. */
async function answerTo({ customer }: Place, id: string, { challenge }: Challenge, user: string, password: string, changes = {}) {
  const call = customer.call(toTrunk(id), { from: number(0) });
  call.ackError(await customer.final(call));
  call.authorize(challenge, user, password, changes);
  const final = await customer.final(call);
  if (final.code === 200) {
    call.ack(final);
    call.inside('BYE', final);
    await customer.final(call, 'BYE');
  } else call.ackError(final);
  return final;
}

/** Credentials that are refused: a used nonce, a nonce of another Voice Connector or of another source, and changed ones. */
async function refuseCredentials(place: Place): Promise<void> {
  const { trunk, other } = place;
  const fresh = () => challengeOf(place, trunk);
  const used = await fresh();
  assert.equal((await answerTo(place, trunk, used, 'ada', PASSWORDS.ada)).code, 200);
  const ofOther = await challengeOf(place, other);
  const realm = hostOf(trunk);
  const changed = (await fresh()).challenge.header('proxy-authenticate').replace(/.*nonce="([^"]+)".*/, '$1');
  const flipped = `${changed.slice(0, -1)}${changed.endsWith('0') ? '1' : '0'}`;
  // biome-ignore format: a table
  const rows: readonly (readonly [what: string, challenge: Challenge, user: string, password: string, changes: object])[] = [
    ['used nonce',                            used,          'ada', PASSWORDS.ada, {}],
    ['used nonce with a count of zero',       used,          'ada', PASSWORDS.ada, { nc: '00000000' }],
    ['nonce of another Voice Connector',      ofOther,       'ada', PASSWORDS.ada, { realm }],
    ['realm of another Voice Connector',      ofOther,       'bob', PASSWORDS.bob, {}],
    ['user of another Voice Connector',       await fresh(), 'bob', PASSWORDS.bob, {}],
    ['changed nonce',                         await fresh(), 'ada', PASSWORDS.ada, { nonce: flipped }],
    ['empty nonce',                           await fresh(), 'ada', PASSWORDS.ada, { nonce: '0' }],
    ['wrong password',                        await fresh(), 'ada', PASSWORDS.bob, {}],
  ];
  for (const [what, challenge, user, password, changes] of rows) {
    assert.equal((await answerTo(place, trunk, challenge, user, password, changes)).code, 407, what);
  }
}

/** Sends datagrams from an address at a rate. Returns the Call-IDs of the requests that have a final response, which the proxy repeats. */
async function sendDatagrams(
  { sip }: Place,
  host: string,
  count: number,
  perTurn: number,
  message: (i: number, own: string) => Buffer,
): Promise<ReadonlySet<string>> {
  const socket = createSocket('udp4');
  const answered = new Set<string>();
  socket.on('message', (data) => {
    const text = data.toString('latin1');
    if (!text.startsWith('SIP/2.0 1')) answered.add(/^Call-ID:(.*)$/im.exec(text)?.[1] ?? `none ${answered.size}`);
  });
  await new Promise<void>((done) => void socket.bind(0, host, done));
  const own = `${host}:${socket.address().port}`;
  try {
    for (let i = 0; i < count; i += perTurn) {
      for (let j = i; j < Math.min(i + perTurn, count); j++) socket.send(message(j, own), sip.plain.port, sip.plain.host);
      await delay((perTurn * 1_000) / FLOOD_PER_SECOND);
    }
    // Responses to the last requests can still arrive.
    await delay(200);
  } finally {
    await new Promise<void>((done) => socket.close(done));
  }
  return answered;
}

function inviteOf(uri: string, own: string, id: string): string {
  return [
    `INVITE ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 70',
    `From: <sip:+12065550199@pbx.example.com>;tag=${id}`,
    `To: <${uri}>`,
    `Call-ID: ${id}@flood`,
    'CSeq: 1 INVITE',
    `Contact: <sip:flood@${own}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Most requests of one source that are answered in some seconds: two units of counting can overlap each end. */
const answeredMax = (seconds: number) => REQUESTS_PER_SECOND * UNIT_SECONDS * (Math.ceil(seconds / UNIT_SECONDS) + 2);

/** A thousand INVITEs in a second from one source. */
async function flood(place: Place, seconds: number): Promise<readonly Figure[]> {
  const began = performance.now();
  const uri = toTrunk(place.trunk);
  const count = FLOOD_PER_SECOND * seconds;
  const answered = await sendDatagrams(place, FLOODER, count, 100, (i, own) => Buffer.from(inviteOf(uri, own, `f${i}`)));
  assert.ok(answered.size > 0, 'the flood does not reach the proxy');
  const most = answeredMax((performance.now() - began) / 1_000);
  return [{ what: `answered INVITEs, of ${count} of one source`, value: answered.size, unit: 'count', most }];
}

/** Messages that are not SIP, or not quite. */
async function sendMalformed(place: Place, random: Random): Promise<readonly Figure[]> {
  const began = performance.now();
  const answered = await sendDatagrams(place, MANGLER, MALFORMED, 500, (i, own) =>
    mangled(inviteOf(toTrunk(place.trunk), own, `m${i}`), random),
  );
  const most = answeredMax((performance.now() - began) / 1_000);
  return [{ what: `answered malformed messages, of ${MALFORMED} of one source`, value: answered.size, unit: 'count', most }];
}

// biome-ignore format: a table
const DAMAGES: readonly (readonly [weight: number, damage: (text: string, random: Random) => string | Uint8Array])[] = [
  [4, (text, random) => text.slice(0, random.integer(text.length))],
  [4, (text, random) => { const at = random.integer(text.length); return `${text.slice(0, at)}${String.fromCharCode(random.integer(256))}${text.slice(at + 1)}`; }],
  [2, (text, random) => text.split('\r\n').filter(() => random.chance(0.8)).join('\r\n')],
  [2, (text, random) => text.split('\r\n').flatMap((line) => random.chance(0.2) ? [line, line] : [line]).join('\r\n')],
  [1, (text, random) => text.replaceAll('\r\n', random.pick(['\n', '\r', '\r\n ', '\0\r\n']))],
  [1, (text, random) => text.replace('Content-Length: 0', `Content-Length: ${random.pick(['-1', '99999999999', 'x', ''])}`)],
  [1, (text, random) => text.replace('CSeq: 1', `CSeq: ${random.pick(['-1', '4294967296', 'x'])}`)],
  [1, (text) => text.replace('Max-Forwards: 70', `Via: SIP/2.0/UDP a;branch=b\r\n`.repeat(100))],
  [1, (text, random) => text.replace('Max-Forwards: 70', `X-${'y'.repeat(random.integer(9_000))}: z`)],
  [1, (text, random) => text.replace('Max-Forwards: 70', `Proxy-Authorization: ${random.pick(['Digest', 'Digest a="', `Digest ${'a=b,'.repeat(900)}`])}`)],
  [1, (text, random) => text.replace('INVITE', random.pick(['', 'BYE', 'CANCEL', 'ACK', 'invite', 'X'.repeat(300)]))],
  [1, (text) => `SIP/2.0 200 OK\r\n${text.slice(text.indexOf('\r\n') + 2)}`],
  [1, (_, random) => random.bytes(1 + random.integer(1_200))],
];

function mangled(invite: string, random: Random): Buffer {
  const damaged = random.weighted(DAMAGES)(invite, random);
  return typeof damaged === 'string' ? Buffer.from(damaged, 'latin1') : Buffer.from(damaged);
}

const HALF_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]);

/** Bytes that connections send before they send nothing more. */
// biome-ignore format: a table
const HELD_KINDS: readonly (readonly [what: string, transport: 'tcp' | 'tls', sent: string | Buffer])[] = [
  ['nothing',                    'tcp', ''],
  ['half of a message',          'tcp', 'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a'],
  ['half of a body',             'tcp', inviteOf('sip:a@b', 'c', 'h').replace('Content-Length: 0', 'Content-Length: 5000')],
  ['a body of 100 MB',           'tcp', inviteOf('sip:a@b', 'c', 'h').replace('Content-Length: 0', 'Content-Length: 100000000')],
  ['headers of 1 MB',            'tcp', `INVITE sip:a@b SIP/2.0\r\n${'X: y\r\n'.repeat(170_000)}`],
  ['one header of 1 MB',         'tcp', `INVITE sip:a@b SIP/2.0\r\nX: ${'y'.repeat(1_000_000)}`],
  ['bytes that are not SIP',     'tcp', Buffer.alloc(5_000, 0xff)],
  ['line breaks',                'tcp', '\r\n'.repeat(5_000)],
  ['a message that is refused',  'tcp', inviteOf('sip:+12065550101@a', '127.0.10.43:5060', 'h').replace('/UDP', '/TCP')],
  ['no handshake',               'tls', ''],
  ['half of a handshake',        'tls', HALF_HELLO],
  ['bytes that are not TLS',     'tls', Buffer.alloc(5_000, 0xff)],
  ['SIP without TLS',            'tls', inviteOf('sip:a@b', 'c', 'h')],
];

/** Opens connections that send some bytes, then wait. `closed` waits until the proxy has closed all, and returns their number. */
function holdConnections({ sip }: Place, ofKind: number) {
  let closed = 0;
  const count = HELD_KINDS.length * ofKind;
  const sockets: Socket[] = HELD_KINDS.flatMap(([, transport, sent]) =>
    Array.from({ length: ofKind }, () => {
      const socket = connect({ ...(transport === 'tls' ? sip.tls : sip.plain), localAddress: HOLDER });
      socket.on('error', () => undefined);
      socket.once('connect', () => socket.write(sent));
      socket.once('close', () => closed++);
      socket.resume();
      return socket;
    }),
  );
  return {
    count,
    async closed() {
      await until(
        () => closed === count,
        () => `the proxy has closed ${closed} of ${count} connections; open: ${openKinds(sockets, ofKind)}`,
      ).finally(() => {
        for (const socket of sockets) socket.destroy();
      });
      return closed;
    },
  };
}

/** Opens a connection of a carrier, which sends an OPTIONS and then nothing more. */
async function openAllowed({ sip }: Place): Promise<Socket> {
  const socket = connect({ ...sip.plain, localAddress: IDLE_CARRIER });
  const own = `${IDLE_CARRIER}:5060`;
  const options = inviteOf(`sip:${sip.plain.host}`, own, 'idle').replace('/UDP', '/TCP').replaceAll('INVITE', 'OPTIONS');
  let received = '';
  socket.on('error', () => undefined).on('data', (data) => (received += String(data)));
  socket.write(options);
  await until(
    () => received.startsWith('SIP/2.0 200 '),
    () => `the OPTIONS of a carrier is not answered: ${received}`,
  );
  return socket;
}

function openKinds(sockets: readonly Socket[], ofKind: number): string {
  return [...new Set(sockets.flatMap((socket, i) => (socket.destroyed ? [] : [HELD_KINDS[Math.floor(i / ofKind)]?.[0]])))].join(', ');
}

/** Reads the log events, and the files and logs of the server and of the proxy. None has a secret. */
async function requireNoSecrets({ server, proxy, sipLogs }: Place): Promise<void> {
  const token = readFileSync(join(server.dataFolder, 'sip', 'token'), 'utf8');
  const logged: string[] = [];
  await until(
    async () => {
      logged.splice(0, logged.length, ...(await sipLogs()).map(({ sip_message }) => sip_message));
      return logged.some((message) => message.includes('HIDDEN_DUE_TO_SECURITY_REASONS'));
    },
    () => 'the SIP logs have no message with credentials',
  );
  const digests = logged.filter((message) => /^(?:proxy-)?authorization:.*response=/im.test(message));
  assert.deepEqual(digests, [], 'the SIP logs have a digest');
  const texts = { 'log of the server': server.written(), 'log of the proxy': proxy.lines.join('\n'), 'SIP logs': logged.join('\n') };
  for (const secret of [token, ...Object.values(PASSWORDS)]) {
    for (const [where, text] of Object.entries(texts)) assert.ok(!text.includes(secret), `the ${where} has a secret`);
  }
  // The trail and the stored calls are in the database.
  for (const name of readdirSync(server.dataFolder).filter((file) => file.startsWith('belfry.db'))) {
    const content = readFileSync(join(server.dataFolder, name));
    for (const secret of Object.values(PASSWORDS)) assert.ok(!content.includes(secret), `${name} has a secret`);
  }
  assert.ok(proxy.lines.length < 1_000, `the proxy has written ${proxy.lines.length} lines`);
}

function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Returns the memory of a process group. Shared memory counts once. */
function proxyBytes(group: number): number {
  const ofProcess = (pid: string) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      if (Number(fields[2]) !== group) return 0;
      return 1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // The process has ended.
      return 0;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => sum + ofProcess(pid), 0);
}
