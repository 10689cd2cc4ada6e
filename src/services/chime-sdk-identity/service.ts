import type { Vault } from '#core/vault.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
} from '../chime/app-instances.ts';
import { sealedKind, service } from '../kit/service.ts';
import { resealedEndpoint } from './endpoint-records.ts';
import { recordExpiredUser, sweepExpiredUsers } from './sweep.ts';
import { APP_INSTANCE_USER_COUNT } from './user-records.ts';

/** Parts of the server that identity needs. */
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
  subscriptions: [recordExpiredUser],
});
