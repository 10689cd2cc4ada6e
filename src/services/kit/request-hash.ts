import { createHash } from 'node:crypto';

/** Returns the SHA-256 of a request's JSON with sorted keys, so that the order of members does not matter. */
export function requestHash(request: unknown): string {
  const sorted = JSON.stringify(request, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(sorted).digest('hex');
}
