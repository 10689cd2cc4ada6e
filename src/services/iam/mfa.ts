/**
 * One-time codes of virtual MFA devices. A code is computed from a seed and the time. The server accepts each code once.
 *
 * Source: RFC 6238 (SHA-1, 30 seconds, six digits), RFC 4226 §7.4 on resynchronization; IAM User Guide, "Assign a virtual MFA device".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { fromBase32 } from '#core/base32.ts';
import { HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import { type AttemptRule, nextAttemptAt } from '#store/attempts.ts';
import type { MfaDeviceRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';

const STEP_MS = 30_000;
const CODE_DIGITS = 6;
/**
 * Number of steps (periods of 30 seconds) before the current step, and also after the current step. The codes of these
 * steps are valid too.
 */
const TOLERANCE = 1;
/**
 * Number of steps that a resynchronization searches before the current step, and also after the current step. 60 steps
 * are half an hour.
 */
const RESYNC_TOLERANCE = 60;

/** Returns the code of a time step. `step` is the number of 30-second periods since 1970. */
export function codeAt(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', seed).update(counter).digest();
  const offset = (mac[mac.length - 1] as number) & 15;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** CODE_DIGITS;
  return String(number).padStart(CODE_DIGITS, '0');
}

export function stepAt(now: Instant): number {
  return Math.floor(now / STEP_MS);
}

function isCode(seed: Uint8Array, step: number, code: string): boolean {
  return code.length === CODE_DIGITS && timingSafeEqual(Buffer.from(codeAt(seed, step)), Buffer.from(code));
}

/** Returns the seed of a device. */
export function seedOf(vault: Vault, device: MfaDeviceRecord): Uint8Array {
  return fromBase32(vault.open(device.sealedSeed, device.serialNumber));
}

/**
 * Finds the time of two consecutive codes. Returns the record of the device, updated with the drift of the device's
 * clock in steps. Returns undefined if the codes are not consecutive, are not near the current time, or were used
 * before.
 *
 * `near` selects the range of the search: a few steps to enable a device, half an hour to resynchronize it.
 */
export function synchronized(
  vault: Vault,
  device: MfaDeviceRecord,
  codes: readonly [string, string],
  now: Instant,
  near: 'enable' | 'resync',
): MfaDeviceRecord | undefined {
  const seed = seedOf(vault, device);
  const tolerance = near === 'enable' ? TOLERANCE + 1 : RESYNC_TOLERANCE;
  const current = stepAt(now);
  for (let step = current - tolerance; step < current + tolerance; step++) {
    if (step <= (device.lastStep ?? -1)) continue;
    if (!isCode(seed, step, codes[0]) || !isCode(seed, step + 1, codes[1])) continue;
    return { ...device, lastStep: step + 1, drift: step + 1 - current };
  }
  return undefined;
}

/**
 * Returns the record of the device, updated so that the code cannot be used again. Returns undefined if the code is not
 * valid now, or was used before.
 */
export function afterCode(vault: Vault, device: MfaDeviceRecord, code: string, now: Instant): MfaDeviceRecord | undefined {
  const seed = seedOf(vault, device);
  const current = stepAt(now) + (device.drift ?? 0);
  for (let step = current - TOLERANCE; step <= current + TOLERANCE; step++) {
    if (step > (device.lastStep ?? -1) && isCode(seed, step, code)) return { ...device, lastStep: step };
  }
  return undefined;
}

/** Caller that sends a code, with its transaction and the time. */
export type MfaBearer = Pick<Call, 'tx' | 'principal' | 'accountId' | 'now'>;

/**
 * Result of checking a code.
 *
 * For a wrong code, the caller of the check must call `count` in a transaction that commits. `count` adds one to the
 * stored number of wrong codes. It does nothing if the device is locked, or belongs to another principal.
 */
export type ShownCode = { readonly right: true } | { readonly right: false; readonly count: (tx: Tx) => Promise<void> };

/**
 * Checks a code of the caller's own device. The mode `take`, the default, marks the code as used. The mode `look` only
 * checks the code, for use before the request is authorized.
 *
 * After five wrong codes in a row, the device is locked for half a minute. Each further wrong code doubles the time, up to an hour.
 * An attacker that knows the password can therefore try about 75 of the million codes in a day. A locked device rejects every code.
 *
 * Writes: in the mode `take`, the time step of the code.
 * Assumed: the numbers. AWS documents only that devices lock.
 */
export type VerifyMfa = (bearer: MfaBearer, serialNumber: string, tokenCode: string, mode?: 'take' | 'look') => Promise<ShownCode>;

const CODE_RULE: AttemptRule = { free: 5, firstMs: 30_000, maxMs: HOUR_MS };
/** Time after which the server forgets the wrong codes in `uncommitted`, for example after an aborted transaction. */
const UNCOMMITTED_MS = 60_000;

const NOTHING_TO_COUNT: ShownCode = { right: false, count: async () => {} };

export function mfaVerifier(vault: Vault): VerifyMfa {
  /**
   * Number of wrong codes of each device that are not yet in the committed count of the store. A check adds this number
   * to the stored count, so that simultaneous requests cannot exceed the limit.
   */
  const uncommitted = new Map<string, { readonly count: number; readonly at: Instant }>();

  return async (bearer, serialNumber, tokenCode, mode = 'take') => {
    const { tx, accountId, now } = bearer;
    const key = serialNumber.toLowerCase();
    const device = await findDevice(tx, accountId, serialNumber);
    if (device?.enabledAt === undefined || !isOwn(bearer, device)) return NOTHING_TO_COUNT;

    const subject = mfaSubject(serialNumber);
    const kept = await tx.attempts.of(accountId, subject);
    const failures = (kept?.failures ?? 0) + underWay(key, now);
    const failedAt = uncommitted.get(key)?.at ?? kept?.failedAt;
    if (failedAt !== undefined && now < nextAttemptAt(CODE_RULE, { failures, failedAt })) return NOTHING_TO_COUNT;

    const after = afterCode(vault, device, tokenCode, now);
    if (after === undefined) {
      uncommitted.set(key, { count: underWay(key, now) + 1, at: now });
      return {
        right: false,
        async count(counting) {
          await counting.attempts.fail(accountId, subject, now);
          counting.afterCommit(() => committed(key));
        },
      };
    }
    if (mode === 'take') {
      await tx.identity.put(accountId, 'mfa-device', key, after);
      if (kept !== undefined) await tx.attempts.clear(accountId, subject);
    }
    return { right: true };
  };

  function underWay(key: string, now: Instant): number {
    const some = uncommitted.get(key);
    if (some === undefined) return 0;
    if (now - some.at <= UNCOMMITTED_MS) return some.count;
    uncommitted.delete(key);
    return 0;
  }

  function committed(key: string): void {
    const some = uncommitted.get(key);
    if (some === undefined || some.count <= 1) uncommitted.delete(key);
    else uncommitted.set(key, { ...some, count: some.count - 1 });
  }
}

/**
 * Returns the device with exactly this serial number, which is its ARN; undefined if it does not exist.
 *
 * The store has the names of devices in lower case, because names are unique ignoring case. The comparison here is
 * case-sensitive. Policies are evaluated with the ARN in the request, so an ARN with different capitalization could
 * bypass a Deny.
 */
export async function findDevice(tx: Tx, accountId: AccountId, serialNumber: string): Promise<MfaDeviceRecord | undefined> {
  const device = await tx.identity.get(accountId, 'mfa-device', serialNumber.toLowerCase());
  return device?.serialNumber === serialNumber ? device : undefined;
}

/** Returns the key under which the store counts the wrong codes of a device. */
export function mfaSubject(serialNumber: string): string {
  return `mfa ${serialNumber.toLowerCase()}`;
}

function isOwn({ principal }: MfaBearer, { owner }: MfaDeviceRecord): boolean {
  if (owner?.type === 'Root') return principal.type === 'Root';
  return principal.type === 'IAMUser' && owner?.userName.toLowerCase() === principal.userName.toLowerCase();
}
