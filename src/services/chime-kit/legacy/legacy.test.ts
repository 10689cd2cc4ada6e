import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { CALLER, callerOf } from '../../kit/fixture.ts';
import { isNotYet, isRefused, notYet, refused } from '../../kit/not-yet.ts';
import type { Call, Caller, Operation } from '../../kit/operation.ts';
import { adapterOf } from './adapters.ts';
import { legacyOperations } from './operations.ts';
import { classicError } from './successor-errors.ts';

// biome-ignore format: a table
const CODES: readonly (readonly [thrown: string, classic: string])[] = [
  ['LimitExceededException',     'ResourceLimitExceededException'],
  ['ThrottlingException',        'ThrottledClientException'],
  ['UnauthorizedException',      'UnauthorizedClientException'],
  ['ResourceNotFoundException',  'NotFoundException'],
  ['TooManyTagsException',       'BadRequestException'],
  ['GoneException',              'NotFoundException'],
  ['ConflictException',          'ConflictException'],
  ['NotYetImplementedException', 'NotYetImplementedException'],
];

for (const [thrown, classic] of CODES) {
  test(`classicError: ${thrown} of a successor is ${classic}`, () => {
    const { code, message } = classicError(new AwsError(thrown, 'why')) as AwsError;
    assert.deepEqual([code, message], [classic, 'why']);
  });
}

test('classicError: an exception that is not an error for the client stays as it is', () => {
  const bug = new TypeError('bug');
  assert.equal(classicError(bug), bug);
});

/** Operations of a successor that return the context and the input of their call. */
function echo(service: string): Readonly<Record<string, Operation<unknown, unknown>>> {
  const operation: Operation<unknown, unknown> = {
    access: (_, caller: Caller) => ({ action: 'chime:X', resources: [`${service} ${caller.profile} ${caller.legacy}`] }),
    handle: async (call, input) => ({ service, legacy: call.legacy, accountId: call.accountId, input }),
  };
  return new Proxy({}, { get: () => operation });
}

const OPERATIONS = legacyOperations(echo);
const CALL = { ...callerOf({ profile: 'classic' }), requestId: 'r' } as unknown as Call;
const ARN = `arn:aws:chime:us-east-1:${CALLER.accountId}:`;

// biome-ignore format: a table
const SUCCESSORS: readonly (readonly [operation: string, input: object, service: string])[] = [
  ['GetMeeting',          { MeetingId: 'x' },                                    'chime-sdk-meetings'       ],
  ['CreateAppInstance',   { Name: 'x' },                                         'chime-sdk-identity'       ],
  ['ListChannels',        {},                                                    'chime-sdk-messaging'      ],
  ['ListMediaCapturePipelines', {},                                              'chime-sdk-media-pipelines'],
  ['ListVoiceConnectors', {},                                                    'chime-sdk-voice'          ],
  ['ListTagsForResource', { ResourceARN: `${ARN}meeting/a` },                    'chime-sdk-meetings'       ],
  ['ListTagsForResource', { ResourceARN: `${ARN}app-instance/a` },               'chime-sdk-identity'       ],
  ['ListTagsForResource', { ResourceARN: `${ARN}app-instance/a/channel/b` },     'chime-sdk-messaging'      ],
  ['ListTagsForResource', { ResourceARN: `${ARN}media-pipeline/a` },             'chime-sdk-media-pipelines'],
  ['ListTagsForResource', { ResourceARN: `${ARN}vc/a` },                         'chime-sdk-voice'          ],
  ['ListTagsForResource', { ResourceARN: 'arn:aws:s3:::bucket' },                'chime-sdk-meetings'       ],
];

for (const [name, input, service] of SUCCESSORS) {
  test(`legacyOperations: ${name} of ${JSON.stringify(input)} is handled by ${service}, as a removed operation`, async () => {
    const operation = OPERATIONS[name] as Operation<unknown, unknown>;
    assert.deepEqual(await operation.handle(CALL, input), { service, legacy: true, accountId: CALL.accountId, input });
    assert.deepEqual(operation.access(input, callerOf({ profile: 'classic' })), [
      { action: 'chime:X', resources: [`${service} classic true`] },
    ]);
  });
}

test('legacyOperations: an operation whose successor is not implemented, or refused, is as its successor', () => {
  const refusal = refused({ handle: () => Promise.reject(new Error('refused')) });
  const voice = new Proxy({}, { get: (_, name) => (name === 'CreateProxySession' ? refusal : notYet('of voice')) });
  const operations = legacyOperations((service) => (service === 'chime-sdk-voice' ? voice : echo(service)));
  const stateOf = (name: string) => [isNotYet(operations[name] as object), isRefused(operations[name] as object)];
  assert.deepEqual(['CreateProxySession', 'GetProxySession', 'CreateMeeting'].map(stateOf), [
    [true, true],
    [true, false],
    [false, false],
  ]);
});

const CHANNEL_MESSAGE = { ChannelArn: 'c', MessageId: 'm', ChimeBearer: 'b' };
// biome-ignore format: a table
const ADAPTED: readonly (readonly [operation: string, input: object, expected: object])[] = [
  ['CreateMeeting',                           { ClientRequestToken: 't' },                       { ClientRequestToken: 't', MediaRegion: 'us-east-1' }],
  ['CreateMeeting',                           { MediaRegion: 'eu-west-1' },                      { MediaRegion: 'eu-west-1' }],
  ['CreateMeetingWithAttendees',              {},                                                { Attendees: [], MediaRegion: 'us-east-1' }],
  ['CreateAttendee',                          { ExternalUserId: 'a', Tags: [] },                 { ExternalUserId: 'a', Tags: [] }],
  ['PutVoiceConnectorStreamingConfiguration', { StreamingConfiguration: { DataRetentionInHours: 1 } }, { StreamingConfiguration: { DataRetentionInHours: 1, Disabled: false } }],
  ['PutVoiceConnectorStreamingConfiguration', { StreamingConfiguration: { Disabled: true } },    { StreamingConfiguration: { Disabled: true } }],
  ['UpdateChannelMessage',                    { ...CHANNEL_MESSAGE, Content: 'new' },            { ...CHANNEL_MESSAGE, Content: 'new' }],
  ['UpdateChannelMessage',                    { ...CHANNEL_MESSAGE, Metadata: 'm' },             { ...CHANNEL_MESSAGE, Metadata: 'm', Content: 'present c m b' }],
  ['GetMeeting',                              { MeetingId: 'x' },                                { MeetingId: 'x' }],
];

for (const [name, input, expected] of ADAPTED) {
  test(`adapterOf: ${name}: ${JSON.stringify(input)} becomes ${JSON.stringify(expected)}`, async () => {
    const read: Operation<unknown, unknown> = {
      access: () => [],
      handle: async (_, named) => ({ ChannelMessage: { Content: `present ${Object.values(named as object).join(' ')}` } }),
    };
    assert.deepEqual(await adapterOf(name)(input as Readonly<Record<string, unknown>>, CALL, { GetChannelMessage: read }), expected);
  });
}
