import { fromBase32 } from '#core/base32.ts';
import { codeAt, stepAt } from '#services/iam/mfa.ts';
import type { Recorder } from '../recorder.ts';

/** Records calls on identity providers and MFA devices. */
export async function providersAndDevices(recorder: Recorder): Promise<void> {
  await oidcProviders(recorder);
  await samlProviders(recorder);
  await mfaDevices(recorder);
}

async function oidcProviders(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
  const provider = {
    Url: 'https://issuer.example.com',
    ClientIDList: ['app'],
    ThumbprintList: ['a'.repeat(40)],
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { OpenIDConnectProviderArn } = await ok('CreateOpenIDConnectProvider', provider);
  const it = { OpenIDConnectProviderArn };
  const none = { OpenIDConnectProviderArn: `arn:aws:iam::${recorder.accountId}:oidc-provider/none.example.com` };
  await fails('EntityAlreadyExistsException', 'CreateOpenIDConnectProvider', provider);
  await fails('ValidationError', 'CreateOpenIDConnectProvider', { ...provider, Url: 'http://plain.example.com' });
  await ok('GetOpenIDConnectProvider', it);
  await ok('ListOpenIDConnectProviders');
  await ok('AddClientIDToOpenIDConnectProvider', { ...it, ClientID: 'second' });
  await ok('RemoveClientIDFromOpenIDConnectProvider', { ...it, ClientID: 'second' });
  await ok('UpdateOpenIDConnectProviderThumbprint', { ...it, ThumbprintList: ['b'.repeat(40)] });
  await ok('TagOpenIDConnectProvider', { ...it, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListOpenIDConnectProviderTags', it);
  await ok('UntagOpenIDConnectProvider', { ...it, TagKeys: ['phase'] });
  for (const [operation, more] of [
    ['GetOpenIDConnectProvider', {}],
    ['AddClientIDToOpenIDConnectProvider', { ClientID: 'x' }],
    ['RemoveClientIDFromOpenIDConnectProvider', { ClientID: 'x' }],
    ['UpdateOpenIDConnectProviderThumbprint', { ThumbprintList: ['b'.repeat(40)] }],
    ['TagOpenIDConnectProvider', { Tags: [{ Key: 'a', Value: 'b' }] }],
    ['ListOpenIDConnectProviderTags', {}],
    ['UntagOpenIDConnectProvider', { TagKeys: ['a'] }],
  ] as const)
    await fails('NoSuchEntityException', operation, { ...none, ...more });
  await ok('DeleteOpenIDConnectProvider', it);
}

async function samlProviders(recorder: Recorder): Promise<void> {
  const { ok, call, fails } = recorder.of('iam');
  const certificate =
    'MIIBszCCAVmgAwIBAgIUJ6m1Fh2v0m6Qm2q7l2m0n8b3b9EwCgYIKoZIzj0EAwIwGTEXMBUGA1UEAwwOaWRwLmV4YW1wbGUuY29tMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwOaWRwLmV4YW1wbGUuY29t';
  const SAMLMetadataDocument = `<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>${' '.repeat(400)}`;
  await call('CreateSAMLProvider', { Name: 'idp', SAMLMetadataDocument, Tags: [{ Key: 'team', Value: 'blue' }] });
  const saml = { SAMLProviderArn: `arn:aws:iam::${recorder.accountId}:saml-provider/idp` };
  const noSaml = { SAMLProviderArn: `arn:aws:iam::${recorder.accountId}:saml-provider/none` };
  await fails('InvalidInputException', 'CreateSAMLProvider', { Name: 'bad', SAMLMetadataDocument: `<a/>${' '.repeat(1000)}` });
  await ok('ListSAMLProviders');
  for (const target of [saml, noSaml]) {
    await call('GetSAMLProvider', target);
    await call('UpdateSAMLProvider', { ...target, SAMLMetadataDocument });
    await call('TagSAMLProvider', { ...target, Tags: [{ Key: 'phase', Value: 'two' }] });
    await call('ListSAMLProviderTags', target);
    await call('UntagSAMLProvider', { ...target, TagKeys: ['phase'] });
    await call('DeleteSAMLProvider', target);
  }
}

async function mfaDevices(recorder: Recorder): Promise<void> {
  const { ok, call, fails } = recorder.of('iam');
  const { VirtualMFADevice } = await ok('CreateVirtualMFADevice', {
    VirtualMFADeviceName: 'phone',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const { SerialNumber } = VirtualMFADevice;
  await fails('EntityAlreadyExistsException', 'CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' });
  const seed = fromBase32(Buffer.from(VirtualMFADevice.Base32StringSeed).toString());
  const codes = (ahead: number) => {
    const step = stepAt(Date.now() as never) + ahead;
    return { AuthenticationCode1: codeAt(seed, step), AuthenticationCode2: codeAt(seed, step + 1) };
  };
  await fails('InvalidAuthenticationCodeException', 'EnableMFADevice', {
    UserName: 'bob',
    SerialNumber,
    AuthenticationCode1: '000000',
    AuthenticationCode2: '000000',
  });
  await ok('EnableMFADevice', { UserName: 'bob', SerialNumber, ...codes(-1) });
  await fails('EntityAlreadyExistsException', 'EnableMFADevice', { UserName: 'bob', SerialNumber, ...codes(1) });
  await ok('ListMFADevices', { UserName: 'bob' });
  await ok('GetMFADevice', { SerialNumber, UserName: 'bob' });
  await ok('ListVirtualMFADevices', { AssignmentStatus: 'Assigned' });
  await ok('ResyncMFADevice', { UserName: 'bob', SerialNumber, ...codes(3) });
  await ok('TagMFADevice', { SerialNumber, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListMFADeviceTags', { SerialNumber });
  await ok('UntagMFADevice', { SerialNumber, TagKeys: ['phase'] });
  await fails('DeleteConflictException', 'DeleteVirtualMFADevice', { SerialNumber });
  await ok('DeactivateMFADevice', { UserName: 'bob', SerialNumber });
  await ok('DeleteVirtualMFADevice', { SerialNumber });
  for (const [operation, more] of [
    ['EnableMFADevice', { UserName: 'bob', ...codes(0) }],
    ['ResyncMFADevice', { UserName: 'bob', ...codes(0) }],
    ['DeactivateMFADevice', { UserName: 'bob' }],
    ['GetMFADevice', { UserName: 'bob' }],
    ['DeleteVirtualMFADevice', {}],
    ['TagMFADevice', { Tags: [{ Key: 'a', Value: 'b' }] }],
    ['ListMFADeviceTags', {}],
    ['UntagMFADevice', { TagKeys: ['a'] }],
  ] as const)
    await call(operation, { SerialNumber, ...more });
}
