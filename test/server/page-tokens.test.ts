import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { type ClientPackage, sdkClient } from '../kit/clients.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { sample } from '../wire/samples.ts';

interface Client {
  readonly send: (command: object) => Promise<Record<string, unknown>>;
  readonly destroy: () => void;
}

// biome-ignore format: a table
const SERVICES: readonly (readonly [service: ServiceName, invalid: string, operations: number])[] = [
  // service                      error of an invalid token    implemented lists
  ['chime',                       'BadRequestException',        8],
  ['chime-sdk-identity',          'BadRequestException',        5],
  ['chime-sdk-meetings',          'BadRequestException',        1],
  ['chime-sdk-messaging',         'BadRequestException',        11],
  ['chime-sdk-media-pipelines',   'BadRequestException',        1],
  ['chime-sdk-voice',             'BadRequestException',        4],
  ['iam',                         'ValidationError',            20],
  ['organizations',               'InvalidInputException',      10],
  ['cloudtrail',                  'InvalidNextTokenException',  4],
  ['accessanalyzer',              'ValidationException',        9],
  ['logs',                        'InvalidParameterException',  5],
];
const MEMBERS = ['NextToken', 'nextToken', 'Marker'];

const encoded = (text: string | Buffer): string => Buffer.from(text).toString('base64url');
/** Invalid list positions. A genuine page token never contains such a position. */
const KEYS: readonly (string | Buffer)[] = ['\0', 'NaN', '9007199254740993', '-1', Buffer.from([0xed, 0xa0, 0x80]), '1e400 x'];
/** Forged page tokens. They contain the positions in `KEYS`, in the formats that operations use inside their tokens. */
const FORGED: readonly string[] = [
  'AAAA',
  '0',
  `k1.${encoded('a')}${'A'.repeat(16)}`,
  ...KEYS.flatMap((key) => [`k1.${encoded(key)}`, encoded(JSON.stringify(['', String(key)]))]),
];

const NONE = {
  timestamp: (milliseconds: number) => new Date(milliseconds),
  milliseconds: 0,
  blob: (bytes: Uint8Array) => bytes,
  elements: 1,
};

const postgres = await testPostgres();
after(() => postgres.stop());

/** Codes of operations that differ from the other lists of their service. Source: cloudtrail 2013-11-01, errors of these operations. */
const OTHER_CODES: Readonly<Record<string, string>> = { ListPublicKeys: 'InvalidTokenException', ListTags: 'InvalidTokenException' };

for (const [engine, settings] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  describe(`page tokens on ${engine}: only genuine tokens are accepted`, async () => {
    const server = await startTestServer(settings);
    const users = new iam.IAMClient(server.client());
    await users.send(new iam.CreateUserCommand({ UserName: 'ada' }));
    const { Marker: genuine } = await users.send(new iam.ListUsersCommand({ MaxItems: 1 }));
    assert.ok(genuine !== undefined);

    for (const [service, invalid, count] of SERVICES) {
      test(`page tokens on ${engine}: forged tokens are ${invalid} in every list of ${service}`, async () => {
        const { Client, from } = sdkClient<Client>(service);
        const client = new Client(server.client());
        const wrong: string[] = [];
        let built = 0;
        for (const [operation, member, Command] of listsOf(service, from)) {
          const input = requiredInput(server, service, operation);
          // Skips lists that are not implemented, because they reject every call.
          if ((await codeOf(client, Command, input)).startsWith('NotYetImplemented')) continue;
          built += 1;
          const tokens: readonly string[] = [genuine, ...FORGED];
          for (const token of tokens) {
            if (token === genuine && service === 'iam' && operation.name === 'ListUsers') continue;
            const code = await codeOf(client, Command, { ...input, [member]: token });
            if (code !== (OTHER_CODES[operation.name] ?? invalid)) wrong.push(`${operation.name} ${JSON.stringify(token)}: ${code}`);
          }
        }
        client.destroy();
        assert.deepEqual(wrong.slice(0, 20), []);
        assert.ok(built >= count, `${built} lists`);
      });
    }

    test(`page tokens on ${engine}: a genuine token continues the list, and an altered token is an error`, async () => {
      const { Users = [] } = await users.send(new iam.ListUsersCommand({ Marker: genuine }));
      assert.deepEqual(
        Users.map(({ UserName }) => UserName),
        ['admin'],
      );
      for (let i = 0; i < genuine.length; i++) {
        const altered = genuine.slice(0, i) + (genuine[i] === 'A' ? 'B' : 'A') + genuine.slice(i + 1);
        await assert.rejects(users.send(new iam.ListUsersCommand({ Marker: altered })), { name: 'ValidationError' });
      }
    });
  });
}

type MakeCommand = new (input: unknown) => object;

function listsOf(service: ServiceName, from: ClientPackage): readonly (readonly [OperationModel, string, MakeCommand])[] {
  const model = loadModel(service);
  return Object.values(model.operations).flatMap((operation) => {
    const [input, output] = [operation.input, operation.output].map((shape) => Object.keys(model.shapes[shape ?? '']?.members ?? {}));
    const member = MEMBERS.find((name) => input?.includes(name) && output?.includes(name));
    const Command = from[`${operation.name}Command`] as MakeCommand | undefined;
    return member === undefined || Command === undefined ? [] : [[operation, member, Command] as const];
  });
}

/** Returns the required members of an operation's input, with ARNs of the server's account. */
function requiredInput({ accountId }: TestServer, service: ServiceName, operation: OperationModel): Record<string, unknown> {
  // The model allows any string, but the operation accepts only ARNs.
  if (service === 'cloudtrail' && operation.name === 'ListTags') {
    return { ResourceIdList: [`arn:aws:cloudtrail:us-east-1:${accountId}:trail/audit`] };
  }
  const model = loadModel(service);
  const { members = {}, required = [] } = model.shapes[operation.input ?? ''] ?? {};
  const filled = required.map((name) => [name, sample(model, members[name] as NonNullable<(typeof members)[string]>, NONE)] as const);
  return JSON.parse(JSON.stringify(Object.fromEntries(filled)).replaceAll('111122223333', accountId)) as Record<string, unknown>;
}

async function codeOf(client: Client, Command: MakeCommand, input: unknown): Promise<string> {
  try {
    await client.send(new Command(input));
    return 'success';
  } catch (error) {
    return (error as Error).name;
  }
}
