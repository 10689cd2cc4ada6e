/** Limits of streamed bodies, in both directions. */
export interface TransferLimits {
  /** The server ends a transfer that moves fewer than `leastBytes` in this time. */
  readonly windowMs: number;
  readonly leastBytes: number;
}

/** Default limits: a transfer may take hours, if it moves at least 16 KiB in each half minute. */
export const TRANSFER_LIMITS: TransferLimits = { windowMs: 30_000, leastBytes: 16_384 };

/** Check that a transfer moves enough bytes. */
export interface ProgressCheck {
  /** Counts moved bytes. */
  moved(bytes: number): void;
  /** Suspends the check while the server itself delays the transfer. */
  suspend(suspended: boolean): void;
  stop(): void;
}

/** Begins to check a transfer. Calls `onSlow` at the end of each window in which it moved too few bytes. */
export function checkProgress({ windowMs, leastBytes }: TransferLimits, onSlow: () => void): ProgressCheck {
  let recent = 0;
  let isSuspended = false;
  const timer = setInterval(() => {
    if (!isSuspended && recent < leastBytes) onSlow();
    recent = 0;
  }, windowMs).unref();
  return {
    moved: (bytes) => (recent += bytes),
    suspend: (suspended) => (isSuspended = suspended),
    stop: () => clearInterval(timer),
  };
}

/**
 * Memory of a streamed body, in bytes: the piece that is being written or sent, and the pieces that Node's stream and the socket have read
 * ahead. The rest of the body waits at the client or on the disk.
 */
export const STREAM_BYTES = 262_144;
