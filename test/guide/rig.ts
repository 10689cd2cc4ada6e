/** Test rig of the guide's examples: a server, its administrator, and AWS's clients. */
import assert from 'node:assert/strict';
import { ChimeClient } from '@aws-sdk/client-chime';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, type AssumeRoleCommandInput, type Credentials, STSClient } from '@aws-sdk/client-sts';
import { refusalOf } from '../sdk/policy.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** Access key, with a session token for temporary credentials. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Statement of a policy. */
export type Statement = Readonly<Record<string, unknown>>;

/** Returns a policy document with these statements. */
export const policy = (...Statement: readonly Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement });
/** Returns an Allow statement. */
export const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
/** Returns a Deny statement. */
export const deny = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});
/** Returns a statement of a trust policy. */
export const trust = (AWS: string, Action: string | readonly string[] = 'sts:AssumeRole', more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Principal: { AWS },
  Action,
  ...more,
});
/** Returns the ARN of an AWS managed policy. */
export const managed = (name: string) => `arn:aws:iam::aws:policy/${name}`;

/** Starts a server and returns a guide for its administrator. */
export async function startGuide(environment: Readonly<Record<string, string>> = {}) {
  return guideOn(await startTestServer(environment));
}

/** Returns the clients and helper functions for a server and its administrator. */
export function guideOn(server: TestServer) {
  const { accountId } = server;
  const client = (keys: Keys = server.credentials) => server.client(keys);
  const at = (service: string, keys: Keys = server.credentials) => ({ ...server.client(keys), endpoint: `${server.endpoint}/_${service}` });
  const iam = (keys?: Keys) => new IAMClient(client(keys));
  const sts = (keys?: Keys) => new STSClient(client(keys));
  const admin = iam();

  return {
    server,
    accountId,
    admin,
    iam,
    sts,
    /** Returns the settings of a client of a Chime service. The host selects the service, because all six have the same signing name. */
    at,
    chime: (keys?: Keys) => new ChimeClient(at('chime', keys)),
    meetings: (keys?: Keys) => new ChimeSDKMeetingsClient(at('chime-sdk-meetings', keys)),
    userArn: (name: string) => `arn:aws:iam::${accountId}:user/${name}`,
    roleArn: (name: string) => `arn:aws:iam::${accountId}:role/${name}`,
    /** Creates a user with an access key. Strings are ARNs of managed policies, and the statements become an inline policy. */
    async user(UserName: string, ...policies: readonly (string | Statement)[]): Promise<Keys> {
      await admin.send(new CreateUserCommand({ UserName }));
      const statements = policies.filter((each) => typeof each !== 'string');
      for (const PolicyArn of policies) {
        if (typeof PolicyArn === 'string') await admin.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
      }
      if (statements.length > 0) {
        await admin.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policy(...statements) }));
      }
      return keyOf(admin, UserName);
    },
    async role(RoleName: string, trusted: Statement, ...statements: readonly Statement[]): Promise<string> {
      const { Role } = await admin.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trusted) }));
      if (statements.length > 0) {
        await admin.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policy(...statements) }));
      }
      return Role?.Arn as string;
    },
    async assume(keys: Keys, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<Keys> {
      const answer = await sts(keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'guide', ...more }));
      return keysOf(answer.Credentials);
    },
  };
}

/** Clients and helper functions for a server. */
export type Guide = ReturnType<typeof guideOn>;

/** Creates an access key of a user. */
export async function keyOf(admin: IAMClient, UserName: string): Promise<Keys> {
  const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
}

/** Converts credentials from STS. */
export function keysOf(credentials: Credentials | undefined): Keys & { readonly sessionToken: string } {
  return {
    accessKeyId: credentials?.AccessKeyId as string,
    secretAccessKey: credentials?.SecretAccessKey as string,
    sessionToken: credentials?.SessionToken as string,
  };
}

/**
 * Returns `allowed` if policies allowed a call, even if its operation is not implemented or the resource does not exist. Returns `refused`
 * if policies denied it. Fails on any other error.
 */
export async function verdictOf(sent: Promise<unknown>): Promise<'allowed' | 'refused'> {
  try {
    await sent;
    return 'allowed';
  } catch (error) {
    const { name, message } = error as Error;
    if (/^(NotYetImplemented|NotFound|NoSuchEntity|BadRequest|ResourceNotFound)(Exception)?$/.test(name)) return 'allowed';
    if (isDenial(name)) return 'refused';
    assert.fail(`neither allowed nor denied by a policy: ${name}: ${message}`);
  }
}

const isDenial = (name: string) => name === 'AccessDenied' || name === 'AccessDeniedException' || name === 'ForbiddenException';

/** Returns the message of a denial. Fails unless policies deny the call. */
export async function denialOf(sent: Promise<unknown>): Promise<string> {
  const { name, status, message } = await refusalOf(sent);
  assert.ok(isDenial(name), `${name}: ${message}`);
  assert.equal(status, 403);
  return message;
}
