/** What the guide's examples share: a server, its administrator, and everything by AWS's own clients. */
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

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export type Statement = Readonly<Record<string, unknown>>;

export const policy = (...Statement: readonly Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement });
export const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
export const deny = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more: Statement = {}): Statement => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});
export const trust = (AWS: string, Action: string | readonly string[] = 'sts:AssumeRole', more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Principal: { AWS },
  Action,
  ...more,
});
export const managed = (name: string) => `arn:aws:iam::aws:policy/${name}`;

/** A server with its administrator, and the few calls nearly every example begins with. */
export async function startGuide(environment: Readonly<Record<string, string>> = {}) {
  return guideOn(await startTestServer(environment));
}

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
    /** What a client of one of Chime's namespaces is made with: all six sign alike, so the address says which is meant. */
    at,
    chime: (keys?: Keys) => new ChimeClient(at('chime', keys)),
    meetings: (keys?: Keys) => new ChimeSDKMeetingsClient(at('chime-sdk-meetings', keys)),
    userArn: (name: string) => `arn:aws:iam::${accountId}:user/${name}`,
    roleArn: (name: string) => `arn:aws:iam::${accountId}:role/${name}`,
    /** A user with a key; a policy given as text is the ARN of a managed one, the statements are an inline one. */
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

export type Guide = ReturnType<typeof guideOn>;

export async function keyOf(admin: IAMClient, UserName: string): Promise<Keys> {
  const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
}

export function keysOf(credentials: Credentials | undefined): Keys & { readonly sessionToken: string } {
  return {
    accessKeyId: credentials?.AccessKeyId as string,
    secretAccessKey: credentials?.SecretAccessKey as string,
    sessionToken: credentials?.SessionToken as string,
  };
}

/**
 * `allowed` where policy let a call through: it succeeded, or reached an operation that is not built, or one that did not find
 * what it was asked for. `refused` where policy did not. Fails on any other answer.
 */
export async function verdictOf(sent: Promise<unknown>): Promise<'allowed' | 'refused'> {
  try {
    await sent;
    return 'allowed';
  } catch (error) {
    const { name, message } = error as Error;
    if (/^(NotYetImplemented|NotFound|NoSuchEntity|BadRequest|ResourceNotFound)(Exception)?$/.test(name)) return 'allowed';
    if (isDenial(name)) return 'refused';
    assert.fail(`neither allowed nor refused by policy: ${name}: ${message}`);
  }
}

const isDenial = (name: string) => name === 'AccessDenied' || name === 'AccessDeniedException' || name === 'ForbiddenException';

/** Fails unless policy refuses the call; resolves to the words of the refusal. */
export async function denialOf(sent: Promise<unknown>): Promise<string> {
  const { name, status, message } = await refusalOf(sent);
  assert.ok(isDenial(name), `${name}: ${message}`);
  assert.equal(status, 403);
  return message;
}
