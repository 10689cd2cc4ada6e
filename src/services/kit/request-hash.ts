import { createHash } from 'node:crypto';

/** What tells one request from another, whatever the order of its members: SHA-256 of its JSON with sorted keys. */
export function requestHash(request: unknown): string {
  const sorted = JSON.stringify(request, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(sorted).digest('hex');
}
