import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';
import { users } from './tables/users.ts';

/** Number of PINs. Source: Administration Guide, "Managing user details": a PIN has 10 digits. */
const PINS = 10 ** 10;
const BYTES = 5;
/** Largest multiple of `PINS` below 2^40. Numbers from here on are dropped, so that all PINs are equally likely. */
const LIMIT = Math.floor(2 ** (8 * BYTES) / PINS) * PINS;
/** Attempts to find a free PIN. With a million users, each attempt fails with a probability of 0.01 %. */
const ATTEMPTS = 20;

/** Returns a random personal meeting PIN that no user of the server has: 10 digits, which can begin with 0. */
export async function newPin({ tx, random }: { readonly tx: Tx } & Pick<Call, 'random'>): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const number = Buffer.from(random(BYTES)).readUIntBE(0, BYTES);
    if (number >= LIMIT) continue;
    const pin = String(number % PINS).padStart(10, '0');
    if (!(await tx.of(users).hasPin(pin))) return pin;
  }
  throw new Error('found no free personal PIN');
}
