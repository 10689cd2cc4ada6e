import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { STREAM_BYTES } from '#server/edge/transfer-limits.ts';
import { connect, errorCodeOf } from '../kit/raw.ts';
import { element, headOf, type S3Request, s3Caller, signS3 } from '../kit/s3.ts';
import { type AbusedServer, ATTACKER, until, untilInTime, withServer } from './abused-server.ts';
import { delayFigures, type Figure, startOtherCaller, type Workload } from './workload.ts';

/**
 * Limits of streamed bodies. All other time limits have their defaults, which are too long to end a transfer of this workload. In a window, even
 * a busy machine begins all transfers of an attack.
 */
const TRANSFER_LIMITS = { windowMs: 4_000, leastBytes: 16_384 };
/** Time after which the server has certainly reported the time limit of a request, which is 300 ms here. */
const LONG_UPLOAD_MS = 1_000;
/** Interval between two bytes of an attacker. In a window, these are far fewer bytes than the least. */
const DRIP_MS = 50;
/** Size of the object that slow clients download. It is larger than the buffers of both sockets together. */
const OBJECT_BYTES = 32 * 1024 * 1024;
const UNDER_WAY_MAX_BYTES = 64 * 1024 * 1024;
/** Share of one source. */
const BYTES_OF_SOURCE = UNDER_WAY_MAX_BYTES / 4;
const STREAMS_OF_SOURCE = Math.floor(BYTES_OF_SOURCE / STREAM_BYTES);
/** Connections of each kind. All kinds together stay below the share of a source. */
const CONNECTIONS_OF_KIND = 8;
/** Bound of the median delay of another source during slow transfers, compared with none. */
const MEDIAN_TIMES_MAX = 5;
/** Connections of the last attack, which is above the share. */
const CONNECTIONS_ABOVE_SHARE = 95;
const HUGE = { 'content-length': '5000000000' };
const CHUNKED = { 'transfer-encoding': 'chunked' };

interface Attack {
  readonly method: 'GET' | 'PUT';
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that the client sends again and again after the head. */
  readonly drip?: string;
  /** Bytes that the client reads at once. Undefined if it reads everything, 0 if it reads nothing. */
  readonly reads?: number;
}

// biome-ignore format: a table
const ATTACKS: readonly Attack[] = [
  { method: 'PUT', target: '/logs/slow',  headers: HUGE },
  { method: 'PUT', target: '/logs/slow',  headers: HUGE,                       drip: 'x' },
  { method: 'PUT', target: '/logs/slow',  headers: { 'content-length': '5000' }, drip: 'x' },
  { method: 'PUT', target: '/logs/slow',  headers: CHUNKED,                    drip: '1\r\nx\r\n' },
  { method: 'PUT', target: '/logs/part',  headers: HUGE,                       drip: 'x' },
  { method: 'GET', target: '/logs/large', headers: {},                         reads: 0 },
  { method: 'GET', target: '/logs/large', headers: {},                         reads: 10 },
];

/** Attacks with more connections than the share of a source allows. */
const ABOVE_SHARE = ATTACKS.filter(({ drip, reads, headers }) => drip === undefined && (reads === 0 || headers === HUGE));

/**
 * One client opens many uploads and downloads of objects, and moves almost no bytes.
 *
 * Asserts that the server ends each transfer and stores nothing, that the transfers of a source hold at most its share of the memory, and
 * that the server answers another source in the meantime, also its uploads and downloads.
 */
export const slowTransfers: Workload = {
  name: 'slow transfers',
  async run({ seconds }) {
    const limits = { underWayMaxBytes: UNDER_WAY_MAX_BYTES };
    const rounds = Math.max(1, Math.floor(seconds / 5));
    return [
      ...(await withServer({ limits, transferLimits: TRANSFER_LIMITS }, (server) => attackTransfers(server, rounds))),
      ...(await withServer(
        { limits: { ...limits, headersTimeoutMs: 300, requestTimeoutMs: 300, checkingIntervalMs: 50 }, transferLimits: TRANSFER_LIMITS },
        async (server) => [await dripAfterRefusal(server)],
      )),
    ];
  },
};

async function attackTransfers(server: AbusedServer, rounds: number): Promise<Figure[]> {
  const call = s3Caller(server.endpoints.http, server.credentials);
  assert.equal((await call({ method: 'PUT', target: '/logs' })).status, 200);
  assert.equal((await call({ method: 'PUT', target: '/logs/large', body: Buffer.alloc(OBJECT_BYTES) })).status, 200);
  const uploadId = element(await call({ method: 'POST', target: '/logs/part?uploads=' }), 'UploadId');
  const part = `/logs/part?partNumber=1&uploadId=${uploadId}`;
  const other = await startOtherCaller(server.caller);
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  // Another source uploads and downloads without an attack as often as it does during the attack.
  const transfers = rounds * (1 + ABOVE_SHARE.length);
  const quiet = await other.during(async () => {
    for (let i = 0; i < transfers; i++) await transferAsOther(s3, i);
  });
  const before = process.memoryUsage().arrayBuffers;
  const most = { held: 0, written: 0, buffers: 0 };
  const watch = setInterval(() => {
    most.held = Math.max(most.held, server.counts().bytes);
    most.written = Math.max(most.written, incoming(server));
    most.buffers = Math.max(most.buffers, process.memoryUsage().arrayBuffers - before);
  }, 5);
  const ended = () => server.counts().bytes < STREAM_BYTES && incoming(server) === 0;
  const attack = async () => {
    for (let round = 0; round < rounds; round++) {
      const kinds = ATTACKS.flatMap((each) => Array.from({ length: CONNECTIONS_OF_KIND }, () => each));
      const slow = await Promise.all(kinds.map((each) => begin(server, each, part)));
      await until('all slow transfers hold memory', () => server.counts().bytes >= kinds.length * STREAM_BYTES);
      await transferAsOther(s3, round);
      await until('the server ends slow transfers', ended);
      for (const { stop, received, method } of slow) {
        // The server closes the connection of an upload without a response, because its client may still be sending.
        if (method === 'PUT') assert.equal(received(), '');
        stop();
      }
      for (const kind of ABOVE_SHARE) {
        const many = await Promise.all(Array.from({ length: CONNECTIONS_ABOVE_SHARE }, () => begin(server, kind, part)));
        await until('transfers use the share of their source', () => server.counts().bytes > (STREAMS_OF_SOURCE - 2) * STREAM_BYTES);
        await transferAsOther(s3, round);
        await until('the server ends transfers above the share', ended);
        const refused = many.filter(({ received }) => received().startsWith('HTTP/1.1 503')).length;
        if (kind.method === 'PUT') assert.ok(refused >= CONNECTIONS_ABOVE_SHARE - STREAMS_OF_SOURCE, `${refused} are refused`);
        for (const { stop } of many) stop();
      }
    }
  };
  const attacked = await other.during(attack).finally(() => clearInterval(watch));
  other.stop();
  assert.ok(attacked.calls > 0, 'another source is answered during slow transfers');
  assert.ok(most.held <= BYTES_OF_SOURCE + 2 * STREAM_BYTES, `transfers hold ${most.held} bytes`);
  assert.ok(most.written <= STREAMS_OF_SOURCE + 1, `${most.written} uploads are written at once`);
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket: 'logs', Key: 'slow' })), { name: 'NotFound' });
  s3.destroy();
  return [
    ...delayFigures('slow transfers', attacked, quiet, MEDIAN_TIMES_MAX),
    { what: 'bytes that slow transfers hold', value: most.held, unit: 'bytes', most: BYTES_OF_SOURCE + 2 * STREAM_BYTES },
    { what: 'slow uploads that are written at once', value: most.written, unit: 'count', most: STREAMS_OF_SOURCE + 1 },
    { what: 'growth of buffers during slow transfers, those of the clients included', value: most.buffers, unit: 'bytes' },
  ];
}

/** Returns the number of contents that are being written. */
function incoming({ dataFolder }: AbusedServer): number {
  return readdirSync(join(dataFolder, 'objects', 'incoming')).length;
}

/** Begins a slow transfer. `received` returns the first bytes of the response, if the client reads. */
async function begin({ endpoints, credentials }: AbusedServer, attack: Attack, part: string) {
  const { method, drip, reads } = attack;
  const target = attack.target === '/logs/part' ? part : attack.target;
  const request: S3Request = { method, target, payload: 'UNSIGNED-PAYLOAD' };
  const connection = await connect(endpoints.http, undefined, ATTACKER);
  const { socket } = connection;
  let received = '';
  socket.removeAllListeners('data');
  if (reads === undefined) socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1', 0, 100)));
  else socket.pause();
  connection.write(headOf(request, { ...signS3(endpoints.http, credentials, request).headers, ...attack.headers }));
  const timer = setInterval(() => {
    if (drip !== undefined && socket.writable) socket.write(drip);
    if (reads !== undefined && reads > 0) socket.read(reads);
  }, DRIP_MS);
  return {
    method,
    received: () => received,
    stop() {
      clearInterval(timer);
      connection.close();
    },
  };
}

/** Uploads and downloads an object of some MiB from another source. */
async function transferAsOther(s3: S3Client, round: number): Promise<void> {
  const Body = Buffer.alloc(3 * 1024 * 1024, `${round}`);
  await untilInTime(() => s3.send(new PutObjectCommand({ Bucket: 'logs', Key: 'other', Body })));
  const stored = await untilInTime(async () => {
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: 'logs', Key: 'other' }));
    return await body?.transformToByteArray();
  });
  assert.ok(Body.equals(stored ?? Buffer.alloc(0)));
}

/**
 * An upload that takes longer than the time limit of a request is refused, and then sends the rest of its body in single bytes. Node
 * reports the time limit of a request only once.
 */
async function dripAfterRefusal(server: AbusedServer): Promise<Figure> {
  const { http } = server.endpoints;
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  await untilInTime(() => s3.send(new CreateBucketCommand({ Bucket: 'logs' })));
  s3.destroy();
  const headers = {
    'x-amz-decoded-content-length': '1000000000',
    'content-encoding': 'aws-chunked',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };
  const request: S3Request = { method: 'PUT', target: '/logs/k', payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers };
  const refused = async () => {
    const connection = await connect(http, undefined, ATTACKER);
    connection.write(headOf(request, { ...signS3(http, server.credentials, request).headers, ...HUGE }));
    const from = performance.now();
    while (performance.now() - from < LONG_UPLOAD_MS) {
      connection.write(`4e20\r\n${'x'.repeat(20_000)}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
    }
    connection.write('nonsense\r\n');
    return { connection, code: errorCodeOf(await connection.reply()) };
  };
  let { connection, code } = await refused();
  // On a busy machine, the head of the request may exceed the time limit.
  for (let i = 0; i < 9 && code === 'RequestTimeout'; i++) ({ connection, code } = await refused());
  assert.equal(code, 'IncompleteBody');
  const drip = setInterval(() => connection.write('x'), DRIP_MS);
  await until('the server ends a refused upload', () => server.counts().connections === 0).finally(() => clearInterval(drip));
  return { what: 'connections of refused uploads that remain open', value: server.counts().connections, unit: 'count', most: 0 };
}
