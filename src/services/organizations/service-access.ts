/**
 * Trusted access of services to the organization. CloudTrail needs it for organization trails, and IAM Access Analyzer for analyzers of an
 * organization. The trusted access of other services is stored and listed, but it has no effect, because they do not act on their own in the accounts of an organization.
 */
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { managedOrganization, memberAccount, putOrganization } from './lookup.ts';
import { emitChanged } from './membership.ts';
import { pageOf } from './page.ts';
import { constraintViolation, invalidInput } from './refusals.ts';
import { onOrganization } from './resources.ts';
import { isServicePrincipal } from './service-principals.ts';
import { toAccount } from './shapes.ts';

/** Service that has delegated administrators. */
const CLOUDTRAIL = 'cloudtrail.amazonaws.com';

/** Operations on trusted access of services. */
export const serviceAccessOperations = {
  /** Enables access of a service. Changes nothing if access is already enabled. */
  EnableAWSServiceAccess: {
    access: (input) => onOrganization(servicePrincipalKey(input.ServicePrincipal)),
    async handle(call, input) {
      const service = input.ServicePrincipal;
      if (!isServicePrincipal(service)) throw unrecognizedService();
      const services = await servicesOf(call);
      if (services.has(service)) return {};
      services.set(service, call.now);
      return save(call, services);
    },
  },

  /** Disables access of a service. Also succeeds for a recognized service without access. */
  DisableAWSServiceAccess: {
    access: (input) => onOrganization(servicePrincipalKey(input.ServicePrincipal)),
    async handle(call, input) {
      const services = await servicesOf(call);
      if (services.delete(input.ServicePrincipal)) return save(call, services);
      if (!isServicePrincipal(input.ServicePrincipal)) throw unrecognizedService();
      return {};
    },
  },

  ListAWSServiceAccessForOrganization: {
    async handle(call, input) {
      const entries = [...(await servicesOf(call))].map(([ServicePrincipal, DateEnabled]) => ({
        key: ServicePrincipal,
        record: { ServicePrincipal, DateEnabled },
      }));
      const page = pageOf(input, entries);
      return { EnabledServicePrincipals: page.records, ...page.rest };
    },
  },

  /**
   * Returns the delegated administrators of CloudTrail, of which there are at most 3. Belfry does not implement the
   * registration of administrators of other services.
   */
  ListDelegatedAdministrators: {
    access: (input) => onOrganization(input.ServicePrincipal === undefined ? [] : servicePrincipalKey(input.ServicePrincipal)),
    async handle(call, { ServicePrincipal = CLOUDTRAIL }) {
      const organization = await managedOrganization(call);
      const DelegatedAdministrators = [];
      for (const [accountId, DelegationEnabledDate] of Object.entries(organization.trailAdministrators ?? {})) {
        if (ServicePrincipal !== CLOUDTRAIL) break;
        const { Paths: _, ...account } = await toAccount(call.tx, organization, await memberAccount(call.tx, organization, accountId));
        DelegatedAdministrators.push({ ...account, DelegationEnabledDate });
      }
      return { DelegatedAdministrators };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/**
 * Returns the error for an unknown service principal.
 *
 * Source: organizations 2016-11-28, InvalidInputException. Recorded: pepperize/cdk-organizations issue 1718, the message.
 */
function unrecognizedService() {
  return invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', 'You specified an unrecognized service principal.');
}

/**
 * Returns the services with access to the caller's organization.
 *
 * @throws ConstraintViolationException  the organization has only the consolidated billing features
 */
async function servicesOf(call: Call) {
  const organization = await managedOrganization(call);
  if (organization.featureSet !== 'ALL') {
    throw constraintViolation(
      'ORGANIZATION_NOT_IN_ALL_FEATURES_MODE',
      'You attempted to perform an operation that requires the organization to be configured to support all features.',
    );
  }
  return new Map(Object.entries(organization.serviceAccess ?? {}));
}

async function save(call: Call, services: Awaited<ReturnType<typeof servicesOf>>): Promise<Record<string, never>> {
  const organization = await managedOrganization(call);
  await putOrganization(call.tx, { ...organization, serviceAccess: Object.fromEntries(services) });
  await emitChanged(call, organization);
  return {};
}

function servicePrincipalKey(service: string) {
  return [['organizations:serviceprincipal', service]] as const;
}
