/**
 * What verifying a signature costs, against signing again with the two libraries a project would otherwise take.
 * One interleaved run, so that the ratios hold whatever else the machine does. CPU time, median of the rounds.
 *
 * The promise: at least twice aws4, and 4.5 times @smithy/signature-v4 on node's own hashing.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
// @ts-expect-error: aws4 has no types
import aws4 from 'aws4';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { readSignature } from '#sigv4/claim.ts';
import { sign } from '#sigv4/sign.ts';
import { type SigningKeyCache, signingKeyCache } from '#sigv4/signing-key.ts';
import { verifySignature } from '#sigv4/verify.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const CREDENTIALS = { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET, sessionToken: 't'.repeat(250) };
const NOW = instant(Date.UTC(2026, 10, 22, 2, 25, 0));
const BODY = JSON.stringify({ ClientRequestToken: 'a'.repeat(36), MediaRegion: 'us-east-1', ExternalMeetingId: 'm'.repeat(60), Tags: [] });

const unsignedHeaders = {
  host: 'meetings-chime.us-east-1.amazonaws.com',
  'content-type': 'application/json',
  'amz-sdk-invocation-id': '9b0d9dc5-7f3c-4b42-9e0e-5f4b1d0a3c11',
  'amz-sdk-request': 'attempt=1; max=3',
  'x-amz-user-agent': 'aws-sdk-js/3.1142.0',
};
const headers = sign(
  { method: 'POST', target: '/meetings', headers: unsignedHeaders, body: BODY },
  { credentials: CREDENTIALS, region: 'us-east-1', signingName: 'chime', now: NOW },
);
const received: Received = {
  requestId: '00000000-0000-4000-8000-000000000000',
  receivedAt: NOW,
  method: 'POST',
  target: '/meetings',
  rawHeaders: [
    ...Object.entries(headers),
    ['user-agent', 'x'],
    ['content-length', String(BODY.length)],
    ['connection', 'keep-alive'],
  ].flat() as string[],
  body: Buffer.from(BODY),
  sourceIp: '127.0.0.1',
};
const sent = /Signature=([0-9a-f]{64})$/.exec(headers['authorization'] as string)?.[1] as string;

class NodeSha256 {
  readonly digesting;
  constructor(secret?: string | Uint8Array) {
    this.digesting = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(bytes: string | Uint8Array): void {
    this.digesting.update(bytes);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.digesting.digest());
  }
  reset(): void {}
}
const smithy = new SignatureV4({ credentials: CREDENTIALS, region: 'us-east-1', service: 'chime', sha256: NodeSha256 as never });

const expected = Buffer.from(sent);
function ours(keyCache: SigningKeyCache): boolean {
  const read = readSignature(received);
  return (
    read.kind === 'claim' && verifySignature(received, read.claim, { secret: SECRET, signingName: 'chime', now: NOW, keyCache }).verified
  );
}
const warm = signingKeyCache();
const cold: SigningKeyCache = { find: () => undefined, keep: () => undefined };

function aws4Verifies(): boolean {
  // Both libraries trust a given x-amz-content-sha256, so whoever uses them must hash the body besides.
  const bodyHash = createHash('sha256').update(received.body).digest('hex');
  const again = aws4.sign(
    {
      method: 'POST',
      path: '/meetings',
      service: 'chime',
      region: 'us-east-1',
      body: BODY,
      headers: { ...unsignedHeaders, 'x-amz-content-sha256': bodyHash, 'x-amz-date': headers['x-amz-date'] },
      extraHeadersToIgnore: { 'content-length': true },
    },
    CREDENTIALS,
  ).headers.Authorization as string;
  return timingSafeEqual(Buffer.from(again.slice(-64)), expected);
}

async function smithyVerifies(): Promise<boolean> {
  const bodyHash = createHash('sha256').update(received.body).digest('hex');
  const again = await smithy.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: unsignedHeaders.host,
      path: '/meetings',
      query: {},
      body: BODY,
      headers: { ...unsignedHeaders, 'x-amz-content-sha256': bodyHash },
    },
    { signingDate: new Date(NOW) },
  );
  return timingSafeEqual(Buffer.from((again.headers['authorization'] as string).slice(-64)), expected);
}

const contestants: readonly (readonly [name: string, verify: () => boolean | Promise<boolean>])[] = [
  ['ours, key cached', () => ours(warm)],
  ['ours, key derived each time', () => ours(cold)],
  ['aws4 signing again', aws4Verifies],
  ['@smithy/signature-v4 signing again', smithyVerifies],
];

const ROUNDS = 9;
const CALLS = 4000;
const microseconds = new Map<string, number[]>(contestants.map(([name]) => [name, []]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, verify] of contestants) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) {
      const verified = verify();
      if ((typeof verified === 'boolean' ? verified : await verified) !== true) throw new Error(`${name} does not verify`);
    }
    const used = process.cpuUsage(before);
    // The first rounds warm the compiler up.
    if (round >= 0) microseconds.get(name)?.push((used.user + used.system) / CALLS);
  }
}
const median = (name: string) => (microseconds.get(name) as number[]).toSorted((a, b) => a - b)[ROUNDS >> 1] as number;
const best = median('ours, key cached');
console.log(`SigV4: POST /meetings, ${BODY.length} B body, 250 B session token, ${ROUNDS} interleaved rounds of ${CALLS}, CPU`);
for (const [name] of contestants)
  console.log(`${name.padEnd(38)} ${median(name).toFixed(1).padStart(6)} µs  x${(median(name) / best).toFixed(2)}`);
