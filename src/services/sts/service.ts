import { authorizationMessages } from '#access/authorization-message.ts';
import type { OperatorKeys } from '#access/operator-keys.ts';
import type { SessionIssuer } from '#core/session-issuer.ts';
import type { VerifyMfa } from '../iam/mfa.ts';
import { service } from '../kit/service.ts';

/** Parts of the server that STS needs. */
export interface StsParts {
  readonly sessions: SessionIssuer;
  readonly operatorKeys: OperatorKeys;
  readonly verifyMfa: VerifyMfa;
}

/** Declaration of the service STS. Sessions are not stored: the session token contains the whole session, encrypted. */
export const sts = service<StsParts>({
  name: 'sts',
  async operations({ sessions, operatorKeys, verifyMfa }) {
    const { stsOperations } = await import('./operations.ts');
    return stsOperations({ sessions, openMessage: authorizationMessages(operatorKeys).open, verifyMfa });
  },
});
