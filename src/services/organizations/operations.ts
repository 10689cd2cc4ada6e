/**
 * The operations of Organizations, joined from the files of their things; what is not built is answered as such.
 *
 * Not built, and why: delegated administrators (no service here has anything for them to administer) and resource policies (which delegate
 * to them), EnableAllFeatures (an organization has all from the start, or is made anew), transfers of
 * responsibility and accounts of GovCloud (billing and partitions, of which there is one), and what concerns policy types other than
 * service control policies.
 */
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { ServiceOperations } from '../operation.ts';
import { operationTable } from '../table.ts';
import { accountCreationOperations } from './account-creation.ts';
import { accountOperations } from './accounts.ts';
import { attachmentOperations } from './attachments.ts';
import { handshakeOperations } from './handshakes.ts';
import { organizationOperations } from './organization.ts';
import { policyOperations } from './policies.ts';
import { serviceAccessOperations } from './service-access.ts';
import { tagOperations } from './tags.ts';
import { unitOperations } from './units.ts';

export function organizationsOperations(): ServiceOperations<OrganizationsApi> {
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
