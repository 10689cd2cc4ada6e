/** Opens the listeners of the SIP proxy. */
import { Resolver } from 'node:dns/promises';
import { DAY_MS } from '#core/duration.ts';
import { lruMap } from '#core/lru-map.ts';
import { describeBug, type Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import { listenForDecisions, type SipAnswers } from './decision-listener.ts';
import { listenForHep } from './hep-listener.ts';
import type { HepMessage } from './hep-packet.ts';
import { sipCertificate, sipFolder, sipToken, writeAddress } from './sip-files.ts';

/** Functions of the core that the listeners call. */
export interface SipHandlers extends SipAnswers {
  readonly mirror: (message: HepMessage) => void;
}

/** The world outside the core, for SIP. */
export interface SipOutside {
  /** Opens the listeners. @throws Error  an address cannot be used */
  listen(handlers: SipHandlers): Promise<{ close(): Promise<void> }>;
  /** Returns the IPv4 addresses of a host name, or none. Takes at most a second. */
  resolve(host: string): Promise<readonly string[]>;
}

/** Below the longest delay of a timer, which is 24.8 days. */
const RENEW_EVERY_MS = 24 * DAY_MS;
const RESOLVER = { timeout: 500, tries: 2 } as const;
/** Longest time for the addresses of a host. It is below the limit of a decision in Kamailio, so that a silent DNS server is no failure of the server. */
const RESOLVE_MAX_MS = 1_000;
/** Addresses are remembered, so that a call does not wait for DNS. */
const REMEMBERED_MS = 30_000;
const REMEMBERED_MAX = 1_000;

/** Creates the listeners of a server. Undefined if the operator has not enabled them. */
export function sipOutside(settings: Settings, report: Log): SipOutside | undefined {
  const { sipDecisions, sipHep, dataFolder } = settings;
  if (sipDecisions === 'off') return undefined;
  return {
    async listen(handlers) {
      const folder = sipFolder(dataFolder);
      const certificate = () => sipCertificate(folder, report);
      const decisions = await listenForDecisions({
        ...handlers,
        address: sipDecisions,
        token: sipToken(folder),
        tls: await certificate(),
        report: (error) => report(`a SIP request could not be decided: ${describeBug(error)}`, 'error'),
      });
      writeAddress(folder, 'address', `${sipDecisions.host}:${decisions.port}`);
      try {
        const hep = sipHep === 'off' ? undefined : await listenForHep(sipHep, handlers.mirror);
        if (hep !== undefined && sipHep !== 'off') writeAddress(folder, 'hep-address', `${sipHep.host}:${hep.port}`);
        const renew = () =>
          certificate().then(decisions.renew, (error) => report(`could not renew the certificate for SIP: ${error.message}`));
        const timer = setInterval(() => void renew(), RENEW_EVERY_MS).unref();
        return {
          async close() {
            clearInterval(timer);
            await Promise.all([decisions.close(), hep?.close()]);
          },
        };
      } catch (error) {
        await decisions.close();
        throw error;
      }
    },
    resolve: rememberedAddresses(settings.dnsServer === undefined ? [] : [settings.dnsServer]),
  };
}

/** Returns a function that resolves host names with DNS servers, or with those of the system if there are none, and remembers the addresses. */
export function rememberedAddresses(servers: readonly string[]): SipOutside['resolve'] {
  const found = lruMap<string, { readonly until: number; readonly addresses: Promise<readonly string[]> }>(REMEMBERED_MAX);
  return (host) => {
    const now = performance.now();
    const remembered = found.get(host);
    if (remembered !== undefined && remembered.until > now) return remembered.addresses;
    const resolver = new Resolver(RESOLVER);
    if (servers.length > 0) resolver.setServers(servers);
    // The limit of the resolver applies to each attempt and each DNS server.
    const late = setTimeout(() => resolver.cancel(), RESOLVE_MAX_MS).unref();
    const addresses = resolver
      .resolve4(host)
      .catch(() => [])
      .finally(() => clearTimeout(late));
    found.set(host, { until: now + REMEMBERED_MS, addresses });
    return addresses;
  };
}
