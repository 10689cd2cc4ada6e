import { Resolver } from 'node:dns/promises';
import type { LookUpTxt } from '#services/kit/dns.ts';

/** Time for one attempt, and attempts for each resolver. */
const LIMITS = { timeout: 2_000, tries: 2 } as const;
/** Most records of a name that are read. */
const RECORDS_MAX = 100;
/** Codes of c-ares for a name without TXT records. */
const MISSING: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);

/** Creates the look-up with the resolver at an IP address, with its port if it is not 53. Default: the resolvers of the system. */
export function txtLookup(server: string | undefined): LookUpTxt {
  return async (name) => {
    try {
      const resolver = new Resolver(LIMITS);
      if (server !== undefined) resolver.setServers([server]);
      const records = await resolver.resolveTxt(name);
      return records.slice(0, RECORDS_MAX).map((strings) => strings.join(''));
    } catch (error) {
      return MISSING.has((error as { readonly code?: string }).code ?? '') ? [] : 'failed';
    }
  };
}
