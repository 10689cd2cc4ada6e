import { policy, trustProvider } from '../../kit/policy.ts';
import { startIdentityProvider } from '../../sts/identity-provider.ts';
import { samlProvider } from '../../sts/saml-provider.ts';
import type { Recorder } from '../recorder.ts';

/**
 * Identity provider that issues the scenario's tokens. The settings of the server must allow the internal address of
 * the provider.
 */
export const identityProvider = await startIdentityProvider();

/** Records sessions for OpenID Connect tokens and SAML assertions. The tokens differ in each run, so the recording has placeholders. */
export async function federation(recorder: Recorder): Promise<undefined> {
  const { accountId } = recorder;
  recorder.name(identityProvider.host, 'issuer');
  recorder.name(encodeURIComponent(identityProvider.host), 'issuer');
  recorder.name(identityProvider.thumbprint, 'thumbprint');
  const { OpenIDConnectProviderArn } = await recorder.ok('iam', 'CreateOpenIDConnectProvider', {
    Url: identityProvider.issuer,
    ClientIDList: ['client-1'],
    ThumbprintList: [identityProvider.thumbprint],
  });
  const { Role } = await recorder.ok('iam', 'CreateRole', {
    RoleName: 'Web',
    AssumeRolePolicyDocument: policy(trustProvider(OpenIDConnectProviderArn, 'sts:AssumeRoleWithWebIdentity')),
  });
  const web = async (change: object, claims: object = {}) => {
    const WebIdentityToken = await identityProvider.token({ ...claims });
    recorder.name(WebIdentityToken, 'web token');
    return await recorder.call('sts', 'AssumeRoleWithWebIdentity', {
      RoleArn: Role.Arn,
      RoleSessionName: 'web',
      WebIdentityToken,
      ...change,
    });
  };
  await web({});
  await web({ DurationSeconds: 43_200 });
  await web({}, { aud: 'stranger' });
  await web({}, { exp: 1 });
  await web({ RoleArn: `arn:aws:iam::${accountId}:role/None` });

  const entity = 'https://idp.example/saml';
  const [idp, forger] = [await samlProvider(entity), await samlProvider(entity)];
  for (const { metadata } of [idp, forger]) {
    recorder.name(metadata, 'metadata');
    recorder.name(encodeURIComponent(metadata), 'metadata');
    recorder.name(JSON.stringify(metadata).slice(1, -1), 'metadata');
  }
  const { SAMLProviderArn } = await recorder.ok('iam', 'CreateSAMLProvider', { Name: 'Corp', SAMLMetadataDocument: idp.metadata });
  const { Role: saml } = await recorder.ok('iam', 'CreateRole', {
    RoleName: 'Saml',
    AssumeRolePolicyDocument: policy(trustProvider(SAMLProviderArn, 'sts:AssumeRoleWithSAML')),
  });
  const offered = { attributes: { Role: [`${saml.Arn},${SAMLProviderArn}`], RoleSessionName: ['ada@example'] } };
  const assume = async (SAMLAssertion: string, change: object = {}) => {
    for (const text of [SAMLAssertion, encodeURIComponent(SAMLAssertion)]) recorder.name(text, 'assertion');
    return await recorder.call('sts', 'AssumeRoleWithSAML', { RoleArn: saml.Arn, PrincipalArn: SAMLProviderArn, SAMLAssertion, ...change });
  };
  const assertion = idp.assertion(offered);
  await assume(assertion);
  await assume(assertion);
  await assume(forger.assertion(offered));
  await assume(idp.assertion(offered, 'nothing'));
  await assume(idp.assertion({ ...offered, notOnOrAfter: -600, issued: -900 }));
  await assume(idp.assertion({ ...offered, audience: 'https://elsewhere.example' }));
  await assume(idp.assertion(offered), { RoleArn: `arn:aws:iam::${accountId}:role/None` });
  return undefined;
}
