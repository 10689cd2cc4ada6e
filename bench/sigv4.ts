/**
 * Compares Belfry's verification of a signature with signing the request in two common libraries. The rounds are
 * interleaved, so that other load of the machine does not change the ratios. Prints CPU times, as medians of the
 * rounds.
 *
 * Goal: at least 2 times as fast as aws4, and 4.5 times as fast as @smithy/signature-v4 with Node's own hashes.
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

/**
 * Number of requests. Each request has separate string objects, as in a server, so that no cache can match strings by
 * object identity.
 */
const REQUESTS = 100;
interface Case {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly date: string;
  readonly received: Received;
  readonly signature: Buffer;
}
const cases = Array.from({ length: REQUESTS }, (_, n): Case => {
  const unique = String(n).padStart(12, '0');
  const body = JSON.stringify({
    ClientRequestToken: `9b0d9dc5-7f3c-4b42-9e0e-${unique}`,
    MediaRegion: 'us-east-1',
    ExternalMeetingId: 'm'.repeat(60),
    Tags: [],
  });
  const headers = {
    host: 'meetings-chime.us-east-1.amazonaws.com',
    'content-type': 'application/json',
    'amz-sdk-invocation-id': `5c1f06a0-3c55-4d0a-8a4e-${unique}`,
    'amz-sdk-request': 'attempt=1; max=3',
    'x-amz-user-agent': 'aws-sdk-js/3.1142.0',
  };
  const signed = sign(
    { method: 'POST', target: '/meetings', headers, body },
    { credentials: CREDENTIALS, region: 'us-east-1', signingName: 'chime', now: NOW },
  );
  const received: Received = {
    requestId: '00000000-0000-4000-8000-000000000000',
    receivedAt: NOW,
    method: 'POST',
    target: '/meetings',
    rawHeaders: [
      ...Object.entries(signed),
      ['user-agent', 'x'],
      ['content-length', String(body.length)],
      ['connection', 'keep-alive'],
    ].flat() as string[],
    body: new TextEncoder().encode(body),
    sourceIp: '127.0.0.1',
  };
  return {
    body,
    headers,
    date: signed['x-amz-date'] as string,
    received: structuredClone(received),
    signature: Buffer.from(signed['authorization']?.slice(-64) as string),
  };
});

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

function ours({ received }: Case, keyCache: SigningKeyCache): boolean {
  const read = readSignature(received);
  return (
    read.kind === 'claim' && verifySignature(received, read.claim, { secret: SECRET, signingName: 'chime', now: NOW, keyCache }).verified
  );
}
const warm = signingKeyCache();
const cold: SigningKeyCache = { find: () => undefined, keep: () => undefined };

function aws4Verifies({ body, headers, date, received, signature }: Case): boolean {
  // aws4 and @smithy/signature-v4 trust the header x-amz-content-sha256, so code that verifies with them must also hash
  // the body.
  const bodyHash = createHash('sha256').update(received.body).digest('hex');
  const again = aws4.sign(
    {
      method: 'POST',
      path: '/meetings',
      service: 'chime',
      region: 'us-east-1',
      body,
      headers: { ...headers, 'x-amz-content-sha256': bodyHash, 'x-amz-date': date },
      extraHeadersToIgnore: { 'content-length': true },
    },
    CREDENTIALS,
  ).headers.Authorization as string;
  return timingSafeEqual(Buffer.from(again.slice(-64)), signature);
}

async function smithyVerifies({ body, headers, received, signature }: Case): Promise<boolean> {
  const bodyHash = createHash('sha256').update(received.body).digest('hex');
  const again = await smithy.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: headers['host'] as string,
      path: '/meetings',
      query: {},
      body,
      headers: { ...headers, 'x-amz-content-sha256': bodyHash },
    },
    { signingDate: new Date(NOW) },
  );
  return timingSafeEqual(Buffer.from((again.headers['authorization'] as string).slice(-64)), signature);
}

const contestants: readonly (readonly [name: string, verify: (request: Case) => boolean | Promise<boolean>])[] = [
  ['ours, key cached', (request) => ours(request, warm)],
  ['ours, key derived each time', (request) => ours(request, cold)],
  ['aws4 signing again', aws4Verifies],
  ['@smithy/signature-v4 signing again', smithyVerifies],
];

const ROUNDS = 31;
const CALLS = 2000;
const rounds: number[][] = [];
for (let round = -2; round < ROUNDS; round++) {
  const microseconds: number[] = [];
  for (const [name, verify] of contestants) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) {
      const verified = verify(cases[call % REQUESTS] as Case);
      if ((typeof verified === 'boolean' ? verified : await verified) !== true) throw new Error(`${name} does not verify`);
    }
    const used = process.cpuUsage(before);
    microseconds.push((used.user + used.system) / CALLS);
  }
  // Rounds with a negative number are the warm-up.
  if (round >= 0) rounds.push(microseconds);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
console.log(`SigV4: POST /meetings, ${cases[0]?.body.length} B body, 250 B session token, ${ROUNDS} interleaved rounds of ${CALLS}, CPU`);
console.log(`${''.padEnd(38)}    median        of the ratios of each round: median, least, most`);
contestants.forEach(([name], i) => {
  const ratios = rounds.map((round) => (round[i] as number) / (round[0] as number));
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const cost = median(rounds.map((round) => round[i] as number));
  console.log(
    `${name.padEnd(38)} ${cost.toFixed(1).padStart(6)} µs  x${median(ratios).toFixed(2)}  ${least.toFixed(2)}  ${most.toFixed(2)}`,
  );
});
