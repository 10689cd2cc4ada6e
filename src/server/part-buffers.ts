/** Buffers for the parts of uploads into an object service. Their number bounds the memory of all uploads of one thread. */
import { AwsError } from '#core/aws-error.ts';

export interface PartBufferLimits {
  /** Size of one buffer in bytes. */
  readonly bytes: number;
  readonly count: number;
  /** Maximum number of buffers of one owner, so that slow uploads of one client leave buffers for others. */
  readonly countOfOwner: number;
  readonly waitMs: number;
}

export interface PartBuffers {
  /**
   * Returns a free buffer, and waits if there is none for the owner. Among owners that may have one, the one that has waited longest is
   * first. The buffer contains bytes of earlier uploads.
   *
   * @throws ServiceUnavailable  no buffer became free in time
   */
  take(owner: string): Promise<Buffer>;
  /** Returns a buffer of an owner. Do not use it afterwards. */
  giveBack(owner: string, buffer: Buffer): void;
}

interface Waiter {
  readonly owner: string;
  readonly start: (buffer: Buffer) => void;
}

/** Creates the buffers. Each is allocated at its first use, and is never freed. */
export function partBuffers({ bytes, count, countOfOwner, waitMs }: PartBufferLimits): PartBuffers {
  const free: Buffer[] = [];
  const taken = new Map<string, number>();
  const waiting = new Set<Waiter>();
  let allocated = 0;

  function takeNow(owner: string): Buffer | undefined {
    const own = taken.get(owner) ?? 0;
    if (own >= countOfOwner || (free.length === 0 && allocated === count)) return undefined;
    taken.set(owner, own + 1);
    const buffer = free.pop();
    if (buffer !== undefined) return buffer;
    allocated++;
    return Buffer.allocUnsafeSlow(bytes);
  }

  function serve(): void {
    for (const waiter of waiting) {
      const buffer = takeNow(waiter.owner);
      if (buffer === undefined) continue;
      waiting.delete(waiter);
      waiter.start(buffer);
    }
  }

  return {
    take(owner) {
      // The oldest waiter of another owner may wait only because of its own buffers, so a free buffer is taken at once.
      const buffer = takeNow(owner);
      if (buffer !== undefined) return Promise.resolve(buffer);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(waiter);
          reject(new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.'));
        }, waitMs);
        timer.unref();
        const waiter: Waiter = {
          owner,
          start(found) {
            clearTimeout(timer);
            resolve(found);
          },
        };
        waiting.add(waiter);
      });
    },
    giveBack(owner, buffer) {
      const own = (taken.get(owner) ?? 1) - 1;
      if (own === 0) taken.delete(owner);
      else taken.set(owner, own);
      free.push(buffer);
      serve();
    },
  };
}
