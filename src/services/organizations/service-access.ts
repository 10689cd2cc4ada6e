/**
 * Which services have trusted access to the organization. It is kept and shown, and nothing hangs on it: no service here acts in the
 * accounts of an organization by itself.
 */
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import { managedOrganization, putOrganization } from './found.ts';
import { pageOf } from './page.ts';
import { constraintViolation, invalidInput } from './refusals.ts';
import { onOrganization } from './resources.ts';

/** Source: the real service has some dozens of service principals that integrate with it. */
const SERVICES_MAX = 100;

export const serviceAccessOperations = {
  /** A second time changes nothing. */
  EnableAWSServiceAccess: {
    access: (input) => onOrganization('organizations:EnableAWSServiceAccess', servicePrincipalKey(input.ServicePrincipal)),
    async handle(call, input) {
      const service = knownService(input.ServicePrincipal);
      const services = await servicesOf(call);
      if (services.has(service)) return {};
      if (services.size >= SERVICES_MAX) {
        throw invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', `No more than ${SERVICES_MAX} services can have access.`);
      }
      services.set(service, call.now);
      return save(call, services);
    },
  },

  /** A service without access is no error. */
  DisableAWSServiceAccess: {
    access: (input) => onOrganization('organizations:DisableAWSServiceAccess', servicePrincipalKey(input.ServicePrincipal)),
    async handle(call, input) {
      const service = knownService(input.ServicePrincipal);
      const services = await servicesOf(call);
      return services.delete(service) ? save(call, services) : {};
    },
  },

  ListAWSServiceAccessForOrganization: {
    access: () => onOrganization('organizations:ListAWSServiceAccessForOrganization'),
    async handle(call, input) {
      const entries = [...(await servicesOf(call))].map(([ServicePrincipal, DateEnabled]) => ({
        key: ServicePrincipal,
        record: { ServicePrincipal, DateEnabled },
      }));
      const page = pageOf(input, entries);
      return { EnabledServicePrincipals: page.records, ...page.rest };
    },
  },

  /** There are none, since none can be registered. */
  ListDelegatedAdministrators: {
    access: (input) =>
      onOrganization(
        'organizations:ListDelegatedAdministrators',
        input.ServicePrincipal === undefined ? [] : servicePrincipalKey(input.ServicePrincipal),
      ),
    async handle(call) {
      await managedOrganization(call);
      return { DelegatedAdministrators: [] };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

const SERVICE_PRINCIPAL = /^[a-z0-9.-]{1,100}$/;

/**
 * @throws AwsError InvalidInputException what is no service's name
 *
 * Assumed: any name under amazonaws.com is a service's.
 */
function knownService(service: string): string {
  if (!SERVICE_PRINCIPAL.test(service) || !service.endsWith('.amazonaws.com')) {
    throw invalidInput('UNRECOGNIZED_SERVICE_PRINCIPAL', 'You specified an unrecognized service principal.');
  }
  return service;
}

/** @throws AwsError ConstraintViolationException the organization is for billing alone */
async function servicesOf(call: Call) {
  const organization = await managedOrganization(call);
  if (organization.featureSet !== 'ALL') {
    throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE', 'The organization does not have all features.');
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
