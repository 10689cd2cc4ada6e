/**
 * Trusted access of services to the organization. It is stored and listed, but has no effect, because no service of this server acts on its
 * own in the accounts of an organization.
 */
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { managedOrganization, putOrganization } from './lookup.ts';
import { pageOf } from './page.ts';
import { constraintViolation, invalidInput } from './refusals.ts';
import { onOrganization } from './resources.ts';
import { isServicePrincipal } from './service-principals.ts';

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

  /** Returns an empty list, because no administrator can be registered. */
  ListDelegatedAdministrators: {
    access: (input) => onOrganization(input.ServicePrincipal === undefined ? [] : servicePrincipalKey(input.ServicePrincipal)),
    async handle(call) {
      await managedOrganization(call);
      return { DelegatedAdministrators: [] };
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
  await putOrganization(call.tx, { ...(await managedOrganization(call)), serviceAccess: Object.fromEntries(services) });
  return {};
}

function servicePrincipalKey(service: string) {
  return [['organizations:serviceprincipal', service]] as const;
}
