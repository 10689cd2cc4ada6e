/** Differences in meaning between the removed operations of `chime` and their successors. */
import { AwsError } from '#core/aws-error.ts';
import type { Call, Operation } from '../../kit/operation.ts';

type Input = Readonly<Record<string, unknown>>;
/** Operations of the successor by name. */
type Successor = Readonly<Record<string, Operation<unknown, unknown>>>;
/** Converts an input of the removed operation to the input of its successor. */
export type Adapter = (input: Input, call: Call, successor: Successor) => Input | Promise<Input>;

/** Media region of a meeting if the request names none. Source: Amazon Chime API reference of 2022, CreateMeeting: default us-east-1. */
const MEDIA_REGION = 'us-east-1';

/** @throws BadRequestException  an attendee has tags, which no operation could read or remove */
function refuseAttendeeTags(attendees: readonly Input[]): void {
  if (attendees.some(({ Tags }) => Array.isArray(Tags) && Tags.length > 0))
    throw new AwsError('BadRequestException', 'Tags of attendees are not supported.');
}

const withMediaRegion: Adapter = (input) => ({ ...input, MediaRegion: input['MediaRegion'] ?? MEDIA_REGION });

/** Returns an adapter that adds an absent `member`, with the value that a resource has now. */
function keeping(member: string, read: string, container: string, identifiers: readonly string[]): Adapter {
  return async (input, call, successor) => {
    if (input[member] !== undefined) return input;
    const named = Object.fromEntries(identifiers.map((name) => [name, input[name]]));
    const output = (await successor[read]?.handle(call, named)) as Readonly<Record<string, Input>>;
    return { ...input, [member]: output[container]?.[member] ?? '' };
  };
}

const withDisabled: Adapter = (input) => {
  const configuration = input['StreamingConfiguration'] as Input;
  return { ...input, StreamingConfiguration: { ...configuration, Disabled: configuration['Disabled'] ?? false } };
};

/**
 * Adapters by operation. All other operations have the same members as their successors. A member that only the successor requires is
 * either optional in its handler (`ExternalMeetingId`), or its absence is an error there (`ChimeBearer`), or an adapter adds it.
 *
 * Source: chime 2018-05-01 before February 2025, compared with the five models of today. Security.md §16 for meetings.
 * Assumed: (1) an update without `Metadata` or `Content` keeps the value; (2) tags of attendees are refused, because the operations that
 * list and remove them have no successor; (3) streaming without `Disabled` is enabled.
 */
const ADAPTERS: ReadonlyMap<string, Adapter> = new Map<string, Adapter>([
  ['CreateMeeting', withMediaRegion],
  [
    'CreateMeetingWithAttendees',
    (input, ...rest) => {
      const Attendees = (input['Attendees'] ?? []) as readonly Input[];
      refuseAttendeeTags(Attendees);
      return withMediaRegion({ ...input, Attendees }, ...rest);
    },
  ],
  [
    'CreateAttendee',
    (input) => {
      refuseAttendeeTags([input]);
      return input;
    },
  ],
  [
    'BatchCreateAttendee',
    (input) => {
      refuseAttendeeTags(input['Attendees'] as readonly Input[]);
      return input;
    },
  ],
  ['UpdateAppInstance', keeping('Metadata', 'DescribeAppInstance', 'AppInstance', ['AppInstanceArn'])],
  ['UpdateAppInstanceUser', keeping('Metadata', 'DescribeAppInstanceUser', 'AppInstanceUser', ['AppInstanceUserArn'])],
  ['UpdateChannelMessage', keeping('Content', 'GetChannelMessage', 'ChannelMessage', ['ChannelArn', 'MessageId', 'ChimeBearer'])],
  ['PutVoiceConnectorStreamingConfiguration', withDisabled],
]);

/** Returns the adapter of a removed operation. The default returns the input as it is. */
export function adapterOf(operation: string): Adapter {
  return ADAPTERS.get(operation) ?? ((input) => input);
}
