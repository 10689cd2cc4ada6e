import type { ServerFacts } from '#services/kit/configuration-rule.ts';
import type { Settings } from '../settings.ts';
import { TLS_FLOOR } from '../tls-floor.ts';

/** Returns the facts of a server that rules check. */
export function serverFacts(settings: Settings): ServerFacts {
  const { eventHistoryDays, readsWithoutTrail, internalIssuers, internalDirectories, outgoingInternalHosts, privateSipPeers } = settings;
  return {
    tlsFloor: TLS_FLOOR.minVersion,
    eventHistoryDays,
    readsWithoutTrail,
    internalHosts: new Set([...internalIssuers, ...internalDirectories, ...outgoingInternalHosts, ...privateSipPeers]).size,
  };
}
