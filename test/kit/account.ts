/**
 * An account of a test server: AWS SDK clients that use the administrator's key, and functions that create users, roles
 * and sessions.
 */
import assert from 'node:assert/strict';
import { ChimeClient } from '@aws-sdk/client-chime';
import { ChimeSDKIdentityClient } from '@aws-sdk/client-chime-sdk-identity';
import { ChimeSDKMediaPipelinesClient } from '@aws-sdk/client-chime-sdk-media-pipelines';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import { ChimeSDKVoiceClient } from '@aws-sdk/client-chime-sdk-voice';
import { CloudTrailClient, type LookupAttributeKey } from '@aws-sdk/client-cloudtrail';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  type CreateRoleCommandInput,
  CreateUserCommand,
  type CreateUserCommandInput,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts';
import type { ServiceName } from '#model/services.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { type Keys, keysOf } from './keys.ts';
import { policy, type Statement } from './policy.ts';
import { startTestServer, type TestServer } from './server.ts';
import { recordsOf } from './trail.ts';

/** Starts a server and returns its first account. */
export async function startAccount(environment: Readonly<Record<string, string>> = {}) {
  return accountOn(await startTestServer(environment));
}

/** Returns an account of a server. By default, returns the server's first account. */
export function accountOn(
  server: TestServer,
  { accountId, keys }: AccountKeys = { accountId: server.accountId, keys: server.credentials },
) {
  const client = (as: Keys = keys) => server.client(as);
  const at = (service: ServiceName, as: Keys = keys) => server.at(service, as);
  const admin = new IAMClient(client());

  return {
    server,
    accountId,
    /** Access key of the administrator. The clients use this key by default. */
    keys,
    /** IAM client of the administrator. */
    admin,
    client,
    at,
    iam: (as?: Keys) => new IAMClient(client(as)),
    sts: (as?: Keys) => new STSClient(client(as)),
    chime: (as?: Keys) => new ChimeClient(at('chime', as)),
    identity: (as?: Keys) => new ChimeSDKIdentityClient(at('chime-sdk-identity', as)),
    meetings: (as?: Keys) => new ChimeSDKMeetingsClient(at('chime-sdk-meetings', as)),
    messaging: (as?: Keys) => new ChimeSDKMessagingClient(at('chime-sdk-messaging', as)),
    pipelines: (as?: Keys) => new ChimeSDKMediaPipelinesClient(at('chime-sdk-media-pipelines', as)),
    voice: (as?: Keys) => new ChimeSDKVoiceClient(at('chime-sdk-voice', as)),
    rootArn: `arn:aws:iam::${accountId}:root`,
    userArn: (name: string) => `arn:aws:iam::${accountId}:user/${name}`,
    roleArn: (name: string) => `arn:aws:iam::${accountId}:role/${name}`,
    /**
     * Creates a user with an access key. In `policies`, strings are ARNs of managed policies. The statements become the
     * inline policy `p`.
     */
    async user(
      user: string | (CreateUserCommandInput & { UserName: string }),
      ...policies: readonly (string | Statement)[]
    ): Promise<Keys> {
      const input = typeof user === 'string' ? { UserName: user } : user;
      const { UserName } = input;
      await admin.send(new CreateUserCommand(input));
      for (const PolicyArn of policies) {
        if (typeof PolicyArn === 'string') await admin.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
      }
      const statements = policies.filter((each) => typeof each !== 'string');
      if (statements.length > 0) {
        await admin.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policy(...statements) }));
      }
      return newKey(admin, UserName);
    },
    /** Creates a role with a trust policy and the inline policy `p`. Returns the role's ARN. */
    async role(
      role: string | (Partial<CreateRoleCommandInput> & { RoleName: string }),
      trusted: Statement | readonly Statement[],
      ...statements: readonly Statement[]
    ): Promise<string> {
      const input = typeof role === 'string' ? { RoleName: role } : role;
      const AssumeRolePolicyDocument = policy(...[trusted].flat());
      const { Role } = await admin.send(new CreateRoleCommand({ AssumeRolePolicyDocument, ...input }));
      if (statements.length > 0) {
        const PolicyDocument = policy(...statements);
        await admin.send(new PutRolePolicyCommand({ RoleName: input.RoleName, PolicyName: 'p', PolicyDocument }));
      }
      return Role?.Arn as string;
    },
    /** Assumes a role, with the session name `me`. */
    async assume(as: Keys, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<Keys> {
      const { Credentials } = await new STSClient(client(as)).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', ...more }));
      return keysOf(Credentials);
    },
    /**
     * Returns the CloudTrail records in which `attribute` has the value `value`, newest first. The default attribute is
     * the event name.
     */
    records: (value: string, attribute?: LookupAttributeKey) => recordsOf(new CloudTrailClient(client()), value, attribute),
  };
}

/** An account of a test server. */
export type TestAccount = ReturnType<typeof accountOn>;

interface AccountKeys {
  readonly accountId: string;
  readonly keys: Keys;
}

/** Creates an access key of a user. */
export async function newKey(admin: IAMClient, UserName: string): Promise<Keys> {
  return keysOf((await admin.send(new CreateAccessKeyCommand({ UserName }))).AccessKey);
}

/** Creates another account with the operator command `account create`. The account is outside the organization. */
export async function otherAccount(server: TestServer, name: string): Promise<TestAccount> {
  const reply = await askControl(server.dataFolder, { command: 'account create', name });
  assert.ok(reply.ok && reply.administrator !== undefined);
  const { accountId, accessKeyId, secretAccessKey } = reply.administrator;
  return accountOn(server, { accountId, keys: { accessKeyId, secretAccessKey } });
}
