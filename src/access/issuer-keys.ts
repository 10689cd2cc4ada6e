import type { JSONWebKeySet } from 'jose';
import { HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import { type FetchJson, FetchProblem } from './guarded-fetch.ts';

/** Signing keys that issuers publish, found by OpenID Connect discovery. */
export interface IssuerKeys {
  /**
   * Returns the keys of an issuer. Fetches the keys if the last fetch was more than an hour ago. With `refetch`,
   * fetches the keys if the last fetch was more than a minute ago. Pass `refetch` if a token names an unknown key. The
   * minute limits how many fetches are caused by tokens with invented key names.
   *
   * @throws FetchProblem  the keys cannot be fetched
   */
  keysOf(issuer: string, thumbprints: readonly string[], now: Instant, refetch?: 'refetch'): Promise<JSONWebKeySet>;
}

const CACHED_MS = HOUR_MS;
const REFETCH_MS = 60_000;
const FAILURE_MS = 10_000;
const ISSUERS_MAX = 1000;
const KEYS_MAX = 100;

/** Cached keys, or the failure to fetch them. */
interface Entry {
  readonly fetchedAt: Instant;
  readonly keys: Promise<JSONWebKeySet>;
  failed: boolean;
}

/**
 * Creates a cache of keys. Concurrent calls for one issuer share one fetch. Failures are cached for ten seconds.
 *
 * Source: OpenID Connect Discovery 1.0 §4: the `issuer` in the document must equal the requested issuer.
 * Assumed: the times of one hour, one minute and ten seconds, because AWS does not publish its times.
 */
export function issuerKeys(fetchJson: FetchJson): IssuerKeys {
  const kept = lruMap<string, Entry>(ISSUERS_MAX);
  return {
    keysOf(issuer, thumbprints, now, refetch) {
      const name = `${issuer} ${thumbprints.join()}`;
      const before = kept.get(name);
      if (before !== undefined) {
        const age = now - before.fetchedAt;
        const lasts = before.failed ? FAILURE_MS : refetch === undefined ? CACHED_MS : REFETCH_MS;
        if (age < lasts) return before.keys;
      }
      const entry: Entry = { fetchedAt: now, keys: fetchKeys(fetchJson, issuer, thumbprints), failed: false };
      entry.keys.catch(() => {
        entry.failed = true;
      });
      kept.set(name, entry);
      return entry.keys;
    },
  };
}

async function fetchKeys(fetchJson: FetchJson, issuer: string, thumbprints: readonly string[]): Promise<JSONWebKeySet> {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
  const configuration = (await fetchJson(`${base}/.well-known/openid-configuration`, { thumbprints })) as {
    issuer?: unknown;
    jwks_uri?: unknown;
  } | null;
  if (configuration?.issuer !== issuer) throw new FetchProblem(`The configuration of '${issuer}' has another issuer.`);
  if (typeof configuration.jwks_uri !== 'string') throw new FetchProblem(`The configuration of '${issuer}' does not have a jwks_uri.`);
  const { keys } = ((await fetchJson(configuration.jwks_uri, { thumbprints })) ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > KEYS_MAX)
    throw new FetchProblem(`The keys of '${issuer}' are not a valid JSON Web Key Set of at most ${KEYS_MAX} keys.`);
  return { keys };
}
