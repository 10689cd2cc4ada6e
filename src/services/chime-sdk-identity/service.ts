import type { Vault } from '#core/vault.ts';
import { APP_INSTANCE_USER_COUNT } from '../chime-kit/app-instance-users.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
} from '../chime-kit/app-instances.ts';
import { sealedKind, service } from '../kit/service.ts';
import { endUnsentPush } from './endpoint-failures.ts';
import { resealedEndpoint } from './endpoint-records.ts';
import { recordExpiredUser, removeForgottenPeople, sweepExpiredUsers } from './sweep.ts';

/** Parts of the server that Chime SDK identity needs. */
export interface IdentityParts {
  readonly vault: Vault;
}

/** Chime SDK identity: app instances with their users, bots, administrators and endpoints. */
export const identity = service<IdentityParts>({
  name: 'chime-sdk-identity',
  async operations({ vault }) {
    const [{ identityOperations }, { DEFAULT_LIMITS }] = await Promise.all([import('./operations.ts'), import('./deps.ts')]);
    return identityOperations({ vault, limits: DEFAULT_LIMITS });
  },
  kinds: [APP_INSTANCE, APP_INSTANCE_USER, APP_INSTANCE_USER_COUNT, APP_INSTANCE_BOT, APP_INSTANCE_ADMIN, APP_INSTANCE_USER_ENDPOINT],
  sealed: [sealedKind(APP_INSTANCE_USER_ENDPOINT, resealedEndpoint)],
  sweeps: [() => sweepExpiredUsers],
  subscriptions: [recordExpiredUser, removeForgottenPeople, endUnsentPush],
});
