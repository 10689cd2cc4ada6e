/** The services of this server. Other files in `server/` may import IAM, but no other service. */

import type { OperatorKeys } from '#access/operator-keys.ts';
import { ownIssuer } from '#access/own-issuer.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Apis } from '#model/generated/apis.ts';
import type { ServiceName } from '#model/services.ts';
import type { RuleParts } from '#services/accessanalyzer/configuration-rules.ts';
import { accessAnalyzer } from '#services/accessanalyzer/service.ts';
import { type ChimeParts, chime } from '#services/chime/service.ts';
import { chimeUserArn } from '#services/chime-kit/chime-app-instance.ts';
import type { ChimeImport } from '#services/chime-kit/chime-import.ts';
import { identity } from '#services/chime-sdk-identity/service.ts';
import { mediaPipelines, type PipelineParts } from '#services/chime-sdk-media-pipelines/service.ts';
import { meetings } from '#services/chime-sdk-meetings/service.ts';
import { messaging } from '#services/chime-sdk-messaging/service.ts';
import { type VoiceParts, voice } from '#services/chime-sdk-voice/service.ts';
import type { LogBuckets } from '#services/cloudtrail/log-buckets.ts';
import type { LogGroups } from '#services/cloudtrail/log-groups.ts';
import { cloudtrail } from '#services/cloudtrail/service.ts';
import type { LogTopics } from '#services/cloudtrail/topics.ts';
import { cloudwatch } from '#services/cloudwatch/service.ts';
import { events } from '#services/events/service.ts';
import type { LinkedRoleCall } from '#services/iam/deps.ts';
import { type IamParts, iam } from '#services/iam/service.ts';
import type { LinkedRoleUsage } from '#services/iam/service-linked-roles.ts';
import type { Work } from '#services/kit/events.ts';
import type { Operation } from '#services/kit/operation.ts';
import type { PolicyGenerationParts } from '#services/kit/policy-generation-parts.ts';
import type { RoleUse, Service, TaskParts, TaskSteps } from '#services/kit/service.ts';
import { logs } from '#services/logs/service.ts';
import type { LogsParts } from '#services/logs/subscription-filters.ts';
import { organizations } from '#services/organizations/service.ts';
import { type S3Parts, s3 } from '#services/s3/service.ts';
import { type StsParts, sts } from '#services/sts/service.ts';
import type { Store, Tx } from '#store/store.ts';

export { NO_LOG_BUCKETS } from '#services/cloudtrail/log-buckets.ts';

/** Parts of the server that services need. The declaration of each service lists the parts that it needs. */
export interface ServiceParts extends Omit<IamParts, 'linkedRoleUsage'>, StsParts, S3Parts, RuleParts {
  readonly operatorKeys: OperatorKeys;
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
  /** Returns the URL without TLS for clients on this machine. Undefined without an HTTP listener, or if the operator set a public URL. */
  readonly localUrl: () => string | undefined;
  readonly lookupEventsPerSecond: number;
  readonly eventHistoryDays: number;
  /** Buckets to which trails can deliver. */
  readonly logBuckets: LogBuckets;
  /** Topics that trails can notify, and log groups to which they can write. */
  readonly logTopics: LogTopics;
  readonly logGroups: LogGroups;
  readonly privateSipPeers: readonly string[];
  readonly sipHostSuffix: string;
  /** Limits of Chime SDK voice and of Chime SDK media pipelines. */
  readonly voiceLimits: VoiceParts['voiceLimits'];
  readonly pipelineLimits: PipelineParts['pipelineLimits'];
  /** Whether the service `chime` has the operations that AWS removed from it and that another service has today. */
  readonly legacyChime: boolean;
  /** Tries destinations of log groups and functions of bots. */
  readonly tryOutgoing: LogsParts['tryOutgoing'];
  /** Sends the challenges to the endpoints of bots. */
  readonly postJson: ChimeParts['postJson'];
  /** Reads a directory of Amazon Chime. */
  readonly checkDirectory: ChimeParts['checkDirectory'];
  /** Quotas of Amazon Chime. */
  readonly quotas: ChimeParts['quotas'];
  /** Address to which support requests of Amazon Chime are sent. */
  readonly supportAddress: string | undefined;
}

/** Parts that one service has and another needs. */
type SharedParts = Pick<IamParts, 'linkedRoleUsage'> & Pick<ChimeParts, 'loadOwnedBuckets'>;

type Declared = Service<ServiceParts & SharedParts>;

/** All services with operations. Sweeps and subscribers run in this order. */
export const DECLARED: readonly Declared[] = [
  chime,
  meetings,
  identity,
  messaging,
  mediaPipelines,
  voice,
  iam,
  sts,
  organizations,
  cloudtrail,
  accessAnalyzer(() => DECLARED.flatMap(({ analyzed = [] }) => analyzed)),
  s3,
  events,
  cloudwatch,
  logs,
];

export type { DirectoryEntry } from '#services/chime/directory-people.ts';
export type { DirectoryOfAccount } from '#services/chime/directory-sign-in.ts';
export type { Claims, OpenIdProvider, ProviderOfAccount } from '#services/chime/openid-sign-in.ts';
export type { SignedIn } from '#services/chime/person-sessions.ts';
export type { PersonRecord } from '#services/chime/tables/people.ts';
export type { UserRecord as ChimeUserRecord } from '#services/chime/tables/users.ts';
/** Functions and records of people of Amazon Chime, for their pages. */
export type { DirectorySettings, FoundPerson, ReadPeople, SoughtPerson } from '#services/kit/directories.ts';

/** Loads the functions that the pages for people of Amazon Chime need. They are loaded with the first request. */
export async function loadPeople(operatorKeys: OperatorKeys) {
  const [people, sessions, openId, directories, { people: records }, { derivedInvitationTokens }] = await Promise.all([
    import('#services/chime/people.ts'),
    import('#services/chime/person-sessions.ts'),
    import('#services/chime/openid-sign-in.ts'),
    import('#services/chime/directory-sign-in.ts'),
    import('#services/chime/tables/people.ts'),
    import('#services/chime/invitation-tokens.ts'),
  ]);
  const tokens = derivedInvitationTokens(operatorKeys);
  return { ...people, ...sessions, ...openId, ...directories, chimeUserArn, records, tokens, issuer: ownIssuer(operatorKeys) };
}

export type { SipAnswers } from '#services/chime-sdk-voice/sip/answers.ts';

/** Loads the answers for the SIP proxy, and the function that writes SIP logs. */
export async function loadSipAnswers() {
  const [{ sipAnswers }, { writeAsService }] = await Promise.all([
    import('#services/chime-sdk-voice/sip/answers.ts'),
    import('#services/logs/service-writer.ts'),
  ]);
  return { sipAnswers, writeLogs: writeAsService };
}

/** Loads the import of users and rooms of Amazon Chime. */
export async function loadChimeImport(
  operatorKeys: OperatorKeys,
  publicUrl: () => string,
  quotas: ChimeParts['quotas'],
): Promise<ChimeImport> {
  const [{ chimeImport }, { derivedInvitationTokens }, { invitationPage }] = await Promise.all([
    import('#services/chime/import.ts'),
    import('#services/chime/invitation-tokens.ts'),
    import('#services/chime/invitations.ts'),
  ]);
  return chimeImport({ invitationTokens: derivedInvitationTokens(operatorKeys), invitationUrl: invitationPage(publicUrl), quotas });
}

/** Loads the function that returns trails as sources of records, for generated policies. */
export async function loadTrailSource(): Promise<PolicyGenerationParts['trail']> {
  const [{ trailSource }, { buckets: ofS3 }] = await Promise.all([
    import('#services/cloudtrail/trail-source.ts'),
    import('#services/s3/tables/buckets.ts'),
  ]);
  return (tx, accountId, arn) =>
    trailSource(tx, accountId, arn, async (inTx, name) => {
      const found = await inTx.of(ofS3).get(name);
      return found && { accountId: found.accountId, policy: found.policy?.policy };
    });
}

/** Loads the functions of disabled accounts of Amazon Chime. They are loaded with the first command. */
export const loadDisabledAccounts = () => import('#services/chime/disabled-accounts.ts');

/** Loads the functions of the SCIM endpoint. They are loaded with the first request. */
export const loadScim = () => import('#services/chime/scim/answer.ts');
export type { ScimAnswer, ScimRequest } from '#services/chime/scim/answer.ts';
export type Scim = Awaited<ReturnType<typeof loadScim>>;

/** Loads the functions of the webhooks of bots. They are loaded with the first event or request. */
export const loadWebhooks = () => import('#services/chime/webhooks.ts');
export type Webhooks = Awaited<ReturnType<typeof loadWebhooks>>;

export type People = Awaited<ReturnType<typeof loadPeople>>;

export { recordApiCalls } from '#services/cloudwatch/own-metrics.ts';
export { dueFiles, forgetFiles, unnamedFiles } from '#services/s3/stored-files.ts';
export { buckets } from '#services/s3/tables/buckets.ts';

/** Reports whether calls of an operation are data events. */
export function isDataEvent(service: ServiceName, operation: string): boolean {
  return DECLARED.find(({ name }) => name === service)?.dataEvents?.has(operation) ?? false;
}

/** Operations of a service by name. */
export type Table = Readonly<Record<string, Operation<unknown, unknown>>>;

/** Returns the operations of a service: the table itself if its code is loaded, otherwise a promise of the table. */
export type OperationTables = (service: ServiceName) => Table | Promise<Table>;

/**
 * Returns the operations of all services. The code of a service is loaded with its first request. In a service without a declaration
 * no operation is implemented.
 */
export function allOperations(parts: ServiceParts): OperationTables {
  const tables = new Map<ServiceName, Table | Promise<Table>>();

  async function load(service: ServiceName): Promise<Table> {
    const loadOwnedBuckets = async () => (await import('#services/s3/owned-buckets.ts')).ownedBuckets(parts);
    const own = await loadTable(service, { ...parts, linkedRoleUsage, loadOwnedBuckets });
    const table = service === 'chime' && parts.legacyChime ? await withLegacyOperations(own, tableOf) : own;
    tables.set(service, table);
    return table;
  }

  function tableOf(service: ServiceName): Table | Promise<Table> {
    let table = tables.get(service);
    if (table === undefined) tables.set(service, (table = load(service)));
    return table;
  }
  return tableOf;
}

/** Returns the operations of `chime` with those that AWS removed and that another service has today. */
async function withLegacyOperations(own: Table, tableOf: OperationTables): Promise<Table> {
  const { legacyOperations, SUCCESSORS } = await import('#services/chime-kit/legacy/operations.ts');
  const successors = new Map<ServiceName, Table>();
  for (const service of SUCCESSORS) successors.set(service, await tableOf(service));
  return Object.assign(
    Object.create(null),
    own,
    legacyOperations((service) => successors.get(service) as Table),
  );
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

/** Returns the error for an invalid page token. `member` is the name of the input's member that has the token. */
export function invalidPageToken(service: ServiceName, operation: string, member: string): AwsError {
  const declared = DECLARED.find(({ name }) => name === service);
  return declared?.invalidPageToken?.(member, operation) ?? new AwsError('BadRequestException', `Invalid ${member}`);
}

/**
 * Maximum number of resources that `linkedRoleUsage` returns. IAM lists these resources to explain why it does not
 * delete a service-linked role.
 */
const USAGE_MAX = 100;

/** Returns the resources of an account that use a service-linked role, by region. IAM does not delete a role in use. Requirement SLR-14. */
export async function linkedRoleUsage(call: LinkedRoleCall, principal: string): Promise<readonly LinkedRoleUsage[]> {
  const uses: RoleUse[] = [];
  for (const role of DECLARED.flatMap(({ linkedRoles = [] }) => linkedRoles)) {
    if (role.principal === principal) uses.push(...(await role.usedBy(call, call.accountId, USAGE_MAX - uses.length)));
  }
  return [...Map.groupBy(uses, ({ region }) => region)].map(([region, those]) => ({ region, resources: those.map((use) => use.arn) }));
}

/**
 * Returns the function that runs all services' sweeps, which delete expired data. Each step of a sweep is one
 * transaction, and requests run between two steps.
 */
export function serviceSweeps(store: Store, workIn: (tx: Tx) => Work): () => Promise<void> {
  const sweeps = DECLARED.flatMap(({ sweeps: own = [] }) => own.map((create) => create()));
  return async () => {
    for (const sweep of sweeps) while ((await store.transaction((tx) => sweep(workIn(tx)))) === 'more');
  };
}

/** Background work of a service. `run` runs steps until nothing is due or `isStopped` returns true. */
export interface ServiceTask {
  readonly name: string;
  readonly everyMs: number;
  run(isStopped: () => boolean): Promise<void>;
}

/** Returns the background work of all services. Requests run between two transactions of its steps. */
export function serviceTasks(store: Store, workIn: (tx: Tx) => Work, parts: TaskParts): readonly ServiceTask[] {
  return DECLARED.flatMap(({ tasks = [] }) => tasks).map(({ name, everyMs, load }) => {
    let step: ReturnType<TaskSteps> | undefined;
    return {
      name,
      everyMs,
      async run(isStopped) {
        step ??= (await load(parts))();
        const loaded = step;
        while (!isStopped() && (await loaded((run) => store.transaction((tx) => run(workIn(tx))))) === 'more');
      },
    };
  });
}
