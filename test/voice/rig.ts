/** Test kit of this folder: a server, its administrator, and users with specified policies, with AWS's own clients. */
import { ChimeSDKVoiceClient } from '@aws-sdk/client-chime-sdk-voice';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { policy } from '../sdk/policy.ts';
import { startTestServer } from '../server.ts';

/** Starts a server with clients of Chime SDK Voice. */
export async function startVoice() {
  const server = await startTestServer();
  const iam = new IAMClient(server.client());
  const cloudtrail = new CloudTrailClient(server.client());
  // The path selects the service, because all Chime services sign with the same name.
  const voice = (credentials = server.credentials, region = 'us-east-1') =>
    new ChimeSDKVoiceClient({ ...server.client(credentials), region, endpoint: `${server.endpoint}/_chime-sdk-voice` });

  return {
    server,
    iam,
    voice,
    /** Creates a user with these statements. Returns a client with its key. */
    async userWith(UserName: string, ...statements: readonly Readonly<Record<string, unknown>>[]): Promise<ChimeSDKVoiceClient> {
      await iam.send(new CreateUserCommand({ UserName }));
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policy(...statements) }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      return voice({ accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string });
    },
    /** Returns the trail records of an operation, newest first. */
    async records(eventName: string) {
      const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: eventName }];
      const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes }));
      return Events.map((each) => JSON.parse(each.CloudTrailEvent as string));
    },
  };
}
