/**
 * Declaration of a service. `server/core/services.ts` lists the declarations. No other file in `server/` names a
 * service.
 */
import type { AccountId } from '#core/arn.ts';
import type { AwsError } from '#core/aws-error.ts';
import type { Vault } from '#core/vault.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { AnalyzedKind } from './analyzed-resources.ts';
import type { ConfigurationRule } from './configuration-rule.ts';
import type { ReadPeople } from './directories.ts';
import type { LookUpTxt } from './dns.ts';
import type { Subscription, Work } from './events.ts';
import type { PolicyGenerationParts } from './policy-generation-parts.ts';

/**
 * Encrypts a sealed (encrypted) string again, with the newest operator key of the server. `boundTo` must be the value
 * that was passed to `Vault.seal` with the string.
 */
export type Reseal = (sealed: string, boundTo: string) => string;

/**
 * A kind of resource whose documents contain sealed (encrypted) strings. When the operator rotates the key, the server
 * encrypts these strings again.
 */
export interface SealedKind {
  readonly kind: ResourceKind<unknown>;
  /** Returns the record with the result of `reseal` in place of each sealed string. */
  readonly resealed: (record: ResourceRecord<unknown>, reseal: Reseal) => ResourceRecord<unknown>;
}

/** Declares a kind with sealed strings. */
export function sealedKind<Document>(
  kind: ResourceKind<Document>,
  resealed: (record: ResourceRecord<Document>, reseal: Reseal) => ResourceRecord<Document>,
): SealedKind {
  return { kind, resealed: resealed as SealedKind['resealed'] };
}

/** A resource that uses a service-linked role. */
export interface RoleUse {
  readonly region: string;
  readonly arn: string;
}

/** A service-linked role that the service uses. IAM deletes it only when `usedBy` returns no resource. Requirement SLR-14. */
export interface LinkedRole {
  /** Service principal of the role: `voiceconnector.chime.amazonaws.com`. */
  readonly principal: string;
  /** Returns at most `limit` resources of an account that use the role. */
  readonly usedBy: (work: Pick<Work, 'tx' | 'now'>, accountId: AccountId, limit: number) => Promise<readonly RoleUse[]>;
}

/**
 * Creates a sweep, a background task that deletes expired resources, for one server. Each run deletes a limited number
 * of resources in one transaction. It resolves to 'more' if the server must run the sweep again immediately. Other
 * requests can run between two runs.
 */
export type Sweep = () => (work: Work) => Promise<'more' | 'done'>;

/** Runs work in a transaction, which may run again after a conflict. */
export type Transact = <T>(run: (work: Work) => Promise<T>) => Promise<T>;

/**
 * Creates the background work of one server. Each call runs a step with a few short transactions. It resolves to 'more' if the server must
 * run the next step immediately. Long computations run in turns between the transactions.
 */
export type TaskSteps = () => (transact: Transact) => Promise<'more' | 'done'>;

/** Parts of the server that background work can use outside of transactions. */
export interface TaskParts {
  readonly lookUpTxt: LookUpTxt;
  /** Decrypts the passwords of directories. */
  readonly vault: Pick<Vault, 'open'>;
  readonly readPeople: ReadPeople;
  readonly policyGeneration: PolicyGenerationParts;
  /** Interval between two synchronizations of an account with its directory. */
  readonly directorySyncSeconds: number;
}

/** Background work of a service that runs more often than the sweeps. */
export interface Task {
  /** Name in log lines: `evaluation of alarms`. */
  readonly name: string;
  readonly everyMs: number;
  /** Loads the code before the first run, so that start-up stays fast. */
  readonly load: (parts: TaskParts) => Promise<TaskSteps>;
}

/**
 * A service: one folder in `services/`, whose `service.ts` declares it. `Parts` are the parts of the server that the
 * service needs, such as the vault.
 */
export interface Service<Parts = never> {
  readonly name: ServiceName;
  /** Loads the operation table on first use, so that start-up stays fast. */
  readonly operations: (parts: Parts) => Promise<object>;
  /** Kinds of resources that the service stores. No other service declares them. */
  readonly kinds?: readonly ResourceKind<unknown>[];
  readonly sealed?: readonly SealedKind[];
  readonly linkedRoles?: readonly LinkedRole[];
  readonly sweeps?: readonly Sweep[];
  readonly tasks?: readonly Task[];
  /** Operations whose calls are data events. They are not in the event history, and are recorded only for trails that select them. */
  readonly dataEvents?: ReadonlySet<string>;
  /** Resources whose policies the analyzers for external access read. */
  readonly analyzed?: readonly AnalyzedKind[];
  /** Loads the rules about the configuration of what the service stores. */
  readonly rules?: () => Promise<readonly ConfigurationRule[]>;
  /** Subscribers of events of this service and of other services. */
  readonly subscriptions?: readonly Subscription[];
  /**
   * Returns the error for an invalid page token. `member` is the member of the input of `operation` that contains the token.
   * Default: `BadRequestException`.
   */
  readonly invalidPageToken?: (member: string, operation: string) => AwsError;
}

/** Declares a service. */
export function service<Parts>(declaration: Service<Parts>): Service<Parts> {
  return declaration;
}

/**
 * Checks that declarations agree with each other.
 *
 * @throws Error  an unknown service, a service declared twice, a kind declared twice, or sealed strings of an undeclared kind
 */
export function checkServices(services: readonly Service[]): void {
  const names = new Set<string>();
  const kinds = new Map<string, ServiceName>();
  for (const { name, kinds: own = [], sealed = [] } of services) {
    if (!SERVICE_NAMES.includes(name)) throw new Error(`unknown service '${name}' (services: ${SERVICE_NAMES.join(', ')})`);
    if (names.has(name)) throw new Error(`service '${name}' is declared twice`);
    names.add(name);
    for (const kind of own) {
      const other = kinds.get(kind.name);
      if (other !== undefined) throw new Error(`resource kind '${kind.name}' is declared by '${other}' and '${name}'`);
      kinds.set(kind.name, name);
    }
    for (const { kind } of sealed) {
      if (!own.includes(kind))
        throw new Error(`service '${name}' lists sealed strings of kind '${kind.name}', but does not declare this kind`);
    }
  }
}
