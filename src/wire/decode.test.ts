import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encode as cbor } from 'cborg';
import { AwsError } from '#core/aws-error.ts';
import { INFLATED_MAX_BYTES, NAMES_MAX, VALUES_MAX } from './document.ts';
import { chimeRequest, decodedForTests, formRequest, type RequestForTests, targetRequest } from './request-for-tests.ts';

const MEETING_ID = 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
const MEETING = { ClientRequestToken: 'token', MediaRegion: 'us-east-1', ExternalMeetingId: 'weekly' };
const NAME_TEXT = 'It must contain only alphanumeric characters and/or the following: +=,.@_-';

function createMeeting(change: Readonly<Record<string, unknown>> | string): RequestForTests {
  return chimeRequest('chime-sdk-meetings', 'POST', '/meetings', typeof change === 'string' ? change : { ...MEETING, ...change });
}
function iam(form: string): RequestForTests {
  return formRequest('iam', `${form}&Version=2010-05-08`);
}
function lookUp(body: unknown): RequestForTests {
  return targetRequest('cloudtrail', 'CloudTrail_20131101.LookupEvents', body);
}
function organizations(operation: string, body: unknown): RequestForTests {
  return targetRequest('organizations', `AWSOrganizationsV20161128.${operation}`, body);
}
function putMetricData(body: unknown): RequestForTests {
  return {
    method: 'POST',
    target: '/service/GraniteServiceVersion20100801/operation/PutMetricData',
    headers: { 'smithy-protocol': 'rpc-v2-cbor' },
    scope: 'monitoring',
    body: body instanceof Uint8Array ? body : cbor(body),
  };
}

/** Returns `code: message` of the error that decoding throws. In errors of Organizations, the reason follows. */
function refusal(request: RequestForTests): string {
  try {
    decodedForTests(request);
  } catch (error) {
    if (error instanceof AwsError) return `${error.code}: ${error.message}${reasonOf(error)}`;
    throw error;
  }
  return 'nothing';
}

function reasonOf({ members }: AwsError): string {
  return members['Reason'] === undefined ? '' : ` ${members['Reason']}`;
}

const APP = 'arn:aws:chime:us-east-1:111122223333:app-instance/a';
const withBearer = (bearer: string, request: RequestForTests): RequestForTests => ({
  ...request,
  headers: { 'x-amz-chime-bearer': bearer },
});
const one = (text: string) => `ValidationError: 1 validation error detected: ${text}`;

// biome-ignore format: a table
const CONSTRAINTS: readonly (readonly [title: string, request: RequestForTests, expected: string])[] = [
  // case                                         the request                                                                    the error
  ['a missing member',                            createMeeting({ MediaRegion: undefined }),                                     one("Value null at 'mediaRegion' failed to satisfy constraint: Member must not be null")],
  ['a null member is a missing one',              createMeeting({ MediaRegion: null }),                                          one("Value null at 'mediaRegion' failed to satisfy constraint: Member must not be null")],
  ['an empty body is an empty document',          createMeeting(''),                                                             "ValidationError: 3 validation errors detected: Value null at 'clientRequestToken' failed to satisfy constraint: Member must not be null; Value null at 'mediaRegion' failed to satisfy constraint: Member must not be null; Value null at 'externalMeetingId' failed to satisfy constraint: Member must not be null"],
  ['two faults in one message',                   createMeeting({ ExternalMeetingId: 'x'.repeat(65), MediaRegion: null }),       "ValidationError: 2 validation errors detected: Value null at 'mediaRegion' failed to satisfy constraint: Member must not be null; Value at 'externalMeetingId' failed to satisfy constraint: Member must have length less than or equal to 64"],
  ['too short',                                   createMeeting({ ExternalMeetingId: 'x' }),                                     one("Value at 'externalMeetingId' failed to satisfy constraint: Member must have length greater than or equal to 2")],
  ['65 emoji are longer than 64 code points',     createMeeting({ Tags: [{ Key: 'a', Value: 'b' }], MeetingHostId: '😀'.repeat(65) }), one("Value at 'meetingHostId' failed to satisfy constraint: Member must have length less than or equal to 64")],
  ['within a list',                               createMeeting({ Tags: [{ Key: 'a', Value: 'b' }, { Key: 'c'.repeat(129), Value: '' }] }), one("Value at 'tags.2.member.key' failed to satisfy constraint: Member must have length less than or equal to 128")],
  ['missing within a list',                       createMeeting({ Tags: [{ Value: 'b' }] }),                                     one("Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null")],
  ['null within a list',                          createMeeting({ Tags: [null] }),                                               one("Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null")],
  ['an enum',                                     createMeeting({ MeetingFeatures: { Audio: { EchoReduction: 'MAYBE' } } }),     one("Value at 'meetingFeatures.audio.echoReduction' failed to satisfy constraint: Member must satisfy enum value set: [AVAILABLE, UNAVAILABLE]")],
  ['a range',                                     createMeeting({ MeetingFeatures: { Attendee: { MaxCount: 0 } } }),             one("Value at 'meetingFeatures.attendee.maxCount' failed to satisfy constraint: Member must have value greater than or equal to 1")],
  ['a list too long',                             createMeeting({ TenantIds: ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'] }),            one("Value at 'tenantIds' failed to satisfy constraint: Member must have length less than or equal to 5")],
  ['a label',                                     chimeRequest('chime-sdk-meetings', 'GET', '/meetings/not-one'),                one("Value at 'meetingId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}")],
  ['a query string',                              chimeRequest('chime-sdk-meetings', 'GET', `/meetings/${MEETING_ID}/attendees?max-results=101`), one("Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100")],
  ['a missing header',                            chimeRequest('chime-sdk-messaging', 'GET', '/channels?app-instance-arn=arn:aws:chime:us-east-1:111122223333:app-instance/a'), one("Value null at 'chimeBearer' failed to satisfy constraint: Member must not be null")],

  ['IAM quotes the value',                        iam(`Action=CreateUser&UserName=${'x'.repeat(65)}`),                           one(`Value '${'x'.repeat(65)}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64`)],
  ['IAM: a missing parameter',                    iam('Action=CreateUser'),                                                      one("Value null at 'userName' failed to satisfy constraint: Member must not be null")],
  ['IAM: a name with invalid characters',          iam('Action=CreateUser&UserName=a%20b'),                                       `ValidationError: The specified value for userName is invalid. ${NAME_TEXT}`],
  ['IAM: a long name with invalid characters',     iam(`Action=CreateUser&UserName=${'+'.repeat(65)}`),                           one(`Value '${' '.repeat(65)}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64`)],
  ['STS: a long session name, invalid characters', formRequest('sts', `Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/a&RoleSessionName=${'!'.repeat(65)}&Version=2011-06-15`), `ValidationError: 2 validation errors detected: Value '${'!'.repeat(65)}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64; Value '${'!'.repeat(65)}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`],
  ['IAM: a long tag key with invalid characters',  iam(`Action=TagUser&UserName=a&Tags.member.1.Key=${'!'.repeat(129)}&Tags.member.1.Value=b`), `ValidationError: 2 validation errors detected: Value '${'!'.repeat(129)}' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128; Value '${'!'.repeat(129)}' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+`],
  ['IAM: a path',                                 iam('Action=CreateUser&UserName=a&Path=x'),                                    'ValidationError: The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.'],
  ['IAM: an empty parameter is an empty string',   iam('Action=CreateUser&UserName=&Path=/'),                                     one("Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1")],
  ['IAM: within a list',                          iam('Action=TagUser&UserName=a&Tags.member.1.Key=&Tags.member.1.Value=b'),     "ValidationError: 2 validation errors detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"],
  ['IAM: a list of strings',                       iam(`Action=UntagUser&UserName=a&TagKeys.member.1=${'x'.repeat(129)}`),         one(`Value '[${'x'.repeat(129)}]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+]`)],
  ['IAM: a password is never quoted',             iam(`Action=CreateLoginProfile&UserName=a&Password=${'x'.repeat(129)}`),        one("Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 128")],
  ['STS: a session name by its pattern',          formRequest('sts', 'Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/a&RoleSessionName=a+b&Version=2011-06-15'), one("Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")],
  ['STS: a duration',                             formRequest('sts', 'Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/a&RoleSessionName=ab&DurationSeconds=899&Version=2011-06-15'), one("Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900")],
  ['CloudTrail: an enum',                         lookUp({ LookupAttributes: [{ AttributeKey: 'Nothing', AttributeValue: 'x' }] }), one("Value 'Nothing' at 'lookupAttributes.1.member.attributeKey' failed to satisfy constraint: Member must satisfy enum value set: [EventId, EventName, ReadOnly, Username, ResourceType, ResourceName, EventSource, AccessKeyId]")],
  ['IAM: a policy ARN that does not parse',       iam('Action=AttachRolePolicy&RoleName=r&PolicyArn=longpolicynamebutnoarn'),     'ValidationError: Invalid ARN:  Could not be parsed!'],
  ['IAM: an ARN of another partition',            iam('Action=GetPolicy&PolicyArn=arn:aws-cn:iam::aws:policy/ReadOnlyAccess'),    'ValidationError: Invalid ARN partition'],
  ['IAM: a serial number in another case',        iam('Action=DeleteVirtualMFADevice&SerialNumber=arn:aws:iam::111122223333:MFA/a'), 'ValidationError: ARN arn:aws:iam::111122223333:MFA/a is not valid.'],
  ['STS: a role that is not an ARN',              formRequest('sts', 'Action=AssumeRole&RoleArn=nothing-valid-in-here&RoleSessionName=ab&Version=2011-06-15'), 'ValidationError: nothing-valid-in-here is invalid'],
  ['Chime: an ARN in a list',                     withBearer(`${APP}/user/a`, chimeRequest('chime-sdk-messaging', 'POST', '/channels', { AppInstanceArn: APP, Name: 'n', ClientRequestToken: 't1', MemberArns: [`${APP}/user/a/b`] })), "BadRequestException: Value at 'memberArns.member' is not a valid ARN of: app-instance-user, app-instance-bot"],
  ['Chime: the ARN of a channel as bearer',       withBearer(`${APP}/channel/a`, chimeRequest('chime-sdk-messaging', 'GET', `/channels?app-instance-arn=${APP}`)), 'UnauthorizedClientException: An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.'],
  ['Organizations: a pattern',                                organizations('ListParents', { ChildId: 'null' }),                                    'InvalidInputException: You provided a value that does not match the required pattern. INVALID_PATTERN'],
  ['Organizations: a missing member',                         organizations('ListParents', {}),                                                     'InvalidInputException: You must include a value for all required parameters. INPUT_REQUIRED'],
  ['Organizations: an enum',                                  organizations('ListPolicies', { Filter: 'ROLES' }),                                   'InvalidInputException: You specified an invalid value. INVALID_ENUM'],
  ['Organizations: the first of two faults',       organizations('DescribeHandshake', { HandshakeId: 'x'.repeat(100) }),                 'InvalidInputException: You provided a string parameter that is longer than allowed. MAX_LENGTH_EXCEEDED'],
  ['Organizations: too short',                                organizations('InviteAccountToOrganization', { Target: { Id: '', Type: 'ACCOUNT' } }), 'InvalidInputException: You provided a string parameter that is shorter than allowed. MIN_LENGTH_EXCEEDED'],
  ['Organizations: too much',                                 organizations('ListAccounts', { MaxResults: 21 }),                                    'InvalidInputException: You provided a numeric parameter that has a larger value than allowed. MAX_VALUE_EXCEEDED'],
  ['Organizations: too little',                               organizations('ListAccounts', { MaxResults: 0 }),                                     'InvalidInputException: You provided a numeric parameter that has a smaller value than allowed. MIN_VALUE_EXCEEDED'],
  ['Organizations: within a list',                            organizations('ListCreateAccountStatus', { States: ['DONE'] }),                       'InvalidInputException: You provided a list to a parameter that contains at least one invalid value. INVALID_LIST_MEMBER'],
  ['CBOR: a missing member',                      putMetricData({}),                                                             one("Value null at 'namespace' failed to satisfy constraint: Member must not be null")],
];

/** Returns a CBOR array of `count` items of one byte each. */
function cborArray(count: number, item: number): Uint8Array {
  const head = Buffer.alloc(5, 0x9a);
  head.writeUInt32BE(count, 1);
  return Buffer.concat([head, Buffer.alloc(count, item)]);
}

// biome-ignore format: a table
const UNREADABLE: readonly (readonly [title: string, request: RequestForTests, expected: string])[] = [
  // case                                         the request                                                                    the message
  ['a cut-off document',                          createMeeting('{"MediaRegion":"us-east-1"'),                                   'The document is not valid JSON'],
  ['an open string',                              createMeeting('{"MediaRegion":"us-east-1'),                                    'Unexpected end of the document'],
  ['text after the document',                     createMeeting('{} {}'),                                                        'The document is not valid JSON'],
  ['a byte order mark',                           createMeeting('\ufeff{}'),                                                     'The document is not valid JSON'],
  ['a repeated key',                             createMeeting('{"MediaRegion":"us-east-1","MediaRegion":"us-west-2"}'),        'A key occurs twice'],
  ['a repeated key, once escaped',                createMeeting('{"MediaRegion":"us-east-1","Media\\u0052egion":"us-west-2"}'),  'A key occurs twice'],
  ['a nested repeated key',                       createMeeting('{"Tags":[{"Key":"a:\\"{","Key":"b"}]}'),                        'A key occurs twice'],
  ['nesting without end',                         createMeeting(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`),                     'The document is nested too deeply (maximum: 32 levels)'],
  ['too many names',                              createMeeting(`{"a":[${'{"a":1},'.repeat(NAMES_MAX)}1]}`),                     'The document has too many values (maximum: 50000 names, 400000 values)'],
  ['too many values',                             createMeeting(`{"a":[${'1,'.repeat(VALUES_MAX + 1)}1]}`),                      'The document has too many values (maximum: 50000 names, 400000 values)'],
  ['half a surrogate pair',                       createMeeting('{"ExternalMeetingId":"\\ud800"}'),                              'Null characters and unpaired surrogates are not allowed'],
  ['U+0000',                                      createMeeting('{"ExternalMeetingId":"a\\u0000"}'),                             'Null characters and unpaired surrogates are not allowed'],
  ['invalid UTF-8',                               { ...createMeeting(''), body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) },   'The body is not UTF-8'],
  ['a list for a document',                       createMeeting('[]'),                                                           'Start of list found where not expected'],
  ['null for a document',                         createMeeting('null'),                                                         'VALUE can not be converted to a Structure'],
  ['a number for a string',                       createMeeting({ MediaRegion: 1 }),                                             'NUMBER_VALUE can not be converted to a String'],
  ['a structure for a string',                    createMeeting({ MediaRegion: { a: 1 } }),                                      'Start of structure or map found where not expected.'],
  ['a string for a list',                         createMeeting({ Tags: 'x' }),                                                  'STRING_VALUE can not be converted to a List'],
  ['a list for a structure',                      createMeeting({ MeetingFeatures: [] }),                                        'Start of list found where not expected'],
  ['a string for a number',                       createMeeting({ MeetingFeatures: { Attendee: { MaxCount: '1' } } }),           'STRING_VALUE can not be converted to an Integer'],
  ['a fraction for a whole number',               createMeeting({ MeetingFeatures: { Attendee: { MaxCount: 1.5 } } }),           'NUMBER_VALUE can not be converted to an Integer'],
  ['a number beyond 32 bits',                     createMeeting({ MeetingFeatures: { Attendee: { MaxCount: 2_147_483_648 } } }), 'NUMBER_VALUE can not be converted to an Integer'],
  ['an invalid whole number in a query string',   chimeRequest('chime-sdk-meetings', 'GET', `/meetings/${MEETING_ID}/attendees?max-results=1x`), 'STRING_VALUE can not be converted to an Integer'],
  ['a repeated parameter',                        chimeRequest('chime-sdk-meetings', 'GET', `/meetings/${MEETING_ID}/attendees?max-results=1&max-results=2`), 'Duplicate parameter: max-results'],
  ['broken percent-encoding in a label',          chimeRequest('chime-sdk-meetings', 'GET', '/meetings/%zz'),                    'Malformed percent-encoding'],
  ['percent-encoding that is not UTF-8',          chimeRequest('chime-sdk-meetings', 'GET', '/meetings/%ff'),                    'Malformed percent-encoding'],
  ['U+0000 in a label',                           chimeRequest('chime-sdk-meetings', 'GET', '/meetings/a%00'),                   'Null characters are not allowed'],
  ['a timestamp string instead of seconds',       lookUp({ StartTime: '2026-11-22T00:00:00Z' }),                                 'STRING_VALUE can not be converted to a Timestamp'],
  ['a timestamp beyond all dates',                lookUp({ StartTime: 1e300 }),                                                  'NUMBER_VALUE can not be converted to a Timestamp'],
  ['a repeated parameter in a form',              iam('Action=CreateUser&UserName=a&UserName=b'),                                'Duplicate parameter: UserName'],
  ['a hidden second Action',                      iam('Action=CreateUser&UserName=a&%41ction=DeleteUser'),                       'Duplicate parameter: Action'],
  ['an invalid boolean',                          iam('Action=UpdateAccountPasswordPolicy&RequireSymbols=yes'),                  'STRING_VALUE can not be converted to a Boolean'],
  ['a string instead of a structure',             iam('Action=TagUser&UserName=a&Tags.member.1=x'),                              'STRING_VALUE can not be converted to a Structure'],
  ['a structure instead of a string',             iam('Action=CreateUser&UserName.x=a'),                                         'Start of structure or map found where not expected.'],
  ['a list without the step `member`',            iam('Action=TagUser&UserName=a&Tags.1.Key=x'),                                 'Start of structure or map found where not expected.'],
  ['a list with a name instead of a number',      iam('Action=TagUser&UserName=a&Tags.member.x.Key=x'),                          'Start of structure or map found where not expected.'],
  ['a list with the number zero',                 iam('Action=TagUser&UserName=a&Tags.member.0.Key=x'),                          'Start of structure or map found where not expected.'],
  ['names with too many steps',                   iam(`Action=CreateUser&UserName=a&${'a.'.repeat(30)}b=c`),                     'Parameters are nested too deeply (maximum: 24 levels)'],
  ['too many parameters',                         iam(`Action=CreateUser&${Array.from({ length: 20_001 }, (_, i) => `${i}=`).join('&')}`), 'Too many parameters (maximum: 20000)'],
  ['a compressed body that is not gzip',              { ...createMeeting('{}'), headers: { 'Content-Encoding': 'gzip' } },           'The body is not a gzip stream'],
  ['a compressed body cut off',                   { ...createMeeting(''), headers: { 'Content-Encoding': 'gzip' }, body: gzipSync('{}').subarray(0, 15) }, 'The body is not a gzip stream'],
  ['CBOR cut off',                                putMetricData(cbor({ Namespace: 'x' }).subarray(0, 6)),                        'The document is not valid CBOR'],
  ['CBOR with a repeated key',                    putMetricData(Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2)),              'The document is not valid CBOR'],
  ['CBOR with a number for a key',                putMetricData(cbor(new Map([[1, 2]]))),                                        'The keys of a map must be strings'],
  ['CBOR of too many items',                      putMetricData(cborArray(VALUES_MAX / 2, 0x80)),                                'The document has too many values (maximum: 50000 names, 400000 values)'],
  ['CBOR of too many maps',                       putMetricData(cborArray(VALUES_MAX / 8, 0xa0)),                                'The document has too many values (maximum: 50000 names, 400000 values)'],
  ['CBOR nested without end',                     putMetricData(new Uint8Array(1_000_000).fill(0x81)),                           'The document has too many values (maximum: 50000 names, 400000 values)'],
  ['CBOR nested deeper than the maximum',         putMetricData(Uint8Array.of(...new Array<number>(40).fill(0x81), 1)),          'The document is nested too deeply (maximum: 32 levels)'],
  ['a CBOR timestamp without its tag',            putMetricData({ Namespace: 'x', MetricData: [{ MetricName: 'a', Timestamp: 1 }] }), 'NUMBER_VALUE can not be converted to a Timestamp'],
];

for (const [title, request, expected] of CONSTRAINTS) {
  test(`decode: a violated constraint has AWS's message: ${title}`, () => {
    assert.equal(refusal(request), expected);
  });
}

for (const [title, request, expected] of UNREADABLE) {
  test(`decode: ${title} is SerializationException`, () => {
    assert.equal(refusal(request), `SerializationException: ${expected}`);
  });
}

test('decode: a body that exceeds the maximum size after decompression is RequestTooLarge', () => {
  const body = gzipSync(new Uint8Array(INFLATED_MAX_BYTES + 1));
  assert.ok(body.byteLength < 20_000);
  assert.equal(
    refusal({ ...createMeeting(''), headers: { 'Content-Encoding': 'gzip' }, body }),
    'RequestTooLarge: The decompressed request body is too large. The maximum is 2097152 bytes.',
  );
});

test('decode: a request of PutMetricData with more than 1 MiB is RequestTooLarge, also if it is compressed', () => {
  const request = putMetricData({ Namespace: 'x', MetricData: [] });
  const body = Buffer.alloc(1_048_577);
  assert.equal(refusal({ ...request, body }), 'RequestTooLarge: Request size 1048577 exceeded 1048576 bytes');
});

test('decode: the message names at most ten faults', () => {
  const message = refusal(createMeeting({ Tags: Array.from({ length: 40 }, () => ({ Key: '', Value: '' })) }));
  assert.match(message, /^ValidationError: 10 validation errors detected: /);
  assert.equal(message.split('; ').length, 10);
});

test('decode: a quoted value is truncated to 1,024 characters', () => {
  const message = refusal(iam(`Action=CreateUser&UserName=${'x'.repeat(100_000)}`));
  assert.ok(message.length < 1_300);
});

test('decode: a pattern of several character classes is not checked above twice the maximum length', () => {
  const one = formRequest(
    'sts',
    `Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/a&RoleSessionName=${'!'.repeat(100_000)}&Version=2011-06-15`,
  );
  assert.match(refusal(one), /^ValidationError: 2 validation errors detected: /);
  const alias = (length: number) => iam(`Action=CreateAccountAlias&AccountAlias=${'!'.repeat(length)}`);
  assert.match(refusal(alias(126)), /length less than or equal to 63; .*pattern/);
  assert.match(refusal(alias(127)), /length less than or equal to 63$/);
});

test('decode: 64 emoji have the length 64', () => {
  const input = decodedForTests(createMeeting({ MeetingHostId: '😀'.repeat(64) }));
  assert.equal(input['MeetingHostId'], '😀'.repeat(64));
});

test('decode: unknown members are omitted', () => {
  assert.deepEqual(decodedForTests(createMeeting({ Unknown: { deep: [1] }, $extra: 1 })), MEETING);
  assert.deepEqual(decodedForTests(iam('Action=CreateUser&UserName=a&Unknown.member.1=b')), { UserName: 'a' });
});

// biome-ignore format: a table
const BOOLEANS: readonly (readonly [title: string, request: RequestForTests, expected: unknown])[] = [
  // case                          the request                                                                                                        the value, or the message
  ['Chime: true',                  chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: true }),              true],
  ['Chime: the string "true"',     chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: 'true' }),            true],
  ['Chime: the string "false"',    chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: 'false' }),           false],
  ['Chime: another case',          chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: 'True' }),            'SerializationException: STRING_VALUE can not be converted to a Boolean'],
  ['Chime: another string',        chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: '1' }),               'SerializationException: STRING_VALUE can not be converted to a Boolean'],
  ['Chime: a number',              chimeRequest('chime-sdk-voice', 'POST', '/voice-connectors', { Name: 'a', RequireEncryption: 1 }),                 'SerializationException: NUMBER_VALUE can not be converted to a Boolean'],
  ['another service: a string',    targetRequest('cloudtrail', 'CloudTrail_20131101.CreateTrail', { Name: 'abc', S3BucketName: 'abc', IsMultiRegionTrail: 'true' }),      'SerializationException: STRING_VALUE can not be converted to a Boolean'],
];

for (const [title, request, expected] of BOOLEANS) {
  test(`decode: Boolean: ${title}`, () => {
    if (typeof expected === 'boolean') assert.equal(decodedForTests(request)['RequireEncryption'], expected);
    else
      assert.throws(
        () => decodedForTests(request),
        (error: AwsError) => `${error.code}: ${error.message}` === expected,
      );
  });
}

test('decode: __proto__ is an ordinary key and does not change a prototype', () => {
  const input = decodedForTests(
    createMeeting('{"__proto__":{"MediaRegion":"x"},"ClientRequestToken":"token","MediaRegion":"us-east-1","ExternalMeetingId":"weekly"}'),
  );
  assert.deepEqual(input, MEETING);
  const call = decodedForTests(
    chimeRequest(
      'chime-sdk-voice',
      'POST',
      '/sip-media-applications/a/calls',
      `{"FromPhoneNumber":"+15551234567","ToPhoneNumber":"+15551234567","ArgumentsMap":{"__proto__":"x","constructor":"y"}}`,
    ),
  );
  assert.deepEqual(Object.entries(call['ArgumentsMap'] as object), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(Object.getPrototypeOf(call['ArgumentsMap']), null);
  assert.equal(({} as Record<string, unknown>)['MediaRegion'], undefined);
});

test('decode: names of inherited properties, such as constructor, are unknown members and omitted', () => {
  assert.deepEqual(decodedForTests(iam('Action=ListUsers&__proto__.x=1&constructor.prototype.y=2')), {});
});

test('decode: a label of a path is percent-decoded once, and its plus signs remain', () => {
  const input = decodedForTests(chimeRequest('chime-sdk-voice', 'GET', '/phone-numbers/%2B1%20555+1%2525'));
  assert.deepEqual(input, { PhoneNumberId: '+1 555+1%25' });
});

test('decode: a plus sign in a form is a space, and in a query string it remains a plus sign', () => {
  assert.deepEqual(decodedForTests(iam('Action=ListUsers&Marker=a+b%2Bc')), { Marker: 'a b+c' });
  assert.deepEqual(decodedForTests({ target: '/?Action=ListUsers&Version=2010-05-08&Marker=a+b%20c&X-Amz-Signature=0', scope: 'iam' }), {
    Marker: 'a+b c',
  });
});

test('decode: list elements in a form are sorted by their numbers, and missing numbers leave no gap', () => {
  const tags = (form: string) => decodedForTests(iam(`Action=UntagUser&UserName=a&${form}`))['TagKeys'];
  assert.deepEqual(tags('TagKeys.member.10=c&TagKeys.member.2=b&TagKeys.member.1=a'), ['a', 'b', 'c']);
  assert.deepEqual(tags('TagKeys='), []);
});

test('decode: the name of a header is case-insensitive', () => {
  const ChimeBearer = 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/b';
  const AppInstanceArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a';
  const request = chimeRequest('chime-sdk-messaging', 'GET', `/channels?app-instance-arn=${AppInstanceArn}&privacy=PUBLIC`);
  assert.deepEqual(decodedForTests({ ...request, headers: { 'X-AMZ-Chime-Bearer': ` ${ChimeBearer} ` } }), {
    AppInstanceArn,
    ChimeBearer,
    Privacy: 'PUBLIC',
  });
});

test('decode: repeated bearer headers are joined with a comma, so the value is not a valid ARN', () => {
  const request = chimeRequest(
    'chime-sdk-messaging',
    'GET',
    '/channels?app-instance-arn=arn:aws:chime:us-east-1:111122223333:app-instance/a',
  );
  const headers = { 'x-amz-chime-bearer': 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/b', 'X-Amz-Chime-Bearer': 'c' };
  assert.throws(() => decodedForTests({ ...request, headers }), { code: 'UnauthorizedClientException' });
});

test('decode: timestamps are epoch seconds in JSON, and ISO 8601 in a query string', () => {
  assert.deepEqual(decodedForTests(lookUp({ StartTime: 1_795_305_600.123 })), { StartTime: 1_795_305_600_123 });
  const messages = chimeRequest(
    'chime-sdk-messaging',
    'GET',
    '/channels/arn%3Aaws%3Achime%3Aus-east-1%3A111122223333%3Aapp-instance%2Fa%2Fchannel%2Fb/messages?not-before=2026-11-22T01%3A00%3A00.5%2B01%3A00',
  );
  const headers = { 'x-amz-chime-bearer': 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/b' };
  assert.equal(decodedForTests({ ...messages, headers })['NotBefore'], 1_795_305_600_500);
});

test('decode: an operation without input ignores its body', () => {
  assert.deepEqual(decodedForTests(chimeRequest('chime-sdk-voice', 'GET', '/settings', 'not JSON')), {});
});

test('decode: a compressed document is decompressed', () => {
  const request = createMeeting('');
  assert.deepEqual(
    decodedForTests({ ...request, headers: { 'Content-Encoding': 'gzip' }, body: gzipSync(JSON.stringify(MEETING)) }),
    MEETING,
  );
  const metrics = putMetricData(gzipSync(cbor({ Namespace: 'x' })));
  assert.deepEqual(decodedForTests({ ...metrics, headers: { ...metrics.headers, 'Content-Encoding': 'gzip' } }), { Namespace: 'x' });
  const form = { ...iam(''), body: gzipSync('Action=ListUsers&Version=2010-05-08&Marker=a%2Bb') };
  assert.deepEqual(decodedForTests({ ...form, headers: { ...form.headers, 'Content-Encoding': 'gzip' } }), { Marker: 'a+b' });
});
