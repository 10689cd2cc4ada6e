/** Trail records in the recording. The test of the recording proves that a running server, on both engines, writes the same records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { operationTableOf } from '../../tools/parity.ts';
import { recorded } from './record.ts';
import type { Exchange } from './recorder.ts';

type Field = 'eventName' | 'errorCode' | 'requestID' | 'eventID' | 'recipientAccountId' | 'sharedEventID';

/**
 * Returns the fields of each record of an exchange. Looks for them before the parameters and after the response, which may have members
 * with the same names. A record with placeholders is not always valid JSON.
 */
function recordsOf({ record = '' }: Exchange): readonly Partial<Record<Field, string>>[] {
  return record.split('\n').map((text) => {
    const own = text.slice(0, text.indexOf(',"requestParameters":')) + text.slice(text.lastIndexOf(',"requestID":'));
    return Object.fromEntries([...own.matchAll(/,"(\w+)":"([^"]*)"/g)].map(([, name, value]) => [name, value]));
  });
}

const operationOf = ({ title }: Exchange) => title.split(' ').slice(0, 2).join(' ');
const isSuccess = ({ response }: Exchange) => response.startsWith('2');

/** Operations that always fail on this server, so the recording has only their failures. */
const ALWAYS_FAILS: ReadonlySet<string> = new Set([
  // No function is invoked, so no message waits for a callback.
  'chime-sdk-messaging ChannelFlowCallback',
  // The resource cannot be created.
  'iam GetInstanceProfile',
  'iam GetSSHPublicKey',
  'iam GetServerCertificate',
  'iam ListInstanceProfileTags',
  'iam ListServerCertificateTags',
  // Only for policies that are merged along the hierarchy.
  'organizations DescribeEffectivePolicy',
  // There is no carrier.
  'chime CreateMeetingDialOut',
]);

/** Services and operations that the recording does not cover, and the tests that do. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  // With PostgreSQL, the recorded server has no place for the contents of objects: test/s3, test/cases/s3.
  's3',
  // These need an account with a directory, and the recorded server has no LDAP server: src/services/chime/accounts.test.ts.
  'chime AssociateSigninDelegateGroupsWithAccount',
  'chime DisassociateSigninDelegateGroupsFromAccount',
  // These need a user who did not use a permission for a day: test/access-analyzer/recommendations.test.ts.
  'accessanalyzer GenerateFindingRecommendation',
  'accessanalyzer GetFindingRecommendation',
  // Analyzers list the resource that was analyzed last, and scans run at any time: test/access-analyzer/clients.test.ts.
  'accessanalyzer GetAnalyzer',
  'accessanalyzer ListAnalyzers',
  'accessanalyzer ListAnalyzedResources',
  // These need an organization that trusts CloudTrail: test/organizations, src/services/cloudtrail.
  'cloudtrail RegisterOrganizationDelegatedAdmin',
  'cloudtrail DeregisterOrganizationDelegatedAdmin',
]);

/** Reports whether clients of AWS have an operation. They do not have those of Belfry itself and those that AWS removed: test/chime/own-operations, test/guide. */
function isPublished(service: ServiceName, name: string): boolean {
  const operation = loadModel(service).operations[name];
  return operation !== undefined && operation.own !== true;
}

test('LOG-1: every implemented operation has a recorded success and a recorded failure', async () => {
  const [succeeded, failed] = [true, false].map(
    (wanted) =>
      new Set(
        recorded()
          .filter((each) => isSuccess(each) === wanted)
          .map(operationOf),
      ),
  );
  const missing: string[] = [];
  for (const service of SERVICE_NAMES) {
    for (const [name, operation] of Object.entries(await operationTableOf(service))) {
      const key = `${service} ${name}`;
      if (isNotYet(operation) || !isPublished(service, name) || ELSEWHERE.has(service) || ELSEWHERE.has(key)) continue;
      const listed = ALWAYS_FAILS.has(key);
      if (succeeded?.has(key) === listed) missing.push(listed ? `${key}: succeeds, but is listed` : `${key}: no success`);
      if (!failed?.has(key)) missing.push(`${key}: no failure`);
    }
  }
  assert.deepEqual(missing, []);
});

/** Source: CloudWatch Logs User Guide, "Logging CloudWatch Logs API calls", which omits it. See `services/logs`. */
const WITHOUT_RECORD: ReadonlySet<string> = new Set(['logs PutLogEvents']);

test('LOG-1: every request has one record, and AssumeRole across accounts has one in each account', () => {
  const events = new Set<string>();
  for (const exchange of recorded()) {
    if (WITHOUT_RECORD.has(operationOf(exchange))) {
      assert.equal(exchange.record, undefined, exchange.title);
      continue;
    }
    const [first, second, ...more] = recordsOf(exchange);
    assert.ok(first && more.length === 0, exchange.title);
    assert.equal(first.eventName, operationOf(exchange).split(' ')[1], exchange.title);
    assert.equal(first.errorCode === undefined, isSuccess(exchange), exchange.title);
    for (const { eventID = '' } of recordsOf(exchange)) {
      assert.ok(eventID !== '', exchange.title);
      assert.ok(!events.has(eventID), `${exchange.title}: ${eventID} is the ID of two events`);
      events.add(eventID);
    }
    if (second === undefined) {
      assert.equal(first.sharedEventID, undefined, exchange.title);
      continue;
    }
    assert.equal(operationOf(exchange), 'sts AssumeRole');
    assert.deepEqual([second.requestID, second.sharedEventID], [first.requestID, first.sharedEventID]);
    assert.ok(first.sharedEventID !== undefined && first.recipientAccountId !== second.recipientAccountId);
  }
});
