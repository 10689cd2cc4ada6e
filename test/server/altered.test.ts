import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SDK_SERVICES } from '../kit/clients.ts';
import { startServerProcess } from '../kit/process.ts';
import { generator } from '../kit/random.ts';
import { exchange } from '../kit/raw.ts';
import { caller, inputFor, operationsOf, type Unsigned } from '../sdk/every-operation.ts';

/** Requests of every operation, altered at random and then signed correctly. No authenticated request may cause an internal error. */

const ROUNDS = 3;
const SEED = 20_261_122;

const next = generator(SEED);
const below = (count: number) => Math.floor(next() * count);
const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;

/** Input that is difficult for parsers. */
const STRANGE: readonly Buffer[] = [
  '\0', '\u0007', '"', '\\', '{', '}', '[', ']', ',', ':', '&', '=', '%', '%00', '%zz', '%c3%28', '+', ';', '<', '<!--', ']]>', '&amp;', '1e999', '-1', '0x10',
  '9007199254740993', 'null', 'true', 'NaN', '\u2028', '\ud83d', 'é', '__proto__', 'constructor', '*', '?', 'arn:aws:', '/../', '//', '.member.',
  'x'.repeat(3_000), '['.repeat(300), '{"a":'.repeat(100),
].map((text) => Buffer.from(text)).concat([Buffer.of(0xff), Buffer.of(0xc0, 0x80), Buffer.of(0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Buffer.of(0xbf), Buffer.of(0x9f)]); // biome-ignore format: a list

function altered(bytes: Buffer): Buffer {
  const at = below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + below(12));
  switch (below(4)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), one(STRANGE), bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), one(STRANGE), bytes.subarray(to)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    default:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
  }
}

/**
 * Changes the body or the path of a request at random. Always changes the path of a request without a body. The changed
 * path contains only characters that HTTP allows.
 */
function alter(request: Unsigned): void {
  const body = Buffer.from(request.body ?? '');
  if (body.length > 0 && next() < 0.85) {
    request.body = altered(body);
    request.headers['content-length'] = String(request.body.length);
  } else
    request.path = `/${altered(Buffer.from(request.path.slice(1)))
      .toString('latin1')
      .replace(/[^\x21-\x22\x24-\x3e\x40-\x7e]/g, '')}`;
}

test(`Altered input: ${ROUNDS} altered and signed requests of every operation get responses below 500`, async () => {
  const server = await startServerProcess({ BELFRY_LOOKUPS_PER_SECOND: '0' });
  const faults: string[] = [];
  const codes = new Map<string, number>();
  for (const service of SDK_SERVICES) {
    const settings = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
    let sent = '';
    const call = caller(service, settings, (request) => {
      alter(request);
      sent = `${request.path} ${Buffer.from(request.body ?? '')
        .toString('latin1')
        .slice(0, 400)}`;
    });
    for (const operation of operationsOf(service)) {
      for (let round = 0; round < ROUNDS; round++) {
        const { code, status, message } = await call(operation.name, inputFor(service, operation, '111122223333'));
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (status === undefined || status >= 500) faults.push(`${service} ${operation.name}: ${code} ${status} ${message}: ${sent}`);
      }
    }
  }
  assert.deepEqual(faults, []);
  // Checks that alterations have different effects: unreadable input, a violated constraint, an unknown operation, and accepted input.
  for (const code of ['SerializationException', 'ValidationException', 'UnknownOperationException', 'NotYetImplementedException']) {
    assert.ok((codes.get(code) ?? 0) > 20, JSON.stringify([...codes]));
  }
  assert.doesNotMatch(server.written(), /failed:|could not be answered/);
  const { host } = new URL(server.endpoint);
  assert.equal((await exchange(server.endpoint, `GET /_belfry/health HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).status, 200);
});
