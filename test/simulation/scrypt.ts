/**
 * A replacement of `crypto.scrypt` for simulated servers: a cheap hash that completes after a simulated time. The real function runs on
 * another thread, so the seed cannot determine when it completes. Import this module before the product, which reads `crypto.scrypt` when
 * it is loaded.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterInWorld } from './world.ts';

type Callback = (error: Error | null, derived: Buffer) => void;

const { scrypt } = crypto;

function simulated(
  password: crypto.BinaryLike,
  salt: crypto.BinaryLike,
  size: number,
  options: crypto.ScryptOptions,
  done: Callback,
): void {
  const derive = (): void => {
    const digest = crypto
      .createHash('sha512')
      .update(salt as Uint8Array)
      .update(password as string)
      .digest();
    done(null, digest.subarray(0, size));
  };
  if (!afterInWorld(50, 150, derive)) scrypt(password, salt, size, options, done);
}

Object.assign(crypto, { scrypt: simulated });
syncBuiltinESMExports();
