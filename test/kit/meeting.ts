import { CreateMeetingCommand, type CreateMeetingCommandInput } from '@aws-sdk/client-chime-sdk-meetings';

/** Returns a request for a new meeting. The same token with the same input returns the same meeting. */
export function createMeeting(ClientRequestToken: string, more: Partial<CreateMeetingCommandInput> = {}): CreateMeetingCommand {
  return new CreateMeetingCommand({ ClientRequestToken, MediaRegion: 'us-east-1', ExternalMeetingId: 'standup', ...more });
}
