/**
 * Operation table of Organizations, joined from the files of its resources. An operation that is not implemented returns
 * NotYetImplementedException.
 *
 * The operations for the following features are not implemented:
 * - delegated administrators, because no service of this server supports them;
 * - resource policies, because they give permissions to delegated administrators;
 * - EnableAllFeatures, because the features of an organization are fixed when it is created;
 * - transfers of responsibility, because this server has no billing;
 * - accounts of GovCloud, because this server has only one partition;
 * - policy types other than service control policies.
 */
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { accountCreationOperations } from './account-creation.ts';
import { accountOperations } from './accounts.ts';
import { attachmentOperations } from './attachments.ts';
import { handshakeOperations } from './handshakes.ts';
import { organizationOperations } from './organization.ts';
import { policyOperations } from './policies.ts';
import { serviceAccessOperations } from './service-access.ts';
import { tagOperations } from './tags.ts';
import { unitOperations } from './units.ts';

/** Returns all operations of Organizations. */
export function organizationsOperations(): OperationTable<'organizations'> {
  return operationTable('organizations', {
    ...organizationOperations,
    ...unitOperations,
    ...accountOperations,
    ...accountCreationOperations,
    ...handshakeOperations,
    ...policyOperations,
    ...attachmentOperations,
    ...serviceAccessOperations,
    ...tagOperations,
  });
}
