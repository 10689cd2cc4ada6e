import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { accountSettingsOperations } from './account-settings.ts';
import { accountOperations } from './accounts.ts';
import { apiKeyOperations } from './api-keys.ts';
import { botOperations } from './bots.ts';
import { cdrBucketOperations } from './cdr-buckets.ts';
import { consoleAccountOperations } from './console-accounts.ts';
import { consoleSupportOperations } from './console-support.ts';
import { dataExportOperations } from './data-exports.ts';
import { admitDelegates } from './delegated.ts';
import { delegateOperations } from './delegates.ts';
import type { ChimeDeps } from './deps.ts';
import { directoryOperations } from './directories.ts';
import { domainOperations } from './domains.ts';
import { eventsConfigurationOperations } from './events-configuration.ts';
import { globalSettingsOperations } from './global-settings.ts';
import { groupOperations } from './groups.ts';
import { invitationOperations } from './invitations.ts';
import { openIdOperations } from './openid-config.ts';
import { peopleRoleOperations } from './people-role-operations.ts';
import { phoneNumberOperations } from './phone-numbers.ts';
import { redactionOperations } from './redaction.ts';
import { reportOperations } from './reports.ts';
import { retentionOperations } from './retention.ts';
import { roomMembershipOperations } from './room-memberships.ts';
import { roomOperations } from './rooms.ts';
import { userBatchOperations } from './user-batches.ts';
import { userNumberOperations } from './user-numbers.ts';
import { userOperations } from './users.ts';

/** Returns the operations of Amazon Chime. `tools/parity/reasons.ts` says why the others are not implemented. */
export function chimeOperations(deps: ChimeDeps): OperationTable<'chime'> {
  const operations = {
    ...accountOperations,
    ...accountSettingsOperations,
    ...globalSettingsOperations(deps),
    ...cdrBucketOperations(deps),
    ...retentionOperations,
    ...redactionOperations,
    ...invitationOperations(deps),
    ...userOperations,
    ...userBatchOperations,
    ...roomOperations(deps),
    ...roomMembershipOperations(deps),
    ...botOperations(deps),
    ...eventsConfigurationOperations(deps),
    ...consoleAccountOperations,
    ...peopleRoleOperations(deps),
    ...domainOperations,
    ...consoleSupportOperations(deps),
    ...reportOperations,
    ...userNumberOperations,
    ...phoneNumberOperations,
    ...openIdOperations(deps),
    ...apiKeyOperations(deps),
    ...groupOperations,
    ...directoryOperations(deps),
    ...delegateOperations,
    ...dataExportOperations,
  };
  return operationTable('chime', admitDelegates(operations));
}
