import { isoSeconds } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { capped } from './fields.ts';

/** `userIdentity` of a trail event: who called, in CloudTrail's words. Source: CloudTrail User Guide, "CloudTrail userIdentity element". LOG-3. */
export function userIdentity(principal: Principal, accessKeyId: string | undefined): Readonly<Record<string, unknown>> {
  const { type, principalId, arn, accountId } = principal;
  const key = accessKeyId === undefined ? {} : { accessKeyId };
  const who = { type, principalId, arn, accountId, ...key };
  switch (principal.type) {
    case 'Root':
      return principal.session ? { ...who, sessionContext: sessionContext(principal.session) } : who;
    case 'IAMUser': {
      const user = { ...who, userName: principal.userName };
      return principal.session ? { ...user, sessionContext: sessionContext(principal.session) } : user;
    }
    case 'AssumedRole': {
      const sessionIssuer = {
        type: 'Role',
        principalId: principal.roleId,
        arn: principal.roleArn,
        accountId,
        userName: principal.roleName,
      };
      return { ...who, sessionContext: sessionContext(principal.session, sessionIssuer) };
    }
    case 'FederatedUser': {
      const issuerName = principal.issuerArn.slice(principal.issuerArn.lastIndexOf('/') + 1);
      const sessionIssuer = principal.issuerArn.endsWith(':root')
        ? { type: 'Root', principalId: principal.issuerId, arn: principal.issuerArn, accountId }
        : { type: 'IAMUser', principalId: principal.issuerId, arn: principal.issuerArn, accountId, userName: issuerName };
      return { ...who, sessionContext: sessionContext(principal.session, sessionIssuer) };
    }
    case 'AWSService':
      return { type, invokedBy: principal.service };
    case 'Unknown': {
      const { federation } = principal;
      if (federation === undefined) return { type, principalId, accountId };
      const kind = federation.kind === 'saml' ? 'SAMLUser' : 'WebIdentityUser';
      return {
        type: kind,
        principalId: capped(principalId),
        userName: capped(federation.subject),
        identityProvider: capped(federation.provider),
      };
    }
  }
}

/** `mfaAuthenticated` is text, as CloudTrail writes it; a web identity's provider is named, a SAML provider's is not a web identity's. */
function sessionContext(session: SessionFacts, sessionIssuer?: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const web = session.federatedProvider !== undefined && !session.federatedProvider.includes(':saml-provider/');
  return {
    ...(sessionIssuer && { sessionIssuer }),
    ...(web && { webIdFederationData: { federatedProvider: session.federatedProvider, attributes: {} } }),
    attributes: { creationDate: isoSeconds(session.issuedAt), mfaAuthenticated: String(session.mfaAuthenticated) },
    ...(session.sourceIdentity !== undefined && { sourceIdentity: session.sourceIdentity }),
  };
}

/**
 * Who called where nobody signed: what the answer says of the token that was accepted. Undefined for every other call.
 *
 * Source: CloudTrail User Guide, "CloudTrail userIdentity element", SAML and web identity federation.
 */
export function tokenIdentity(operation: string, output: unknown): Readonly<Record<string, unknown>> | undefined {
  const said = (output ?? {}) as Readonly<Record<string, unknown>>;
  const field = (name: string): string => capped(String(said[name]));
  if (operation === 'AssumeRoleWithWebIdentity' && said['SubjectFromWebIdentityToken'] !== undefined) {
    const [provider, audience, subject] = [field('Provider'), field('Audience'), field('SubjectFromWebIdentityToken')];
    return { type: 'WebIdentityUser', principalId: `${provider}:${audience}:${subject}`, userName: subject, identityProvider: provider };
  }
  if (operation === 'AssumeRoleWithSAML' && said['Subject'] !== undefined) {
    const [provider, subject] = [field('NameQualifier'), field('Subject')];
    return { type: 'SAMLUser', principalId: `${provider}:${subject}`, userName: subject, identityProvider: provider };
  }
  return undefined;
}

/**
 * The name LookupEvents finds a caller by.
 *
 * Source: CloudTrail User Guide, "Viewing CloudTrail events", User name: the user's name, `root`, or the role session's name.
 */
export function lookupUserName(principal: Principal): string | undefined {
  switch (principal.type) {
    case 'Root':
      return 'root';
    case 'IAMUser':
    case 'FederatedUser':
      return principal.userName;
    case 'AssumedRole':
      return principal.sessionName;
    case 'AWSService':
      return principal.service;
    case 'Unknown':
      return undefined;
  }
}
