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

test('SERVICES: host prefixes differ, and so do the API versions of the query protocol', () => {
  const rows = Object.values(SERVICES);
  assert.equal(new Set(rows.map(({ hostPrefix }) => hostPrefix)).size, rows.length);
  const query = SERVICE_NAMES.map(serviceRow).filter(({ protocols }) => protocols.includes('query'));
  assert.equal(new Set(query.map(({ apiVersion }) => apiVersion)).size, query.length);
});

test('CHIME_SERVICES: the services whose name starts with chime, the classic one last', () => {
  assert.deepEqual(new Set(CHIME_SERVICES), new Set(SERVICE_NAMES.filter((name) => name.startsWith('chime'))));
  assert.equal(CHIME_SERVICES.at(-1), 'chime');
});

test('titleOfPrefix: returns the title of a service of this server, otherwise the prefix', () => {
  assert.equal(titleOfPrefix('chime'), 'Amazon Chime');
  assert.equal(titleOfPrefix('s3'), 's3');
});
