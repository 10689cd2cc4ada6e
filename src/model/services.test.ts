import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from './load.ts';
import { CHIME_SERVICES, SERVICE_NAMES, SERVICES, serviceRow, titleOfPrefix } from './services.ts';

for (const name of SERVICE_NAMES) {
  test(`SERVICES: the row of ${name} agrees with its model`, () => {
    const { apiVersion, protocols, signingName, endpointPrefix, targetPrefix } = loadModel(name);
    const row = serviceRow(name);
    assert.deepEqual(
      [row.apiVersion, row.protocols, row.signingName, row.hostPrefix, row.targetPrefix],
      [apiVersion, protocols, signingName, endpointPrefix, targetPrefix],
    );
  });
}

test('SERVICES: each service has its own host prefix, and each query service its own API version', () => {
  const rows = Object.values(SERVICES);
  assert.equal(new Set(rows.map(({ hostPrefix }) => hostPrefix)).size, rows.length);
  const query = SERVICE_NAMES.map(serviceRow).filter(({ protocols }) => protocols.includes('query'));
  assert.equal(new Set(query.map(({ apiVersion }) => apiVersion)).size, query.length);
});

test('CHIME_SERVICES: lists the services whose name starts with chime, and the classic service last', () => {
  assert.deepEqual(new Set(CHIME_SERVICES), new Set(SERVICE_NAMES.filter((name) => name.startsWith('chime'))));
  assert.equal(CHIME_SERVICES.at(-1), 'chime');
});

test('titleOfPrefix: returns the title of a service of this server, otherwise the prefix', () => {
  assert.equal(titleOfPrefix('chime'), 'Amazon Chime');
  assert.equal(titleOfPrefix('sqs'), 'sqs');
});
