import { isoSeconds } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';

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
      return { type: kind, principalId, userName: federation.subject, identityProvider: federation.provider };
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
  if (operation === 'AssumeRoleWithWebIdentity' && said['SubjectFromWebIdentityToken'] !== undefined) {
    const { Provider, Audience, SubjectFromWebIdentityToken: subject } = said;
    return { type: 'WebIdentityUser', principalId: `${Provider}:${Audience}:${subject}`, userName: subject, identityProvider: Provider };
  }
  if (operation === 'AssumeRoleWithSAML' && said['Subject'] !== undefined) {
    const { NameQualifier, Subject } = said;
    return { type: 'SAMLUser', principalId: `${NameQualifier}:${Subject}`, userName: Subject, identityProvider: NameQualifier };
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
