import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICES, type ServiceName } from '#model/services.ts';
import { mayBeUnrecorded } from './unrecorded-reads.ts';

const named = (service: Exclude<ServiceName, 'chime'>, name: string): boolean => {
  const model = loadModel(service);
  const operation = model.operations[name] ?? assert.fail(`${service} has no operation ${name}`);
  return mayBeUnrecorded({ model, operation });
};

// biome-ignore format: a table
for (const [service, operation, allowed] of [
  // service              operation                       may be answered without a record
  ['iam',                 'GetUser',                      true ],
  ['iam',                 'ListAccessKeys',               true ],
  ['iam',                 'CreateUser',                   false],
  ['iam',                 'CreateAccessKey',              false],
  ['sts',                 'GetCallerIdentity',            true ],
  ['sts',                 'AssumeRole',                   false],
  ['sts',                 'AssumeRoleWithSAML',           false],
  ['sts',                 'AssumeRoleWithWebIdentity',    false],
  ['sts',                 'AssumeRoot',                   false],
  ['sts',                 'GetSessionToken',              false],
  ['sts',                 'GetFederationToken',           false],
  ['sts',                 'GetDelegatedAccessToken',      false],
  ['sts',                 'GetWebIdentityToken',          false],
  ['chime-sdk-meetings',  'GetMeeting',                   true ],
  ['chime-sdk-meetings',  'GetAttendee',                  false],
  ['chime-sdk-meetings',  'ListAttendees',                false],
  ['s3',                  'GetObject',                    true ],
  ['s3',                  'PutObject',                    false],
  ['cloudtrail',          'LookupEvents',                 true ],
] as const) {
  test(`Unrecorded reads: ${service} ${operation} is ${allowed ? '' : 'never '}answered without a record`, () => {
    assert.equal(named(service, operation), allowed);
  });
}

test('Unrecorded reads: every allowed operation is read-only', () => {
  for (const service of Object.keys(SERVICES) as ServiceName[]) {
    const model = loadModel(service as Exclude<ServiceName, 'chime'>);
    for (const operation of Object.values(model.operations)) assert.ok(operation.readOnly || !mayBeUnrecorded({ model, operation }));
  }
});
