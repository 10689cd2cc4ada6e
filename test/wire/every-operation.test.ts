import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { AwsError } from '#core/aws-error.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { SDK_SERVICES, sdkClient } from '../kit/clients.ts';
import { operationsOf } from '../sdk/every-operation.ts';
import { type BareServer, startBareServer } from './bare-server.ts';
import { type SampleForm, sample, withCanonicalArns } from './samples.ts';

/** The members of a client that this test uses. */
interface Client {
  readonly send: (command: object) => Promise<Record<string, unknown>>;
  readonly destroy: () => void;
}

/** Clients that use another protocol than the default client of the service. */
// biome-ignore format: a table
const OTHER_PROTOCOLS: readonly (readonly [title: string, service: ServiceName, protocol: string, settings: object])[] = [
  ['cloudwatch by CBOR',  'cloudwatch', 'smithy-rpc-v2-cbor', { protocol: AwsSmithyRpcV2CborProtocol }],
  ['cloudwatch by query', 'cloudwatch', 'query',              { protocol: AwsQueryProtocol }],
];
const CLIENTS: typeof OTHER_PROTOCOLS = [
  ...SDK_SERVICES.map((service) => [service, service, clientProtocolOf(service), {}] as const),
  ...OTHER_PROTOCOLS,
];

/** Returns the protocol that the client of a service uses without settings. */
function clientProtocolOf(service: ServiceName): string {
  const { protocols } = loadModel(service);
  return protocols.includes('json') ? 'json' : (protocols[0] as string);
}

let server: BareServer;
before(async () => {
  server = await startBareServer();
});
after(() => server.close());

for (const [title, service, protocol, settings] of CLIENTS) {
  const { Client, from } = sdkClient<Client>(service);
  const model = loadModel(service);
  const operations = operationsOf(service);

  describe(title, () => {
    let client: Client;
    before(() => {
      client = new Client({
        endpoint: server.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
        maxAttempts: 1,
        ...settings,
      });
    });
    after(() => client.destroy());
    const call = async (operation: OperationModel, input: unknown): Promise<Record<string, unknown>> => {
      const Command = from[`${operation.name}Command`] as new (input: unknown) => object;
      server.requests.length = 0;
      const { $metadata, ...output } = await client.send(new Command(input));
      // The SDK's blobs are instances of a subclass of Uint8Array. Cloning converts them to plain Uint8Arrays.
      return structuredClone(output);
    };

    test('every operation: decode returns the input of the client', async () => {
      const wrong: string[] = [];
      for (const operation of operations) {
        const input = inputOf(model, operation, CLIENT_FORM);
        server.response = outputOf(model, operation, SERVER_FORM);
        try {
          await call(operation, input);
          // Decoded maps have no prototype. Cloning gives them Object's prototype, so that deepEqual can compare them.
          const decoded = structuredClone(server.requests[0]);
          assert.deepEqual(
            { ...decoded, gzip: false },
            {
              service,
              operation: operation.name,
              protocol,
              profile: service === 'chime' ? 'classic' : 'sdk',
              gzip: false,
              input: inputOf(model, operation, SERVER_FORM),
            },
          );
        } catch (error) {
          wrong.push(`${operation.name}: ${error}`);
        }
      }
      assert.deepEqual(wrong, []);
    });

    test('every operation: the client returns the encoded output', async () => {
      const wrong: string[] = [];
      for (const operation of operations) {
        server.response = outputOf(model, operation, SERVER_FORM);
        try {
          const output = await call(operation, inputOf(model, operation, CLIENT_FORM));
          // A response with the status 204 has no body, also if its output has members.
          const isEmpty = protocol === 'rest-json' && operation.http.code === 204;
          assert.deepEqual(output, isEmpty ? {} : outputOf(model, operation, CLIENT_FORM));
        } catch (error) {
          wrong.push(`${operation.name}: ${error}`);
        }
      }
      assert.deepEqual(wrong, []);
    });

    test('every error of the model: the client throws the class of the error with message and status', async () => {
      const wrong: string[] = [];
      const tried = new Set<string>();
      for (const operation of operations) {
        for (const code of operation.errors) {
          const shape = model.shapes[code];
          if (tried.has(code) || from[code] === undefined || shape === undefined) continue;
          tried.add(code);
          server.response = new AwsError(code, 'Not <this> & not "that"');
          const thrown: unknown = await call(operation, inputOf(model, operation, CLIENT_FORM)).catch((error: unknown) => error);
          const { name, message, $metadata } = thrown as {
            name: string;
            message: string;
            $metadata: { httpStatusCode: number; requestId: string };
          };
          // CloudWatch has two errors with the same query code. The client may throw either class.
          const sameCode = Object.keys(model.shapes).filter(
            (one) => shape.error?.code !== undefined && model.shapes[one]?.error?.code === shape.error.code,
          );
          const found = [sameCode.includes(name) ? code : name, message, $metadata?.httpStatusCode, $metadata?.requestId].join(' | ');
          const expected = [code, 'Not <this> & not "that"', shape.error?.status, '6e61a3c4-0f0e-4a8e-9c0e-1d2c3b4a5f60'].join(' | ');
          if (found !== expected) wrong.push(`${found} instead of ${expected}`);
        }
      }
      assert.deepEqual(wrong, []);
      assert.ok(tried.size > 5);
    });
  });
}

const INSTANT = 1_795_305_600_000;
const CLIENT_FORM: SampleForm = {
  timestamp: (milliseconds) => new Date(milliseconds),
  milliseconds: INSTANT,
  blob: (bytes) => bytes,
  elements: 2,
};
const SERVER_FORM: SampleForm = { ...CLIENT_FORM, timestamp: (milliseconds) => milliseconds };

function inputOf(model: ServiceModel, operation: OperationModel, form: SampleForm): Record<string, unknown> {
  if (operation.input === undefined) return {};
  const input = sample(model, { shape: operation.input }, form);
  assert.ok(input !== undefined, `no sample for ${operation.input}`);
  withCanonicalArns(model, operation, input);
  // Omits EndpointId. With it, the EventBridge client signs with SigV4a, which requires a separate package.
  const { EndpointId, ...rest } = input as Record<string, unknown>;
  return operation.name === 'PutEvents' ? rest : (input as Record<string, unknown>);
}

function outputOf(model: ServiceModel, operation: OperationModel, form: SampleForm): Record<string, unknown> {
  if (operation.output === undefined) return {};
  const output: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(model.shapes[operation.output]?.members ?? {})) {
    const value = sample(model, member, form);
    if (value !== undefined) output[name] = value;
  }
  return output;
}
