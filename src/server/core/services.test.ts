import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { linkedService } from '#services/iam/service-linked-roles.ts';
import { checkServices } from '#services/kit/service.ts';
import { allOperations, DECLARED, invalidPageToken, linkedRoleUsage, type ServiceParts } from './services.ts';

const unused = () => {
  throw new Error('the names of operations do not depend on it');
};
const PARTS = {
  vault: { seal: unused, open: unused },
  sessions: { issue: unused },
  verifyMfa: unused,
  serviceControl: unused,
  operatorKeys: [new Uint8Array(32)],
  publicUrl: () => 'https://localhost',
  localUrl: () => undefined,
  lookupEventsPerSecond: 2,
  privateSipPeers: [],
} as unknown as ServiceParts;

test('DECLARED: the declarations of the services do not contradict each other', () => checkServices(DECLARED));

test('DECLARED: every service-linked role is known to IAM', () => {
  const principals = DECLARED.flatMap(({ linkedRoles = [] }) => linkedRoles).map(({ principal }) => principal);
  assert.deepEqual(
    principals.filter((principal) => linkedService(principal) === undefined),
    [],
  );
  assert.equal(new Set(principals).size, principals.length);
});

// The compiler only accepts operations of the model. This test checks that all operations of the model are in the table.
for (const service of SERVICE_NAMES) {
  test(`allOperations: ${service} has exactly the operations of its model`, async () => {
    const table = await allOperations(PARTS)(service);
    const { operations, removed } = loadModel(service);
    assert.deepEqual(Object.keys(table).sort(), [...Object.keys(operations), ...Object.keys(removed)].sort());
  });
}

test('DECLARED: every folder of a service has a declaration', () => {
  const folders = readdirSync('src/services').filter((name) => SERVICE_NAMES.some((service) => service === name) && name !== 'chime');
  assert.deepEqual(DECLARED.map(({ name }) => name).sort(), folders.sort());
});

test('server: only core/services.ts imports services', () => {
  const single = /#services\/(?!kit\/|iam\/|chime\/)/;
  const files = readdirSync('src/server', { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
  assert.deepEqual(
    files.filter((file) => single.test(readFileSync(`src/server/${file}`, 'utf8'))),
    ['core/services.ts'],
  );
});

test('invalidPageToken: BadRequestException, unless the service declares another error', () => {
  assert.equal(invalidPageToken('chime-sdk-voice', 'NextToken').code, 'BadRequestException');
  assert.equal(invalidPageToken('iam', 'Marker').code, 'ValidationError');
});

test('linkedRoleUsage: returns no resources for an unknown principal', async () => {
  assert.deepEqual(await linkedRoleUsage({} as never, 'lex.amazonaws.com'), []);
});
