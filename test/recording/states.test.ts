/** States of operations: what succeeds has an effect, or `docs/parity.md` lists it as stored. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { ACTED_ON, changesSetting, OWN_ACTED_ON } from '../../tools/parity/acted-on.ts';
import { STORED } from '../../tools/parity/stored.ts';
import { operationTableOf } from '../../tools/parity.ts';
import { recorded } from './record.ts';

const CHIME = SERVICE_NAMES.filter((name) => name.startsWith('chime'));

/** Operations that succeed in the recording, by service. */
const SUCCEEDED = new Map<ServiceName, Set<string>>(SERVICE_NAMES.map((service) => [service, new Set()]));
for (const { title, response } of recorded()) {
  const [service = '', name = ''] = title.split(' ');
  if (response.startsWith('2')) SUCCEEDED.get(service as ServiceName)?.add(name);
}

/** Returns whether an operation is acted on or stored. A removed operation of `chime` has the state of its successors. */
function hasState(service: ServiceName, name: string): boolean {
  const services = service === 'chime' && loadModel('chime').removed[name] !== undefined ? CHIME : [service];
  return services.some((each) => ACTED_ON[each]?.has(name) === true || STORED[each]?.has(name) === true) || OWN_ACTED_ON.includes(name);
}

for (const service of SERVICE_NAMES) {
  test(`${service}: an operation that is implemented or succeeds, and sets something, is in ACTED_ON or STORED`, async () => {
    const table = await operationTableOf(service);
    const { operations } = loadModel(service);
    const built = Object.keys(operations).filter((name) => table[name] !== undefined && !isNotYet(table[name]));
    const succeeded = [...(SUCCEEDED.get(service) ?? [])];
    // With PostgreSQL, the recorded server has no place for the contents of objects, so the recording has no calls of S3.
    assert.ok(succeeded.length > 0 || service === 's3');
    const setting = [...new Set([...built, ...succeeded])].filter(changesSetting);
    assert.deepEqual(
      setting.filter((name) => !hasState(service, name)),
      [],
    );
  });

  test(`${service}: an operation that is not implemented never succeeds`, async () => {
    const table = await operationTableOf(service);
    const succeeded = [...(SUCCEEDED.get(service) ?? [])];
    assert.deepEqual(
      succeeded.filter((name) => table[name] !== undefined && isNotYet(table[name])),
      [],
    );
  });

  test(`${service}: no operation is both in ACTED_ON and in STORED, and docs/parity.md names each stored one`, () => {
    const stored = [...(STORED[service]?.keys() ?? [])];
    assert.deepEqual(
      stored.filter((name) => ACTED_ON[service]?.has(name) === true),
      [],
    );
    const page = readFileSync('docs/parity.md', 'utf8');
    const { operations } = loadModel(service);
    for (const name of stored.filter((each) => operations[each] !== undefined))
      assert.ok(new RegExp(`^\\| ${name} \\| (?:yes; )?stored, not acted on: `, 'm').test(page), name);
  });
}

/** Returns whether a test names an operation, or its command of the SDK. */
function isNamedIn(text: string, operation: string): boolean {
  return new RegExp(`\\b${operation}(?:Command)?\\b`).test(text);
}

for (const service of SERVICE_NAMES) {
  test(`${service}: the test of each operation in ACTED_ON exists and names the operation, which the model has`, () => {
    const { operations } = loadModel(service);
    const wrong = [...(ACTED_ON[service] ?? [])].filter(
      ([name, file]) => operations[name] === undefined || !file.endsWith('.test.ts') || !isNamedIn(readFileSync(file, 'utf8'), name),
    );
    assert.deepEqual(wrong, []);
  });
}

/** Operations of `chime` of which some or all inputs may be stored without another effect. Add none: a new operation acts or refuses. */
const MAY_BE_STORED = [
  // Media and calls.
  ...['UpdateAccountSettings', 'UpdateUserSettings', 'UpdateGlobalSettings', 'UpdatePhoneNumber', 'BatchUpdatePhoneNumber'],
  ...['UpdatePhoneNumberSettings', 'AssociatePhoneNumberWithUser', 'DisassociatePhoneNumberFromUser'],
  // Alexa for Business, and shared devices.
  ...['UpdateUser', 'BatchUpdateUser', 'AssociateSigninDelegateGroupsWithAccount', 'DisassociateSigninDelegateGroupsFromAccount'],
];

test('chime: no operation is stored besides those that the list allows', () => {
  assert.deepEqual(
    [...(STORED.chime?.keys() ?? [])].filter((name) => !MAY_BE_STORED.includes(name)),
    [],
  );
});
