/** A server with a local OpenID Connect provider and a local SAML provider, and the calls that create their sessions. */
import assert from 'node:assert/strict';
import {
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  CreateSAMLProviderCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  DecodeAuthorizationMessageCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { askControl } from '#server/operator/control.ts';
import { startTestServer } from '../server.ts';
import { startIdentityProvider } from './identity-provider.ts';
import { type Said, samlProvider } from './saml-provider.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const document = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });

export function keysOf(
  credentials: {
    readonly AccessKeyId?: string | undefined;
    readonly SecretAccessKey?: string | undefined;
    readonly SessionToken?: string | undefined;
  } = {},
): Keys {
  return {
    accessKeyId: credentials.AccessKeyId as string,
    secretAccessKey: credentials.SecretAccessKey as string,
    ...(credentials.SessionToken !== undefined && { sessionToken: credentials.SessionToken }),
  };
}

/** Returns the name of the error of a call, or `allowed`. */
export async function outcomeOf(sent: Promise<unknown>): Promise<string> {
  try {
    await sent;
    return 'allowed';
  } catch (error) {
    return (error as Error).name.replace(/Exception$/, '');
  }
}

export async function messageOf(sent: Promise<unknown>): Promise<string> {
  try {
    await sent;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return assert.fail('it was allowed');
}

export async function startFederation() {
  const oidc = await startIdentityProvider();
  const idp = await samlProvider('https://idp.example/saml');
  const server = await startTestServer({ BELFRY_INTERNAL_ISSUERS: oidc.host });
  const { accountId } = server;
  const admin = new IAMClient(server.client());
  const anonymous = new STSClient({ ...server.client(), credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  const { OpenIDConnectProviderArn } = await admin.send(
    new CreateOpenIDConnectProviderCommand({ Url: oidc.issuer, ClientIDList: ['client-1'], ThumbprintList: [oidc.thumbprint] }),
  );
  const { SAMLProviderArn } = await admin.send(new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument: idp.metadata }));
  const oidcArn = OpenIDConnectProviderArn as string;
  const samlArn = SAMLProviderArn as string;
  const sts = (keys?: Keys) => new STSClient(server.client(keys));

  return {
    server,
    accountId,
    admin,
    oidc,
    idp,
    oidcArn,
    samlArn,
    /** Prefix of the provider's condition keys, before the colon. */
    issuer: oidc.issuer.slice('https://'.length),
    sts,
    iam: (keys?: Keys) => new IAMClient(server.client(keys)),
    /** Creates another account, outside the organization. Returns its ID and its administrator's key. */
    async otherAccount(name: string): Promise<{ readonly accountId: string; readonly keys: Keys }> {
      const reply = await askControl(server.dataFolder, { command: 'account create', name });
      assert.ok(reply.ok && reply.administrator !== undefined);
      const { accountId, accessKeyId, secretAccessKey } = reply.administrator;
      return { accountId, keys: { accessKeyId, secretAccessKey } };
    },
    async user(UserName: string, statements: readonly object[], by = admin): Promise<Keys> {
      await by.send(new CreateUserCommand({ UserName }));
      await by.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: document(...statements) }));
      return keysOf((await by.send(new CreateAccessKeyCommand({ UserName }))).AccessKey);
    },
    async role(RoleName: string, trust: readonly object[], statements: readonly object[] = [], more: object = {}): Promise<string> {
      const { Role } = await admin.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(...trust), ...more }));
      if (statements.length > 0) {
        await admin.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: document(...statements) }));
      }
      return Role?.Arn as string;
    },
    async assume(keys: Keys, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<Keys> {
      return keysOf((await sts(keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', ...more }))).Credentials);
    },
    async withToken(RoleArn: string, claims: Readonly<Record<string, unknown>> = {}, RoleSessionName = 'web'): Promise<Keys> {
      const WebIdentityToken = await oidc.token(claims);
      return keysOf(
        (await anonymous.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken }))).Credentials,
      );
    },
    async withAssertion(RoleArn: string, { attributes, ...said }: Said = {}): Promise<Keys> {
      const SAMLAssertion = idp.assertion({
        ...said,
        attributes: { Role: [`${RoleArn},${samlArn}`], RoleSessionName: ['ada'], ...attributes },
      });
      return keysOf((await anonymous.send(new AssumeRoleWithSAMLCommand({ RoleArn, PrincipalArn: samlArn, SAMLAssertion }))).Credentials);
    },
    /** Returns the decoded message of a denied call. `reader` must be allowed to decode messages in the caller's account. */
    async decoded(sent: Promise<unknown>, reader: Keys): Promise<DecodedMessage> {
      try {
        await sent;
      } catch (error) {
        const { $response } = error as { readonly $response?: { readonly headers: Readonly<Record<string, string>> } };
        const EncodedMessage = $response?.headers['x-belfry-authorization-message'];
        const { DecodedMessage } = await sts(reader).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
        return JSON.parse(DecodedMessage as string) as DecodedMessage;
      }
      return assert.fail('it was allowed');
    },
  };
}

export interface DecodedMessage {
  readonly allowed: boolean;
  readonly explicitDeny: boolean;
  readonly matchedStatements: { readonly items: readonly { readonly statementId: string }[] };
  readonly context: { readonly conditions: { readonly items: readonly { readonly key: string }[] } };
}
