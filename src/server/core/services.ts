import { hkdfSync } from 'node:crypto';
import { authorizationMessages } from '#access/authorization-message.ts';
import { derivedFrom, type OperatorKeys } from '#access/operator-keys.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { SessionIssuer } from '#core/session-issuer.ts';
import type { Vault } from '#core/vault.ts';
import type { Apis } from '#model/generated/apis.ts';
import type { ServiceName } from '#model/services.ts';
import type { PolicyLayers } from '#policy/engine.ts';
import type { Tell as TellOfIdentity } from '#services/chime-sdk-identity/deps.ts';
import type { Tell as TellOfChannels } from '#services/chime-sdk-messaging/deps.ts';
import type { VerifyMfa } from '#services/iam/mfa.ts';
import type { Operation } from '#services/kit/operation.ts';
import type { Settings } from '../settings.ts';
import type { Endpoints } from './core-link.ts';
import { linkedRoleUsage } from './linked-role-usage.ts';

/** What the services are made with. */
export interface OperationParts {
  readonly settings: Settings;
  readonly vault: Vault;
  readonly verifyMfa: VerifyMfa;
  readonly sessions: SessionIssuer;
  readonly operatorKeys: OperatorKeys;
  /** Where clients find this server. */
  readonly endpoints: () => Endpoints;
  /** The service control policies over an account, for the simulators. */
  readonly serviceControl: (accountId: AccountId) => PolicyLayers['serviceControl'];
  /** What is done about who is gone from an app instance, and about what happens in channels. */
  readonly tellOfIdentity: TellOfIdentity;
  readonly tellOfChannels: TellOfChannels;
}

type Table = Readonly<Record<string, Operation<unknown, unknown>>>;

/** The table of a service: at once where it is loaded, else a promise of it. */
export type OperationTables = (service: ServiceName) => Table | Promise<Table>;

/**
 * The operations of every service. A service's code is loaded when it is first asked for, so that a start does not wait for all of them.
 * An operation that is in the model and not built is `notYet`.
 */
export function allOperations({
  settings,
  vault,
  verifyMfa,
  sessions,
  operatorKeys,
  endpoints,
  serviceControl,
  tellOfIdentity,
  tellOfChannels,
}: OperationParts): OperationTables {
  const built: Partial<Record<ServiceName, () => Promise<unknown>>> = {
    'chime-sdk-meetings': async () => {
      const { meetingsOperations } = await import('#services/chime-sdk-meetings/operations.ts');
      const { joinTokens } = await import('#services/chime-sdk-meetings/join-token.ts');
      const { DEFAULT_LIMITS } = await import('#services/chime-sdk-meetings/deps.ts');
      const { actingOnMeetings } = await import('./acting.ts');
      const { http, https } = endpoints();
      const httpUrl = https ?? http ?? 'https://localhost';
      const tokens = derivedFrom(operatorKeys, (keys) => {
        const [newest, ...older] = keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'belfry join tokens', 32)));
        return joinTokens(newest as Buffer, older);
      });
      return meetingsOperations({
        mediaEndpoints: { signalingUrl: httpUrl.replace(/^http/, 'ws'), audioHost: new URL(httpUrl).host, httpUrl },
        joinTokens: { issue: (facts) => tokens().issue(facts) },
        limits: DEFAULT_LIMITS,
        tell: actingOnMeetings(() => instant(Date.now())),
      });
    },
    'chime-sdk-identity': async () => {
      const { identityOperations } = await import('#services/chime-sdk-identity/operations.ts');
      const { DEFAULT_LIMITS } = await import('#services/chime-sdk-identity/deps.ts');
      return identityOperations({ vault, limits: DEFAULT_LIMITS, tell: tellOfIdentity });
    },
    'chime-sdk-messaging': async () => {
      const { messagingOperations } = await import('#services/chime-sdk-messaging/operations.ts');
      const { DEFAULT_LIMITS } = await import('#services/chime-sdk-messaging/deps.ts');
      const { recordLinkedRole } = await import('./acting.ts');
      const { http, https } = endpoints();
      const sessionEndpoint = new URL(https ?? http ?? 'https://localhost').host;
      return messagingOperations({ limits: DEFAULT_LIMITS, tell: tellOfChannels, linkedRoleMade: recordLinkedRole, sessionEndpoint });
    },
    'chime-sdk-media-pipelines': async () => (await import('#services/chime-sdk-media-pipelines/operations.ts')).mediaPipelinesOperations(),
    'chime-sdk-voice': async () => {
      const { voiceOperations } = await import('#services/chime-sdk-voice/operations.ts');
      const { DEFAULT_LIMITS } = await import('#services/chime-sdk-voice/deps.ts');
      const { recordLinkedRole } = await import('./acting.ts');
      return voiceOperations({ vault, limits: DEFAULT_LIMITS, linkedRoleMade: recordLinkedRole });
    },
    iam: async () => (await import('#services/iam/operations.ts')).iamOperations({ vault, linkedRoleUsage, serviceControl }),
    sts: async () => {
      const { stsOperations } = await import('#services/sts/operations.ts');
      return stsOperations({ sessions, openMessage: authorizationMessages(operatorKeys).open, verifyMfa });
    },
    organizations: async () => (await import('#services/organizations/operations.ts')).organizationsOperations(),
    cloudtrail: async () =>
      (await import('#services/cloudtrail/operations.ts')).cloudtrailOperations({ lookupEventsPerSecond: settings.lookupEventsPerSecond }),
    accessanalyzer: async () => (await import('#services/accessanalyzer/operations.ts')).accessanalyzerOperations(),
  };
  const tables = new Map<ServiceName, Table | Promise<Table>>();

  async function load(service: ServiceName): Promise<Table> {
    const { operationTable } = await import('#services/kit/operation-table.ts');
    const table = ((await built[service]?.()) ?? operationTable(service as keyof Apis, {})) as Table;
    tables.set(service, table);
    return table;
  }

  return (service) => {
    let table = tables.get(service);
    if (table === undefined) tables.set(service, (table = load(service)));
    return table;
  };
}
