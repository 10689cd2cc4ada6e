/**
 * Measures uploads of 200 MB by the SDK's S3 client: from a stream, which the client sends in chunks with a checksum in the trailer, and
 * from memory, with a known length. Prints the time, the CPU time of the server, and the load of the machine before each upload.
 * Command: `npm run bench upload`.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { Readable } from 'node:stream';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { median, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const MEGABYTES = Number(process.env['MEGABYTES'] ?? 200);
const BYTES = MEGABYTES * 1_000_000;
/** Size of the pieces of a file stream. Source: Node's documentation of `fs.createReadStream`, `highWaterMark`. */
const PIECE = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 31 + (i >> 8)) % 256));

const server = await startProcess('belfry');
const s3 = new S3Client({ ...server, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));

function* pieces(): Generator<Buffer> {
  for (let left = BYTES; left > 0; left -= PIECE.length) yield left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
}

/** Returns the CPU time of the server in milliseconds. The kernel counts hundredths of a second. */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const UPLOADS = {
  'from a stream, in chunks': () => Readable.from(pieces(), { objectMode: false }),
  'from memory, of known length': () => Buffer.concat([...pieces()]),
};

for (const [what, body] of Object.entries(UPLOADS)) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const Body = body();
    const [load = 0] = loadavg();
    const [began, cpu] = [performance.now(), cpuMs()];
    await s3.send(new PutObjectCommand({ Bucket: 'bench', Key: 'k', Body, ContentLength: BYTES }));
    rounds.push({ ms: performance.now() - began, cpu: cpuMs() - cpu, load });
    await s3.send(new DeleteObjectCommand({ Bucket: 'bench', Key: 'k' }));
  }
  const ms = median(rounds.map((round) => round.ms));
  console.log(
    `${MEGABYTES} MB ${what}: ${(ms / 1000).toFixed(2)} s (${Math.round(BYTES / 1000 / ms)} MB/s), CPU of the server ${(median(rounds.map(({ cpu }) => cpu)) / 1000).toFixed(2)} s (medians of ${ROUNDS}); load of the machine: ${rounds.map(({ load }) => load.toFixed(1)).join(', ')}`,
  );
}
s3.destroy();
await server.stop();
