/** The services of this server. No other file in `server/` names a service. */
import type { OperatorKeys } from '#access/operator-keys.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Apis } from '#model/generated/apis.ts';
import type { ServiceName } from '#model/services.ts';
import { accessanalyzer } from '#services/accessanalyzer/service.ts';
import { identity } from '#services/chime-sdk-identity/service.ts';
import { mediaPipelines } from '#services/chime-sdk-media-pipelines/service.ts';
import { meetings } from '#services/chime-sdk-meetings/service.ts';
import { messaging } from '#services/chime-sdk-messaging/service.ts';
import { voice } from '#services/chime-sdk-voice/service.ts';
import { cloudtrail } from '#services/cloudtrail/service.ts';
import type { LinkedRoleCall } from '#services/iam/deps.ts';
import { type IamParts, iam } from '#services/iam/service.ts';
import type { LinkedRoleUsage } from '#services/iam/service-linked-roles.ts';
import type { Work } from '#services/kit/events.ts';
import type { Operation } from '#services/kit/operation.ts';
import type { RoleUse, Service } from '#services/kit/service.ts';
import { organizations } from '#services/organizations/service.ts';
import { type StsParts, sts } from '#services/sts/service.ts';
import type { Store, Tx } from '#store/store.ts';

/** Parts of the server that services need. The declaration of a service names those that it needs itself. */
export interface ServiceParts extends Omit<IamParts, 'linkedRoleUsage'>, StsParts {
  readonly operatorKeys: OperatorKeys;
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
  /** Returns the URL without TLS for clients on this machine. Undefined without an HTTP listener, or if the operator set a public URL. */
  readonly localUrl: () => string | undefined;
  readonly lookupEventsPerSecond: number;
  readonly privateSipPeers: readonly string[];
}

type Declared = Service<ServiceParts & Pick<IamParts, 'linkedRoleUsage'>>;

/** All services with operations. Sweeps and subscribers run in this order. */
export const DECLARED: readonly Declared[] = [
  meetings,
  identity,
  messaging,
  mediaPipelines,
  voice,
  iam,
  sts,
  organizations,
  cloudtrail,
  accessanalyzer,
];

/** Operations of a service by name. */
export type Table = Readonly<Record<string, Operation<unknown, unknown>>>;

/** Returns the table of a service: at once if it is loaded, otherwise a promise of it. */
export type OperationTables = (service: ServiceName) => Table | Promise<Table>;

/**
 * Returns the operations of all services. The code of a service is loaded with its first request. In a service without a declaration
 * no operation is implemented.
 */
export function allOperations(parts: ServiceParts): OperationTables {
  const tables = new Map<ServiceName, Table | Promise<Table>>();

  async function load(service: ServiceName): Promise<Table> {
    const table = await loadTable(service, { ...parts, linkedRoleUsage });
    tables.set(service, table);
    return table;
  }

  return (service) => {
    let table = tables.get(service);
    if (table === undefined) tables.set(service, (table = load(service)));
    return table;
  };
}

async function loadTable(service: ServiceName, parts: Parameters<Declared['operations']>[0]): Promise<Table> {
  const [{ operationTable }, { withPassedRoles }] = await Promise.all([
    import('#services/kit/operation-table.ts'),
    import('#services/iam/pass-role.ts'),
  ]);
  const declared = DECLARED.find(({ name }) => name === service);
  const table = declared === undefined ? operationTable(service as keyof Apis, {}) : await declared.operations(parts);
  return withPassedRoles(service, table as Table);
}

/** Returns the error for an invalid page token in a member of an input. */
export function invalidPageToken(service: ServiceName, member: string): AwsError {
  const declared = DECLARED.find(({ name }) => name === service);
  return declared?.invalidPageToken?.(member) ?? new AwsError('BadRequestException', `Invalid ${member}`);
}

/** Maximum resources in the error of a service-linked role that cannot be deleted. */
const USAGE_MAX = 100;

/** Returns the resources of an account that use a service-linked role, by region. IAM does not delete a role in use. Requirement SLR-14. */
export async function linkedRoleUsage(call: LinkedRoleCall, principal: string): Promise<readonly LinkedRoleUsage[]> {
  const uses: RoleUse[] = [];
  for (const role of DECLARED.flatMap(({ linkedRoles = [] }) => linkedRoles)) {
    if (role.principal === principal) uses.push(...(await role.usedBy(call, call.accountId, USAGE_MAX - uses.length)));
  }
  return [...Map.groupBy(uses, ({ region }) => region)].map(([region, those]) => ({ region, resources: those.map((use) => use.arn) }));
}

/** Returns the function that runs the sweeps of all services. Each step is a transaction, so other requests run in between. */
export function serviceSweeps(store: Store, workIn: (tx: Tx) => Work): () => Promise<void> {
  const sweeps = DECLARED.flatMap(({ sweeps: own = [] }) => own.map((create) => create()));
  return async () => {
    for (const sweep of sweeps) while ((await store.transaction((tx) => sweep(workIn(tx)))) === 'more');
  };
}
