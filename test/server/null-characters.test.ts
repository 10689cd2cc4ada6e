import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { startTestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';

/**
 * Requests with characters that PostgreSQL cannot store, U+0000 and half a surrogate pair. Servers on SQLite and on
 * PostgreSQL return the same error.
 */

interface Row {
  readonly title: string;
  readonly signingName: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The request is not signed. */
  readonly unsigned?: true;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };
const organizations = { ...JSON_1_1, 'x-amz-target': 'AWSOrganizationsV20161128.CreateOrganizationalUnit' };
const lookup = { ...JSON_1_1, 'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents' };
const presigned = (credential: string, more = '') =>
  `/?Action=ListUsers&Version=2010-05-08&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20261122T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00${more}`;

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { title: 'a form value',                     signingName: 'iam', headers: FORM, body: 'Action=CreateUser&Version=2010-05-08&UserName=a%00b' },
  { title: 'a form name',                      signingName: 'iam', headers: FORM, body: 'Action=CreateUser&Version=2010-05-08&User%00Name=a' },
  { title: 'a raw byte in a form',             signingName: 'iam', headers: FORM, body: 'Action=CreateUser&Version=2010-05-08&UserName=a\0b' },
  { title: 'a tag in a form',                  signingName: 'iam', headers: FORM, body: 'Action=TagUser&Version=2010-05-08&UserName=admin&Tags.member.1.Key=a%00&Tags.member.1.Value=b' },
  { title: 'a marker in a form',               signingName: 'iam', headers: FORM, body: 'Action=ListUsers&Version=2010-05-08&Marker=a%00b' },
  { title: 'half a surrogate pair in a form',  signingName: 'iam', headers: FORM, body: 'Action=CreateUser&Version=2010-05-08&UserName=%ED%A0%80' },
  { title: 'an Action',                        signingName: 'iam', headers: FORM, body: 'Action=Create%00User&Version=2010-05-08' },
  { title: 'a query value',                    signingName: 'iam', method: 'GET', target: '/?Action=ListUsers&Version=2010-05-08&PathPrefix=%2F%00' },
  { title: 'a JSON value',                     signingName: 'chime', target: '/meetings', body: '{"ClientRequestToken":"a\\u0000b","ExternalMeetingId":"a","MediaRegion":"us-east-1"}' },
  { title: 'a JSON key',                       signingName: 'chime', target: '/meetings', body: '{"ClientRequestToken":"a","ExternalMeetingId":"a","MediaRegion":"us-east-1","a\\u0000":"b"}' },
  { title: 'a raw byte in JSON',               signingName: 'chime', target: '/meetings', body: '{"ClientRequestToken":"a\0b","ExternalMeetingId":"a","MediaRegion":"us-east-1"}' },
  { title: 'half a surrogate pair in JSON',    signingName: 'chime', target: '/meetings', body: '{"ClientRequestToken":"\\ud800","ExternalMeetingId":"a","MediaRegion":"us-east-1"}' },
  { title: 'a tag in JSON',                    signingName: 'chime', target: '/meetings', body: '{"ClientRequestToken":"a","ExternalMeetingId":"a","MediaRegion":"us-east-1","Tags":[{"Key":"a\\u0000","Value":"b"}]}' },
  { title: 'a label of a path',                signingName: 'chime', method: 'GET', target: '/meetings/a%00b' },
  { title: 'half a surrogate pair in a path',  signingName: 'chime', method: 'GET', target: '/meetings/%ED%A0%80' },
  { title: 'a query value of a REST service',  signingName: 'chime', method: 'GET', target: '/app-instances?next-token=a%00b' },
  { title: 'a name in awsJson',                signingName: 'organizations', headers: organizations, body: '{"ParentId":"r-abcd","Name":"a\\u0000b"}' },
  { title: 'a look-up attribute',              signingName: 'cloudtrail', headers: lookup, body: '{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"a\\u0000"}]}' },
  { title: 'a region of a presigned request',  signingName: 'iam', method: 'GET', target: presigned('AKIAIOSFODNN7EXAMPLE/20261122/us%00east/iam/aws4_request'), unsigned: true },
  { title: 'a service of a presigned request', signingName: 'iam', method: 'GET', target: presigned('AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/i%00m/aws4_request'), unsigned: true },
  { title: 'a key of a presigned request',     signingName: 'iam', method: 'GET', target: presigned('AKIA%00/20261122/us-east-1/iam/aws4_request'), unsigned: true },
  { title: 'a token of a presigned request',   signingName: 'iam', method: 'GET', target: presigned('ASIAIOSFODNN7EXAMPLE/20261122/us-east-1/iam/aws4_request', '&X-Amz-Security-Token=a%00b'), unsigned: true },
  { title: 'half a surrogate pair in a presigned region', signingName: 'iam', method: 'GET', target: presigned('AKIAIOSFODNN7EXAMPLE/20261122/%ED%A0%80/iam/aws4_request'), unsigned: true },
  { title: 'a web identity role',              signingName: 'sts', headers: FORM, body: 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fa%00b&RoleSessionName=abc&WebIdentityToken=abcd', unsigned: true },
];

const postgres = await testPostgres();
after(() => postgres.stop());

const statuses = new Map<string, number>();
for (const [engine, settings] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  describe(`${engine}: characters that PostgreSQL cannot store are client errors`, async () => {
    const server = await startTestServer(settings);
    for (const { title, signingName, method = 'POST', target = '/', headers = {}, body = '', unsigned } of ROWS) {
      test(`${engine}: ${title} with U+0000 or half a surrogate pair is a client error`, async () => {
        const { host } = new URL(server.endpoint);
        const own = target.replace('AKIAIOSFODNN7EXAMPLE', server.credentials.accessKeyId);
        const request = { method, target: own, headers: { host, ...headers }, body };
        const sent = unsigned
          ? request.headers
          : sign(request, { credentials: server.credentials, region: 'us-east-1', signingName, now: instant(Date.now()) });
        const response = await fetch(server.endpoint + own, { method, headers: sent, ...(method === 'POST' && { body }) });
        const text = await response.text();
        assert.ok(response.status >= 400 && response.status < 500, `${response.status} ${text}`);
        // Checks that the servers on SQLite and on PostgreSQL return the same status.
        assert.equal(response.status, statuses.get(title) ?? response.status);
        statuses.set(title, response.status);
      });
    }
  });
}
