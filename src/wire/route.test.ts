import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadModel } from '#model/load.ts';
import { CHIME_SERVICES, type ServiceName } from '#model/services.ts';
import { errorCodeFor } from './errors.ts';
import { chimeRequest, formRequest, type RequestForTests, requestForTests, routedForTests, targetRequest } from './request-for-tests.ts';
import { route } from './route.ts';

const MEETING = '/meetings/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
const JS = (name: string) => `aws-sdk-js/3.1142.0 ua/2.1 os/linux lang/js md/nodejs#24.21.0 api/${name}#3.1142.0`;
const CLI = (command: string) => `aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source/x86_64.debian.12 prompt/off command/${command}`;
const BOTO3 = 'Boto3/1.26.27 Python/3.11.2 Linux/6.1 Botocore/1.29.27';
const FORM = 'application/x-www-form-urlencoded';
const WEB_IDENTITY = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=x&WebIdentityToken=y&RoleSessionName=z';

/** Returns a path that matches a URI of the model. */
const pathOf = (uri: string) => uri.replaceAll(/\{[^}]*\}/g, 'x');

/** Returns the chosen operation in one line, or the protocol, code and status of the error. */
function chosen(request: RequestForTests): string {
  const routed = routedForTests(request);
  if (routed.kind === 'routed') return `${routed.service} ${routed.operation.name} ${routed.protocol} ${routed.profile}`;
  const { code, status } = errorCodeFor(routed, routed.error);
  return `${routed.protocol} ${code} ${status}`;
}

// biome-ignore format: a table
const ROUTES: readonly (readonly [title: string, request: RequestForTests, expected: string])[] = [
  // case                                                      the request                                                                                      chosen
  ['base path',                                                { target: `/_chime-sdk-meetings${MEETING}` },                                                    'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['base path that contradicts the scope',                     { target: '/_chime-sdk-voice/settings', scope: 'iam' },                                          'chime-sdk-voice GetGlobalSettings rest-json sdk'],
  ['base path of the classic service',                         { target: '/_chime/settings', scope: 'chime' },                                                  'chime GetGlobalSettings rest-json classic'],
  ['base path of a query service, without a slash',            { ...formRequest('iam', 'Action=ListUsers&Version=2010-05-08'), target: '/_iam' },               'iam ListUsers query sdk'],
  ['base path of a json service',                              { ...targetRequest('cloudtrail', 'CloudTrail_20131101.LookupEvents', {}), target: '/_cloudtrail/' }, 'cloudtrail LookupEvents json sdk'],
  ['base path of an unknown service',                          { target: '/_chime-sdk-nothing/meetings' },                                                      'rest-json UnrecognizedServiceException 404'],
  ['base path with the name of an inherited property',         { target: '/_constructor/meetings' },                                                            'rest-json UnrecognizedServiceException 404'],
  ['operation of another service under a base path',           { target: `/_chime-sdk-voice${MEETING}`, scope: 'chime' },                                       'rest-json UnknownOperationException 404'],
  ['operation with the name of an inherited property',         formRequest('iam', 'Action=constructor&Version=2010-05-08'),                                      'query InvalidAction 400'],

  ['host of the meetings endpoint',                            { target: MEETING, headers: { Host: 'meetings-chime.us-east-1.amazonaws.com' }, scope: 'chime' }, 'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['host in capitals with a port, FIPS',                       { target: '/settings', headers: { Host: 'VOICE-chime-fips.us-east-1.example.com:443' }, scope: 'chime' }, 'chime-sdk-voice GetGlobalSettings rest-json sdk'],
  ['host of the classic endpoint',                             { target: '/settings', headers: { Host: 'chime.us-east-1.amazonaws.com' }, scope: 'chime' },       'chime GetGlobalSettings rest-json classic'],
  ['older host of the classic endpoint',                       { target: '/settings', headers: { Host: 'service.chime.aws.amazon.com' }, scope: 'chime' },        'chime GetGlobalSettings rest-json classic'],
  ['host chime.… for an operation of another service',         { target: MEETING, headers: { Host: 'chime.example.com' }, scope: 'chime' },                       'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['host that contradicts the scope is ignored',               { ...formRequest('sts', 'Action=GetCallerIdentity&Version=2011-06-15'), headers: { Host: 'iam.example.com', 'Content-Type': FORM } }, 'sts GetCallerIdentity query sdk'],
  ['host alone, unsigned',                                     { target: '/accounts', headers: { Host: 'messaging-chime.us-east-1.amazonaws.com' } },            'rest-json UnknownOperationException 404'],

  ['scope chime and a path of one service',                    { target: '/channels?app-instance-arn=a', scope: 'chime' },                                        'chime-sdk-messaging ListChannels rest-json sdk'],
  ['scope chime and a path of the classic service',            { target: '/accounts', scope: 'chime' },                                                          'chime ListAccounts rest-json classic'],
  ['path prefix of old clients of the classic service',        { target: '/console/accounts', scope: 'chime' },                                                 'chime ListAccounts rest-json classic'],
  ['path prefix of old clients, at another service',           { target: '/_chime-sdk-voice/console/settings', scope: 'chime' },                                'rest-json UnknownOperationException 404'],
  ['scope access-analyzer',                                    { target: '/analyzer', scope: 'access-analyzer' },                                                'accessanalyzer ListAnalyzers rest-json sdk'],
  ['scope of a presigned URL',                                 { target: `${MEETING}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261122%2Fus-east-1%2Fchime%2Faws4_request` }, 'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['an unsigned request for a meeting',                        { target: MEETING },                                                                              'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['scope of an unknown service',                              { target: MEETING, scope: 'execute-api' },                                                        'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['path without an operation',                                { target: '/nothing/here', scope: 'chime' },                                                      'rest-json UnknownOperationException 404'],
  ['method without an operation',                              { method: 'PATCH', target: MEETING, scope: 'chime' },                                             'rest-json UnknownOperationException 404'],
  ['a label is never empty',                                   { target: '/meetings//attendees', scope: 'chime' },                                               'rest-json UnknownOperationException 404'],
  ['a slash at the end is another path',                       { target: `${MEETING}/`, scope: 'chime' },                                                        'rest-json UnknownOperationException 404'],
  ['absolute form',                                            { target: `http://localhost${MEETING}`, scope: 'chime' },                                         'rest-json UnknownOperationException 404'],
  ['asterisk form',                                            { method: 'OPTIONS', target: '*' },                                                               'rest-json UnknownOperationException 404'],

  ['literal query: create',                                    chimeRequest('chime-sdk-meetings', 'POST', `${MEETING}/attendees`, {}),                            'chime-sdk-meetings CreateAttendee rest-json sdk'],
  ['literal query: batch-create',                              chimeRequest('chime-sdk-meetings', 'POST', `${MEETING}/attendees?operation=batch-create`, {}),     'chime-sdk-meetings BatchCreateAttendee rest-json sdk'],
  ['literal query after another parameter',                    chimeRequest('chime', 'POST', '/accounts/1/users?a=b&operation=add', {}),                          'chime InviteUsers rest-json classic'],
  ['literal segment before a label',                           chimeRequest('chime-sdk-voice', 'GET', '/settings/phone-number'),                                  'chime-sdk-voice GetPhoneNumberSettings rest-json sdk'],
  ['an escaped slash stays in its label',                      chimeRequest('chime-sdk-messaging', 'GET', '/channels/arn%3Aaws%3Achime%2Fa%2Fb/memberships'),     'chime-sdk-messaging ListChannelMemberships rest-json sdk'],

  ['phone numbers by a client that names no service',          { target: '/phone-numbers', scope: 'chime' },                                                     'chime-sdk-voice ListPhoneNumbers rest-json sdk'],
  ['phone numbers by the JavaScript SDK of chime',             { target: '/phone-numbers', scope: 'chime', headers: { 'User-Agent': JS('chime') } },               'chime ListPhoneNumbers rest-json classic'],
  ['phone numbers by the JavaScript SDK of voice',             { target: '/phone-numbers', scope: 'chime', headers: { 'User-Agent': JS('chime-sdk-voice') } },     'chime-sdk-voice ListPhoneNumbers rest-json sdk'],
  ['phone numbers by the Go SDK of voice',                     { target: '/phone-numbers', scope: 'chime', headers: { 'User-Agent': 'aws-sdk-go-v2/1.30 api/chimesdkvoice#1.2.3' } }, 'chime-sdk-voice ListPhoneNumbers rest-json sdk'],
  ['phone numbers by CLI v2 of chime',                         { target: '/phone-numbers', scope: 'chime', headers: { 'User-Agent': 'aws-cli/2.9.19 command/chime.list-phone-numbers' } }, 'chime ListPhoneNumbers rest-json classic'],
  ['phone numbers by a browser of voice',                      { target: '/phone-numbers', scope: 'chime', headers: { 'User-Agent': 'Mozilla/5.0', 'X-Amz-User-Agent': JS('chime-sdk-voice') } }, 'chime-sdk-voice ListPhoneNumbers rest-json sdk'],
  ['phone numbers at the host chime.…, no service named',      { target: '/phone-numbers', scope: 'chime', headers: { Host: 'chime.us-east-1.amazonaws.com' } },   'chime ListPhoneNumbers rest-json classic'],
  ['phone numbers at the host chime.… by the SDK of voice',    { target: '/phone-numbers', scope: 'chime', headers: { Host: 'chime.example.com', 'User-Agent': JS('chime-sdk-voice') } }, 'chime-sdk-voice ListPhoneNumbers rest-json sdk'],
  ['removed, by base path',                                    chimeRequest('chime', 'POST', '/meetings', {}),                                                    'chime CreateMeeting rest-json classic'],
  ['removed, by base path, whatever the User-Agent',           { ...chimeRequest('chime', 'POST', '/meetings', {}), headers: { 'User-Agent': JS('chime-sdk-meetings') } }, 'chime CreateMeeting rest-json classic'],
  ['removed, under the base path of another service',          { ...chimeRequest('chime-sdk-meetings', 'POST', '/meetings', {}), headers: { 'User-Agent': JS('chime') } }, 'chime-sdk-meetings CreateMeeting rest-json sdk'],
  ['removed, by CLI v2 of chime',                              { method: 'POST', target: '/meetings', scope: 'chime', headers: { 'User-Agent': CLI('chime.create-meeting') } }, 'chime CreateMeeting rest-json classic'],
  ['removed, by the JavaScript SDK of chime in 2024',          { target: MEETING, scope: 'chime', headers: { 'User-Agent': JS('chime') } },                        'chime GetMeeting rest-json classic'],
  ['removed, by the JavaScript SDK of chime in 2021',          { target: MEETING, scope: 'chime', headers: { 'User-Agent': 'aws-sdk-js/3.38.0 os/linux/6.1 lang/js md/nodejs/20.20.2 api/chime/3.38.0' } }, 'chime GetMeeting rest-json classic'],
  ['removed, by a client that names no service',               { target: MEETING, scope: 'chime', headers: { 'User-Agent': BOTO3 } },                              'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['removed, unsigned, by CLI v2 of chime',                    { method: 'POST', target: '/meetings', headers: { 'User-Agent': CLI('chime.create-meeting') } },    'chime CreateMeeting rest-json classic'],
  ['removed, by CLI v2 of chime, signed for another service',  { target: MEETING, scope: 'access-analyzer', headers: { 'User-Agent': CLI('chime.get-meeting') } }, 'rest-json UnknownOperationException 404'],
  ['removed, by CLI v2 of chime, at the host of another',      { target: '/app-instances', scope: 'chime', headers: { Host: 'identity-chime.us-east-1.amazonaws.com', 'User-Agent': CLI('chime.list-app-instances') } }, 'chime-sdk-identity ListAppInstances rest-json sdk'],
  ['removed, at the host chime.…, if another has the route',   { target: MEETING, scope: 'chime', headers: { Host: 'chime.us-east-1.amazonaws.com', 'User-Agent': BOTO3 } }, 'chime-sdk-meetings GetMeeting rest-json sdk'],
  ['removed, at the host chime.…, if no other has the route',  { target: '/meetings', scope: 'chime', headers: { Host: 'chime.us-east-1.amazonaws.com', 'User-Agent': BOTO3 } }, 'chime ListMeetings rest-json classic'],
  ['removed, at the older host of the classic endpoint',       { target: '/meetings', scope: 'chime', headers: { Host: 'service.chime.aws.amazon.com' } },         'chime ListMeetings rest-json classic'],
  ['removed, at the host chime.…, by the SDK of meetings',     { target: '/meetings', scope: 'chime', headers: { Host: 'chime.example.com', 'User-Agent': JS('chime-sdk-meetings') } }, 'rest-json UnknownOperationException 404'],
  ['removed, if no other has it and chime is not named',       { target: '/meetings', scope: 'chime', headers: { 'User-Agent': BOTO3 } },                          'rest-json UnknownOperationException 404'],
  ['never removed, by CLI v2 of chime',                        { target: '/channel-flows/a', scope: 'chime', headers: { 'User-Agent': CLI('chime.list-rooms') } }, 'chime-sdk-messaging DescribeChannelFlow rest-json sdk'],
  ['tags of a meeting',                                        { target: '/tags?arn=arn%3Aaws%3Achime%3Aus-east-1%3A111122223333%3Ameeting%2Fa', scope: 'chime' }, 'chime-sdk-meetings ListTagsForResource rest-json sdk'],
  ['tags of a media pipeline',                                 { target: '/tags?arn=arn:aws:chime:us-east-1:111122223333:media-pipeline/a', scope: 'chime' },      'chime-sdk-media-pipelines ListTagsForResource rest-json sdk'],
  ['tags of a voice connector',                                { target: '/tags?arn=arn:aws:chime:us-east-1:111122223333:vc/a', scope: 'chime' },                  'chime-sdk-voice ListTagsForResource rest-json sdk'],
  ['tags of an app instance user',                             { target: '/tags?arn=arn:aws:chime:us-east-1:111122223333:app-instance/a/user/b', scope: 'chime' }, 'chime-sdk-identity ListTagsForResource rest-json sdk'],
  ['tags of a channel',                                        { target: '/tags?arn=arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/b', scope: 'chime' }, 'chime-sdk-messaging ListTagsForResource rest-json sdk'],
  ['tagging a channel, the ARN in the body',                   { method: 'POST', target: '/tags?operation=tag-resource', scope: 'chime', body: '{"ResourceARN":"arn:aws:chime:us-east-1:1:app-instance/a/channel/b"}' }, 'chime-sdk-messaging TagResource rest-json sdk'],
  ['untagging a voice connector, the ARN in the body',         { method: 'POST', target: '/tags?operation=untag-resource', scope: 'chime', body: '{"ResourceARN":"arn:aws:chime:us-east-1:1:vc/a"}' }, 'chime-sdk-voice UntagResource rest-json sdk'],
  ['tags by the SDK of messaging, whatever the ARN',           { target: '/tags?arn=x', scope: 'chime', headers: { 'User-Agent': JS('chime-sdk-messaging') } },   'chime-sdk-messaging ListTagsForResource rest-json sdk'],

  ['form',                                                     formRequest('iam', 'Action=CreateUser&Version=2010-05-08&UserName=a'),                             'iam CreateUser query sdk'],
  ['form with Action last',                                    formRequest('iam', 'UserName=Action%3DDeleteUser&xAction=DeleteUser&Version=2010-05-08&Action=CreateUser'), 'iam CreateUser query sdk'],
  ['unsigned form: the version names the service',             { method: 'POST', headers: { 'Content-Type': FORM }, body: WEB_IDENTITY },                         'sts AssumeRoleWithWebIdentity query sdk'],
  ['unsigned GET',                                             { target: `/?${WEB_IDENTITY}` },                                                                  'sts AssumeRoleWithWebIdentity query sdk'],
  ['presigned GET',                                            { target: '/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=A%2F20261122%2Fus-east-1%2Fsts%2Faws4_request' }, 'sts GetCallerIdentity query sdk'],
  ['presigned POST, as boto3 signs',                           { method: 'POST', target: '/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=A%2F20261122%2Fus-east-1%2Fsts%2Faws4_request' }, 'sts GetCallerIdentity query sdk'],
  ['two Actions in a form',                                    formRequest('iam', 'Action=ListUsers&Action=DeleteUser&Version=2010-05-08'),                      'query InvalidAction 400'],
  ['Actions in query string and form',                         { ...formRequest('iam', 'Action=ListUsers'), target: '/?Action=DeleteUser' },                     'query InvalidAction 400'],
  ['form without Action',                                      formRequest('iam', 'Version=2010-05-08'),                                                         'query MissingAction 400'],
  ['form without a version',                                   formRequest('iam', 'Action=ListUsers'),                                                           'query InvalidAction 400'],
  ['version of another service',                               formRequest('iam', 'Action=ListUsers&Version=2011-06-15'),                                        'query InvalidAction 400'],
  ['action of another service',                                formRequest('iam', 'Action=AssumeRole&Version=2010-05-08'),                                       'query InvalidAction 400'],
  ['form for an unknown service',                              { method: 'POST', headers: { 'Content-Type': FORM }, body: 'Action=Nothing' },                    'query InvalidAction 400'],
  ['scope of a query service without an Action',               { target: '/', scope: 'iam' },                                                                    'query MissingAction 400'],
  ['compressed form',                                          { ...formRequest('monitoring', ''), headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip' }, body: gzipSync(`Action=PutMetricData&Version=2010-08-01&x=${'y'.repeat(50_000)}`) }, 'cloudwatch PutMetricData query sdk'],
  ['compressed form that is not gzip',                         { ...formRequest('monitoring', ''), headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip' }, body: 'Action=PutMetricData' }, 'query MissingAction 400'],

  ['target of the JavaScript SDK',                             targetRequest('cloudtrail', 'CloudTrail_20131101.LookupEvents', {}),                              'cloudtrail LookupEvents json sdk'],
  ['target of botocore',                                       targetRequest('cloudtrail', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents', {}), 'cloudtrail LookupEvents json sdk'],
  ['target of EventBridge',                                    targetRequest('events', 'AWSEvents.PutEvents', {}),                                               'events PutEvents json sdk'],
  ['target of Organizations',                                  targetRequest('organizations', 'AWSOrganizationsV20161128.ListAccounts', {}),                     'organizations ListAccounts json sdk'],
  ['target of CloudWatch',                                     targetRequest('monitoring', 'GraniteServiceVersion20100801.PutMetricData', {}),                   'cloudwatch PutMetricData json sdk'],
  ['target of an unknown operation',                           targetRequest('events', 'AWSEvents.Nothing', {}),                                                 'json UnknownOperationException 404'],
  ['unknown target, by its scope',                             targetRequest('events', 'PutEvents', {}),                                                         'events PutEvents json sdk'],
  ['target with a query service',                              targetRequest('iam', 'IAM.ListUsers', {}),                                                        'json UnknownOperationException 404'],
  ['target by GET',                                            { ...targetRequest('events', 'AWSEvents.PutEvents', {}), method: 'GET' },                          'json UnknownOperationException 404'],
  ['CBOR',                                                     { method: 'POST', target: '/service/GraniteServiceVersion20100801/operation/PutMetricData', headers: { 'smithy-protocol': 'rpc-v2-cbor' }, scope: 'monitoring' }, 'cloudwatch PutMetricData smithy-rpc-v2-cbor sdk'],
  ['CBOR of an unknown operation',                             { method: 'POST', target: '/service/GraniteServiceVersion20100801/operation/Nothing', headers: { 'smithy-protocol': 'rpc-v2-cbor' }, scope: 'monitoring' }, 'smithy-rpc-v2-cbor UnknownOperationException 404'],
  ['CBOR with a service that does not support it',             { method: 'POST', target: '/service/AWSEvents/operation/PutEvents', headers: { 'smithy-protocol': 'rpc-v2-cbor' }, scope: 'events' }, 'smithy-rpc-v2-cbor UnknownOperationException 404'],
  ['another smithy protocol',                                  { method: 'POST', target: '/service/GraniteServiceVersion20100801/operation/PutMetricData', headers: { 'smithy-protocol': 'rpc-v2-json' }, scope: 'monitoring' }, 'smithy-rpc-v2-cbor UnknownOperationException 404'],
  ['another content encoding',                                 { ...chimeRequest('chime-sdk-meetings', 'POST', '/meetings', {}), headers: { 'Content-Encoding': 'br' } }, 'rest-json UnsupportedMediaTypeException 415'],
];

for (const [title, request, expected] of ROUTES) {
  test(`route: ${title}: ${expected}`, () => {
    assert.equal(chosen(request), expected);
  });
}

test('route: finds every rest-json operation by its method and URI', () => {
  const wrong: string[] = [];
  for (const service of [...CHIME_SERVICES, 'accessanalyzer'] as const satisfies readonly ServiceName[]) {
    for (const { name, http } of Object.values(loadModel(service).operations)) {
      const found = chosen({ method: http.method, target: `/_${service}${pathOf(http.uri)}` });
      const expected = `${service} ${name} rest-json ${service === 'chime' ? 'classic' : 'sdk'}`;
      if (found !== expected) wrong.push(`${found} instead of ${expected}`);
    }
  }
  assert.deepEqual(wrong, []);
});

// biome-ignore format: a table
const CLASSIC: readonly (readonly [title: string, prefix: string, headers: Readonly<Record<string, string>>])[] = [
  ['the base path',                    '/_chime', {}],
  ['CLI v2 of chime',                  '',        { 'User-Agent': CLI('chime.list-rooms') }],
  ['the JavaScript SDK of chime',      '',        { 'User-Agent': JS('chime') }],
  ['the same at the host chime.…',     '',        { 'User-Agent': JS('chime'), Host: 'chime.us-east-1.amazonaws.com' }],
];

for (const [title, prefix, headers] of CLASSIC) {
  test(`CHM-7: requests from ${title} reach the 129 removed, the 62 current and our 52 operations of chime`, () => {
    const { operations, removed } = loadModel('chime');
    const all = [...Object.values(removed), ...Object.values(operations)];
    const found = all.map(({ http }) => chosen({ method: http.method, target: `${prefix}${pathOf(http.uri)}`, scope: 'chime', headers }));
    assert.deepEqual(
      found,
      all.map(({ name }) => `chime ${name} rest-json classic`),
    );
    assert.equal(all.length, 129 + 62 + 52);
  });
}

// biome-ignore format: a table
const NAMING: readonly (readonly [title: string, host: string | undefined, agent: (service: ServiceName) => string])[] = [
  ['CLI v2',                                       undefined,            (service) => CLI(`${service}.some-command`)],
  ['the JavaScript SDK',                           undefined,            JS],
  ['the JavaScript SDK of 2021',                   undefined,            (service) => `aws-sdk-js/3.38.0 api/${service.replaceAll('-', '_')}/3.38.0`],
  ['the JavaScript SDK at the host chime.…',       'chime.example.com',  JS],
];

for (const [title, host, agent] of NAMING) {
  test(`CHM-7: requests from ${title}, whose User-Agent names the service, reach each current operation`, () => {
    const all = CHIME_SERVICES.flatMap((service) =>
      Object.values(loadModel(service).operations).map(({ name, http }) => ({ service, name, http })),
    );
    const headers = (service: ServiceName) => ({ 'User-Agent': agent(service), ...(host !== undefined && { Host: host }) });
    assert.deepEqual(
      all.map(({ service, http }) => chosen({ method: http.method, target: pathOf(http.uri), scope: 'chime', headers: headers(service) })),
      all.map(({ service, name }) => `${service} ${name} rest-json ${service === 'chime' ? 'classic' : 'sdk'}`),
    );
    assert.ok(all.length >= 286);
  });
}

for (const host of ['localhost:8080', 'chime.us-east-1.amazonaws.com']) {
  test(`CHM-7: at ${host}, requests whose User-Agent names no service reach all current operations`, () => {
    const all = CHIME_SERVICES.flatMap((service) => Object.values(loadModel(service).operations));
    const wrong = all.filter(({ http }) => {
      const routed = routedForTests({
        method: http.method,
        target: pathOf(http.uri),
        scope: 'chime',
        headers: { Host: host, 'User-Agent': BOTO3 },
      });
      return routed.kind === 'refused' || routed.model.operations[routed.operation.name] !== routed.operation;
    });
    assert.deepEqual(wrong, []);
  });
}

test('route: nineteen routes (method and URI) are shared by several of the six Chime services', () => {
  const seen = new Map<string, number>();
  for (const service of CHIME_SERVICES)
    for (const { http } of Object.values(loadModel(service).operations)) {
      const place = `${http.method} ${http.uri.replaceAll(/\{[^}]*\}/g, '{}')}`;
      seen.set(place, (seen.get(place) ?? 0) + 1);
    }
  assert.equal([...seen.values()].filter((services) => services > 1).length, 19);
});

test('route: if guide2021 is on, the Chime services have the profile classic, and other services have sdk', () => {
  const profile = (request: RequestForTests) => {
    const routed = route(requestForTests(request), { guide2021: true });
    return routed.kind === 'routed' && routed.profile;
  };
  assert.equal(profile({ target: `/_chime-sdk-meetings${MEETING}` }), 'classic');
  assert.equal(profile(formRequest('iam', 'Action=ListUsers&Version=2010-05-08')), 'sdk');
});

// biome-ignore format: a table
const LEGACY_ROUTES: readonly (readonly [title: string, request: RequestForTests, off: string, on: string])[] = [
  // case                                              request                                                                                           off                              on
  ['base path of the classic service',                 { target: `/_chime${MEETING}`, scope: 'chime' },                                                  'chime without input',           'chime with input'],
  ['prefix of early clients',                          { target: `/_chime/console${MEETING}`, scope: 'chime' },                                          'chime without input',           'chime with input'],
  ['prefix of early clients, without a base path',     { target: `/console${MEETING}`, scope: 'chime' },                                                 'chime without input',           'chime with input'],
  ['prefix of early clients, on the oldest host',      { target: `/console${MEETING}`, headers: { Host: 'service.chime.aws.amazon.com' } },              'chime without input',           'chime with input'],
  ['host of the classic endpoint',                     { target: MEETING, headers: { Host: 'chime.us-east-1.amazonaws.com' }, scope: 'chime' },           'chime-sdk-meetings with input', 'chime with input'],
  ['host of the meetings endpoint',                    { target: MEETING, headers: { Host: 'meetings-chime.us-east-1.amazonaws.com' }, scope: 'chime' },  'chime-sdk-meetings with input', 'chime-sdk-meetings with input'],
  ['User-Agent of the classic service',                { target: MEETING, headers: { 'User-Agent': 'aws-cli/2.9.19 command/chime.get-meeting' }, scope: 'chime' }, 'chime without input',  'chime with input'],
  ['User-Agent of another service on the classic host', { target: MEETING, headers: { Host: 'chime.us-east-1.amazonaws.com', 'User-Agent': 'aws-cli/2.9.19 command/chime-sdk-meetings.get-meeting' }, scope: 'chime' }, 'chime-sdk-meetings with input', 'chime-sdk-meetings with input'],
  ['no host and no User-Agent',                        { target: MEETING, scope: 'chime' },                                                              'chime-sdk-meetings with input', 'chime-sdk-meetings with input'],
  ['operation without a successor',                    { target: '/_chime/meetings', scope: 'chime' },                                                   'chime without input',           'chime without input'],
  ['prefix of early clients and a current operation',  { target: '/console/accounts', scope: 'chime' },                                                  'chime with input',              'chime with input'],
  ['prefix of early clients with another base path',   { target: `/_chime-sdk-meetings/console${MEETING}`, scope: 'chime' },                             'refused',                       'refused'],
  ['prefix of early clients with another scope',       { target: '/console/analyzer', scope: 'access-analyzer' },                                        'refused',                       'refused'],
];

for (const [title, request, off, on] of LEGACY_ROUTES) {
  test(`route: legacyChime: ${title}: ${off} if it is off, ${on} if it is on`, () => {
    const found = (legacyChime: boolean) => {
      const routed = route(requestForTests(request), { guide2021: false, legacyChime });
      if (routed.kind === 'refused') return 'refused';
      assert.equal(routed.profile, routed.service === 'chime' ? 'classic' : 'sdk');
      return `${routed.service} ${routed.operation.input === undefined ? 'without' : 'with'} input`;
    };
    assert.deepEqual([found(false), found(true)], [off, on]);
  });
}

test('route: an encoded slash is part of a label, because the path is split before it is decoded', () => {
  const routed = routedForTests(
    chimeRequest('chime-sdk-messaging', 'GET', '/channels/arn%3Aaws%2Fchannel%2Fb/memberships/arn%3Aa%2Fuser%2Fc'),
  );
  assert.deepEqual(routed.kind === 'routed' && routed.labels, ['arn%3Aaws%2Fchannel%2Fb', 'arn%3Aa%2Fuser%2Fc']);
});

test('route: the ARN in a large body does not determine the service of TagResource', () => {
  const body = JSON.stringify({ ResourceARN: 'arn:aws:chime:us-east-1:1:app-instance/a/channel/b', pad: ' '.repeat(70_000) });
  assert.equal(
    chosen({ method: 'POST', target: '/tags?operation=tag-resource', scope: 'chime', body }),
    'chime-sdk-voice TagResource rest-json sdk',
  );
});
