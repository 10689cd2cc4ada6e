/** Fixture of this folder: an account with a local OpenID Connect provider and a local SAML provider. Creates federated sessions. */
import { CreateOpenIDConnectProviderCommand, CreateSAMLProviderCommand } from '@aws-sdk/client-iam';
import {
  AssumeRoleWithSAMLCommand,
  type AssumeRoleWithSAMLCommandInput,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  DecodeAuthorizationMessageCommand,
} from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import { type Keys, keysOf, UNKNOWN_KEYS } from '../kit/keys.ts';
import { encodedDenialOf } from '../kit/outcome.ts';
import { startIdentityProvider } from './identity-provider.ts';
import { type AssertionContent, samlProvider } from './saml-provider.ts';

/** Issuer of the SAML provider. */
export const ENTITY = 'https://idp.example/saml';

/** Starts a server, and creates both providers in its account. */
export async function startFederation() {
  const oidc = await startIdentityProvider();
  const idp = await samlProvider(ENTITY);
  const account = await startAccount({ BELFRY_INTERNAL_ISSUERS: oidc.host });
  const { admin, sts } = account;
  const anonymous = sts(UNKNOWN_KEYS);
  const oidcProvider = { Url: oidc.issuer, ClientIDList: ['client-1', 'client-2'], ThumbprintList: [oidc.thumbprint] };
  const oidcArn = (await admin.send(new CreateOpenIDConnectProviderCommand(oidcProvider))).OpenIDConnectProviderArn as string;
  const samlMetadata = { Name: 'Corp', SAMLMetadataDocument: idp.metadata };
  const samlArn = (await admin.send(new CreateSAMLProviderCommand(samlMetadata))).SAMLProviderArn as string;

  /** Returns the content of an assertion. The `Role` attribute has the ARNs of the role and of the SAML provider. */
  const offering = (RoleArn: string, { attributes, ...content }: AssertionContent = {}): AssertionContent => ({
    ...content,
    attributes: { Role: [`${RoleArn},${samlArn}`], RoleSessionName: ['ada'], ...attributes },
  });
  const assumeWithToken = (RoleArn: string, WebIdentityToken: string, more: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) =>
    anonymous.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'web', WebIdentityToken, ...more }));
  const assumeWithAssertion = (RoleArn: string, SAMLAssertion: string, more: Partial<AssumeRoleWithSAMLCommandInput> = {}) =>
    anonymous.send(new AssumeRoleWithSAMLCommand({ RoleArn, PrincipalArn: samlArn, SAMLAssertion, ...more }));

  return {
    ...account,
    oidc,
    idp,
    oidcArn,
    samlArn,
    /** Prefix of the provider's condition keys, before the colon. */
    issuer: oidc.issuer.slice('https://'.length),
    offering,
    assumeWithToken,
    assumeWithAssertion,
    /** Creates a session of a role with a token that has these claims. */
    withToken: async (RoleArn: string, claims: Readonly<Record<string, unknown>> = {}, RoleSessionName = 'web'): Promise<Keys> =>
      keysOf((await assumeWithToken(RoleArn, await oidc.token(claims), { RoleSessionName })).Credentials),
    /** Creates a session of a role with an assertion. */
    withAssertion: async (RoleArn: string, content: AssertionContent = {}): Promise<Keys> =>
      keysOf((await assumeWithAssertion(RoleArn, idp.assertion(offering(RoleArn, content)))).Credentials),
    /** Returns the decoded message of a denied call. `reader` must be allowed to decode messages in the caller's account. */
    async decoded(sent: Promise<unknown>, reader: Keys): Promise<DecodedMessage> {
      const EncodedMessage = await encodedDenialOf(sent);
      const { DecodedMessage } = await sts(reader).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
      return JSON.parse(DecodedMessage as string) as DecodedMessage;
    },
  };
}

/** Parts of a decoded authorization message that the tests read. */
export interface DecodedMessage {
  readonly allowed: boolean;
  readonly explicitDeny: boolean;
  readonly matchedStatements: { readonly items: readonly { readonly statementId: string }[] };
  readonly context: { readonly conditions: { readonly items: readonly { readonly key: string }[] } };
}
