/**
 * One-time codes of virtual MFA devices: made from a seed and the time, taken once.
 *
 * Source: RFC 6238 (SHA-1, 30 seconds, six digits), RFC 4226 §7.4 on resynchronization; IAM User Guide, "Assign a virtual MFA device".
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { fromBase32 } from '#core/base32.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import { type AttemptRule, nextAttemptAt } from '#store/attempts.ts';
import type { MfaDeviceRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';

const STEP_MS = 30_000;
const CODE_DIGITS = 6;
/** Steps before and after now in which a code is taken. */
const TOLERANCE = 1;
/** Steps in which two codes in a row are sought when a device is set anew: half an hour either way. */
const RESYNC_TOLERANCE = 60;

/** The code of one step. */
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

/** The seed of a device. */
export function seedOf(vault: Vault, device: MfaDeviceRecord): Uint8Array {
  return fromBase32(vault.open(device.sealedSeed, device.serialNumber));
}

/**
 * Finds two codes in a row near the device's time, and answers the device as it runs from now on; undefined where there are none.
 * `near` is the window of an enabling, else that of a resynchronization.
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

/** The device after it has shown this code; undefined where the code is not one of now, or was taken before. */
export function afterCode(vault: Vault, device: MfaDeviceRecord, code: string, now: Instant): MfaDeviceRecord | undefined {
  const seed = seedOf(vault, device);
  const current = stepAt(now) + (device.drift ?? 0);
  for (let step = current - TOLERANCE; step <= current + TOLERANCE; step++) {
    if (step > (device.lastStep ?? -1) && isCode(seed, step, code)) return { ...device, lastStep: step };
  }
  return undefined;
}

/** Who shows a code, when. */
export type MfaBearer = Pick<Call, 'tx' | 'principal' | 'accountId' | 'now'>;

/** What a code proves. `count` remembers a wrong one, in a transaction that commits; of a device that is nobody's or waits, nothing. */
export type ShownCode = { readonly right: true } | { readonly right: false; readonly count: (tx: Tx) => Promise<void> };

/**
 * Whether a code is that of the caller's own device now. `take`, as usual: it is then no code any more, for a code is taken once;
 * `look` leaves it, for who must know before the request is authorized.
 *
 * After five wrong codes in a row the device takes none for half a minute, and for twice as long after each further one, up to an
 * hour: whoever knows the password guesses some 75 codes of a million a day. A right code meanwhile is answered like a wrong one.
 *
 * Writes: with `take`, the step of the code.
 * Assumed: the numbers; AWS says only that devices lock.
 */
export type VerifyMfa = (bearer: MfaBearer, serialNumber: string, tokenCode: string, mode?: 'take' | 'look') => Promise<ShownCode>;

const CODE_RULE: AttemptRule = { free: 5, firstMs: 30_000, maxMs: 3_600_000 };
/** A wrong code whose count was not committed by then never will be. */
const UNCOMMITTED_MS = 60_000;

const NOTHING_TO_COUNT: ShownCode = { right: false, count: async () => {} };

export function mfaVerifier(vault: Vault): VerifyMfa {
  /** Wrong codes that are not yet committed, so that many at once are no way around the limit. */
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
 * The device of exactly this serial number, which is its ARN; undefined if there is none.
 *
 * Names of devices are unique ignoring case, so the store has them in lower case. Permission is decided on the ARN of the request: a device
 * that another spelling of its ARN found would pass a Deny on it.
 */
export async function findDevice(tx: Tx, accountId: AccountId, serialNumber: string): Promise<MfaDeviceRecord | undefined> {
  const device = await tx.identity.get(accountId, 'mfa-device', serialNumber.toLowerCase());
  return device?.serialNumber === serialNumber ? device : undefined;
}

/** What wrong codes of a device are counted under. */
export function mfaSubject(serialNumber: string): string {
  return `mfa ${serialNumber.toLowerCase()}`;
}

function isOwn({ principal }: MfaBearer, { owner }: MfaDeviceRecord): boolean {
  if (owner?.type === 'Root') return principal.type === 'Root';
  return principal.type === 'IAMUser' && owner?.userName.toLowerCase() === principal.userName.toLowerCase();
}
