import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode as cbor } from 'cborg';
import fc from 'fast-check';
import { AwsError } from '#core/aws-error.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { decode } from '#wire/decode.ts';
import { encodeError } from '#wire/encode.ts';
import { type RequestForTests, requestForTests } from '#wire/request-for-tests.ts';
import { route } from '#wire/route.ts';

/** Asserts that a request decodes to an input or is rejected with an AwsError that can be encoded as a 4xx response. */
function assertHandled(request: RequestForTests): 'input' | 'rejected' {
  const received = requestForTests(request);
  const routed = route(received, { guide2021: false });
  try {
    if (routed.kind === 'refused') throw routed.error;
    decode(routed, received);
    return 'input';
  } catch (error) {
    assert.ok(error instanceof AwsError, `${error}`);
    const answer = encodeError(routed, error, received.requestId);
    // S3 has a status of its own for operations that the server does not have.
    const isMissing = answer.status === 501 && error.code === 'NotImplemented';
    assert.ok(isMissing || (answer.status >= 400 && answer.status < 500), `${answer.status} ${error.message}`);
    return 'rejected';
  }
}

/** Returns a request for an operation in its service's default protocol, with any body. */
function requestFor(model: ServiceModel, operation: OperationModel, body: Uint8Array, path: string): RequestForTests {
  const [protocol] = model.protocols;
  if (protocol === 'rest-json' || protocol === 'rest-xml')
    return {
      method: operation.http.method,
      target: `/_${model.service}${operation.http.uri.replaceAll(/\{[^}]*\}/g, () => path || 'x')}`,
      body,
    };
  if (protocol === 'json')
    return { method: 'POST', target: `/_${model.service}`, headers: { 'X-Amz-Target': `${model.targetPrefix}.${operation.name}` }, body };
  if (protocol === 'query') {
    const form = Buffer.concat([Buffer.from(`Action=${operation.name}&Version=${model.apiVersion}&`), body]);
    return { method: 'POST', target: `/_${model.service}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: form };
  }
  return {
    method: 'POST',
    target: `/_${model.service}/service/${model.targetPrefix}/operation/${operation.name}`,
    headers: { 'smithy-protocol': 'rpc-v2-cbor' },
    body,
  };
}

const anyOperation = fc
  .constantFrom(...SERVICE_NAMES)
  .chain((service) =>
    fc.record({ model: fc.constant(loadModel(service)), operation: fc.constantFrom(...Object.values(loadModel(service).operations)) }),
  );

/** Generates documents with the members of the operation, so that the decoder reads the values. */
function documentFor(model: ServiceModel, operation: OperationModel): fc.Arbitrary<unknown> {
  const names = Object.keys(model.shapes[operation.input ?? '']?.members ?? {});
  const key = names.length === 0 ? fc.string() : fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor'), fc.string());
  return fc.dictionary(key, fc.anything({ maxDepth: 4, withNullPrototype: true, key: fc.oneof(key, fc.string()) }));
}

test('Arbitrary requests: any bytes as the body of any operation decode to an input or an AwsError', () => {
  fc.assert(
    fc.property(anyOperation, fc.uint8Array({ maxLength: 200 }), fc.webFragments(), ({ model, operation }, body, path) => {
      assertHandled(requestFor(model, operation, body, path.replaceAll(/[/?#]/g, '')));
    }),
    { numRuns: 1_500 },
  );
});

test("Arbitrary requests: a JSON document with the operation's members decodes to an input or an AwsError", () => {
  const jsonServices = anyOperation.filter(({ model }) => model.protocols[0] === 'rest-json' || model.protocols[0] === 'json');
  const request = jsonServices.chain(({ model, operation }) =>
    fc.record({
      model: fc.constant(model),
      operation: fc.constant(operation),
      document: fc.jsonValue({ maxDepth: 1 }).chain((first) => documentFor(model, operation).map((rest) => ({ first, rest }))),
    }),
  );
  fc.assert(
    fc.property(request, ({ model, operation, document }) => {
      const text = JSON.stringify(document.rest, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
      assertHandled(requestFor(model, operation, Buffer.from(text), 'x'));
    }),
    { numRuns: 1_500 },
  );
});

test("Arbitrary requests: any form with the operation's members decodes to an input or an AwsError", () => {
  const step = fc.oneof(
    fc.constantFrom('member', 'entry', 'key', 'value', 'Key', 'Value', '1', '2', '0', '__proto__', ''),
    fc.string({ maxLength: 3 }),
  );
  const queryServices = anyOperation.filter(({ model }) => model.protocols.includes('query') && model.service !== 'cloudwatch');
  const request = queryServices.chain(({ model, operation }) => {
    const names = Object.keys(model.shapes[operation.input ?? '']?.members ?? {});
    const name = fc
      .tuple(fc.constantFrom(...names, 'x'), fc.array(step, { maxLength: 4 }))
      .map(([first, rest]) => [first, ...rest].join('.'));
    return fc.record({ model: fc.constant(model), operation: fc.constant(operation), pairs: fc.array(fc.tuple(name, fc.string())) });
  });
  fc.assert(
    fc.property(request, ({ model, operation, pairs }) => {
      assertHandled(requestFor(model, operation, Buffer.from(`${new URLSearchParams(pairs)}`), ''));
    }),
    { numRuns: 1_500 },
  );
});

test("Arbitrary requests: a CBOR document with the operation's members decodes to an input or an AwsError", () => {
  const model = loadModel('cloudwatch');
  const request = fc
    .constantFrom(...Object.values(model.operations))
    .chain((operation) => fc.record({ operation: fc.constant(operation), document: documentFor(model, operation) }));
  fc.assert(
    fc.property(request, ({ operation, document }) => {
      let body: Uint8Array;
      try {
        body = cbor(document);
      } catch {
        // A client cannot send values that CBOR cannot encode.
        return;
      }
      assertHandled(requestFor(model, operation, body, ''));
    }),
    { numRuns: 1_000 },
  );
});

test('Arbitrary requests: any target, method and headers are routed or rejected', () => {
  const headers = fc.dictionary(
    fc.constantFrom('Host', 'Authorization', 'X-Amz-Target', 'smithy-protocol', 'Content-Type', 'Content-Encoding', 'User-Agent'),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'gzip',
        'rpc-v2-cbor',
        'application/x-www-form-urlencoded',
        'AWSEvents.PutEvents',
        'chime.x',
        'AWS4-HMAC-SHA256 Credential=a/b/c/chime/aws4_request',
        'AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request',
        'AWS a:b',
      ),
    ),
  );
  const target = fc.oneof(
    fc.webPath({ size: 'small' }),
    fc.string(),
    fc.webQueryParameters().map((query) => `/?${query}`),
    fc.constantFrom(...SERVICE_NAMES).chain((name) => fc.string().map((rest) => `/_${name}${rest}`)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', ''),
      target,
      headers,
      fc.uint8Array({ maxLength: 100 }),
      (method, path, headerValues, body) => {
        assertHandled({ method, target: path, headers: headerValues, body });
      },
    ),
    { numRuns: 2_000 },
  );
});
