/** The operator's commands for targets of log files. Each change is recorded in the trail of the operator's account. */

import { isAbsolute } from 'node:path';
import { type AccountId, isAccountId } from '#core/arn.ts';
import { isBucketName } from '#core/bucket-name.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Vault } from '#core/vault.ts';
import { type DeliveryTarget, deliveryTargets, secretOwner, TARGETS_MAX, type TargetLocation } from '#delivery/tables/delivery-targets.ts';
import type { Store, Tx } from '#store/store.ts';
import { OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands for targets. */
export interface TargetCommandParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
  readonly vault: Pick<Vault, 'seal'>;
}

/** A new target, as the operator describes it. */
export interface NewTarget {
  readonly bucket: string;
  readonly location: TargetLocation;
  /** Secret access key of an S3-compatible service. */
  readonly secretAccessKey?: string;
  /** Account whose trails may use the target. Absent: trails of every account. */
  readonly accountId?: string;
}

/** A target as the list shows it. */
export type ListedTarget = Pick<DeliveryTarget, 'bucket' | 'accountId' | 'location'>;

/** Longest path, URL and secret. Assumed: longer ones are mistakes. */
const TEXT_MAX = 2_048;

/** Adds a target. Returns the reason if the command is refused. */
export async function addTarget(parts: TargetCommandParts, target: NewTarget): Promise<string | undefined> {
  const problem = problemOf(target);
  if (problem !== undefined) return problem;
  const { bucket, location, secretAccessKey, accountId } = target;
  const sealedSecret = secretAccessKey === undefined ? undefined : parts.vault.seal(secretAccessKey, secretOwner(target));
  return await parts.store.transaction(async (tx) => {
    const owner = accountId as AccountId | undefined;
    if (owner !== undefined && (await tx.identity.get(owner, 'account', owner)) === undefined) return `account '${owner}' does not exist`;
    const targets = tx.of(deliveryTargets);
    if ((await targets.list()).length >= TARGETS_MAX) return `there are ${TARGETS_MAX} targets; remove one first`;
    const row = { bucket, location, createdAt: parts.now(), ...omitUndefined({ accountId: owner, sealedSecret }) };
    if ((await targets.add(row)) === 'exists') return `target '${bucket}' exists; remove it first`;
    await record(tx, parts, 'AddTrailTarget', omitUndefined({ bucket, accountId: owner, ...location }));
    return undefined;
  });
}

/** Removes a target. Trails that name its bucket deliver to a bucket of this server, or fail. Returns the reason if the command is refused. */
export async function removeTarget(parts: TargetCommandParts, bucket: string): Promise<string | undefined> {
  return await parts.store.transaction(async (tx) => {
    if ((await tx.of(deliveryTargets).remove(bucket)) === 'absent') return `target '${bucket.slice(0, 63)}' does not exist`;
    await record(tx, parts, 'RemoveTrailTarget', { bucket });
    return undefined;
  });
}

/** Lists the targets, without secrets, in the order of their names. */
export async function listTargets({ store }: Pick<TargetCommandParts, 'store'>): Promise<readonly ListedTarget[]> {
  const targets = await store.transaction((tx) => tx.of(deliveryTargets).list());
  return targets.map(({ bucket, accountId, location }) => ({ bucket, location, ...omitUndefined({ accountId }) }));
}

function problemOf({ bucket, location, secretAccessKey, accountId }: NewTarget): string | undefined {
  if (typeof bucket !== 'string' || !isBucketName(bucket)) return `'${String(bucket).slice(0, 63)}' is not the name of a bucket`;
  if (accountId !== undefined && !isAccountId(accountId)) return `'${String(accountId).slice(0, 20)}' is not the ID of an account`;
  if (location.kind === 'folder') {
    const isValid = isAbsolute(location.path) && location.path.length <= TEXT_MAX && !location.path.includes('\0');
    return isValid ? undefined : 'the folder must be an absolute path';
  }
  return (
    endpointProblem(location.endpoint, location.allowInternal) ??
    (/^[a-z0-9-]{1,64}$/.test(location.region) ? undefined : 'the region must have 1 to 64 lower-case letters, digits and hyphens') ??
    (/^[\x21-\x7e]{1,128}$/.test(location.accessKeyId) ? undefined : 'the access key ID must have 1 to 128 printable characters') ??
    (/^[\x21-\x7e]{1,2048}$/.test(secretAccessKey ?? '') ? undefined : 'the secret access key must have 1 to 2048 printable characters')
  );
}

/** Returns the problem of an endpoint. Without TLS, anyone between the servers could read the log files. */
function endpointProblem(endpoint: string, allowInternal: boolean): string | undefined {
  const url = endpoint.length <= TEXT_MAX && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/';
  if (url === undefined || !isPlain || !['http:', 'https:'].includes(url.protocol))
    return 'the endpoint must be a URL such as https://s3.example.com, without a path';
  return url.protocol === 'https:' || allowInternal ? undefined : 'the endpoint must use https, unless internal addresses are allowed';
}

async function record(tx: Tx, parts: TargetCommandParts, eventName: string, details: Readonly<Record<string, unknown>>): Promise<void> {
  const accountId = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
  if (accountId !== undefined) await tx.trail.append(operatorEvent(parts, accountId, eventName, details));
}
