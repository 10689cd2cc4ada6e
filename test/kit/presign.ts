import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Keys } from './keys.ts';

/** SHA-256 hash, or HMAC-SHA-256 if a secret is passed, with the methods that the signer of AWS's SDK requires. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

/**
 * Presigns a GetCallerIdentity request with the signer of AWS's SDK. Returns the URL of the request, which expires
 * after a minute.
 */
export async function presignedCallerIdentity(endpoint: string, credentials: Keys, method = 'GET'): Promise<string> {
  const { host, hostname, port } = new URL(endpoint);
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'sts', sha256: Sha256 });
  const { query } = await signer.presign(
    {
      ...{ method, protocol: 'http:', hostname, port: Number(port), path: '/', headers: { host } },
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    },
    { expiresIn: 60 },
  );
  return `${endpoint}/?${new URLSearchParams(query as Record<string, string>)}`;
}
