import { CreateMeetingCommand, type CreateMeetingCommandInput } from '@aws-sdk/client-chime-sdk-meetings';

/** Returns a CreateMeeting command. A second command with the same token and input returns the existing meeting. */
export function createMeeting(ClientRequestToken: string, more: Partial<CreateMeetingCommandInput> = {}): CreateMeetingCommand {
  return new CreateMeetingCommand({ ClientRequestToken, MediaRegion: 'us-east-1', ExternalMeetingId: 'standup', ...more });
}
