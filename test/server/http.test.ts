import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, connect, exchange, type Plain, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';

/** Tests requirements of the HTTP specifications that apply to all responses. */

const server = await startTestServer();

function signed(plain: Plain, more: Readonly<Record<string, string>> = {}): Buffer {
  const headers = signedHeaders(server.endpoint, plain, { credentials: server.credentials, signingName: 'chime' });
  return bytesOf(plain, { ...headers, ...more });
}

async function newMeetingPath(token: string): Promise<string> {
  const body = JSON.stringify({ ClientRequestToken: token, ExternalMeetingId: 'any', MediaRegion: 'us-east-1' });
  const reply = await exchange(server.endpoint, signed({ method: 'POST', target: '/meetings', body }));
  return `/meetings/${(JSON.parse(reply.body.toString()) as { Meeting: { MeetingId: string } }).Meeting.MeetingId}`;
}

test('HTTP: a response of 204 has no Content-Length, and the connection remains open (RFC 9110 §8.6)', async () => {
  const target = await newMeetingPath('ended');
  const connection = await connect(server.endpoint);
  connection.write(signed({ method: 'DELETE', target }));
  const { status, headers } = await connection.reply();
  assert.equal(status, 204);
  assert.equal(headers['content-length'] ?? headers['transfer-encoding'], undefined);
  assert.ok(headers['x-amzn-requestid'] && headers['date']);
  connection.write(signed({ method: 'GET', target }));
  assert.equal((await connection.reply()).status, 404);
  connection.close();
});

test('HTTP: an unknown Expect header is ignored, and the response has a request ID', async () => {
  const target = await newMeetingPath('expected');
  const { status, headers } = await exchange(server.endpoint, signed({ method: 'GET', target }, { expect: 'something' }));
  assert.equal(status, 200);
  assert.ok(headers['x-amzn-requestid']);
});

test('HTTP: an HTTP/1.0 request gets a response, and then the connection is closed', async () => {
  const target = await newMeetingPath('old');
  const connection = await connect(server.endpoint);
  connection.write(signed({ method: 'GET', target }).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'));
  assert.equal((await connection.reply()).status, 200);
  await connection.closed;
});

test('HTTP: an HTTP/1.0 request needs no Host header', async () => {
  const { status } = await exchange(server.endpoint, 'GET /_belfry/health HTTP/1.0\r\n\r\n');
  assert.equal(status, 200);
});

test('HTTP: invalid bytes after a request do not prevent the response to the request', async () => {
  const target = await newMeetingPath('followed');
  const connection = await connect(server.endpoint);
  connection.write(Buffer.concat([signed({ method: 'DELETE', target }), Buffer.from('nonsense\r\n\r\n')]));
  assert.deepEqual([(await connection.reply()).status, (await connection.reply()).status], [204, 400]);
  await connection.closed;
});
