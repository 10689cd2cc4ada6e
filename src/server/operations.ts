import { hkdfSync } from 'node:crypto';
import { authorizationMessages } from '#access/authorization-message.ts';
import type { SessionIssuer } from '#core/session-issuer.ts';
import type { Vault } from '#core/vault.ts';
import type { ServiceName } from '#model/model.ts';
import { DEFAULT_LIMITS } from '#services/chime-sdk-meetings/deps.ts';
import { joinTokens } from '#services/chime-sdk-meetings/join-token.ts';
import { meetingsOperations } from '#services/chime-sdk-meetings/operations.ts';
import { cloudtrailOperations } from '#services/cloudtrail/operations.ts';
import { iamOperations } from '#services/iam/operations.ts';
import { mfaVerifier } from '#services/mfa.ts';
import type { Operation } from '#services/operation.ts';
import { stsOperations } from '#services/sts/operations.ts';
import { type Apis, operationTable } from '#services/table.ts';
import type { Endpoints } from './core-link.ts';
import type { Settings } from './settings.ts';

/** What the services are made with. */
export interface OperationParts {
  readonly settings: Settings;
  readonly vault: Vault;
  readonly sessions: SessionIssuer;
  /** The newest first. */
  readonly operatorKeys: readonly Uint8Array[];
  /** Where clients find this server. */
  readonly endpoints: () => Endpoints;
}

type Table = Readonly<Record<string, Operation<unknown, unknown>>>;

/**
 * The operations of every service, each table made when it is first asked for. An operation that is in the model and not built is
 * `notYet`.
 */
export function allOperations(parts: OperationParts): (service: ServiceName, operation: string) => Operation<unknown, unknown> {
  const { settings, vault, sessions, operatorKeys } = parts;
  const built: Partial<Record<ServiceName, () => unknown>> = {
    'chime-sdk-meetings': () => {
      const { http, https } = parts.endpoints();
      const httpUrl = https ?? http ?? 'https://localhost';
      const [newest, ...older] = operatorKeys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'belfry join tokens', 32)));
      return meetingsOperations({
        mediaEndpoints: { signalingUrl: httpUrl.replace(/^http/, 'ws'), audioHost: new URL(httpUrl).host, httpUrl },
        joinTokens: joinTokens(newest as Buffer, older),
        limits: DEFAULT_LIMITS,
      });
    },
    iam: () => iamOperations({ vault }),
    sts: () => stsOperations({ sessions, openMessage: authorizationMessages(operatorKeys).open, verifyMfa: mfaVerifier(vault) }),
    cloudtrail: () => cloudtrailOperations({ lookupEventsPerSecond: settings.lookupEventsPerSecond }),
  };
  const tables = new Map<ServiceName, Table>();

  return (service, operation) => {
    let table = tables.get(service);
    if (table === undefined) tables.set(service, (table = (built[service]?.() ?? operationTable(service as keyof Apis, {})) as Table));
    return table[operation] as Operation<unknown, unknown>;
  };
}
