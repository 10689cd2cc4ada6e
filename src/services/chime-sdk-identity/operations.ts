import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { adminOperations } from './admins.ts';
import { appInstanceOperations } from './app-instances.ts';
import { botOperations } from './bots.ts';
import type { IdentityDeps } from './deps.ts';
import { endpointOperations } from './endpoints.ts';
import { retentionSettingsOperations } from './retention-settings.ts';
import { identityTagOperations } from './tags.ts';
import { userOperations } from './users.ts';

/** Returns the operations of Chime SDK Identity. */
export function identityOperations(deps: IdentityDeps): OperationTable<'chime-sdk-identity'> {
  return operationTable('chime-sdk-identity', {
    ...appInstanceOperations(deps),
    ...retentionSettingsOperations,
    ...userOperations(deps),
    ...botOperations(deps),
    ...adminOperations(deps),
    ...endpointOperations(deps),
    ...identityTagOperations,
  } satisfies ServiceOperations<ChimeSdkIdentityApi>);
}
