/** Wire form of the operations that this project adds to Amazon Chime, which no client of AWS has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { type BareServer, startBareServer } from './bare-server.ts';
import { type SampleForm, sample } from './samples.ts';

const model = loadModel('chime');
const OWN = Object.values(model.operations).filter(({ own }) => own === true);
const TIME = Date.UTC(2026, 10, 30, 8);
const JSON_FORM: SampleForm = {
  timestamp: (milliseconds) => new Date(milliseconds).toISOString(),
  milliseconds: TIME,
  blob: (bytes) => bytes,
  elements: 2,
};
const SERVER_FORM: SampleForm = { ...JSON_FORM, timestamp: (milliseconds) => milliseconds };

let server: BareServer;
before(async () => {
  server = await startBareServer();
});
after(() => server.close());

/** Sends an input as JSON. `prefix` is the base path that names the service, or empty for a request that is signed for `chime`. */
async function call({ http }: OperationModel, input: unknown, prefix = '/_chime') {
  server.requests.length = 0;
  const authorization = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/us-east-1/chime/aws4_request, SignedHeaders=host, Signature=00';
  const response = await fetch(`${server.url}${prefix}${http.uri}`, {
    method: http.method,
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify(input),
  });
  return {
    status: response.status,
    code: response.headers.get('x-amzn-errortype'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

const sampleOf = (shape: string | undefined, form: SampleForm): Record<string, unknown> => {
  const value = sample(model, { shape: shape as string }, form) as Record<string, unknown> | undefined;
  assert.ok(value !== undefined, `no sample for ${shape}; add strings at the end of TEXTS in test/wire/samples.ts`);
  return value;
};

for (const [title, prefix] of [
  ['with the base path', '/_chime'],
  ['signed for chime', ''],
] as const) {
  test(`own operations: a request ${title} reaches its operation with all members`, async () => {
    const wrong: string[] = [];
    for (const operation of OWN) {
      server.response = sampleOf(operation.output, SERVER_FORM);
      await call(operation, sampleOf(operation.input, JSON_FORM), prefix);
      const expected = { service: 'chime', operation: operation.name, protocol: 'rest-json', profile: 'classic', gzip: false };
      const decoded = structuredClone(server.requests[0]);
      try {
        assert.deepEqual(decoded, { ...expected, input: sampleOf(operation.input, SERVER_FORM) });
      } catch (error) {
        wrong.push(`${operation.name}: ${error}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.equal(OWN.length, 52);
  });
}

test('own operations: a response has all members, and times in ISO 8601', async () => {
  for (const operation of OWN) {
    server.response = sampleOf(operation.output, SERVER_FORM);
    const { status, body } = await call(operation, sampleOf(operation.input, JSON_FORM));
    assert.deepEqual([status, body], [200, sampleOf(operation.output, JSON_FORM)], operation.name);
  }
});

test('own operations: an input without its required members is ValidationException, and each error has its status', async () => {
  for (const operation of OWN) {
    const required = model.shapes[operation.input as string]?.required ?? [];
    server.response = {};
    const { status, code: refused } = await call(operation, {});
    assert.deepEqual([status, refused], required.length === 0 ? [200, null] : [400, 'ValidationException'], operation.name);
    for (const code of operation.errors) {
      server.response = new AwsError(code, 'no');
      const failed = await call(operation, sampleOf(operation.input, JSON_FORM));
      assert.deepEqual([failed.status, failed.body['Message']], [model.shapes[code]?.error?.status, 'no'], `${operation.name} ${code}`);
    }
  }
});
