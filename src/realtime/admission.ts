import { parseAppInstanceArn } from '#services/chime-kit/app-instances.ts';
import type { SessionLimits } from './limits.ts';
import type { Sessions } from './sessions.ts';

/** Limits on the sessions of users and accounts. Connect requests that are still running count as sessions. */
export interface Admission {
  /**
   * Reserves a session of a user for a Connect request. Repeated calls for one request count once. Returns false if the
   * user or the account has too many sessions.
   *
   * The reservation counts as a session until `release`.
   */
  reserve(requestId: string, userArn: string): boolean;
  /** Frees the reservation of a Connect request. */
  release(requestId: string): void;
}

/** Creates the admission of new sessions. `sessions` counts the connected sessions. */
export function newAdmission(
  sessions: Pick<Sessions, 'countOfUser' | 'countOfAccount'>,
  limits: Pick<SessionLimits, 'sessionsOfUser' | 'sessionsOfAccount'>,
): Admission {
  /** Users of running Connect requests, by request ID. */
  const reserved = new Map<string, string>();

  return {
    reserve(requestId, userArn) {
      const accountId = accountOf(userArn);
      let ofUser = sessions.countOfUser(userArn);
      let ofAccount = sessions.countOfAccount(accountId);
      for (const [request, arn] of reserved) {
        if (request === requestId) continue;
        if (arn === userArn) ofUser += 1;
        if (accountOf(arn) === accountId) ofAccount += 1;
      }
      if (ofUser >= limits.sessionsOfUser || ofAccount >= limits.sessionsOfAccount) return false;
      reserved.set(requestId, userArn);
      return true;
    },
    release: (requestId) => void reserved.delete(requestId),
  };
}

function accountOf(userArn: string): string {
  return parseAppInstanceArn(userArn)?.accountId ?? '';
}
