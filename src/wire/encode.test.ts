import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode as cbor } from 'cborg';
import { AwsError } from '#core/aws-error.ts';
import type { Answer } from '#core/exchange.ts';
import { encode, encodeError } from './encode.ts';
import { errorCodeFor } from './errors.ts';
import { chimeRequest, formRequest, type RequestForTests, requestForTests, routedForTests, targetRequest } from './request-for-tests.ts';
import { route } from './route.ts';
import type { Routed, RoutingRefusal } from './routed.ts';

const REQUEST_ID = '6e61a3c4-0f0e-4a8e-9c0e-1d2c3b4a5f60';
const MEETINGS = chimeRequest('chime-sdk-meetings', 'POST', '/meetings');
const MESSAGING = chimeRequest('chime-sdk-messaging', 'POST', '/channels');
const VOICE = chimeRequest('chime-sdk-voice', 'GET', '/settings');
const CLASSIC = chimeRequest('chime', 'GET', '/accounts');
const IAM = formRequest('iam', 'Action=GetUser&Version=2010-05-08');
const STS = formRequest('sts', 'Action=AssumeRole&Version=2011-06-15');
const CLOUDTRAIL = targetRequest('cloudtrail', 'CloudTrail_20131101.LookupEvents', {});
const EVENTS = targetRequest('events', 'AWSEvents.PutEvents', {});
const ANALYZER: RequestForTests = { target: '/analyzer', scope: 'access-analyzer' };
const CLOUDWATCH = targetRequest('monitoring', 'GraniteServiceVersion20100801.GetDashboard', {});
const CBOR: RequestForTests = {
  method: 'POST',
  target: '/service/GraniteServiceVersion20100801/operation/GetDashboard',
  headers: { 'smithy-protocol': 'rpc-v2-cbor' },
  scope: 'monitoring',
};

function routed(request: RequestForTests): Routed {
  const found = routedForTests(request);
  assert.equal(found.kind, 'routed');
  return found as Routed;
}

// biome-ignore format: a table
const CODES: readonly (readonly [code: string, request: RequestForTests, expected: string])[] = [
  // thrown code                   request to   code and status
  ['AccessDenied',                 IAM,         'AccessDenied 403'],
  ['AccessDenied',                 STS,         'AccessDenied 403'],
  ['AccessDenied',                 MEETINGS,    'AccessDeniedException 403'],
  ['AccessDenied',                 MESSAGING,   'AccessDeniedException 403'],
  ['AccessDenied',                 VOICE,       'AccessDeniedException 403'],
  ['AccessDenied',                 CLASSIC,     'ForbiddenException 403'],
  ['ValidationError',              IAM,         'ValidationError 400'],
  ['ValidationError',              MEETINGS,    'ValidationException 400'],
  ['ValidationError',              CLASSIC,     'ValidationException 400'],
  ['ValidationError',              CLOUDTRAIL,  'ValidationException 400'],
  ['ValidationError',              ANALYZER,    'ValidationException 400'],
  ['InvalidClientTokenId',         IAM,         'InvalidClientTokenId 403'],
  ['InvalidClientTokenId',         MEETINGS,    'UnrecognizedClientException 403'],
  ['SignatureDoesNotMatch',        STS,         'SignatureDoesNotMatch 403'],
  ['SignatureDoesNotMatch',        CLOUDTRAIL,  'InvalidSignatureException 403'],
  ['ExpiredToken',                 IAM,         'ExpiredToken 403'],
  ['ExpiredToken',                 MEETINGS,    'ExpiredTokenException 403'],
  ['MissingAuthenticationToken',   IAM,         'MissingAuthenticationToken 403'],
  ['MissingAuthenticationToken',   CLASSIC,     'MissingAuthenticationTokenException 403'],
  ['IncompleteSignature',          IAM,         'IncompleteSignature 400'],
  ['IncompleteSignature',          MEETINGS,    'IncompleteSignatureException 403'],
  ['Throttling',                   IAM,         'Throttling 400'],
  ['Throttling',                   MEETINGS,    'ThrottlingException 429'],
  ['Throttling',                   MESSAGING,   'ThrottledClientException 429'],
  ['Throttling',                   EVENTS,      'ThrottlingException 400'],
  ['InternalFailure',              IAM,         'InternalFailure 500'],
  ['InternalFailure',              MEETINGS,    'InternalFailure 500'],
  ['ServiceUnavailable',           IAM,         'ServiceUnavailable 503'],
  ['ServiceUnavailable',           MEETINGS,    'ServiceUnavailableException 503'],
  ['ServiceUnavailable',           EVENTS,      'ServiceUnavailableException 503'],
  ['NotYetImplementedException',   IAM,         'NotYetImplemented 400'],
  ['NotYetImplementedException',   MEETINGS,    'NotYetImplementedException 400'],
  ['RequestTooLarge',              IAM,         'RequestEntityTooLarge 413'],
  ['RequestTooLarge',              MEETINGS,    'RequestEntityTooLargeException 413'],
  ['SerializationException',       IAM,         'MalformedInput 400'],
  ['SerializationException',       MEETINGS,    'SerializationException 400'],
  ['NoSuchEntityException',        IAM,         'NoSuchEntity 404'],
  ['DeleteConflictException',      IAM,         'DeleteConflict 409'],
  ['CredentialReportNotPresentException', IAM,  'ReportNotPresent 410'],
  ['MalformedPolicyDocumentException', STS,     'MalformedPolicyDocument 400'],
  ['NotFoundException',            MEETINGS,    'NotFoundException 404'],
  ['ResourceLimitExceededException', CLASSIC,   'ResourceLimitExceededException 400'],
  ['UnprocessableEntityException', VOICE,       'UnprocessableEntityException 422'],
  ['TrailNotFoundException',       CLOUDTRAIL,  'TrailNotFoundException 400'],
  ['InternalException',            EVENTS,      'InternalException 500'],
  ['DashboardNotFoundError',       CLOUDWATCH,  'DashboardNotFoundError 404'],
  ['InvalidParameterValue',        STS,         'InvalidParameterValue 400'],
  ['constructor',                  MEETINGS,    'constructor 400'],
];

function headersOf(answer: Answer): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < answer.headers.length; i += 2) headers[answer.headers[i] as string] = answer.headers[i + 1] as string;
  return headers;
}

function failed(request: RequestForTests, error: AwsError): Answer {
  return encodeError(routedForTests(request), error, REQUEST_ID);
}

describe('errorCodeFor', () => {
  for (const [code, request, expected] of CODES) {
    const { service } = routed(request);
    test(`errorCodeFor: ${code} in ${service} is ${expected}`, () => {
      const formatted = errorCodeFor(routed(request), { code });
      assert.equal(`${formatted.code} ${formatted.status}`, expected);
    });
  }
});

describe('encodeError', () => {
  test('encodeError: Chime errors have Code and Message, those of meetings RequestId, and classic ones Resource', () => {
    const classic = failed(CLASSIC, new AwsError('NotFoundException', 'Account not found'));
    assert.deepEqual(classic, {
      status: 404,
      headers: ['x-amzn-requestid', REQUEST_ID, 'content-type', 'application/json', 'x-amzn-errortype', 'NotFoundException'],
      body: `{"Code":"NotFound","Message":"Account not found","RequestId":"${REQUEST_ID}","Resource":null}`,
    });
    const meetings = failed(MEETINGS, new AwsError('NotFoundException', 'Meeting not found'));
    assert.equal(meetings.body, `{"Code":"NotFound","Message":"Meeting not found","RequestId":"${REQUEST_ID}"}`);
  });

  test('encodeError: a policy denial of the service chime is Forbidden', () => {
    const answer = failed(CLASSIC, new AwsError('AccessDenied', 'User: x is not authorized to perform: chime:ListAccounts'));
    assert.equal(headersOf(answer)['x-amzn-errortype'], 'ForbiddenException');
    const { Code, Message, ...rest } = JSON.parse(`${answer.body}`);
    assert.deepEqual([Code, Message], ['Forbidden', 'User: x is not authorized to perform: chime:ListAccounts']);
    assert.deepEqual(rest, { RequestId: REQUEST_ID, Resource: null });
  });

  test('encodeError: writes Code and the members of the shape, and omits other members of the error', () => {
    const answer = failed(VOICE, new AwsError('ConflictException', 'In use', { Code: 'PhoneNumberAssociationsExist', Secret: 'x' }));
    assert.equal(answer.body, '{"Code":"PhoneNumberAssociationsExist","Message":"In use"}');
  });

  test('encodeError: an error that is not in the model of Chime has the format of Chime errors', () => {
    assert.equal(
      failed(MEETINGS, new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.')).body,
      '{"Code":"UnrecognizedClient","Message":"The security token included in the request is invalid."}',
    );
  });

  test('encodeError: the member RetryAfterSeconds is sent as the header Retry-After', () => {
    const answer = failed(MEETINGS, new AwsError('ServiceUnavailableException', 'Later', { RetryAfterSeconds: '5' }));
    assert.equal(headersOf(answer)['retry-after'], '5');
    assert.ok(!`${answer.body}`.includes('RetryAfter'));
  });

  test('encodeError: IAM and STS use XML with their namespace, Sender or Receiver, and the request ID', () => {
    assert.deepEqual(failed(IAM, new AwsError('NoSuchEntityException', 'The user with name <a&b> cannot be found.')), {
      status: 404,
      headers: ['x-amzn-requestid', REQUEST_ID, 'content-type', 'text/xml'],
      body: `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The user with name &lt;a&amp;b&gt; cannot be found.</Message></Error><RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
    });
    assert.match(`${failed(STS, new AwsError('InternalFailure', 'x')).body}`, /<Type>Receiver<\/Type><Code>InternalFailure<\/Code>/);
  });

  test("encodeError: an awsJson error has __type, the model's message member, and no x-amzn-query-error header", () => {
    assert.equal(
      failed(CLOUDTRAIL, new AwsError('TrailNotFoundException', 'Unknown trail')).body,
      '{"__type":"TrailNotFoundException","Message":"Unknown trail"}',
    );
    assert.equal(headersOf(failed(CLOUDTRAIL, new AwsError('TrailNotFoundException', 'x')))['x-amzn-query-error'], undefined);
    assert.equal(headersOf(failed(CLOUDTRAIL, new AwsError('TrailNotFoundException', 'x')))['content-type'], 'application/x-amz-json-1.1');
  });

  test('encodeError: errors of a query-compatible service have the query code in a header', () => {
    const answer = failed(CLOUDWATCH, new AwsError('DashboardNotFoundError', 'x'));
    assert.equal(headersOf(answer)['x-amzn-errortype'], 'DashboardNotFoundError');
    assert.equal(headersOf(answer)['x-amzn-query-error'], 'ResourceNotFound;Sender');
    assert.equal(headersOf(failed(CLOUDWATCH, new AwsError('AccessDenied', 'x')))['x-amzn-query-error'], 'AccessDenied;Sender');
    assert.equal(headersOf(failed(CLOUDWATCH, new AwsError('InternalFailure', 'x')))['x-amzn-query-error'], 'InternalFailure;Receiver');
  });

  test('encodeError: errors of the CBOR protocol are in CBOR', () => {
    const answer = failed(CBOR, new AwsError('DashboardNotFoundError', 'Gone'));
    assert.deepEqual(cbor(answer.body as Uint8Array), { __type: 'DashboardNotFoundError', message: 'Gone' });
    assert.equal(headersOf(answer)['smithy-protocol'], 'rpc-v2-cbor');
  });

  test('encodeError: the error for an unknown operation is in the protocol of the request', () => {
    const refusals: readonly (readonly [RequestForTests, string])[] = [
      [{ target: '/nothing', scope: 'chime' }, '{"message":"The requested operation is unknown."}'],
      [{ target: '/_chime/nothing', scope: 'chime' }, '{"Code":"UnknownOperation","Message":"The requested operation is unknown."}'],
      [
        formRequest('iam', 'Action=Nothing&Version=2010-05-08'),
        `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>Could not find operation Nothing for version 2010-05-08</Message></Error><RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
      ],
      [
        targetRequest('events', 'AWSEvents.Nothing', {}),
        '{"__type":"UnknownOperationException","message":"The requested operation is unknown."}',
      ],
    ];
    for (const [request, body] of refusals) {
      const refused = route(requestForTests(request), { guide2021: false }) as RoutingRefusal;
      assert.equal(refused.kind, 'refused');
      assert.equal(encodeError(refused, refused.error, REQUEST_ID).body, body);
    }
  });
});

describe('encode', () => {
  const user = (UserName: string) =>
    encode(routed(IAM), { User: { Path: '/', UserName, UserId: 'AIDA', Arn: 'arn', CreateDate: 1_795_305_600_999 } }, REQUEST_ID).body;

  test('encode: a query response has a result and a request ID', () => {
    assert.equal(
      user('alice'),
      `<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><Path>/</Path><UserName>alice</UserName><UserId>AIDA</UserId><Arn>arn</Arn><CreateDate>2026-11-22T00:00:00Z</CreateDate></User></GetUserResult><ResponseMetadata><RequestId>${REQUEST_ID}</RequestId></ResponseMetadata></GetUserResponse>`,
    );
  });

  test('encode: an operation without output has no result element', () => {
    const answer = encode(routed(formRequest('iam', 'Action=DeleteUser&Version=2010-05-08&UserName=a')), undefined, REQUEST_ID);
    assert.equal(
      answer.body,
      `<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>${REQUEST_ID}</RequestId></ResponseMetadata></DeleteUserResponse>`,
    );
  });

  test('encode: an empty list is an empty element, and an absent list is omitted', () => {
    const listed = (output: object) =>
      encode(routed(formRequest('iam', 'Action=ListUsers&Version=2010-05-08')), output, REQUEST_ID).body as string;
    assert.ok(listed({ Users: [] }).includes('<ListUsersResult><Users/></ListUsersResult>'));
    assert.ok(listed({}).includes('<ListUsersResult/>'));
  });

  // biome-ignore format: a table
  for (const [title, text, expected] of [
    ['markup is escaped',                         `<a href="x">&'`,             `&lt;a href=&quot;x&quot;&gt;&amp;'`],
    ['line ends that parsers change are escaped', 'a\r\n\u0085\u2028b\tc',      'a&#xD;\n&#x85;&#x2028;b\tc'],
    ['control characters become U+FFFD',          'a\u0000\u0007\u001b\u000bb', 'a\ufffd\ufffd\ufffd\ufffdb'],
    ['half a surrogate pair becomes U+FFFD',      'a\ud800b\udc00',             'a\ufffdb\ufffd'],
    ['whole surrogate pairs stay',                '😀',                         '😀'],
    ['non-characters become U+FFFD',              'a\uffff\ufffe',              'a\ufffd\ufffd'],
  ] as const) {
    test(`encode: in an XML string, ${title}`, () => {
      assert.ok(`${user(text)}`.includes(`<UserName>${expected}</UserName>`));
    });
  }

  test('encode: only members of the model are written', () => {
    const answer = encode(
      routed(chimeRequest('chime-sdk-meetings', 'GET', '/meetings/a')),
      { Meeting: { MeetingId: 'a', secretKey: 'x', MeetingHostId: undefined, TenantIds: null }, more: 1 },
      REQUEST_ID,
    );
    assert.deepEqual(answer, {
      status: 200,
      headers: ['x-amzn-requestid', REQUEST_ID, 'content-type', 'application/json'],
      body: '{"Meeting":{"MeetingId":"a"}}',
    });
  });

  test('encode: the status is 201 or 204 if the model defines it, and a 204 response has no body', () => {
    assert.equal(encode(routed(MESSAGING), { ChannelArn: 'x' }, REQUEST_ID).status, 201);
    const deleted = encode(routed(chimeRequest('chime-sdk-meetings', 'DELETE', '/meetings/a')), {}, REQUEST_ID);
    const nothing = { status: 204, headers: ['x-amzn-requestid', REQUEST_ID], body: '' };
    assert.deepEqual(deleted, nothing);
    // The output of this operation has members in the model.
    const retention = encode(routed(chimeRequest('chime', 'PUT', '/accounts/a/retention-settings')), {}, REQUEST_ID);
    assert.deepEqual(retention, nothing);
  });

  test('encode: JSON strings are escaped', () => {
    const answer = encode(routed(MESSAGING), { ChannelArn: 'a"\\\n\u0000\ud800😀' }, REQUEST_ID);
    assert.equal(answer.body, '{"ChannelArn":"a\\"\\\\\\n\\u0000\\ud800😀"}');
  });

  test('encode: timestamps are epoch seconds in awsJson, or ISO 8601 if the model has this format', () => {
    assert.equal(
      encode(routed(CLOUDTRAIL), { Events: [{ EventTime: 1_795_305_600_123 }] }, REQUEST_ID).body,
      '{"Events":[{"EventTime":1795305600.123}]}',
    );
    const bot = encode(
      routed(chimeRequest('chime', 'GET', '/accounts/a/bots/b')),
      { Bot: { CreatedTimestamp: 1_795_305_600_123 } },
      REQUEST_ID,
    );
    assert.equal(bot.body, '{"Bot":{"CreatedTimestamp":"2026-11-22T00:00:00.123Z"}}');
  });

  test('encode: CBOR timestamps have tag 1', () => {
    const answer = encode(
      routed({ ...CBOR, target: '/service/GraniteServiceVersion20100801/operation/GetMetricStream' }),
      { CreationDate: 1_795_305_600_123 },
      REQUEST_ID,
    );
    assert.deepEqual(cbor(answer.body as Uint8Array, { tags: { 1: (content) => ({ tagged: content() }) } }), {
      CreationDate: { tagged: 1_795_305_600.123 },
    });
  });

  test('encode: an output that does not match the model causes a TypeError', () => {
    assert.throws(() => encode(routed(MESSAGING), { ChannelArn: 7 }, REQUEST_ID), TypeError);
    assert.throws(() => encode(routed(IAM), { User: 'alice' }, REQUEST_ID), TypeError);
    assert.throws(() => encode(routed(CLOUDTRAIL), { Events: {} }, REQUEST_ID), TypeError);
  });
});
