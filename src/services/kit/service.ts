/** Declaration of a service. `server/core` iterates the declarations and names no single service elsewhere. */
import type { AccountId } from '#core/arn.ts';
import type { AwsError } from '#core/aws-error.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Subscription, Work } from './events.ts';

/** Encrypts a sealed string again. `boundTo` is the binding of the original. */
export type Reseal = (sealed: string, boundTo: string) => string;

/** A kind of resource whose documents contain sealed strings. The operator's key rotation seals them again. */
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
 * Creates a sweep for one server. A sweep deletes expired resources, a bounded number in one transaction.
 * It resolves to 'more' if the server must run it again at once. Other requests run in between.
 */
export type Sweep = () => (work: Work) => Promise<'more' | 'done'>;

/** A service: one folder in `services/`, whose `service.ts` declares it. `Parts` are the parts of the server that it needs. */
export interface Service<Parts = never> {
  readonly name: ServiceName;
  /** Loads the operation table on first use, so that start-up stays fast. */
  readonly operations: (parts: Parts) => Promise<object>;
  /** Kinds of resources that the service stores. No other service declares them. */
  readonly kinds?: readonly ResourceKind<unknown>[];
  readonly sealed?: readonly SealedKind[];
  readonly linkedRoles?: readonly LinkedRole[];
  readonly sweeps?: readonly Sweep[];
  /** Subscribers of events of this service and of other services. */
  readonly subscriptions?: readonly Subscription[];
  /** Returns the error for an invalid page token in `member`. Default: `BadRequestException`. */
  readonly invalidPageToken?: (member: string) => AwsError;
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
      if (!own.includes(kind)) throw new Error(`'${name}' has sealed strings of kind '${kind.name}', which it does not declare`);
    }
  }
}
